"""What the numbers that a relative-pose network answers with mean, and how far they are from the truth.

An answer is a direction, a rotation and, of networks that have it, a length. Directions are three numbers, or an
azimuth in bins and an elevation; rotations are quaternions, or a twist in bins and a swing. `NetworkSettings` says
which.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from ...sim.geometry import Pose
from . import angles
from .settings import FULL, NetworkSettings

Array = NDArray[Any]

_SHORTEST = 0.01  # metres: the network's scale is not bounded, a distance is
_FAINTEST = 1e-6  # of a direction or quaternion that still points somewhere


def relative_poses(outputs: Array, settings: NetworkSettings = FULL) -> tuple[Pose, Array | None]:
    """Return poses ``reference_from_query`` with translations of unit length, and these lengths (B,) in metres.

    ``outputs`` (B, N) are those of a network with ``settings``, by default a direction, a quaternion and the length,
    the first two not normalised; those without a length give None. What is too faint to point anywhere is taken as
    straight ahead, or as no rotation; of bins, the likeliest and its neighbours decide.
    """
    direction, rotation, scale = _parts(np.asarray(outputs, dtype=np.float64), settings)
    if settings.direction == "azimuth":
        shares = angles.probabilities(direction[:, : angles.BINS])
        direction = _ray(angles.likeliest(shares), direction[:, angles.BINS])
    direction = _normalised(direction, (0.0, 0.0, 1.0))
    if settings.rotation == "yaw":
        shares = angles.probabilities(rotation[:, : angles.BINS])
        turns = angles.twisted(angles.likeliest(shares), rotation[:, angles.BINS :])
        poses = Pose.from_rotation_translation(turns, direction)
    else:
        poses = Pose.from_quaternion(_normalised(rotation, (1.0, 0.0, 0.0, 0.0)), direction)
    return poses, np.maximum(scale[:, 0], _SHORTEST) if scale.shape[1] else None


def possible_rotations(outputs: Array, settings: NetworkSettings = FULL) -> tuple[Array, Array]:
    """Return all rotations (B, H, 3, 3), reference_from_query, that ``outputs`` (B, N) hold possible, and how probable
    each is, (B, H): one for a quaternion, one for each bin of a twist."""
    if settings.rotation == "quaternion":
        rotations = relative_poses(outputs, settings)[0].rotation[:, None]
        return rotations, np.ones((len(rotations), 1))
    _, rotation, _ = _parts(np.asarray(outputs, dtype=np.float64), settings)
    twists = np.tile(angles.CENTRES, len(rotation))
    turns = angles.twisted(twists, np.repeat(rotation[:, angles.BINS :], angles.BINS, axis=0))
    return turns.reshape(-1, angles.BINS, 3, 3), angles.probabilities(rotation[:, : angles.BINS])


def rotation_lengths(outputs: Array, settings: NetworkSettings = FULL) -> Array:
    """Return how long the answered rotations (B,) are, which grows with how sure they are: the lengths of raw
    quaternions, or of the mean of the unit vectors of a twist."""
    _, rotation, _ = _parts(np.asarray(outputs, dtype=np.float64), settings)
    if settings.rotation == "quaternion":
        return np.linalg.norm(rotation, axis=1)
    return angles.mean_length(angles.probabilities(rotation[:, : angles.BINS]))


def targets(truth: Pose) -> Tensor:
    """Return what a network without bins should answer (B, 8): direction, quaternion with w >= 0, scale in metres."""
    scale = np.linalg.norm(truth.translation, axis=1, keepdims=True)
    direction = truth.translation / np.maximum(scale, 1e-9)
    return torch.from_numpy(np.concatenate([direction, truth.quaternion, scale], axis=1)).float()


def pose_loss(answer: Tensor, truth: Pose, settings: NetworkSettings) -> Tensor:
    """Return |t - t*| + |q - q*| + |s - s*| of answers (B, N), each summed over its components, averaged over pairs
    (section IV-B of the paper, mu = beta = 1).

    In place of a distance, what is answered in bins has the cross-entropy of its distribution with `soft_labels`, and
    the distance of what remains, elevation or swing, in radians.
    """
    direction, rotation, scale = _parts(answer, settings)
    true = targets(truth).to(answer.device)
    losses = [
        _azimuth_loss(direction, true[:, :3]) if settings.direction == "azimuth" else _distance(direction, true[:, :3]),
        _twist_loss(rotation, truth) if settings.rotation == "yaw" else _distance(rotation, true[:, 3:7]),
    ]
    if scale.shape[1]:
        losses.append(_distance(scale, true[:, 7:]))
    return torch.stack(losses).sum()


def _parts(outputs: Any, settings: NetworkSettings) -> tuple[Any, Any, Any]:
    """Return what outputs (B, N) say of direction, of rotation, and of scale, (B, 0) where they do not."""
    first, second = settings.direction_outputs, settings.direction_outputs + settings.rotation_outputs
    return outputs[:, :first], outputs[:, first:second], outputs[:, second:]


def _distance(answer: Tensor, true: Tensor) -> Tensor:
    return (answer - true).abs().sum(dim=1).mean()


def _azimuth_loss(answer: Tensor, direction: Tensor) -> Tensor:
    azimuth = torch.atan2(direction[:, 0], direction[:, 2])
    elevation = torch.asin(direction[:, 1:2].clamp(-1, 1))
    entropy = functional.cross_entropy(answer[:, : angles.BINS], angles.soft_labels(azimuth))
    return entropy + _distance(answer[:, angles.BINS :], elevation)


def _twist_loss(answer: Tensor, truth: Pose) -> Tensor:
    twist, swing = (torch.from_numpy(part).to(answer) for part in angles.twist_and_swing(truth.rotation))
    entropy = functional.cross_entropy(answer[:, : angles.BINS], angles.soft_labels(twist))
    return entropy + _distance(answer[:, angles.BINS :], swing)


def _ray(azimuth: Array, elevation: Array) -> Array:
    """Return unit vectors (B, 3) of azimuths from z towards x and elevations towards y (B,), radians."""
    level = np.cos(elevation)
    return np.stack([np.sin(azimuth) * level, np.sin(elevation), np.cos(azimuth) * level], axis=1)


def _normalised(vectors: Array, otherwise: tuple[float, ...]) -> Array:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.where(length > _FAINTEST, vectors / np.maximum(length, _FAINTEST), otherwise)
