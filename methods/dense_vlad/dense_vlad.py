"""`dense-vlad`: the pose of the reference that looks most like the query."""

from __future__ import annotations

from ..retrieval.best_reference import RetrievalAlone
from .descriptor import DenseVladConfig, DenseVladDescriptor


class DenseVlad(RetrievalAlone[DenseVladConfig]):
    """Image retrieval with DenseVLAD (Torii et al., "24/7 place recognition by view synthesis", CVPR 2015)."""

    name = "dense-vlad"

    def _descriptor(self) -> DenseVladDescriptor:
        return DenseVladDescriptor(self.config)
