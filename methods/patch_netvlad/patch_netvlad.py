"""`patch-netvlad`: the pose of the reference in which the query's patches find the nearest neighbours."""

from __future__ import annotations

from ...datasets.views import ViewSet
from ..features.nbnn import Prototypes
from ..method import Estimate, Method, MethodConfig, Query
from ..timing import stage
from .patches import PatchNetVlad


class PatchNetVladConfig(MethodConfig):
    """Settings of `patch-netvlad`."""

    weights: str = "synthetic"
    """"synthetic": trained on generated houses, comes with the package; or the path of a .safetensors file."""


class PatchNetVladNbnn(Method[PatchNetVladConfig]):
    """Patch-NetVLAD features (Hausler et al., CVPR 2021), ranked as in paper 000: each of the query's patches looks for
    its nearest neighbour in a reference, and the mean distance (NBNN) ranks the references.

    Hausler et al. rank by mutual matches and their geometry; between views from opposite sides there is none to check.
    """

    name = "patch-netvlad"

    def __init__(self, config: PatchNetVladConfig | None = None) -> None:
        super().__init__(config)
        self._describe = PatchNetVlad(self.config.weights)

    def build_map(self, references: ViewSet) -> None:
        """Describe every reference by its patches."""
        self.ids = references.ids
        self.poses = references.poses
        self.prototypes = Prototypes([self._describe(view.image()).patches for view in references])

    def localize(self, query: Query) -> Estimate:
        """Answer with the pose of the nearest reference; ``confidence`` is the negative NBNN distance."""
        with stage("features"):
            patches = self._describe(query.image).patches
        with stage("nbnn"):
            distance = self.prototypes.distances(patches).mean(axis=0)
        return Estimate.ranked(self.ids, self.poses, -distance)
