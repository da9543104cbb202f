"""Recorded path: a room is known from one walk through it, and queries are anywhere in it (paper 002, Figure 4).

The paper trains networks on the recorded sequences of a scene, and finds that their error grows with a query's distance
from them. Here the references of a room are the frames of one path through it, those of
`sim.camera_placement.recordings.recorded_poses`, and its queries are sampled as a robot moves, all over the room.
'relocbench train NETWORK --sampling trajectory --first-house SEED --houses 1' learns from the same path, where the
spec's heights, pitch, triangles and camera are the training's. Rooms without a path are skipped, and the manifest says
so.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from ....sim.camera_placement import Clearance
from ....sim.camera_placement.recordings import recorded_poses
from ....sim.scene import Scene
from ...plan import Plan, SkippedRoom
from ...planning import generator, joined
from ...spec import DatasetSpec
from ..robot_views import MapOf, RobotProtocol, robot_poses, room_views, rooms_of, train_views

FRAMES = 192  # of a house's recording, as many as a training takes of it


class RecordedPath(RobotProtocol):
    """The frames of one walk through a room are its references; queries are anywhere in it."""

    name: Literal["recorded-path"] = "recorded-path"
    """This protocol."""
    queries_per_room: int = Field(default=50, ge=0)
    """Queries sampled in every room with a path of a val or test scene."""
    map: MapOf = "room"
    """Whether each room is a map of its own, or a scene's rooms share one map."""

    def plan(self, scene: Scene, split: str, spec: DatasetSpec) -> Plan:
        """Plan one scene: training views over the whole house, or, of each room with a path, its frames and queries.

        Raises `InputError` where there is no room to walk in.
        """
        clearance = Clearance(scene)
        if split == "train":
            return Plan(train_views(clearance, spec, self))
        frames = recorded_poses(clearance, FRAMES, height=self.camera_height, pitch_std=self.pitch_std)
        at = np.array(rooms_of(scene, frames))
        tables, skipped = [], []
        for room in scene.rooms:
            here = frames[np.flatnonzero(at == room.name)]
            if not len(here):
                skipped.append(SkippedRoom(room=room.name, reason="no path of the recording leads through it"))
                continue
            rng = generator(spec, scene.name, room.name, "query")
            queries = robot_poses(clearance, room, self.queries_per_room, rng, self)
            density = len(here) if self.map == "room" else len(frames)
            parts = [("reference", density, here), ("query", 0, queries)]
            tables.append(room_views(scene, room, split, spec, parts, each=self.map))
        return Plan(joined(tables), tuple(skipped))
