"""Place recognition against what makes it hard: mean reciprocal rank by view angle, distance or overlap.

This is what "cross-view" means in numbers (paper 000): how fast recognition falls as a query turns away from, moves
away from, or stops sharing pixels with the one image that was taken of its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from .bootstrap import cluster_counts, interval, mean_draws
from .metrics import reciprocal_rank_scores
from .scoring import MOST_CLUSTERS

FEWEST_IN_BIN = 12  # queries: with fewer, a mean says little

CURVE_COLUMNS = ("method", "bin", "start", "stop", "queries", "value", "low", "high")


def mrr_curve(estimates: pd.DataFrame, by: str, edges: Sequence[float]) -> pd.DataFrame:
    """Return the mean reciprocal rank of each method's queries, bin by bin of the column ``by``, with intervals.

    ``estimates`` has ``ESTIMATE_COLUMNS``, ``edges`` (B + 1,) ascend; the last bin holds its upper end too. A failure
    scores 0. Intervals resample places, whose queries share one reference. Bins with fewer than ``FEWEST_IN_BIN``
    queries are left out. Columns: ``CURVE_COLUMNS``; ``bin`` counts from 0.
    """
    known = estimates[estimates[by].between(edges[0], edges[-1])]
    places = pd.factorize(pd.MultiIndex.from_frame(known[["map", "place"]]), sort=True)[0] % MOST_CLUSTERS
    counts = cluster_counts(int(places.max(initial=-1)) + 1) if len(known) else np.zeros((0, 0))
    index = np.clip(np.searchsorted(edges, known[by].to_numpy(), side="right") - 1, 0, len(edges) - 2)
    scores = reciprocal_rank_scores(known["relevant_rank"])
    rows = []
    groups: Any = known.groupby(["method", index], sort=False).indices
    for (method, place), at in groups.items():
        if len(at) >= FEWEST_IN_BIN:
            draws = mean_draws(scores[at], places[at], counts)
            low, high = interval(draws, clusters=len(np.unique(places[at])))
            rows.append((method, place, edges[place], edges[place + 1], len(at), scores[at].mean(), low, high))
    return pd.DataFrame(rows, columns=list(CURVE_COLUMNS)).sort_values(["method", "bin"], ignore_index=True)
