"""Sampling camera poses in a scene: of a robot that drives on its floor, or anywhere in free space."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from shapely import contains_xy, get_parts
from shapely.geometry import MultiPolygon, Polygon

from ...errors import InputError
from ..geometry import Pose
from ..scene import Scene
from .clearance import Clearance
from .navigable import floor_level

Array = NDArray[Any]

_MOST_ROUNDS = 200


def sample_poses_planar(
    scene: Scene,
    count: int,
    rng: np.random.Generator,
    *,
    room: str | None = None,
    height: tuple[float, float] = (1.2, 1.6),
    pitch_std: float = 2.0,
    roll_std: float = 0.0,
    clearance: Clearance | None = None,
) -> Pose:
    """Return ``count`` poses (N, 4, 4) of a camera on a robot: uniform over the navigable floor and over yaw.

    ``room`` names the only room to sample in. Heights above the floor are uniform in ``height`` metres; pitch and roll
    are normal with the given standard deviations in degrees. No pose is closer than the clearance's minimum (0.2 m) to
    a surface, or inside something. ``clearance`` is one of the same scene, to save building it again.

    Raises ``InputError`` where there is no such place, ``KeyError`` for an unknown room.
    """
    clearance = clearance or Clearance(scene)
    area = _within(clearance.navigable, scene, room)
    points = _sample_points(clearance, area, height, count, rng, _place(scene, room))
    yaw = rng.uniform(-np.pi, np.pi, size=count)
    pitch, roll = (np.radians(std) * rng.standard_normal(count) for std in (pitch_std, roll_std))
    return Pose.from_planar(points[:, :2], height=points[:, 2], yaw=yaw, pitch=pitch, roll=roll)


def sample_poses_6dof(
    scene: Scene,
    count: int,
    rng: np.random.Generator,
    *,
    room: str | None = None,
    height: tuple[float, float] = (0.3, 2.2),
    tilt_std: float = 20.0,
    clearance: Clearance | None = None,
) -> Pose:
    """Return ``count`` poses (N, 4, 4) anywhere in free space, above furniture too, uniform in place and yaw.

    Pitch and roll are normal with the standard deviation ``tilt_std`` in degrees; everything else is as in
    :func:`sample_poses_planar`.
    """
    clearance = clearance or Clearance(scene)
    area = _within(_floor_area(scene, clearance), scene, room)
    points = _sample_points(clearance, area, height, count, rng, _place(scene, room))
    yaw = rng.uniform(-np.pi, np.pi, size=count)
    pitch = np.clip(np.radians(tilt_std) * rng.standard_normal(count), -1.5, 1.5)
    roll = np.radians(tilt_std) * rng.standard_normal(count)
    return Pose.from_planar(points[:, :2], height=points[:, 2], yaw=yaw, pitch=pitch, roll=roll)


def free_point_near(
    clearance: Clearance, xy: ArrayLike, *, height: float, polygon: Polygon | MultiPolygon | None = None
) -> Array:
    """Return the free point (2,) nearest to ``xy`` for a camera ``height`` metres above the floor, within 5 cm.

    ``polygon`` bounds the search (a room); without it the whole navigable floor does. Raises ``InputError`` where
    nothing in it is free.
    """
    area = clearance.navigable if polygon is None else polygon
    x0, y0, x1, y1 = area.bounds
    grid = np.stack(np.meshgrid(np.arange(x0, x1, 0.05), np.arange(y0, y1, 0.05)), axis=-1).reshape(-1, 2)
    grid = np.concatenate([np.asarray(xy, dtype=np.float64)[None], grid])
    grid = grid[contains_xy(area, grid[:, 0], grid[:, 1])]
    grid = grid[np.argsort(((grid - np.asarray(xy)) ** 2).sum(axis=1), kind="stable")]
    z = floor_level(clearance.scene) + height
    for start in range(0, len(grid), 256):
        part = grid[start : start + 256]
        clear = clearance.is_clear(np.column_stack([part, np.full(len(part), z)]))
        if clear.any():
            return part[int(np.argmax(clear))]
    raise InputError(
        f"{clearance.scene.name}: no free space {height:.2f} m above the floor around "
        f"{np.round(np.asarray(xy), 2).tolist()}; choose another height or room"
    )


def _within(area: MultiPolygon, scene: Scene, room: str | None) -> Polygon | MultiPolygon:
    if room is None:
        return area
    inside = area.intersection(scene.room(room).polygon)
    return MultiPolygon([part for part in get_parts(inside) if isinstance(part, Polygon) and not part.is_empty])


def _floor_area(scene: Scene, clearance: Clearance) -> MultiPolygon:
    if scene.rooms:
        return MultiPolygon([room.polygon for room in scene.rooms])
    hull = clearance.navigable.convex_hull
    return MultiPolygon([hull]) if isinstance(hull, Polygon) and not hull.is_empty else MultiPolygon()


def _place(scene: Scene, room: str | None) -> str:
    return scene.name if room is None else f"{scene.name}, {room}"


def _sample_points(
    clearance: Clearance,
    area: Polygon | MultiPolygon,
    height: tuple[float, float],
    count: int,
    rng: np.random.Generator,
    place: str,
) -> Array:
    """Return points (N, 3) uniform over an area and a range of heights that are clear."""
    floor = floor_level(clearance.scene)
    kept: list[Array] = [np.zeros((0, 3))]
    missing = count
    for _ in range(_MOST_ROUNDS if not area.is_empty else 0):
        if missing <= 0:
            break
        x0, y0, x1, y1 = area.bounds
        low, high = (x0, y0, floor + height[0]), (x1, y1, floor + height[1])
        points = rng.uniform(low, high, size=(max(64, 3 * missing), 3))
        points = points[contains_xy(area, points[:, 0], points[:, 1])]
        kept.append(points[clearance.is_clear(points)])
        missing -= len(kept[-1])
    if missing > 0:
        raise InputError(
            f"{place}: no place {height[0]:.2f} to {height[1]:.2f} m above the floor keeps {clearance.minimum} m from "
            "all surfaces; choose other heights or another room"
        )
    return np.concatenate(kept)[:count]
