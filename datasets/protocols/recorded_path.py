"""Recorded path: a room is known from one walk through it, and queries are anywhere in it (paper 002, Figure 4).

The paper trains networks on the recorded sequences of a scene, and finds that their error grows with a query's distance
from them. Here the references of a room are the frames of one path through it, those of
`sim.camera_placement.recordings.recorded_poses`, and its queries are sampled as a robot moves, all over the room.
'relocbench train NETWORK --sampling trajectory --first-house SEED --houses 1' learns from the same path, where the
spec's heights, pitch, triangles and camera are the training's. Rooms without a path are skipped, and the manifest says
so.
"""

from __future__ import annotations

import numpy as np

from ...sim.camera_placement import Clearance
from ...sim.camera_placement.recordings import recorded_poses
from ...sim.scene import Scene
from ..manifest import SkippedRoom
from ..planning import Plan, generator, joined
from ..spec import DatasetSpec
from .robot_views import robot_poses, room_views, rooms_of, train_views

FRAMES = 192  # of a house's recording, as many as a training takes of it


def plan_recorded_path(scene: Scene, split: str, spec: DatasetSpec) -> Plan:
    """Plan one scene: training views over the whole house, or, of each room with a path, its frames and queries.

    Raises `InputError` where there is no room to walk in.
    """
    clearance = Clearance(scene)
    if split == "train":
        return Plan(train_views(clearance, spec))
    frames = recorded_poses(clearance, FRAMES, height=spec.camera_height, pitch_std=spec.pitch_std)
    at = np.array(rooms_of(scene, frames))
    tables, skipped = [], []
    for room in scene.rooms:
        here = frames[np.flatnonzero(at == room.name)]
        if not len(here):
            skipped.append(SkippedRoom(room=room.name, reason="no path of the recording leads through it"))
            continue
        rng = generator(spec, scene.name, room.name, "query")
        queries = robot_poses(clearance, room, spec.queries_per_room, rng, spec)
        tables.append(room_views(scene, room, split, spec, [("reference", len(here), here), ("query", 0, queries)]))
    return Plan(joined(tables), tuple(skipped))
