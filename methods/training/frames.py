"""Frames to learn from: generated houses under all of their lights, streamed from the ray caster in a fixed order."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import combinations
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.transform import Rotation
from torch import Tensor

from ...datasets.pool import WorkerPool
from ...errors import InputError
from ...sim.geometry import Camera, Pose
from ...sim.scene import Scene
from ...sim.scene_files import replace_file
from ...sim.scenes import generate_house
from ...sim.scenes.navigation import Clearance, sample_poses_6dof, sample_poses_planar
from ...sim.simulators import open_simulator

Array = NDArray[Any]

_SEEN_POINTS = 16  # per side: a view's overlap with another is that of so many squared of its points
_SAME_SURFACE = 0.2  # metres, as in paper 002: a point is seen again where the other view's depth agrees this closely
_OUTPUTS = frozenset({"rgb", "depth", "semantic"})

_CLUSTER = 12  # frames around one place
#: Metres and degrees from the place: most pairs of a cluster are then within 1.5 times as much, 0.6 m and 30 degrees. A
#: way of 0.4 m between two points that keep 0.2 m from all surfaces crosses none: a cluster is in one room.
_CLUSTER_REACH = (0.4, 20.0)
_PLACES_TRIED = 20  # for one frame

_PATHS = 3  # in a house: one in each of so many rooms
_STOPS = 12  # in a room, between which a path turns
_STRIDE = 0.1  # metres from frame to frame, at most
_TURN = 5.0  # degrees from frame to frame, the standard deviation
_SMOOTH = 5.0  # frames, the width of the window in which turning is averaged

#: Fields that came later than caches in use: at their defaults they are left out of what names a cache's files.
_LATER = ("sampling", "simulator")


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
class FrameSettings:
    """What decides the frames of a house, whatever its number."""

    frames: int = 192
    """Frames per house, their lights in turn."""
    side: int = 160
    """Pixels of the square images."""
    horizontal_fov: float = 90.0
    """Degrees."""
    triangles: int = 20_000
    """Level of detail."""
    height: tuple[float, float] = (1.0, 1.8)
    """Metres above the floor between which cameras stand."""
    pitch_std: float = 5.0
    """Degrees."""
    sampling: Literal["planar", "6dof", "trajectory"] = "planar"
    """Where frames are taken, see `sample_frame_poses`."""
    simulator: str = "raycast"
    """Name of what renders them."""

    @property
    def described(self) -> str:
        """These settings as text: equal for what renders the same frames."""
        names = [f.name for f in fields(self) if f.name not in _LATER or getattr(self, f.name) != f.default]
        return f"FrameSettings({', '.join(f'{name}={getattr(self, name)!r}' for name in names)})"

    @property
    def camera(self) -> Camera:
        """The camera of every frame."""
        return Camera.from_fov(self.side, self.side, self.horizontal_fov)


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
        digest = hashlib.sha256(self.settings.described.encode()).hexdigest()
        return self.cache / f"house-{self.seed}-{digest[:12]}.npz"

    def perform(self, state: None) -> dict[str, Array] | None:
        """Render the frames: into the cache where there is one, else to be returned."""
        if self.path is not None and self.path.exists():
            return None
        frames = vars(_render(self.seed, self.settings))
        if self.path is None:
            return frames
        self.path.parent.mkdir(parents=True, exist_ok=True)
        content = io.BytesIO()
        np.savez(content, **frames)
        replace_file(self.path, content.getvalue())
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
    seeds: Sequence[int], settings: FrameSettings, *, jobs: int, cache: Path | None = None
) -> Iterator[HouseFrames]:
    """Yield the frames of each house, in the order of ``seeds``, rendered ahead by ``jobs`` processes.

    ``cache`` is a folder that keeps what was rendered for the next training.
    """
    tasks = [RenderHouse(seed, settings, cache) for seed in seeds]
    waiting: dict[str, dict[str, Array] | None] = {}
    with WorkerPool(None, jobs) as pool:
        results = pool.run(tasks)
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


def sample_frame_poses(scene: Scene, settings: FrameSettings, rng: np.random.Generator) -> Pose:
    """Return the poses (N, 4, 4) of a house's frames; all keep 0.2 m from every surface.

    - ``planar``: each its own, uniform over the floor and over yaw, at the height and the pitch of ``settings``: what
      a robot sees, and the sparse training set of paper 002, section V-A.
    - ``6dof``: in clusters of 12 frames, for the dense training set of that paper, whose pairs are within 0.6 m and 30
      degrees: uniform within 0.4 m and 20 degrees of a pose of `sample_poses_6dof`, whose height above the floor and
      tilt are its own, not those of ``settings``. The paper draws all poses alike, and far more of them for a house.
    - ``trajectory``: along three paths, each in another room where there are so many: what somebody with a camera in
      the hand records, as the training sequences of 7-Scenes are. A path leads, on straight ways through free space,
      from stop to stop of a random walk over 12 places of its room, up to 0.1 m from frame to frame; the camera's
      height, between those of the stops, its yaw and its pitch change smoothly, and yaw may come to look anywhere.
      The rest of the house, and much of those rooms, stays far from all frames.

    Raises ``InputError`` where the scene has no such places.
    """
    if settings.sampling == "planar":
        return sample_poses_planar(scene, settings.frames, rng, height=settings.height, pitch_std=settings.pitch_std)
    clearance = Clearance(scene)
    if settings.sampling == "6dof":
        return _clustered_poses(clearance, settings.frames, rng)
    return _recorded_poses(clearance, settings, rng)


def _clustered_poses(clearance: Clearance, count: int, rng: np.random.Generator) -> Pose:
    anchors = sample_poses_6dof(clearance.scene, -(-count // _CLUSTER), rng, clearance=clearance)
    anchors = anchors[np.arange(count) // _CLUSTER]
    metres, degrees = _CLUSTER_REACH
    turns = Rotation.from_rotvec(_in_unit_ball((count, 3), rng) * degrees, degrees=True).as_matrix()
    places = anchors.translation[:, None] + metres * _in_unit_ball((count, _PLACES_TRIED, 3), rng)
    places[:, -1] = anchors.translation  # which is clear, where none of the others is
    clear = clearance.is_clear(places.reshape(-1, 3)).reshape(count, _PLACES_TRIED)
    clear[:, -1] = True
    centres = places[np.arange(count), clear.argmax(axis=1)]
    return Pose.from_rotation_translation(anchors.rotation @ turns, centres)


def _in_unit_ball(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Return points (..., 3) uniform in the unit ball."""
    direction = rng.standard_normal(shape)
    direction /= np.linalg.norm(direction, axis=-1, keepdims=True)
    return direction * np.cbrt(rng.uniform(size=(*shape[:-1], 1)))


