"""The relative pose of two calibrated images from matched points, by poselib."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import poselib
from numpy.typing import NDArray

from ...sim.geometry import Camera, Pose


@dataclass(frozen=True, eq=False)
class RelativePose:
    """``reference_from_query`` with a translation of unit length, and how many matches support it."""

    pose: Pose
    inliers: int


def estimate_relative_pose(
    query_points: NDArray[Any],
    reference_points: NDArray[Any],
    query_camera: Camera,
    reference_camera: Camera,
    *,
    max_error: float,
    max_iterations: int,
    seed: int,
) -> RelativePose | None:
    """Estimate an essential matrix (5-point solver in RANSAC, then refinement) from matched pixels (M, 2) each.

    ``max_error`` is the largest epipolar (Sampson) error of an inlier in pixels. None where no model was found.
    ``max_iterations`` bounds the time spent on matches that have no common motion.
    """
    if len(query_points) < 5:
        return None
    pose, information = poselib.estimate_relative_pose(
        reference_points,
        query_points,
        poselib_camera(reference_camera),
        poselib_camera(query_camera),
        {"max_epipolar_error": max_error, "max_iterations": max_iterations, "seed": poselib_seed(seed)},
    )
    if information["num_inliers"] < 5 or not np.isfinite([*pose.q, *pose.t]).all() or np.linalg.norm(pose.t) < 1e-12:
        return None
    query_from_reference = Pose.from_quaternion(pose.q, np.asarray(pose.t) / np.linalg.norm(pose.t))
    return RelativePose(query_from_reference.inverse(), int(information["num_inliers"]))


def poselib_camera(camera: Camera) -> dict[str, Any]:
    """Return a camera as poselib takes it; pixel coordinates keep their meaning, as K is applied to them as given."""
    return {
        "model": "PINHOLE",
        "width": camera.width,
        "height": camera.height,
        "params": [camera.fx, camera.fy, camera.cx, camera.cy],
    }


def poselib_seed(seed: int) -> int:
    """Return a seed that fits the 32 bits which poselib's generator takes."""
    return seed % (2**32)
