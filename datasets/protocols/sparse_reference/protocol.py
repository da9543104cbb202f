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
from typing import Any, Literal

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pydantic import Field, field_validator
from scipy.spatial.distance import pdist
from shapely.geometry import Polygon
from shapely.geometry.polygon import orient

from ....errors import InputError
from ....sim.camera_placement import Clearance, free_point_near
from ....sim.geometry import Pose
from ....sim.scene import Room, Scene
from ...plan import Plan, SkippedRoom
from ...planning import generator, joined
from ...spec import DatasetSpec
from ..robot_views import MapOf, RobotProtocol, robot_poses, room_views, train_views

CORNERS = 4

_LEAST_SPREAD = 0.5  # metres between two corner cameras: closer ones are one view of the room, not two


class _UnsuitableRoomError(Exception):
    """A room that the protocol leaves out; the message says why."""


class SparseReference(RobotProtocol):
    """Four references per room, one in each corner, and a sweep that adds more; queries anywhere in the room."""

    name: Literal["sparse-reference"] = "sparse-reference"
    """This protocol."""
    queries_per_room: int = Field(default=50, ge=0)
    """Queries sampled in every room of a val or test scene."""
    references_per_room: tuple[int, ...] = (CORNERS,)
    """Densities of the sweep; the first is 4, one reference in each corner, and later ones only add."""
    reference_height: float = Field(default=1.6, gt=0)
    """Metres above the floor of the four corner references: standing height."""
    map: MapOf = "room"
    """Whether each room is a map of its own, as in the paper, or a scene's rooms share one map."""
    min_room_area: float = Field(default=5.0, ge=0)
    """Square metres; smaller rooms are skipped, and the manifest says so."""
    min_room_width: float = Field(default=2.0, ge=0)
    """Metres; rooms that are narrower, such as corridors, are skipped, and the manifest says so."""

    @field_validator("references_per_room", mode="before")
    @classmethod
    def _bare_number(cls, value: Any) -> Any:
        return [value] if isinstance(value, int) else value

    @field_validator("references_per_room")
    @classmethod
    def _sweep(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if not value or value[0] != CORNERS or any(b <= a for a, b in pairwise(value)):
            raise ValueError(f"densities start with {CORNERS} (one reference per corner) and grow, not {list(value)}")
        return value

    @property
    def sweep_axis(self) -> str:
        """What ``references_per_room`` counts: a room is a map of its own, or one of several in a map."""
        return "references per map" if self.map == "room" else "references per room"

    def plan(self, scene: Scene, split: str, spec: DatasetSpec) -> Plan:
        """Plan one scene: training views over the whole house, or references and queries room by room.

        Rooms that are too small or narrow, or in which cameras find no free place, are skipped with the reason.
        Raises `InputError` where every room was skipped, or there is none.
        """
        clearance = Clearance(scene)
        if split == "train":
            return Plan(train_views(clearance, spec, self))
        tables, skipped = [], []
        for room in scene.rooms:
            try:
                tables.append(_room_views(clearance, room, split, spec, self))
            except _UnsuitableRoomError as reason:
                skipped.append(SkippedRoom(room=room.name, reason=str(reason)))
        if not tables:
            reasons = "; ".join(f"{skip.room}: {skip.reason}" for skip in skipped) or "it has none"
            raise InputError(f"scene {scene.name}: no room suits the protocol ({reasons})")
        return Plan(joined(tables), tuple(skipped))


def _room_views(
    clearance: Clearance, room: Room, split: str, spec: DatasetSpec, protocol: SparseReference
) -> pd.DataFrame:
    """Return the references of one room, density by density, then its queries; raises `_UnsuitableRoomError`."""
    scene = clearance.scene
    parts: list[tuple[str, int, Pose]] = [("reference", CORNERS, _corner_references(clearance, room, protocol))]
    try:
        for fewer, density in pairwise(protocol.references_per_room):
            rng = generator(spec, scene.name, room.name, "reference", str(density))
            parts.append(("reference", density, robot_poses(clearance, room, density - fewer, rng, protocol)))
        rng = generator(spec, scene.name, room.name, "query")
        parts.append(("query", 0, robot_poses(clearance, room, protocol.queries_per_room, rng, protocol)))
    except InputError as error:
        raise _UnsuitableRoomError(str(error)) from error
    return room_views(scene, room, split, spec, parts, each=protocol.map)


def _corner_references(clearance: Clearance, room: Room, protocol: SparseReference) -> Pose:
    """Return four cameras, one near each corner of the room, that face its centre."""
    corners = _rectangle(room)
    _check_size(room, corners, protocol)
    target = _centre(clearance.scene, room, protocol)
    eyes = np.full((CORNERS, 3), clearance.scene.floor_height + protocol.reference_height)
    for eye, corner in zip(eyes, corners, strict=True):
        try:
            eye[:2] = free_point_near(clearance, corner, height=protocol.reference_height, polygon=room.polygon)
        except InputError as error:
            raise _UnsuitableRoomError(str(error)) from error
    spread = pdist(np.concatenate([eyes[:, :2], target[None, :2]])).min()
    if spread < _LEAST_SPREAD:
        raise _UnsuitableRoomError(f"free places near its corners are {spread:.2f} m apart or from its centre")
    return Pose.look_at(eyes, target)


def _check_size(room: Room, corners: NDArray[np.float64], protocol: SparseReference) -> None:
    area, width = room.polygon.area, np.linalg.norm(corners[:2] - corners[1:3], axis=1).min()
    if area < protocol.min_room_area:
        raise _UnsuitableRoomError(f"{area:.1f} square metres, fewer than min_room_area {protocol.min_room_area:g}")
    if width < protocol.min_room_width:
        raise _UnsuitableRoomError(f"{width:.1f} m wide, less than min_room_width {protocol.min_room_width:g}")


def _rectangle(room: Room) -> NDArray[np.float64]:
    """Return the corners (4, 2) of the smallest rectangle around a room's floor, counter-clockwise."""
    ring = shapely.get_coordinates(shapely.minimum_rotated_rectangle(room.polygon))
    return np.array(orient(Polygon(ring)).exterior.coords)[:CORNERS]


def _centre(scene: Scene, room: Room, protocol: SparseReference) -> NDArray[np.float64]:
    """Return the point (3,) that a room's corner cameras face."""
    centre = room.polygon.centroid
    if not room.polygon.contains(centre):  # an L-shaped room may lie around its centroid
        centre = room.polygon.representative_point()
    return np.array([centre.x, centre.y, scene.floor_height + np.mean(protocol.camera_height)])
