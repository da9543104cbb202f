"""A calibrated camera's pose from matches of its pixels to points in the world, by poselib."""

from __future__ import annotations

from typing import Any

import numpy as np
import poselib
from numpy.typing import NDArray

from ...sim.geometry import Camera, Pose
from .relative_pose import poselib_camera, poselib_seed


def estimate_absolute_pose(
    pixels: NDArray[Any], points: NDArray[Any], camera: Camera, *, max_error: float, max_iterations: int, seed: int
) -> tuple[Pose, int] | None:
    """Return world_from_camera and how many matches support it: perspective-3-point in RANSAC, then refinement.

    ``pixels`` (M, 2) and ``points`` (M, 3) match; ``max_error`` is the largest reprojection error of an inlier in
    pixels. None where no finite pose was found.
    """
    options = {"max_reproj_error": max_error, "max_iterations": max_iterations, "seed": poselib_seed(seed)}
    pose, information = poselib.estimate_absolute_pose(pixels, points, poselib_camera(camera), options)
    if not np.isfinite([*pose.q, *pose.t]).all():
        return None
    return Pose.from_quaternion(pose.q, pose.t).inverse(), int(information["num_inliers"])
