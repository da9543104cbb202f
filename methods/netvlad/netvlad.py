"""`netvlad`: the pose of the reference whose learned vector is nearest to the query's."""

from __future__ import annotations

from ..retrieval.best_reference import RetrievalAlone
from .descriptor import NetVladConfig, NetVladDescriptor


class NetVlad(RetrievalAlone[NetVladConfig]):
    """Image retrieval with NetVLAD (Arandjelovic et al., "NetVLAD: CNN architecture for weakly supervised place
    recognition", CVPR 2016): the baseline of the papers on sparse references. ``confidence`` is the negative L2
    distance."""

    name = "netvlad"

    def _descriptor(self) -> NetVladDescriptor:
        return NetVladDescriptor(self.config)
