"""`random`: what retrieval achieves by chance, the floor of every table."""

from __future__ import annotations

import numpy as np

from ...datasets.views import ViewSet
from ..method import Estimate, Method, Query


class RandomReference(Method):
    """Ranks the references of the map in random order and answers with the pose of the first.

    It answers out of the same set as every retrieval method does (the poses of the references), so the distance from
    it to them is what looking at the image is worth. A pose drawn freely from the map's volume would be no such floor:
    where references stand in corners, the middle of the room is closer to the average query than most references are.
    """

    name = "random"
    baseline = "chance"

    def build_map(self, references: ViewSet) -> None:
        """Keep the references' ids and poses."""
        self._ids = references.ids
        self._poses = references.poses

    def localize(self, query: Query) -> Estimate:
        """Draw an order of the references from the query's seed."""
        order = np.random.default_rng(query.seed).permutation(len(self._ids))
        return Estimate(pose=self._poses[int(order[0])], ranking=tuple(self._ids[i] for i in order))
