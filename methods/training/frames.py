"""Frames to learn from: generated houses under all of their lights, streamed from the ray caster in a fixed order."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...sim.geometry import Camera, Pose
from ...sim.processes.executor import Executor
from ...sim.processes.whole_files import write_whole
from ...sim.scenes.houses import generate_house
from ...sim.simulators import open_simulator
from .sampling import FrameSettings, sample_frame_poses

Array = NDArray[Any]

_SEEN_POINTS = 16  # per side: a view's overlap with another is that of so many squared of its points
_SAME_SURFACE = 0.2  # metres, as in paper 002: a point is seen again where the other view's depth agrees this closely
_OUTPUTS = frozenset({"rgb", "depth", "semantic"})


@dataclass(frozen=True, eq=False)
class HouseFrames:
    """N frames of one house: ``rgb`` (N, S, S, 3) uint8 sRGB, ``depth`` (N, S, S) float16 metres, 0 where nothing was
    hit, ``semantic`` (N, S, S) uint16 category ids, ``poses`` (N, 4, 4) world_from_camera.

    ``overlap`` (N, N) float16: the share of the points of frame i that frame j sees too, whatever the lights of either;
    ``condition`` (N,) says which lights were on, as an index into the sorted names of the house's conditions.
    """

    rgb: Array
    depth: Array
    semantic: Array
    poses: Array
    overlap: Array
    condition: Array

    def __len__(self) -> int:
        return len(self.rgb)


@dataclass(frozen=True)
class RenderHouse:
    """A task: the frames of one house, rendered, or read from where an earlier call has put them."""

    seed: int
    settings: FrameSettings
    cache: Path | None

    @property
    def name(self) -> str:
        """What an error message calls it."""
        return f"house {self.seed}"

    @property
    def affinity(self) -> str:
        """Nothing is shared between houses."""
        return self.name

    @property
    def path(self) -> Path | None:
        """The file of the cache that holds this house under these settings."""
        if self.cache is None:
            return None
        digest = hashlib.sha256(repr(self.settings).encode()).hexdigest()
        return self.cache / f"house-{self.seed}-{digest[:12]}.npz"

    def perform(self, state: None) -> dict[str, Array] | None:
        """Render the frames: into the cache where there is one, else to be returned."""
        if self.path is not None and self.path.exists():
            return None
        frames = vars(_render(self.seed, self.settings))
        if self.path is None:
            return frames
        content = io.BytesIO()
        np.savez(content, **frames)
        write_whole(self.path, content.getvalue())
        return None

    def read(self) -> HouseFrames | None:
        """Return what the cache holds; None where that is damaged, and then removed."""
        assert self.path is not None
        try:
            with np.load(self.path, allow_pickle=False) as arrays:
                return HouseFrames(**arrays)
        except (OSError, ValueError, TypeError, EOFError, zipfile.BadZipFile):
            self.path.unlink(missing_ok=True)
            return None


def stream_houses(
    seeds: Sequence[int], settings: FrameSettings, *, executor: Executor, cache: Path | None = None
) -> Iterator[HouseFrames]:
    """Yield the frames of each house, in the order of ``seeds``, rendered ahead by ``executor``.

    ``cache`` is a folder that keeps what was rendered for the next training.
    """
    place = None if cache is None else cache.resolve()  # another machine has another working folder
    tasks = [RenderHouse(seed, settings, place) for seed in seeds]
    waiting: dict[str, dict[str, Array] | None] = {}
    with executor:
        results = executor.run(tasks, None)
        for task in tasks:
            while task.name not in waiting:
                done, frames = next(results)
                waiting[done.name] = frames
            arrays = waiting.pop(task.name)
            house = HouseFrames(**arrays) if arrays is not None else task.read()
            yield house if house is not None else _render(task.seed, settings)


def _render(seed: int, settings: FrameSettings) -> HouseFrames:
    scene = generate_house(seed, triangles=settings.triangles)
    rng = np.random.default_rng([seed, settings.frames])
    poses = sample_frame_poses(scene, settings, rng)
    conditions = sorted(scene.conditions)
    condition = np.arange(settings.frames) % len(conditions)
    shape = (settings.frames, settings.side, settings.side)
    rgb, depth = np.zeros((*shape, 3), np.uint8), np.zeros(shape, np.float16)
    semantic = np.zeros(shape, np.uint16)
    simulator = open_simulator(settings.simulator)
    try:
        for index, lights in enumerate(conditions):
            at = np.flatnonzero(condition == index)
            simulator.load(scene, lights)
            for frame, seen in zip(at, simulator.render(poses[at], settings.camera, _OUTPUTS), strict=True):
                for array, rendered in ((rgb, seen.rgb), (depth, seen.depth), (semantic, seen.semantic)):
                    assert rendered is not None
                    array[frame] = rendered
    finally:
        simulator.close()
    overlap = _overlaps(depth, poses, settings.camera).astype(np.float16)
    return HouseFrames(rgb, depth, semantic, poses.matrix, overlap, condition)


def _overlaps(depth: Array, poses: Pose, camera: Camera) -> Array:
    """Return (N, N): the share of the points of view i that view j sees, its depth agreeing within 0.2 m."""
    height, width = depth.shape[1:]
    rows = ((np.arange(_SEEN_POINTS) + 0.5) * height / _SEEN_POINTS).astype(int)
    columns = ((np.arange(_SEEN_POINTS) + 0.5) * width / _SEEN_POINTS).astype(int)
    v, u = (grid.ravel() for grid in np.meshgrid(rows, columns, indexing="ij"))
    z = depth[:, v, u].astype(np.float64)  # (N, P)
    rays = np.stack([(u + 0.5 - camera.cx) / camera.fx, (v + 0.5 - camera.cy) / camera.fy, np.ones(len(u))])
    points = np.einsum("nij,njp->nip", poses.rotation, rays * z[:, None]) + poses.translation[..., None]
    known = z > 0
    shares = np.zeros((len(depth), len(depth)))
    for j in range(len(depth)):
        x, y, ahead = np.moveaxis(poses.rotation[j].T @ (points - poses.translation[j][:, None]), 1, 0)
        in_front = known & (ahead > 0.05)
        safe = np.where(in_front, ahead, 1)
        column = np.floor(camera.fx * x / safe + camera.cx).astype(int)
        row = np.floor(camera.fy * y / safe + camera.cy).astype(int)
        inside = in_front & (column >= 0) & (column < width) & (row >= 0) & (row < height)
        seen = depth[j, np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)].astype(np.float64)
        shares[:, j] = (inside & (np.abs(seen - ahead) < _SAME_SURFACE)).sum(axis=1) / len(u)
    return shares


def image_batch(houses: Sequence[HouseFrames], batch: NDArray[np.int64], device: torch.device | str) -> Tensor:
    """Return the images (B, 3, S, S) float32 in [0, 1] of frames (B, 2), each its house and its frame in it."""
    rgb = np.stack([houses[house].rgb[frame] for house, frame in batch])
    return torch.from_numpy(rgb).to(device).permute(0, 3, 1, 2).float() / 255
