"""`dense-vlad`: the pose of the reference that looks most like the query."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...datasets.views import ViewSet
from ..method import Estimate, Method, Query
from ..timing import stage
from .encoder import DenseVladConfig, DenseVladEncoder


class DenseVlad(Method[DenseVladConfig]):
    """Image retrieval with DenseVLAD (Torii et al., "24/7 place recognition by view synthesis", CVPR 2015)."""

    name = "dense-vlad"
    needs_fit = True

    def __init__(self, config: DenseVladConfig | None = None) -> None:
        super().__init__(config)
        self._encoder = DenseVladEncoder(self.config)

    def fit(self, train: ViewSet) -> None:
        """Learn vocabulary and whitening from the views of training scenes."""
        self._encoder.learn(train)

    def save(self, folder: Path) -> None:
        """Write vocabulary and whitening as one .npz file."""
        self._encoder.save(folder)

    def load(self, folder: Path) -> None:
        """Read what :meth:`save` wrote."""
        self._encoder.load(folder)

    def build_map(self, references: ViewSet) -> None:
        """Encode every reference."""
        self.ids = references.ids
        self.poses = references.poses
        self.vectors = np.stack([self._encoder.encode(view.image()) for view in references])

    def rank(self, image: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the references' indices (N,), most alike first, and their similarities (N,) in that order."""
        with stage("retrieval"):
            with stage("features"):
                vector = self._encoder.encode(image)
            similarity = self.vectors @ vector
            order = np.argsort(-similarity, kind="stable")
            return order, similarity[order]

    def localize(self, query: Query) -> Estimate:
        """Answer with the pose of the reference most alike; ``confidence`` is the cosine similarity."""
        order, similarity = self.rank(query.image)
        return Estimate(
            pose=self.poses[int(order[0])],
            ranking=tuple(self.ids[i] for i in order),
            confidence=float(similarity[0]),
        )
