"""`sift-5pt`: SIFT, the 5-point algorithm and triangulation: the classical baseline of the ExReNet paper."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from numpy.typing import NDArray
from pydantic import Field

from ...datasets.views import ViewSet
from ...sim.geometry import Camera, Pose
from ..dense_vlad.retrieval_backed import SpreadConfig
from ..features.matching import match_descriptors
from ..features.sift import SiftFeatures, extract_sift
from ..method import Failure, MethodConfig, Query
from ..solvers.triangulation import triangulate_pose
from ..timing import stage
from .relative_pose import RelativePose, estimate_relative_pose
from .retrieval_then_pose import RetrievalThenPose, RetrievalThenPoseConfig


class SiftFivePointConfig(SpreadConfig, RetrievalThenPoseConfig):
    """Parameters of `sift-5pt`."""

    retrieved: int = Field(default=5, ge=2)
    """References that are retrieved and matched."""

    ratio: float = Field(default=0.8, gt=0, le=1)
    """Ratio test: the nearest descriptor must be closer than this share of the second nearest."""

    mutual: bool = False
    """Also ask matches to be nearest in both directions."""

    max_error: float = Field(default=0.5, gt=0)
    """Largest epipolar error of an inlier, in pixels. Keypoints of renderings are that accurate: on validation houses
    0.5 localizes more queries than 1, and 1 many more than 2."""

    max_iterations: int = Field(default=10_000, ge=100)
    """RANSAC's limit per reference; with 10000, matches of which a third are right are still found."""

    min_inliers: int = Field(default=12, ge=5)
    """A relative pose with fewer inliers is not trusted (and is not tried with fewer matches). On validation houses
    with four references, 15 would lose one right answer in ten and nearly half of the wrong ones; 10 would add one in
    forty and half as many wrong ones again."""

    max_angle: float = Field(default=15.0, gt=0, lt=180)
    """Largest angle between a reference's ray and a hypothesis that it agrees with, in degrees."""


@dataclass(frozen=True, eq=False)
class _Reference:
    features: SiftFeatures
    camera: Camera


class SiftFivePoint(RetrievalThenPose):
    """Retrieval, SIFT matches, an essential matrix per reference, and triangulation over pairs of references.

    Winkelbauer, Denninger, Triebel (ExReNet), ICRA 2021: section IV-A for retrieval, IV-C.1 for triangulation.
    ``confidence`` is the number of inlier matches with the references that agree.
    """

    name = "sift-5pt"
    Config = SiftFivePointConfig

    def __init__(self, config: MethodConfig | None = None) -> None:
        super().__init__(config)
        self._config = cast(SiftFivePointConfig, self.config)

    def build_map(self, references: ViewSet) -> None:
        """Encode the references for retrieval and extract their SIFT features."""
        self._retrieval.build_map(references)
        self._references = [
            _Reference(extract_sift(view.image(), self._config.sift), view.camera) for view in references
        ]

    def map_bytes(self) -> int:
        """Return the size of retrieval vectors, poses and features, bytes."""
        return self._retrieval.map_bytes() + sum(reference.features.nbytes for reference in self._references)

    def _pose(self, query: Query, order: NDArray[Any]) -> tuple[Pose, int] | Failure:
        selected = self._select(order, self._config.retrieved, self._config)
        with stage("features"):
            features = extract_sift(query.image, self._config.sift)
        with stage("matching"):
            matches = {i: self._match(features, i) for i in selected}
        matches = {i: found for i, found in matches.items() if len(found) >= self._config.min_inliers}
        if not matches:
            return Failure("too few matches")
        with stage("relative pose"):
            relative = {i: self._relative_pose(query, features, i, found) for i, found in matches.items()}
        found = {i: pose for i, pose in relative.items() if pose and pose.inliers >= self._config.min_inliers}
        if not found:
            return Failure("no relative pose")
        if len(found) < 2:
            return Failure("only one relative pose")
        with stage("triangulation"):
            return self._absolute_pose(found)

    def _match(self, features: SiftFeatures, reference: int) -> NDArray[Any]:
        descriptors = self._references[reference].features.descriptors
        return match_descriptors(
            features.descriptors, descriptors, ratio=self._config.ratio, mutual=self._config.mutual
        )

    def _relative_pose(
        self, query: Query, features: SiftFeatures, reference: int, matches: NDArray[Any]
    ) -> RelativePose | None:
        other = self._references[reference]
        return estimate_relative_pose(
            features.keypoints[matches[:, 0]],
            other.features.keypoints[matches[:, 1]],
            query.camera,
            other.camera,
            max_error=self._config.max_error,
            max_iterations=self._config.max_iterations,
            seed=query.seed,
        )

    def _absolute_pose(self, relative: dict[int, RelativePose]) -> tuple[Pose, int] | Failure:
        indices = list(relative)
        found = triangulate_pose(
            self._retrieval.poses[indices],
            Pose.stack(relative[i].pose for i in indices),
            max_angle=self._config.max_angle,
        )
        if found is None:
            return Failure("no consistent pair")
        agreeing = [relative[i].inliers for i, agrees in zip(indices, found.inliers, strict=True) if agrees]
        return found.pose, sum(agreeing)
