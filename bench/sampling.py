"""`Clusters`: what stands for the queries of a table when they are drawn again, and what an interval speaks for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .bootstrap import RESAMPLES, cluster_counts

Array = NDArray[Any]

#: Scenes without which nothing can be said about other scenes.
FEWEST_SCENES = 3
#: Places without which single queries are drawn again.
FEWEST_PLACES = 5
#: More clusters than this (single queries, mostly) are dealt into about so many groups, which bounds the memory of a
#: resample and moves no interval that could be told from its own Monte Carlo error.
MOST_CLUSTERS = 500

#: What an interval over a unit speaks for.
SPEAKS_FOR = {
    "scene": "other scenes of this kind",
    "place": "other places of these very scenes",
    "query": "other queries in these very maps",
}


@dataclass(frozen=True, eq=False)
class Clusters:
    """The cluster of each query, and the stratum of each cluster.

    ``unit`` is "scene" where there are at least ``FEWEST_SCENES``. With fewer no interval can speak for other scenes:
    what is drawn again then are places (queries of one share its one reference), or where there are none single
    queries, always as many in every map as there are, and the interval holds for these very scenes.
    """

    unit: str
    cluster: Array  # (N,) codes below the number of clusters, those of one stratum together
    stratum: Array  # (N,) codes

    @classmethod
    def of(cls, table: pd.DataFrame) -> Clusters:
        """Return the clusters of a table with the columns scene, map, place and query.

        They do not depend on the order of rows.
        """
        scene = pd.factorize(table["scene"], sort=True)[0]
        if scene.max(initial=-1) + 1 >= FEWEST_SCENES:
            return cls("scene", scene, np.zeros_like(scene))
        maps = pd.factorize(table["map"], sort=True)[0]
        place = table["place"].to_numpy().astype(np.int64)
        placed = maps * (place.max(initial=0) + 1) + place
        if place.min(initial=0) >= 0 and len(np.unique(placed)) >= FEWEST_PLACES:
            return cls("place", np.unique(placed, return_inverse=True)[1], maps)
        query = pd.factorize(table["query"], sort=True)[0]
        return cls("query", _dealt(query, maps), maps)

    def at(self, rows: Array) -> Clusters:
        """Return the clusters of some of the rows, numbered anew."""
        return Clusters(self.unit, np.unique(self.cluster[rows], return_inverse=True)[1], self.stratum[rows])

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """The number of clusters of each stratum that has any."""
        _, first = np.unique(self.cluster, return_index=True)
        return tuple(int(count) for count in np.unique(self.stratum[first], return_counts=True)[1])

    def counts(self, *, resamples: int = RESAMPLES, seed: int = 0) -> Array:
        """Return how often each resample drew each cluster: (resamples, clusters)."""
        return cluster_counts(self.sizes, resamples=resamples, seed=seed)


def _dealt(query: Array, maps: Array) -> Array:
    """Return the group (N,) of each query: the queries of a map are dealt evenly into groups, or stay single."""
    queries, first = np.unique(query, return_index=True)
    share = min(1.0, MOST_CLUSTERS / max(len(queries), 1))
    group = np.zeros(len(queries), dtype=np.int64)
    offset = 0
    for each in np.unique(maps):
        here = np.flatnonzero(maps[first] == each)
        number = max(min(2, len(here)), int(len(here) * share))
        group[here] = offset + np.arange(len(here)) % number
        offset += number
    return group[np.searchsorted(queries, query)]
