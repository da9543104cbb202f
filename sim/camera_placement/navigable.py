"""The navigable floor of any scene: where a robot can stand without touching anything."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from shapely import box as boxes
from shapely import get_parts
from shapely.geometry import MultiPolygon, Polygon
from shapely.ops import unary_union

from ..scene import Scene

Array = NDArray[Any]

ROBOT_RADIUS = 0.25
_CELL = 0.04
_MOST_CELLS = 4_000_000
_MARGIN = 0.03  # what surfaces and polygons may be off for being taken cell by cell
_STEP, _HEADROOM = 0.04, 1.9  # what is lower is driven over, what is higher is driven under
_SMALLEST = 0.15  # square metres; smaller patches are gaps behind furniture


def navigable_floor(scene: Scene, *, radius: float = ROBOT_RADIUS) -> MultiPolygon:
    """Return the floor, in world x, y, whose points keep ``radius`` metres from all obstacles and from its edge.

    An obstacle is whatever has surface between 0.04 and 1.9 m above the floor. Empty where there is no such floor.
    """
    level = floor_level(scene)
    low, high = _bounds(scene)
    cell = max(_CELL, float(np.sqrt(np.prod(high - low) / _MOST_CELLS)))
    shape = tuple(int(n) for n in np.ceil((high - low) / cell) + 1)
    corners = scene.vertices[scene.triangles].astype(np.float64)
    bottom, top = corners[..., 2].min(axis=1) - level, corners[..., 2].max(axis=1) - level
    inside = (corners[..., :2].max(axis=1) >= low).all(axis=1) & (corners[..., :2].min(axis=1) <= high).all(axis=1)
    flat = inside & (np.abs(bottom) < _STEP) & (np.abs(top) < _STEP)
    floor = _raster(corners[flat], low, cell, shape, -np.inf, np.inf)
    floor = ndimage.binary_closing(floor, iterations=1)
    tall = inside & (top > _STEP) & (bottom < _HEADROOM)
    obstacles = _raster(corners[tall], low, cell, shape, level + _STEP, level + _HEADROOM)
    distance = ndimage.distance_transform_edt(np.pad(floor & ~obstacles, 1))[1:-1, 1:-1] * cell
    return _polygons(distance >= radius + _MARGIN, low, cell)


def free_floor(scene: Scene) -> MultiPolygon:
    """Return a scene's own navigable floor, in world x, y, or what is found where it knows none."""
    return navigable_floor(scene) if scene.navigable.is_empty else scene.navigable


def floor_level(scene: Scene) -> float:
    """Return the height of the floor: the scene's own where it has rooms, else the lowest large level surface's."""
    if scene.rooms:
        return scene.floor_height
    corners = scene.vertices[scene.triangles].astype(np.float64)
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.linalg.norm(cross, axis=-1)
    level = cross[:, 2] > 0.97 * np.maximum(area, 1e-12)
    if not level.any():  # some scans have all their faces turned over
        level = -cross[:, 2] > 0.97 * np.maximum(area, 1e-12)
    if not level.any():
        return float(scene.vertices[:, 2].min())
    height = corners[level, :, 2].mean(axis=1)
    slot = np.floor((height - height.min()) / 0.05).astype(int)
    share = np.bincount(slot, weights=area[level])
    share = share + np.append(share[1:], 0.0)  # a floor may lie on the border of two slots
    lowest = int(np.argmax(share >= 0.4 * share.max()))
    chosen = (slot == lowest) | (slot == lowest + 1)
    return float(np.average(height[chosen], weights=area[level][chosen]))


def _bounds(scene: Scene) -> tuple[Array, Array]:
    if scene.rooms:
        outlines = np.array([room.polygon.bounds for room in scene.rooms])
        return outlines[:, :2].min(axis=0) - 0.1, outlines[:, 2:].max(axis=0) + 0.1
    low, high = scene.bounds.astype(np.float64)
    return low[:2], high[:2]


def _raster(corners: Array, low: Array, cell: float, shape: tuple[int, ...], z0: float, z1: float) -> Array:
    """Return which cells have a point of some triangle at heights ``z0`` to ``z1``, sampled finer than a cell."""
    marked = np.zeros(shape, dtype=bool)
    edges = np.linalg.norm(np.roll(corners, -1, axis=1) - corners, axis=-1)
    steps = np.maximum(1, np.ceil(edges.max(axis=1, initial=0.0) / (0.9 * cell))).astype(int)
    for n in np.unique(steps):
        i, j = (a.ravel() for a in np.meshgrid(np.arange(n + 1), np.arange(n + 1)))
        weights = np.stack([i, j, n - i - j], axis=-1)[i + j <= n] / n
        group = corners[steps == n]
        chunk = max(1, 500_000 // len(weights))
        for start in range(0, len(group), chunk):
            points = np.einsum("sk,tkd->tsd", weights, group[start : start + chunk]).reshape(-1, 3)
            points = points[(points[:, 2] >= z0) & (points[:, 2] <= z1)]
            column, row = np.floor((points[:, :2] - low) / cell).astype(int).T
            inside = (column >= 0) & (column < shape[0]) & (row >= 0) & (row < shape[1])
            marked[column[inside], row[inside]] = True
    return marked


def _polygons(free: Array, low: Array, cell: float) -> MultiPolygon:
    """Return cells (X, Y) bool as polygons, small patches left out."""
    labels, count = ndimage.label(free)
    sizes = np.bincount(labels.ravel(), minlength=count + 1) * cell**2
    free = free & (sizes >= _SMALLEST)[labels]
    padded = np.pad(free, ((0, 0), (1, 1))).astype(np.int8)
    change = np.diff(padded, axis=1)
    columns, starts = np.nonzero(change == 1)
    _, ends = np.nonzero(change == -1)
    x0, y0 = low[0] + columns * cell, low[1] + starts * cell
    shape = unary_union(boxes(x0, y0, x0 + cell * 1.0001, low[1] + ends * cell)).simplify(0.02)
    return MultiPolygon([part for part in get_parts(shape) if isinstance(part, Polygon) and not part.is_empty])
