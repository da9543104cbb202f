"""Recordings: what somebody with a camera in the hand takes while walking about a house, as 7-Scenes was recorded."""

from __future__ import annotations

import zlib
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from ...errors import InputError
from ..geometry import Pose
from .navigation import Clearance, sample_poses_planar

Array = NDArray[Any]

_PATHS = 3  # in a house: one in each of so many rooms
_STOPS = 12  # in a room, between which a path turns
_STRIDE = 0.1  # metres from frame to frame, at most
_TURN = 5.0  # degrees from frame to frame, the standard deviation
_SMOOTH = 5.0  # frames, the width of the window in which turning is averaged


def recorded_poses(clearance: Clearance, frames: int, *, height: tuple[float, float], pitch_std: float) -> Pose:
    """Return the poses (N, 4, 4) of the recording of a scene: of three paths, one after the other, of equal length.

    Each leads through another room where there are so many: on straight ways through free space, from stop to stop of
    a random walk over 12 places of its room, up to 0.1 m from frame to frame. The camera's height, between those of
    the stops, its yaw and its pitch (``pitch_std`` degrees) change smoothly, and yaw may come to look anywhere. The
    scene's name and the number of frames decide all that is random. ``height`` is metres above the floor.

    Raises ``InputError`` where no room has space to walk in.
    """
    scene = clearance.scene
    rng = np.random.default_rng([zlib.crc32(scene.name.encode()), frames])
    rooms = []
    for index in rng.permutation(len(scene.rooms)):
        stops, linked = _stops(clearance, scene.rooms[index].name, height, rng)
        if linked.any():
            rooms.append((stops, linked))
        if len(rooms) == _PATHS:
            break
    if not rooms:
        raise InputError(f"{scene.name}: no room has space to walk in; choose other heights, or no recording")
    paths = []
    for path, own in enumerate(np.array_split(np.arange(frames), _PATHS)):
        centres = _walk(*rooms[path % len(rooms)], len(own), rng)
        turning, nodding = (_smooth_noise(len(own), rng) for _ in range(2))
        yaw = rng.uniform(-np.pi, np.pi) + np.radians(_TURN) * np.cumsum(turning)
        pitch = np.radians(pitch_std) * nodding
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
