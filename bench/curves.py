"""Accuracy against what makes a query hard, bin by bin, and recall against how much of a ranking counts.

Mean reciprocal rank by view angle, distance or overlap is what "cross-view" means in numbers (paper 000): how fast
recognition falls as a query turns away from, moves away from, or stops sharing pixels with the one image that was taken
of its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from .bootstrap import cluster_counts, interval, mean_draws
from .metrics import reciprocal_rank_scores
from .scoring import MOST_CLUSTERS

FEWEST_IN_BIN = 12  # queries: with fewer, neither a mean nor a quartile says much
MOST_BINS = 8  # of equally many queries

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


def error_quartiles(estimates: pd.DataFrame, by: str) -> pd.DataFrame:
    """Return the quartiles of the translation error per method and bin of the column ``by``, bins of equal counts.

    ``estimates`` has ``ESTIMATE_COLUMNS``. Columns: method, bin, low and high (the bin's range), queries, q25, q50, q75
    (metres; inf where that many fail). Without ``FEWEST_IN_BIN`` queries of known value there are no rows.
    """
    known = estimates[estimates[by].notna()]
    queries = known.drop_duplicates("query")[by].to_numpy()
    count = min(MOST_BINS, len(queries) // FEWEST_IN_BIN)
    rows: list[tuple[Any, ...]] = []
    if count:
        edges = np.unique(np.quantile(queries, np.linspace(0, 1, count + 1)).round(2))
        index = np.clip(np.searchsorted(edges, known[by], side="right") - 1, 0, max(len(edges) - 2, 0))
        groups: Any = known.groupby(["method", index])["translation_error"]
        for (method, place), errors in groups:
            low, high = edges[place], edges[min(place + 1, len(edges) - 1)]
            # one of the errors themselves, never a value between infinity and a number
            quartiles = np.quantile(errors.to_numpy(), [0.25, 0.5, 0.75], method="higher")
            rows.append((method, place, low, high, len(errors), *quartiles))
    return pd.DataFrame(rows, columns=["method", "bin", "low", "high", "queries", "q25", "q50", "q75"])


def recall_curve(rank: ArrayLike, most: int) -> NDArray[np.float64]:
    """Return recall@N for N = 1 to ``most`` (most,); ``rank`` (N,) as for `metrics.recall_at_n`, NaN without queries.

    >>> recall_curve([1, 3, float("inf"), 3], 3).tolist()
    [0.25, 0.25, 0.75]
    """
    ranks = np.sort(np.asarray(rank, dtype=np.float64))
    if not len(ranks):
        return np.full(most, np.nan)
    return np.searchsorted(ranks, np.arange(1, most + 1), side="right") / len(ranks)
