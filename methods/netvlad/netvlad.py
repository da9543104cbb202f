"""`netvlad`: the pose of the reference whose learned vector is nearest to the query's."""

from __future__ import annotations

import numpy as np

from ...datasets.views import ViewSet
from ..features.patch_netvlad import PatchNetVlad
from ..method import Estimate, Method, MethodConfig, Query
from ..timing import stage


class NetVladConfig(MethodConfig):
    """Settings of `netvlad`."""

    weights: str = "synthetic"
    """"synthetic": trained on generated houses, comes with the package; or the path of a .safetensors file."""


class NetVlad(Method[NetVladConfig]):
    """Image retrieval with NetVLAD (Arandjelovic et al., "NetVLAD: CNN architecture for weakly supervised place
    recognition", CVPR 2016): the baseline of the papers on sparse references."""

    name = "netvlad"

    def __init__(self, config: NetVladConfig | None = None) -> None:
        super().__init__(config)
        self._describe = PatchNetVlad(self.config.weights)

    def build_map(self, references: ViewSet) -> None:
        """Encode every reference."""
        self.ids = references.ids
        self.poses = references.poses
        self.vectors = np.stack([self._describe.vector(view.image()) for view in references])

    def localize(self, query: Query) -> Estimate:
        """Answer with the pose of the nearest reference; ``confidence`` is the negative L2 distance."""
        with stage("features"):
            vector = self._describe.vector(query.image)
        with stage("retrieval"):
            distance = np.linalg.norm(self.vectors - vector, axis=1)
            order = np.argsort(distance, kind="stable")
        return Estimate(
            pose=self.poses[int(order[0])],
            ranking=tuple(self.ids[i] for i in order),
            confidence=-float(distance[order[0]]),
        )
