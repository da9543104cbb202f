"""`sift-pnp`: 2D-3D matches to a triangulated map and an absolute pose: the structure-based point of reference."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ...datasets.views import ViewSet
from ...sim.geometry import Pose
from ..features.matching import match_descriptors
from ..features.sift import extract_sift
from ..method import Estimate, Failure, Method, Query, best_first
from ..retrieval.fallback import posed
from ..retrieval.retrieval import Retrieval
from ..solvers.absolute_pose import estimate_absolute_pose
from ..timing import stage
from .config import SiftMethodConfig
from .triangulated_map import triangulate_map


class SiftPnpConfig(SiftMethodConfig):
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


class SiftPnp(Method[SiftPnpConfig]):
    """A map triangulated from the references at their known poses, and perspective-n-point against it.

    The scheme of structure-based localization with retrieval (Irschara et al. 2009; Sattler et al. 2017).
    ``confidence`` is the number of inlier matches.
    """

    name = "sift-pnp"

    def __init__(self, config: SiftPnpConfig | None = None) -> None:
        super().__init__(config)
        self.learning_part = self.config.retrieval.open()
        self._retrieval = Retrieval(self.learning_part)

    def build_map(self, references: ViewSet) -> None:
        """Encode the references for retrieval and triangulate their SIFT features."""
        self._retrieval.build(references)
        self._map = triangulate_map(
            [extract_sift(view.image(), self.config.sift) for view in references],
            [view.camera for view in references],
            references.poses,
            similar_pairs(self._retrieval.likeness(), self.config.neighbours),
            ratio=self.config.ratio,
            max_error=self.config.max_map_error,
            min_angle=self.config.min_angle,
        )

    def localize(self, query: Query) -> Estimate | Failure:
        """Answer with the pose against the map, or the fallback's; the ranking is that of retrieval."""
        scores = self._retrieval.scores(query.image)
        found = self._pose(query, best_first(scores))
        return posed(self._retrieval.answer(scores), found, self.config.fallback)

    def _pose(self, query: Query, order: NDArray[Any]) -> tuple[Pose, int] | Failure:
        rows = self._map.seen_by([int(i) for i in order[: self.config.retrieved]])
        if len(rows) < self.config.min_inliers:
            return Failure("too few map points")
        with stage("features"):
            features = extract_sift(query.image, self.config.sift)
        with stage("matching"):
            matches = match_descriptors(features.descriptors, self._map.descriptors[rows], ratio=self.config.ratio)
        if len(matches) < self.config.min_inliers:
            return Failure("too few matches")
        with stage("absolute pose"):
            found = estimate_absolute_pose(
                features.keypoints[matches[:, 0]],
                self._map.points[rows[matches[:, 1]]],
                query.camera,
                max_error=self.config.max_error,
                max_iterations=self.config.max_iterations,
                seed=query.seed,
            )
        if found is None or found[1] < self.config.min_inliers:
            return Failure("no absolute pose")
        return found


def similar_pairs(similarity: NDArray[Any], neighbours: int) -> list[tuple[int, int]]:
    """Return the pairs (i, j), i < j, ascending, of each reference with those most alike by ``similarity`` (N, N)."""
    others = np.where(np.eye(len(similarity), dtype=bool), -np.inf, similarity)
    nearest = np.argsort(-others, axis=1, kind="stable")[:, : min(neighbours, len(others) - 1)]
    return sorted({(min(i, int(j)), max(i, int(j))) for i, row in enumerate(nearest) for j in row})
