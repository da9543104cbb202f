"""The cluster bootstrap: how far a result would move had other scenes been drawn.

Queries of one scene resemble each other, so they are no independent evidence: resampling single queries makes every
interval too narrow. Whole clusters (scenes) are drawn with replacement instead, each with all of its queries
(Davison and Hinkley, "Bootstrap Methods and their Application", 1997, section 3.8, strategy 1). Resamples are kept as
counts of clusters, never as copies of queries, so that a resample costs clusters and not queries.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, t

Array = NDArray[Any]

RESAMPLES = 2000
LEVEL = 0.95
FEW_CLUSTERS = 5  # below this a percentile of resampled clusters is little more than the clusters themselves
_BINS = 1024  # of the sorted values, in `MedianDraws`: balances the product over bins against the search inside one


@lru_cache(maxsize=64)
def cluster_counts(clusters: int, *, resamples: int = RESAMPLES, seed: int = 0) -> Array:
    """Return how often each resample drew each cluster: (resamples, clusters) float64, every row summing to clusters.

    The same numbers of clusters and seed give the same draws, which is what pairs the resamples of two methods.
    """
    random = np.random.default_rng([seed, clusters])
    counts = random.multinomial(clusters, np.full(clusters, 1.0 / clusters), size=resamples).astype(np.float64)
    counts.flags.writeable = False
    return counts


def mean_draws(scores: Array, cluster: Array, counts: Array) -> Array:
    """Return the mean score of each resample (B,); NaN where a resample holds no query.

    ``scores`` (N,); ``cluster`` (N,) integers below C; ``counts`` (B, C) from :func:`cluster_counts`.
    """
    size = counts.shape[1]
    totals = counts @ np.bincount(cluster, weights=scores, minlength=size)
    queries = counts @ np.bincount(cluster, minlength=size)
    with np.errstate(invalid="ignore"):
        return totals / queries


class MedianDraws:
    """Exact medians of resamples, from one sort of the values.

    With the values sorted once and cut into bins, the counts of a resample give its cumulative weight at every bin's
    end by one matrix product; only the bin that holds the median is then walked. The result equals ``np.median`` of the
    resample written out, at a cost that hardly depends on the number of queries.
    """

    def __init__(self, values: Array, cluster: Array, clusters: int) -> None:
        """``values`` (N,), ``inf`` allowed; ``cluster`` (N,) integers below ``clusters``."""
        order = np.argsort(values)
        self.values = values[order]
        self._cluster = cluster[order]
        self._width = max(1, -(-len(values) // _BINS))
        bins = np.arange(len(values)) // self._width
        shape = (max(1, -(-len(values) // self._width)), clusters)
        flat = np.bincount(bins * clusters + self._cluster, minlength=shape[0] * shape[1])
        self._cumulative = np.cumsum(flat.reshape(shape), axis=0)  # (bins, clusters) queries up to each bin's end
        finite = int(np.searchsorted(self.values, np.inf))
        self._finite = np.bincount(self._cluster[:finite], minlength=clusters)

    def over_all(self, counts: Array) -> Array:
        """Return the median of all values of each resample (B,); NaN where a resample holds none."""
        return self._median(counts, counts @ self._cumulative[-1])

    def over_finite(self, counts: Array) -> Array:
        """Return the median of the finite values of each resample (B,); NaN where a resample holds none."""
        return self._median(counts, counts @ self._finite)

    def _median(self, counts: Array, sizes: Array) -> Array:
        medians = np.full(len(counts), np.nan)
        some = sizes > 0
        if some.any():
            cumulative = counts[some] @ self._cumulative.T
            lower = self._at(counts[some], cumulative, (sizes[some] - 1) // 2)
            upper = self._at(counts[some], cumulative, sizes[some] // 2)
            medians[some] = np.where(lower == upper, upper, (lower + upper) / 2)
        return medians

    def _at(self, counts: Array, cumulative: Array, rank: Array) -> Array:
        """Return the value at 0-based ``rank`` (B,) of each resample's sorted values."""
        bins = np.argmax(cumulative > rank[:, None], axis=1)
        rows = np.arange(len(counts))
        before = np.where(bins > 0, cumulative[rows, bins - 1], 0.0)
        places = np.minimum(bins[:, None] * self._width + np.arange(self._width), len(self.values) - 1)
        inside = before[:, None] + np.cumsum(counts[rows[:, None], self._cluster[places]], axis=1)
        return self.values[places[rows, np.argmax(inside > rank[:, None], axis=1)]]


def interval(draws: Array, *, clusters: int, level: float = LEVEL) -> tuple[float, float]:
    """Return the (low, high) interval of a bootstrap distribution (B,) from that many clusters.

    These are expanded percentiles (Hesterberg, "What Teachers Should Know About the Bootstrap", 2015, section 4.3):
    plain percentiles are too narrow by sqrt((C - 1) / C) and use the normal where Student's t belongs, which matters at
    the handful of scenes that a benchmark has. NaN draws (resamples without a value) are left out; with fewer than two
    clusters nothing is known about other ones and both ends are NaN.
    """
    draws = np.sort(draws[~np.isnan(draws)])
    if clusters < 2 or draws.size == 0:
        return float("nan"), float("nan")
    tail = norm.cdf(-np.sqrt(clusters / (clusters - 1)) * t.isf((1 - level) / 2, clusters - 1))
    # an order statistic instead of an interpolated quantile: half of the draws of a median may be infinite
    low = int(np.floor(tail * (draws.size - 1)))
    return float(draws[low]), float(draws[draws.size - 1 - low])


def differences(draws_a: Array, draws_b: Array) -> Array:
    """Return a - b, resample by resample (B,). Two infinite medians are equally wrong: their difference is 0."""
    with np.errstate(invalid="ignore"):
        return np.where(draws_a == draws_b, 0.0, draws_a - draws_b)
