"""Accuracy against what makes a query hard, bin by bin, and recall against how much of a ranking counts.

Mean reciprocal rank by view angle, distance or overlap is what "cross-view" means in numbers (paper 000): how fast
recognition falls as a query turns away from, moves away from, or stops sharing pixels with the one image that was taken
of its place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from .bootstrap import Sampled, mean_draws
from .questions.metric import Metric
from .sampling import Clusters

FEWEST_IN_BIN = 12  # queries: with fewer, neither a mean nor a quartile says much
MOST_BINS = 8  # of equally many queries

CURVE_COLUMNS = ("method", "bin", "start", "stop", "queries", "value", "low", "high")


def accuracy_curve(estimates: pd.DataFrame, by: str, metric: Metric, edges: Sequence[float] = ()) -> pd.DataFrame:
    """Return a metric of each method's queries, bin by bin of the column ``by``.

    ``estimates`` has ``ESTIMATE_COLUMNS``. ``edges`` (B + 1,) ascend, and the last bin holds its upper end too; without
    any, up to ``MOST_BINS`` bins hold equally many queries. Bins with fewer than ``FEWEST_IN_BIN`` queries are left
    out. Columns: ``CURVE_COLUMNS``; ``bin`` counts from 0, ``low`` and ``high`` are the 95 % interval of a mean, as the
    leaderboard has it (:class:`~relocbench.bench.sampling.Clusters`), or the quartiles around a median, never between
    infinity and a number.
    """
    asked = estimates[by].notna() & (~estimates[metric.asked_by].isna() if metric.asked_by else True)
    known = estimates[asked]
    ends = np.asarray(edges if len(edges) else _even_edges(known, by), dtype=np.float64)
    if not len(ends):
        return pd.DataFrame(columns=list(CURVE_COLUMNS))
    known = known[known[by].between(ends[0], ends[-1])] if len(edges) else known
    index = np.clip(np.searchsorted(ends, known[by].to_numpy(), side="right") - 1, 0, max(len(ends) - 2, 0))
    scores = metric.scores({name: known[name].to_numpy() for name in metric.reads})
    summed = _mean_with_interval(known, metric) if metric.statistic == "mean" else _quartiles
    rows = []
    groups: Any = known.groupby(["method", index], sort=False).indices
    for (method, place), at in groups.items():
        if len(at) >= FEWEST_IN_BIN:
            stop = ends[min(place + 1, len(ends) - 1)]
            rows.append((method, place, ends[place], stop, len(at), *summed(scores, at)))
    return pd.DataFrame(rows, columns=list(CURVE_COLUMNS)).sort_values(["method", "bin"], ignore_index=True)


def _even_edges(known: pd.DataFrame, by: str) -> NDArray[Any]:
    """Return the edges (B + 1,) of bins of equally many queries, none where there are too few for one."""
    queries = known.drop_duplicates("query")[by].to_numpy()
    count = min(MOST_BINS, len(queries) // FEWEST_IN_BIN)
    return np.unique(np.quantile(queries, np.linspace(0, 1, count + 1)).round(2)) if count else np.zeros(0)


Summary = Callable[[NDArray[Any], NDArray[Any]], tuple[float, float, float]]


def _mean_with_interval(known: pd.DataFrame, metric: Metric) -> Summary:
    clusters = Clusters.of(known)

    def summed(scores: NDArray[Any], at: NDArray[Any]) -> tuple[float, float, float]:
        here = clusters.at(at)
        draws = mean_draws(scores[at], here.cluster, here.counts())
        sampled = Sampled(float(scores[at].mean()), draws, sum(here.sizes), len(here.sizes))
        return (sampled.value, *sampled.interval(bounds=metric.bounds))

    return summed


def _quartiles(scores: NDArray[Any], at: NDArray[Any]) -> tuple[float, float, float]:
    low, middle, high = np.quantile(scores[at], [0.25, 0.5, 0.75], method="higher")
    return middle, low, high


def recall_curve(rank: ArrayLike, most: int) -> NDArray[np.float64]:
    """Return recall@N for N = 1 to ``most`` (most,); ``rank`` (N,) as for `metrics.recall_at_n`, NaN without queries.

    >>> recall_curve([1, 3, float("inf"), 3], 3).tolist()
    [0.25, 0.25, 0.75]
    """
    ranks = np.sort(np.asarray(rank, dtype=np.float64))
    if not len(ranks):
        return np.full(most, np.nan)
    return np.searchsorted(ranks, np.arange(1, most + 1), side="right") / len(ranks)
