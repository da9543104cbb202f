"""`sift-5pt`: SIFT, the 5-point algorithm and triangulation: the classical baseline of the ExReNet paper."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray
from pydantic import Field

from ...datasets.views import ViewSet
from ...sim.geometry import Pose
from ..features.matching import match_descriptors
from ..features.sift import SiftFeatures, extract_sift
from ..method import Estimate, Failure, Method, Query, best_first
from ..retrieval.fallback import posed
from ..retrieval.retrieval import Retrieval
from ..retrieval.spread import SpreadConfig
from ..solvers.relative_pose import RelativePose, estimate_relative_pose
from ..solvers.triangulation import triangulate_pose
from ..timing import stage
from .config import SiftMethodConfig


class SiftFivePointConfig(SpreadConfig, SiftMethodConfig):
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


class SiftFivePoint(Method[SiftFivePointConfig]):
    """Retrieval, SIFT matches, an essential matrix per reference, and triangulation over pairs of references.

    Winkelbauer, Denninger, Triebel (ExReNet), ICRA 2021: section IV-A for retrieval, IV-C.1 for triangulation.
    ``confidence`` is the number of inlier matches with the references that agree.
    """

    name = "sift-5pt"

    def __init__(self, config: SiftFivePointConfig | None = None) -> None:
        super().__init__(config)
        self.learning_part = self.config.retrieval.open()
        self._retrieval = Retrieval(self.learning_part)

    def build_map(self, references: ViewSet) -> None:
        """Encode the references for retrieval and extract their SIFT features."""
        self._retrieval.build(references)
        self._features = [extract_sift(view.image(), self.config.sift) for view in references]
        self._cameras = [view.camera for view in references]

    def localize(self, query: Query) -> Estimate | Failure:
        """Answer with the triangulated pose, or the fallback's; the ranking is that of retrieval."""
        scores = self._retrieval.scores(query.image)
        found = self._pose(query, best_first(scores))
        return posed(self._retrieval.answer(scores), found, self.config.fallback)

    def _pose(self, query: Query, order: NDArray[Any]) -> tuple[Pose, int] | Failure:
        centres = self._retrieval.poses.translation
        selected = self.config.select(order, centres, self.config.retrieved)
        with stage("features"):
            features = extract_sift(query.image, self.config.sift)
        with stage("matching"):
            matches = {i: self._match(features, i) for i in selected}
        matches = {i: found for i, found in matches.items() if len(found) >= self.config.min_inliers}
        if not matches:
            return Failure("too few matches")
        with stage("relative pose"):
            relative = {i: self._relative_pose(query, features, i, found) for i, found in matches.items()}
        found = {i: pose for i, pose in relative.items() if pose and pose.inliers >= self.config.min_inliers}
        if not found:
            return Failure("no relative pose")
        if len(found) < 2:
            return Failure("only one relative pose")
        with stage("triangulation"):
            return self._absolute_pose(found)

    def _match(self, features: SiftFeatures, reference: int) -> NDArray[Any]:
        descriptors = self._features[reference].descriptors
        return match_descriptors(features.descriptors, descriptors, ratio=self.config.ratio, mutual=self.config.mutual)

    def _relative_pose(
        self, query: Query, features: SiftFeatures, reference: int, matches: NDArray[Any]
    ) -> RelativePose | None:
        return estimate_relative_pose(
            features.keypoints[matches[:, 0]],
            self._features[reference].keypoints[matches[:, 1]],
            query.camera,
            self._cameras[reference],
            max_error=self.config.max_error,
            max_iterations=self.config.max_iterations,
            seed=query.seed,
        )

    def _absolute_pose(self, relative: dict[int, RelativePose]) -> tuple[Pose, int] | Failure:
        indices = list(relative)
        found = triangulate_pose(
            self._retrieval.poses[indices],
            Pose.stack(relative[i].pose for i in indices),
            max_angle=self.config.max_angle,
        )
        if found is None:
            return Failure("no consistent pair")
        agreeing = [relative[i].inliers for i, agrees in zip(indices, found.inliers, strict=True) if agrees]
        return found.pose, sum(agreeing)
