"""What the numbers that a relative-pose network answers with mean."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...sim.geometry import Pose

Array = NDArray[Any]

_SHORTEST = 0.01  # metres: the network's scale is not bounded, a distance is
_FAINTEST = 1e-6  # of a direction or quaternion that still points somewhere


def relative_poses(outputs: Array) -> tuple[Pose, Array | None]:
    """Return poses ``reference_from_query`` with translations of unit length, and these lengths (B,) in metres.

    ``outputs`` (B, 7 or 8) are a direction, a quaternion and, of networks that have it, the length, none normalised.
    What is too faint to point anywhere is taken as straight ahead, or as no rotation.
    """
    outputs = np.asarray(outputs, dtype=np.float64)
    direction = _normalised(outputs[:, :3], (0.0, 0.0, 1.0))
    quaternion = _normalised(outputs[:, 3:7], (1.0, 0.0, 0.0, 0.0))
    scales = np.maximum(outputs[:, 7], _SHORTEST) if outputs.shape[1] > 7 else None
    return Pose.from_quaternion(quaternion, direction), scales


def quaternion_lengths(outputs: Array) -> Array:
    """Return the lengths (B,) of the quaternions of ``outputs`` (B, 7 or 8), as the network answered them."""
    return np.linalg.norm(np.asarray(outputs, dtype=np.float64)[:, 3:7], axis=1)


def _normalised(vectors: Array, otherwise: tuple[float, ...]) -> Array:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.where(length > _FAINTEST, vectors / np.maximum(length, _FAINTEST), otherwise)
