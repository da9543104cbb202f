"""`Clearance`: exact distances from points to a scene's surfaces, and whether a camera can be where a point is."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from ..scene import Scene
from .navigable import floor_level, free_floor

Array = NDArray[Any]

_LONGEST_EDGE = 0.25
_MOST_PIECES = 400_000
_MOST_CELLS = 400_000
_PAIRS_AT_ONCE = 1 << 20


class Clearance:
    """Answers where in a scene a camera may be: at least ``minimum`` metres from every surface, and in free space.

    Distances are exact. Triangles are cut into pieces that lie within ``r`` of their centroids, so that the nearest
    surface of a point is found among the pieces whose centroids are at most ``d + r`` away, ``d`` being the distance to
    the nearest centroid.

    Free space is told from the inside of furniture and walls by walking: cells of a grid that are at least ``minimum``
    away from everything are joined where the step between them is too short to cross a surface, and those that are not
    joined to the space above the navigable floor do not count.
    """

    def __init__(self, scene: Scene, *, minimum: float = 0.2) -> None:
        self.scene = scene
        self.minimum = minimum
        self.navigable = free_floor(scene)
        self._region = _region(scene)
        self._pieces = _pieces(scene, self._region)
        centroids = self._pieces.mean(axis=1)
        self._reach = float(np.linalg.norm(self._pieces - centroids[:, None], axis=-1).max(initial=0.0))
        self._tree = cKDTree(centroids)
        self._free = cKDTree(self._free_cells())

    def distance(self, points: ArrayLike, *, limit: float = 1.0) -> Array:
        """Return the distances (N,) of points (N, 3) to the nearest surface, metres, exact up to ``limit``.

        Surfaces more than a metre outside of all rooms do not count.
        """
        points = np.asarray(points, dtype=np.float64).reshape(-1, 3)
        nearest = np.asarray(self._tree.query(points, distance_upper_bound=limit + self._reach)[0])
        result = np.full(len(points), float(limit))
        asked = np.flatnonzero(np.isfinite(nearest))
        radii = np.minimum(nearest[asked], limit) + self._reach
        result[asked] = np.minimum(self._exact(points[asked], radii), limit)
        return result

    def is_clear(self, points: ArrayLike) -> Array:
        """Return whether points (N, 3) lie in free space and at least ``minimum`` from every surface, (N,) bool."""
        points = np.asarray(points, dtype=np.float64).reshape(-1, 3)
        inside = ((points >= self._region[0]) & (points <= self._region[1])).all(axis=1)
        # Both ends of the way to a free cell keep ``minimum``: a way shorter than their sum meets no surface.
        to_free, _ = self._free.query(points, distance_upper_bound=1.95 * self.minimum)
        clear = inside & np.isfinite(to_free)
        asked = np.flatnonzero(clear)
        nearest, _ = self._tree.query(points[asked], distance_upper_bound=self.minimum + self._reach)
        clear[asked[nearest < self.minimum]] = False
        close = asked[np.isfinite(nearest) & (nearest >= self.minimum)]
        radii = np.full(len(close), self.minimum + self._reach)
        clear[close] = self._exact(points[close], radii) >= self.minimum
        return clear

    def _exact(self, points: Array, radii: Array) -> Array:
        """Return the distances (N,) to the nearest piece whose centroid lies within ``radii`` (N,)."""
        result = np.full(len(points), np.inf)
        found = self._tree.query_ball_point(points, radii, return_sorted=False)
        counts = np.array([len(f) for f in found], dtype=np.int64)
        start = 0
        while start < len(points):
            stop = start + max(1, int(np.searchsorted(np.cumsum(counts[start:]), _PAIRS_AT_ONCE)))
            owner = np.repeat(np.arange(start, min(stop, len(points))), counts[start:stop])
            pieces = np.concatenate([np.asarray(f, dtype=np.int64) for f in found[start:stop]])
            distances = point_triangle_distance(points[owner], self._pieces[pieces])
            np.minimum.at(result, owner, distances)
            start = stop
        return result

    def _free_cells(self) -> Array:
        """Return the centres (C, 3) of grid cells in free space that is joined to the space above the floor."""
        low, high = self._region
        step = max(0.9 * self.minimum, float(np.cbrt(np.prod(high - low) / _MOST_CELLS)))
        # Longer steps than this could cross a thin surface unseen; then cells must keep further away from it.
        keep = max(self.minimum, step / 2)
        axes = [np.arange(a + step / 2, b, step) for a, b in zip(low, high, strict=True)]
        cells = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
        nearest, _ = self._tree.query(cells.reshape(-1, 3), distance_upper_bound=keep + self._reach)
        open_cells = np.isinf(nearest).reshape(cells.shape[:3])
        labels, _ = ndimage.label(open_cells)
        seeds = labels[self._above_floor(cells, axes)]
        joined = np.isin(labels, np.unique(seeds[seeds > 0]))
        return cells[joined]

    def _above_floor(self, cells: Array, axes: list[Array]) -> Array:
        """Return which cells a camera on a robot may be in: above the navigable floor, 0.3 to 1.5 m high."""
        from shapely import contains_xy

        flat = cells[:, :, 0, :2]
        above = contains_xy(self.navigable, flat[..., 0], flat[..., 1])
        height = axes[2] - floor_level(self.scene)
        return above[:, :, None] & ((height > 0.3) & (height < 1.5))[None, None, :]


def _region(scene: Scene) -> Array:
    """Return the box (2, 3) in which cameras may be: around all rooms, or around the scene where it has none."""
    low, high = scene.bounds.astype(np.float64)
    if scene.rooms:
        boxes = np.array([room.polygon.bounds for room in scene.rooms])
        low[:2], high[:2] = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
        low[2] = scene.floor_height
    return np.stack([low, high])


def _pieces(scene: Scene, region: Array) -> Array:
    """Return triangles (P, 3, 3) cut so that no edge is longer than a limit, without those far from the region."""
    corners = scene.vertices[scene.triangles].astype(np.float64)
    near = (corners.max(axis=1) >= region[0] - 1.0) & (corners.min(axis=1) <= region[1] + 1.0)
    corners = corners[near.all(axis=1)]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=-1).sum() / 2
    limit = max(_LONGEST_EDGE, float(np.sqrt(4.0 * area / _MOST_PIECES)))
    done: list[Array] = []
    while len(corners):
        edges = np.linalg.norm(np.roll(corners, -1, axis=1) - corners, axis=-1)
        long = edges.max(axis=1) > limit
        done.append(corners[~long])
        corners = _halved(corners[long], edges[long].argmax(axis=1))
        inside = (corners.max(axis=1) >= region[0] - 1.0) & (corners.min(axis=1) <= region[1] + 1.0)
        corners = corners[inside.all(axis=1)]
    return np.concatenate(done) if done else np.zeros((0, 3, 3))


def _halved(corners: Array, longest: Array) -> Array:
    """Cut triangles (K, 3, 3) in two (2K, 3, 3) at the middle of their longest edges, given by first corner."""
    order = (longest[:, None] + np.arange(3)) % 3
    a, b, c = np.moveaxis(np.take_along_axis(corners, order[:, :, None], axis=1), 1, 0)
    middle = (a + b) / 2
    return np.concatenate([np.stack([a, middle, c], axis=1), np.stack([middle, b, c], axis=1)])


def point_triangle_distance(points: Array, triangles: Array) -> Array:
    """Return the distances (N,) between points (N, 3) and triangles (N, 3, 3), pair by pair."""
    a, b, c = triangles[:, 0], triangles[:, 1], triangles[:, 2]
    edges = [_segment_distance_squared(points, p, q) for p, q in ((a, b), (b, c), (c, a))]
    best = np.minimum(np.minimum(edges[0], edges[1]), edges[2])
    normal = np.cross(b - a, c - a)
    length_squared = (normal**2).sum(axis=1)
    above = np.ones(len(points), dtype=bool)
    for p, q in ((a, b), (b, c), (c, a)):
        above &= (np.cross(q - p, points - p) * normal).sum(axis=1) >= 0
    inside = above & (length_squared > 1e-24)
    height = ((points - a) * normal).sum(axis=1)
    plane = height[inside] ** 2 / length_squared[inside]
    best[inside] = np.minimum(best[inside], plane)
    return np.sqrt(best)


def _segment_distance_squared(points: Array, start: Array, end: Array) -> Array:
    along = end - start
    length = (along**2).sum(axis=1)
    share = ((points - start) * along).sum(axis=1) / np.maximum(length, 1e-24)
    gap = points - start - np.clip(share, 0.0, 1.0)[:, None] * along
    return (gap**2).sum(axis=1)
