"""One picture that shows many houses, so that people can judge them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...camera_placement import Clearance, sample_poses_planar
from ...geometry import Camera, Pose
from ...raycast import Raycaster
from ...scene import Scene
from .house import generate_house

Array = NDArray[Any]

_CANDIDATES = 100
_GAP = 6


def contact_sheet(
    seeds: Sequence[int],
    *,
    columns: int = 4,
    size: tuple[int, int] = (480, 360),
    condition: str = "day",
    triangles: int = 100_000,
) -> Array:
    """Return the most telling interior view of each house, (H, W, 3) uint8 sRGB, ``columns`` abreast.

    ``size`` is the width and height of one view in pixels.
    """
    camera = Camera.from_fov(*size, 78.0)
    simulator = Raycaster(options={"samples_per_pixel": 4})
    views = []
    for number, seed in enumerate(seeds):
        scene = generate_house(seed, triangles=triangles)
        simulator.load(scene, condition)
        # Houses take turns in the type of room that they show: else all would show their living rooms.
        pose = telling_view(scene, simulator, room_type=_SHOWN[number % len(_SHOWN)], seed=seed)
        views.append(next(iter(simulator.render(pose, camera, frozenset({"rgb"})))).rgb)
    simulator.close()
    return _tiled([view for view in views if view is not None], columns)


_SHOWN = ("living room", "bedroom", "kitchen", "bathroom", "office", "dining room", "child's room", "living room")


def telling_view(scene: Scene, simulator: Raycaster, *, room_type: str | None = None, seed: int = 0) -> Pose:
    """Return the pose of a scene from which many things are seen and nothing is too near.

    Prefers rooms of ``room_type`` where there is one. ``simulator`` has the scene loaded.
    """
    rng = np.random.default_rng(seed)
    clearance = Clearance(scene)
    rooms = [room.name for room in scene.rooms if room.type == room_type]
    poses = sample_poses_planar(
        scene,
        _CANDIDATES,
        rng,
        room=rooms[0] if rooms else None,
        height=(1.45, 1.65),
        pitch_std=0.0,
        clearance=clearance,
    )
    down = np.radians(-9.0)
    tilt = np.eye(4)
    tilt[1:3, 1:3] = [[np.cos(down), -np.sin(down)], [np.sin(down), np.cos(down)]]
    poses = poses @ Pose(tilt)
    camera = Camera.from_fov(64, 48, 78.0)
    in_room = np.array([0] + [i.id for i in scene.instances if not rooms or i.room == rooms[0]])
    scores = [
        view_score(np.where(np.isin(view.instance, in_room), view.instance, 0), view.depth)
        for view in simulator.render(poses, camera, frozenset({"instance", "depth"}))
        if view.instance is not None and view.depth is not None
    ]
    return poses[int(np.argmax(scores))]


def view_score(instance: Array, depth: Array) -> float:
    """Count things that cover at least 0.3 % of a view, less what hides the rest and what lies in other rooms (0)."""
    _, counts = np.unique(instance, return_counts=True)
    things = float((counts >= 0.003 * instance.size).sum())
    near = float((depth < 1.0).mean())
    elsewhere = float((instance == 0).mean())
    return things + 4.0 * min(float(np.median(depth)), 3.0) - 45.0 * near - 25.0 * elsewhere


def _tiled(views: Sequence[Array], columns: int) -> Array:
    height, width, _ = views[0].shape
    rows = -(-len(views) // columns)
    sheet = np.full((rows * (height + _GAP) - _GAP, columns * (width + _GAP) - _GAP, 3), 255, dtype=np.uint8)
    for number, view in enumerate(views):
        top, left = (number // columns) * (height + _GAP), (number % columns) * (width + _GAP)
        sheet[top : top + height, left : left + width] = view
    return sheet
