"""Angles as distributions over bins, and rotations as a twist about the camera's vertical axis and what remains.

A network that is taught by distances from the truth answers with something between all that may be true: of large
turns, which look much alike, with a small one. A distribution can say each of them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation
from torch import Tensor

Array = NDArray[Any]

BINS = 36
CENTRES = 2 * np.pi * np.arange(BINS) / BINS  # radians


def soft_labels(angles: Tensor) -> Tensor:
    """Return distributions (B, BINS) for angles (B,) in radians: shared by the two bins whose centres are nearest, each
    by how near it is."""
    position = torch.remainder(angles / (2 * torch.pi) * BINS, BINS)
    lower = position.floor()
    share = (position - lower)[:, None]
    first = torch.nn.functional.one_hot(lower.long() % BINS, BINS)
    second = torch.nn.functional.one_hot((lower.long() + 1) % BINS, BINS)
    return (1 - share) * first + share * second


def probabilities(logits: Array) -> Array:
    """Return the distributions (..., BINS) of logits (..., BINS)."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def likeliest(shares: Array) -> Array:
    """Return the angles (B,) in radians of distributions (B, BINS): the mean of the likeliest bin and its two
    neighbours, by which `soft_labels` come back as what they were made from."""
    top = shares.argmax(axis=1)
    steps = np.array([-1, 0, 1])
    near = np.take_along_axis(shares, (top[:, None] + steps) % BINS, axis=1)
    return 2 * np.pi / BINS * (top + (near * steps).sum(axis=1) / near.sum(axis=1))


def mean_length(shares: Array) -> Array:
    """Return the lengths (B,) in [0, 1] of the mean of unit vectors under distributions (B, BINS): 1 is certain."""
    return np.abs(shares @ np.exp(1j * CENTRES))


def twist_and_swing(rotations: Array) -> tuple[Array, Array]:
    """Return the twists (B,) in radians and the swings (B, 2) of rotations (B, 3, 3) = twist about y, then swing.

    A swing is a rotation vector in radians without its y, which is 0: swings turn about horizontal axes. Any rotation
    has both; of half a turn about a horizontal axis any twist would do, and it has none.
    """
    quaternions = Rotation.from_matrix(rotations).as_quat()
    twist = 2 * np.arctan2(quaternions[:, 1], quaternions[:, 3])
    swing = Rotation.from_rotvec(_about_y(twist)).inv() * Rotation.from_matrix(rotations)
    return twist, swing.as_rotvec()[:, [0, 2]]


def twisted(twists: Array, swings: Array) -> Array:
    """Return the rotations (B, 3, 3) of twists (B,) and swings (B, 2): the inverse of `twist_and_swing`."""
    level = np.stack([swings[:, 0], np.zeros(len(swings)), swings[:, 1]], axis=1)
    return (Rotation.from_rotvec(_about_y(twists)) * Rotation.from_rotvec(level)).as_matrix()


def _about_y(angles: Array) -> Array:
    return angles[:, None] * np.array([0.0, 1.0, 0.0])
