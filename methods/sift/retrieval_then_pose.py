"""What `sift-5pt` and `sift-pnp` share: retrieval with DenseVLAD, then a pose from SIFT matches, or a fallback."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Literal, cast

from numpy.typing import NDArray

from ...sim.geometry import Pose
from ..dense_vlad.encoder import DenseVladConfig
from ..dense_vlad.retrieval_backed import RetrievalBacked
from ..features.sift import SiftConfig
from ..method import Estimate, Failure, MethodConfig, Query


class RetrievalThenPoseConfig(MethodConfig):
    """Parameters that do not depend on how the pose is computed."""

    fallback: Literal["none", "retrieval"] = "none"
    """Where no pose is found: fail, or answer with the best reference's pose, flagged "fallback"."""

    sift: SiftConfig = SiftConfig()
    """Feature extraction."""

    retrieval: DenseVladConfig = DenseVladConfig()
    """Image retrieval."""


class RetrievalThenPose(RetrievalBacked):
    """Ranks references by retrieval; subclasses compute the pose. Only retrieval learns anything."""

    def __init__(self, config: MethodConfig | None = None) -> None:
        shared = cast(RetrievalThenPoseConfig, self.Config() if config is None else config)
        super().__init__(shared, shared.retrieval)
        self._fallback = shared.fallback

    def localize(self, query: Query) -> Estimate | Failure:
        """Answer with the computed pose, or the fallback's; the ranking is that of retrieval."""
        order, _ = self._retrieval.rank(query.image)
        ranking = tuple(self._retrieval.ids[i] for i in order)
        answer = self._pose(query, order)
        if isinstance(answer, Failure):
            if self._fallback == "none":
                return answer
            return Estimate(self._retrieval.poses[int(order[0])], ranking, confidence=0.0, flags=("fallback",))
        pose, inliers = answer
        return Estimate(pose, ranking, confidence=float(inliers))

    @abstractmethod
    def _pose(self, query: Query, order: NDArray[Any]) -> tuple[Pose, int] | Failure:
        """Return the query's pose and the number of matches behind it; ``order`` (N,) ranks the references."""