def _recorded_poses(clearance: Clearance, settings: FrameSettings, rng: np.random.Generator) -> Pose:
    rooms = []
    for index in rng.permutation(len(clearance.scene.rooms)):
        stops, linked = _stops(clearance, clearance.scene.rooms[index].name, settings.height, rng)
        if linked.any():
            rooms.append((stops, linked))
        if len(rooms) == _PATHS:
            break
    if not rooms:
        raise InputError(
            f"{clearance.scene.name}: no room has space to walk in; choose planar sampling or other heights"
        )
    paths = []
    for path, frames in enumerate(np.array_split(np.arange(settings.frames), _PATHS)):
        centres = _walk(*rooms[path % len(rooms)], len(frames), rng)
        turning, nodding = (_smooth_noise(len(frames), rng) for _ in range(2))
        yaw = rng.uniform(-np.pi, np.pi) + np.radians(_TURN) * np.cumsum(turning)
        pitch = np.radians(settings.pitch_std) * nodding
        paths.append(Pose.from_planar(centres[:, :2], height=centres[:, 2], yaw=yaw, pitch=pitch))
    return Pose.stack(paths)


def _stops(
    clearance: Clearance, room: str, height: tuple[float, float], rng: np.random.Generator
) -> tuple[Array, Array]:
    """Return free points (S, 3) of a room, and between which of them a straight way is free, (S, S) bool.

    No points where nobody can stand in the room.
    """
    try:
        poses = sample_poses_planar(clearance.scene, _STOPS, rng, room=room, height=height, clearance=clearance)
    except InputError:
        return np.zeros((0, 3)), np.zeros((0, 0), dtype=bool)
    stops = poses.translation
    linked = np.zeros((_STOPS, _STOPS), dtype=bool)
    for one, other in combinations(range(_STOPS), 2):
        linked[one, other] = linked[other, one] = clearance.is_clear(_way(stops[one], stops[other])).all()
    return stops, linked


def _walk(stops: Array, linked: Array, count: int, rng: np.random.Generator) -> Array:
    """Return points (N, 3) along a random walk, which turns back only where it must, from the stop with most links."""
    before = at = int(linked.sum(axis=1).argmax())
    path = stops[at][None]
    while len(path) < count:
        onward = np.flatnonzero(linked[at] & (np.arange(len(stops)) != before))
        before, at = at, int(rng.choice(onward)) if len(onward) else before
        path = np.concatenate([path, _way(stops[before], stops[at])[1:]])
    return path[:count]


def _way(start: Array, end: Array) -> Array:
    """Return evenly spaced points (N, 3) from one to another. Where these are clear, so is all that is between them."""
    return np.linspace(start, end, int(np.ceil(np.linalg.norm(end - start) / _STRIDE)) + 1)


def _smooth_noise(count: int, rng: np.random.Generator) -> Array:
    """Return (N,) smooth noise, its standard deviation 1."""
    smooth: Array = gaussian_filter1d(rng.standard_normal(count), _SMOOTH, mode="wrap")
    return smooth * np.sqrt(2 * _SMOOTH * np.sqrt(np.pi))


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
