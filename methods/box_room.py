"""A textured box, ray traced in closed form: the smallest world in which a method can be tried out.

It needs no simulator and no download, renders in milliseconds, and serves the conformance check and tests.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..datasets.views import VIEW_COLUMNS, ViewSet, pose_columns
from ..sim.geometry import Camera, Pose

SIZE = (5.0, 4.0, 2.6)
"""Extent of the box in metres; one corner is the world's origin."""

CAMERA = Camera.from_fov(160, 120, 90.0)

DEPTH_UNIT = 0.0005  # metres per step of a stored depth map
_TEXELS_PER_METRE = 100


def render_box(pose: Pose, camera: Camera, *, seed: int) -> NDArray[Any]:
    """Return what a camera inside the box sees, (H, W, 3) uint8; ``seed`` chooses the wall paper of its six faces.

    Four rays per pixel are averaged.
    """
    fine = camera.resized(camera.width * 2, camera.height * 2)
    points, face, _ = _hits(pose, fine)
    image = np.zeros((len(face), 3), dtype=np.uint8)
    for index, texture in enumerate(_textures(seed)):
        on_face = face == index
        u, v = (points[on_face][:, [k for k in range(3) if k != index // 2]] * _TEXELS_PER_METRE - 0.5).T
        coordinates = (u.astype(np.float32)[:, None], v.astype(np.float32)[:, None])
        image[on_face] = _sample(texture, *coordinates)
    return cv2.resize(
        image.reshape(fine.height, fine.width, 3), (camera.width, camera.height), interpolation=cv2.INTER_AREA
    )


def box_maps(pose: Pose, camera: Camera) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the exact z-depth (H, W) float32 in metres and the category (H, W) uint16 at the centre of each pixel.

    The categories are the six faces, from 1 on, in the order x low, x high, y low, ...
    """
    _, face, depth = _hits(pose, camera)
    shape = (camera.height, camera.width)
    return depth.reshape(shape).astype(np.float32), (face + 1).reshape(shape).astype(np.uint16)


def _hits(pose: Pose, camera: Camera) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return where each pixel's ray meets the box, (M, 3) world, on which face (M,), and at which z-depth (M,)."""
    rays = camera.rays().reshape(-1, 3)
    directions = (rays @ pose.rotation.T).astype(np.float64)
    directions = np.where(np.abs(directions) < 1e-12, 1e-12, directions)
    walls = np.where(directions > 0, SIZE, 0.0)
    distances = (walls - pose.translation) / directions
    axis = distances.argmin(axis=1)
    each = np.arange(len(axis))
    nearest = distances[each, axis]
    points = pose.translation + nearest[:, None] * directions
    return points, axis * 2 + (directions[each, axis] > 0), nearest * rays[:, 2]


def _sample(texture: NDArray[Any], u: NDArray[Any], v: NDArray[Any]) -> NDArray[Any]:
    """Sample a texture at M places, in rows short enough for OpenCV: (M, 3) uint8."""
    count, row = len(u), 1024
    padded = -(-count // row) * row
    u, v = (np.resize(c, padded).reshape(-1, row) if count else c.reshape(0, row) for c in (u, v))
    if not count:
        return np.zeros((0, 3), dtype=np.uint8)
    return cv2.remap(texture, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT).reshape(-1, 3)[:count]


@lru_cache(maxsize=4)
def _textures(seed: int) -> list[NDArray[Any]]:
    """Return six textures of coloured noise at several scales, one per face (x low, x high, y low, ...)."""
    rng = np.random.default_rng(seed)
    textures = []
    for index in range(6):
        across, along = (int(SIZE[k] * _TEXELS_PER_METRE) for k in range(3) if k != index // 2)
        total = np.zeros((along, across, 3), dtype=np.float32)
        for cell in (4, 16, 64):
            noise = rng.random((along // cell + 2, across // cell + 2, 3), dtype=np.float32)
            total += cv2.resize(noise, (across, along), interpolation=cv2.INTER_CUBIC)
        textures.append(np.clip((total / 3 - 0.5) * 500 + 128, 0, 255).astype(np.uint8))
    return textures


def random_poses(rng: np.random.Generator, count: int) -> Pose:
    """Return poses (count, 4, 4) of a robot that stands anywhere in the box and looks anywhere, nearly level."""
    xy = rng.uniform((0.6, 0.6), (SIZE[0] - 0.6, SIZE[1] - 0.6), (count, 2))
    yaw, pitch = rng.uniform(-np.pi, np.pi, count), rng.uniform(-0.1, 0.1, count)
    return Pose.from_planar(xy, height=rng.uniform(1.2, 1.6, count), yaw=yaw, pitch=pitch)


def write_views(folder: Path, poses: Pose, *, seed: int, role: str, name: str, camera: Camera = CAMERA) -> ViewSet:
    """Render poses into PNG files under ``folder`` and return them as views ``<name>/<number>`` of one map.

    Each has its image, depth and semantic map.
    """
    rows = {column: [_DEFAULTS[dtype]] * len(poses) for column, dtype in VIEW_COLUMNS.items()}
    rows |= {column: list(values) for column, values in pose_columns(poses).items()}
    rows |= {key: [getattr(camera, key)] * len(poses) for key in ("width", "height", "fx", "fy", "cx", "cy")}
    rows["view"] = [f"{name}/{i:04d}" for i in range(len(poses))]
    rows["image"] = [f"{view}.png" for view in rows["view"]]
    rows |= {kind: [f"{view}-{kind}.png" for view in rows["view"]] for kind in ("depth", "semantic")}
    rows |= {key: [value] * len(poses) for key, value in _labels(name, role).items()}
    (folder / name).mkdir(parents=True, exist_ok=True)
    for index, pose in enumerate(poses):
        depth, semantic = box_maps(pose, camera)
        image = cv2.cvtColor(render_box(pose, camera, seed=seed), cv2.COLOR_RGB2BGR)
        steps = np.round(depth / DEPTH_UNIT).astype(np.uint16)
        for kind, array in (("image", image), ("depth", steps), ("semantic", semantic)):
            cv2.imwrite(str(folder / rows[kind][index]), array)
    table = pd.DataFrame({key: pd.Series(rows[key], dtype=dtype) for key, dtype in VIEW_COLUMNS.items()})
    return ViewSet(table, folder, depth_unit=DEPTH_UNIT)


_DEFAULTS: dict[str, Any] = {"string": "", "int32": 0, "float64": float("nan")}


def _labels(name: str, role: str) -> dict[str, Any]:
    split = "train" if role == "train" else "test"
    return {"scene": name, "split": split, "role": role, "map": name, "room": name, "condition": "day", "place": -1}
