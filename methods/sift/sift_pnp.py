"""`sift-pnp`: 2D-3D matches to a triangulated map and an absolute pose: the structure-based point of reference."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import poselib
from numpy.typing import NDArray
from pydantic import Field

from ...datasets.views import ViewSet
from ...sim.geometry import Pose
from ..features.matching import match_descriptors
from ..features.sift import extract_sift
from ..method import Failure, MethodConfig, Query
from ..timing import stage
from .relative_pose import poselib_camera, poselib_seed
from .retrieval_then_pose import RetrievalThenPose, RetrievalThenPoseConfig
from .triangulated_map import triangulate_map


class SiftPnpConfig(RetrievalThenPoseConfig):
    """Parameters of `sift-pnp`."""

    retrieved: int = Field(default=20, ge=1)
    """The query is matched to the points that so many retrieved references see."""

    neighbours: int = Field(default=20, ge=1)
    """While the map is built, each reference is matched with so many that look most like it."""

    ratio: float = Field(default=0.8, gt=0, le=1)
    """Ratio test: the nearest descriptor must be closer than this share of the second nearest."""

    max_map_error: float = Field(default=2.0, gt=0)
    """Largest epipolar and reprojection error of a map point, in pixels."""

    min_angle: float = Field(default=1.5, gt=0, lt=90)
    """A map point needs two rays that meet at this angle, in degrees."""

    max_error: float = Field(default=4.0, gt=0)
    """Largest reprojection error of an inlier of the query's pose, in pixels."""

    max_iterations: int = Field(default=10_000, ge=100)
    """RANSAC's limit."""

    min_inliers: int = Field(default=8, ge=4)
    """A pose with fewer inliers is not trusted (and is not tried with fewer matches)."""


class SiftPnp(RetrievalThenPose):
    """A map triangulated from the references at their known poses, and perspective-n-point against it.

    The scheme of structure-based localization with retrieval (Irschara et al. 2009; Sattler et al. 2017).
    ``confidence`` is the number of inlier matches.
    """

    name = "sift-pnp"
    Config = SiftPnpConfig

    def __init__(self, config: MethodConfig | None = None) -> None:
        super().__init__(config)
        self._config = cast(SiftPnpConfig, self.config)

    def build_map(self, references: ViewSet) -> None:
        """Encode the references for retrieval and triangulate their SIFT features."""
        self._retrieval.build_map(references)
        self._map = triangulate_map(
            [extract_sift(view.image(), self._config.sift) for view in references],
            [view.camera for view in references],
            references.poses,
            similar_pairs(self._retrieval.vectors, self._config.neighbours),
            ratio=self._config.ratio,
            max_error=self._config.max_map_error,
            min_angle=self._config.min_angle,
        )

    def map_bytes(self) -> int:
        """Return the size of retrieval vectors, poses, points and descriptors, bytes."""
        return self._retrieval.map_bytes() + self._map.nbytes

    def _pose(self, query: Query, order: NDArray[Any]) -> tuple[Pose, int] | Failure:
        rows = self._map.seen_by([int(i) for i in order[: self._config.retrieved]])
        if len(rows) < self._config.min_inliers:
            return Failure("too few map points")
        with stage("features"):
            features = extract_sift(query.image, self._config.sift)
        with stage("matching"):
            matches = match_descriptors(features.descriptors, self._map.descriptors[rows], ratio=self._config.ratio)
        if len(matches) < self._config.min_inliers:
            return Failure("too few matches")
        with stage("absolute pose"):
            pose, information = poselib.estimate_absolute_pose(
                features.keypoints[matches[:, 0]],
                self._map.points[rows[matches[:, 1]]],
                poselib_camera(query.camera),
                {
                    "max_reproj_error": self._config.max_error,
                    "max_iterations": self._config.max_iterations,
                    "seed": poselib_seed(query.seed),
                },
            )
        if information["num_inliers"] < self._config.min_inliers or not np.isfinite([*pose.q, *pose.t]).all():
            return Failure("no absolute pose")
        return Pose.from_quaternion(pose.q, pose.t).inverse(), int(information["num_inliers"])


def similar_pairs(vectors: NDArray[Any], neighbours: int) -> list[tuple[int, int]]:
    """Return the pairs (i, j), i < j, ascending, of each row of unit ``vectors`` (N, d) with those most alike."""
    similarity = vectors @ vectors.T
    np.fill_diagonal(similarity, -np.inf)
    nearest = np.argsort(-similarity, axis=1, kind="stable")[:, : min(neighbours, len(vectors) - 1)]
    return sorted({(min(i, int(j)), max(i, int(j))) for i, row in enumerate(nearest) for j in row})
