"""What a method says that computes a pose after retrieval, and where it finds none."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from ...sim.geometry import Pose
from ..method import Estimate, Failure

Fallback = Literal["none", "retrieval"]


def posed(retrieved: Estimate, found: tuple[Pose, int] | Failure, fallback: Fallback) -> Estimate | Failure:
    """Return retrieval's answer with the pose that was found, and as confidence the number of inliers behind it.

    Where none was found: the failure, or with ``fallback`` "retrieval" the answer as it is, flagged "fallback".
    """
    if not isinstance(found, Failure):
        pose, inliers = found
        return replace(retrieved, pose=pose, confidence=float(inliers))
    return found if fallback == "none" else replace(retrieved, confidence=0.0, flags=("fallback",))
