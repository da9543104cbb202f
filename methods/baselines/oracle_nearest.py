"""`oracle-nearest`: the base error of retrieval, which no method that answers with a reference's pose can pass."""

from __future__ import annotations

from ...datasets.views import ViewSet
from ...sim.geometry import translation_error
from ..method import Estimate, Method, Privilege, PrivilegedQuery, Query


class OracleNearest(Method):
    """Ranks the references by their true distance to the query and answers with the pose of the nearest.

    Its translation error is the smallest that any retrieval can have on this map (the "base error" of the map). Its
    rotation error is none: the nearest reference may look elsewhere.
    """

    name = "oracle-nearest"

    @property
    def privileges(self) -> frozenset[Privilege]:
        """The query's true pose."""
        return frozenset({"pose"})

    def build_map(self, references: ViewSet) -> None:
        """Keep the references' ids and poses."""
        self._ids = references.ids
        self._poses = references.poses

    def localize(self, query: Query) -> Estimate:
        """Rank by true distance; equal distances keep the references' order. Raises ``TypeError`` without the truth."""
        if not isinstance(query, PrivilegedQuery) or query.pose is None:
            raise TypeError("oracle-nearest needs a PrivilegedQuery with its pose")
        return Estimate.ranked(self._ids, self._poses, -translation_error(self._poses, query.pose))
