"""What `sift-5pt` and `sift-pnp` share: retrieval with DenseVLAD, then a pose from SIFT matches, or a fallback."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import Any, Literal, cast

from numpy.typing import NDArray

from ...datasets.views import ViewSet
from ...sim.geometry import Pose
from ..dense_vlad.dense_vlad import DenseVlad
from ..dense_vlad.encoder import DenseVladConfig
from ..features.sift import SiftConfig
from ..method import Estimate, Failure, Method, MethodConfig, Query


class RetrievalThenPoseConfig(MethodConfig):
    """Parameters that do not depend on how the pose is computed."""

    fallback: Literal["none", "retrieval"] = "none"
    """Where no pose is found: fail, or answer with the best reference's pose, flagged "fallback"."""

    sift: SiftConfig = SiftConfig()
    """Feature extraction."""

    retrieval: DenseVladConfig = DenseVladConfig()
    """Image retrieval."""


class RetrievalThenPose(Method):
    """Ranks references by retrieval; subclasses compute the pose. Only retrieval learns anything."""

    needs_fit = True

    def __init__(self, config: MethodConfig | None = None) -> None:
        super().__init__(config)
        shared = cast(RetrievalThenPoseConfig, self.config)
        self._fallback = shared.fallback
        self._retrieval = DenseVlad(shared.retrieval)

    def fit(self, train: ViewSet) -> None:
        """Learn what retrieval needs."""
        self._retrieval.fit(train)

    def fit_identity(self) -> tuple[str, dict[str, Any]]:
        """Return that of the retrieval: nothing else is learned."""
        return self._retrieval.fit_identity()

    def save(self, folder: Path) -> None:
        """Write what retrieval learned."""
        self._retrieval.save(folder)

    def load(self, folder: Path) -> None:
        """Read what :meth:`save`, or that of a method with the same fit, wrote."""
        self._retrieval.load(folder)

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
