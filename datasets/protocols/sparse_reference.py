"""Sparse references: localize in a room that four photographs describe (paper 002, ExReNet, section V-C).

The paper places four reference cameras by hand, one in each corner of a room, oriented towards its centre, and samples
500 queries per room "the same way as for the sparse training set": mostly along x, y and yaw, which simulates a moving
robot. It then adds random references to the four. Left open there, and chosen here:

- the corners are those of the smallest rectangle around the room's floor; a camera that would stand inside furniture,
  or closer to a surface than navigation allows, moves to the nearest free place;
- "towards the centre" is towards the room's centroid at the middle of the queries' heights, so that a standing
  camera looks slightly down, and references and queries see the same things;
- a robot's camera moves a little in height (uniformly) and pitch (normally distributed); its yaw is uniform;
- added references are sampled like queries, from random numbers of their own: a sweep only ever adds references,
  and neither their number nor that of the queries moves any other camera.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.spatial.distance import pdist
from shapely.geometry import Polygon
from shapely.geometry.polygon import orient

from ...errors import InputError
from ...sim.camera_placement import Clearance, free_point_near
from ...sim.geometry import Pose
from ...sim.scene import Room, Scene
from ..manifest import SkippedRoom
from ..planning import Plan, generator, joined
from ..spec import CORNERS, DatasetSpec
from .robot_views import robot_poses, room_views, train_views

_LEAST_SPREAD = 0.5  # metres between two corner cameras: closer ones are one view of the room, not two


class _UnsuitableRoomError(Exception):
    """A room that the protocol leaves out; the message says why."""


def plan_sparse_reference(scene: Scene, split: str, spec: DatasetSpec) -> Plan:
    """Plan one scene: training views over the whole house, or references and queries room by room.

    Rooms that are too small or narrow, or in which cameras find no free place, are skipped with the reason.
    Raises `InputError` where every room was skipped, or there is none.
    """
    clearance = Clearance(scene)
    if split == "train":
        return Plan(train_views(clearance, spec))
    tables, skipped = [], []
    for room in scene.rooms:
        try:
            tables.append(_room_views(clearance, room, split, spec))
        except _UnsuitableRoomError as reason:
            skipped.append(SkippedRoom(room=room.name, reason=str(reason)))
    if not tables:
        reasons = "; ".join(f"{skip.room}: {skip.reason}" for skip in skipped) or "it has none"
        raise InputError(f"scene {scene.name}: no room suits the protocol ({reasons})")
    return Plan(joined(tables), tuple(skipped))


def _room_views(clearance: Clearance, room: Room, split: str, spec: DatasetSpec) -> pd.DataFrame:
    """Return the references of one room, density by density, then its queries; raises `_UnsuitableRoomError`."""
    scene = clearance.scene
    parts: list[tuple[str, int, Pose]] = [("reference", CORNERS, _corner_references(clearance, room, spec))]
    try:
        for fewer, density in pairwise(spec.references_per_room):
            rng = generator(spec, scene.name, room.name, "reference", str(density))
            parts.append(("reference", density, robot_poses(clearance, room, density - fewer, rng, spec)))
        rng = generator(spec, scene.name, room.name, "query")
        parts.append(("query", 0, robot_poses(clearance, room, spec.queries_per_room, rng, spec)))
    except InputError as error:
        raise _UnsuitableRoomError(str(error)) from error
    return room_views(scene, room, split, spec, parts)


def _corner_references(clearance: Clearance, room: Room, spec: DatasetSpec) -> Pose:
    """Return four cameras, one near each corner of the room, that face its centre."""
    corners = _rectangle(room)
    _check_size(room, corners, spec)
    target = _centre(clearance.scene, room, spec)
    eyes = np.full((CORNERS, 3), clearance.scene.floor_height + spec.reference_height)
    for eye, corner in zip(eyes, corners, strict=True):
        try:
            eye[:2] = free_point_near(clearance, corner, height=spec.reference_height, polygon=room.polygon)
        except InputError as error:
            raise _UnsuitableRoomError(str(error)) from error
    spread = pdist(np.concatenate([eyes[:, :2], target[None, :2]])).min()
    if spread < _LEAST_SPREAD:
        raise _UnsuitableRoomError(f"free places near its corners are {spread:.2f} m apart or from its centre")
    return Pose.look_at(eyes, target)


def _check_size(room: Room, corners: NDArray[np.float64], spec: DatasetSpec) -> None:
    area, width = room.polygon.area, np.linalg.norm(corners[:2] - corners[1:3], axis=1).min()
    if area < spec.min_room_area:
        raise _UnsuitableRoomError(f"{area:.1f} square metres, fewer than min_room_area {spec.min_room_area:g}")
    if width < spec.min_room_width:
        raise _UnsuitableRoomError(f"{width:.1f} m wide, less than min_room_width {spec.min_room_width:g}")


def _rectangle(room: Room) -> NDArray[np.float64]:
    """Return the corners (4, 2) of the smallest rectangle around a room's floor, counter-clockwise."""
    ring = shapely.get_coordinates(shapely.minimum_rotated_rectangle(room.polygon))
    return np.array(orient(Polygon(ring)).exterior.coords)[:CORNERS]


def _centre(scene: Scene, room: Room, spec: DatasetSpec) -> NDArray[np.float64]:
    """Return the point (3,) that a room's corner cameras face."""
    centre = room.polygon.centroid
    if not room.polygon.contains(centre):  # an L-shaped room may lie around its centroid
        centre = room.polygon.representative_point()
    return np.array([centre.x, centre.y, scene.floor_height + np.mean(spec.camera_height)])
