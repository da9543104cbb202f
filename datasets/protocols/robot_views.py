"""Views of a robot that moves about a room or a house: what several protocols sample, and all of them learn from."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
import shapely
from pydantic import Field, field_validator

from ...sim.camera_placement import Clearance, sample_poses_planar
from ...sim.geometry import Pose
from ...sim.scene import Room, Scene
from ..planning import generator, joined, planned_views
from ..spec import DatasetSpec, Protocol

MapOf = Literal["room", "scene"]


class RobotProtocol(Protocol):
    """What protocols have in common whose cameras are a robot's: they stand at its height and nearly level."""

    train_views_per_scene: int = Field(default=0, ge=0)
    """Views sampled over the whole of every train scene."""
    camera_height: tuple[float, float] = (1.2, 1.6)
    """Metres above the floor between which the height of cameras varies, except of corner references."""
    pitch_std: float = Field(default=3.0, ge=0, le=30)
    """Standard deviation, in degrees, of the pitch of cameras, except of corner references."""

    @field_validator("camera_height")
    @classmethod
    def _interval(cls, value: tuple[float, float]) -> tuple[float, float]:
        if not 0 < value[0] <= value[1]:
            raise ValueError(f"a range is [low, high] with 0 < low <= high, not {list(value)}")
        return value


def train_views(clearance: Clearance, spec: DatasetSpec, protocol: RobotProtocol) -> pd.DataFrame:
    """Return the views of a scene to learn from, sampled over the whole of it."""
    scene, count = clearance.scene, protocol.train_views_per_scene
    poses = robot_poses(clearance, None, count, generator(spec, scene.name, "train"), protocol)
    names = [f"train-{index:05d}" for index in range(count)]
    rooms = rooms_of(scene, poses)
    return planned_views(spec, scene, split="train", role="train", poses=poses, names=names, rooms=rooms)


def robot_poses(
    clearance: Clearance, room: Room | None, count: int, rng: np.random.Generator, protocol: RobotProtocol
) -> Pose:
    """Return ``count`` cameras of a robot that moves about the room, or the house where ``room`` is None."""
    return sample_poses_planar(
        clearance.scene,
        count,
        rng,
        room=room.name if room else None,
        height=protocol.camera_height,
        pitch_std=protocol.pitch_std,
        clearance=clearance,
    )


def room_views(
    scene: Scene,
    room: Room,
    split: str,
    spec: DatasetSpec,
    parts: Sequence[tuple[str, int, Pose]],
    *,
    each: MapOf,
) -> pd.DataFrame:
    """Return the rows of a room's views, part by part: role, density (0 of queries) and poses (N, 4, 4).

    ``each`` room, or the whole scene, is one map.
    """
    slug = _slug(scene, room)
    tables = []
    for role, density, poses in parts:
        first = density - len(poses) if role == "reference" else 0
        tables.append(
            planned_views(
                spec,
                scene,
                split=split,
                role=role,
                poses=poses,
                names=[f"{slug}-{role}-{first + index:04d}" for index in range(len(poses))],
                rooms=[room.name] * len(poses),
                map_name=f"{scene.name}/{slug}" if each == "room" else scene.name,
                density=density,
            )
        )
    return joined(tables)


def rooms_of(scene: Scene, poses: Pose) -> list[str]:
    """Return the name of the room that each camera stands in, "" in a doorway between two."""
    x, y = poses.translation[:, 0], poses.translation[:, 1]
    names = np.full(len(poses), "", dtype=object)
    for room in scene.rooms:
        names[shapely.contains_xy(room.polygon, x, y)] = room.name
    return names.tolist()


def _slug(scene: Scene, room: Room) -> str:
    """Return a room's name as part of a file name; its number is added where that would not be unique."""
    slugs = [re.sub(r"[^A-Za-z0-9_-]+", "-", other.name).strip("-") for other in scene.rooms]
    number = scene.rooms.index(room)
    return slugs[number] if slugs.count(slugs[number]) == 1 else f"{slugs[number]}-{number}"
