"""The cluster bootstrap: how far a result would move had other scenes been drawn.

Queries of one scene resemble each other, so they are no independent evidence: resampling single queries makes every
interval too narrow. Whole clusters (scenes) are drawn with replacement instead, each with all of its queries
(Davison and Hinkley, "Bootstrap Methods and their Application", 1997, section 3.8, strategy 1). Resamples are kept as
counts of clusters, never as copies of queries, so that a resample costs clusters and not queries.

A benchmark has a handful of scenes, from which percentiles of resamples are much too narrow. Of the resamples only the
standard error is taken, and Student's t says how far a result may be off (:class:`Sampled`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, t

Array = NDArray[Any]

RESAMPLES = 2000
LEVEL = 0.95
_BINS = 1024  # of the sorted values, in `MedianDraws`: balances the product over bins against the search inside one
_NOISE = 1e-12  # of a value: a spread below is what floating point leaves of none


@lru_cache(maxsize=64)
def cluster_counts(sizes: tuple[int, ...], *, resamples: int = RESAMPLES, seed: int = 0) -> Array:
    """Return how often each resample drew each cluster: (resamples, clusters) float64.

    ``sizes`` are the numbers of clusters of each stratum, of which every resample draws as many again; the clusters of
    a stratum stand together. The same sizes and seed give the same draws, which is what pairs the resamples of two
    methods.
    """
    parts = [
        np.random.default_rng([seed, number, size]).multinomial(size, np.full(size, 1.0 / size), size=resamples)
        for number, size in enumerate(sizes)
    ]
    counts = np.concatenate(parts, axis=1).astype(np.float64) if parts else np.zeros((resamples, 0))
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


def differences(draws_a: Array, draws_b: Array) -> Array:
    """Return a - b, resample by resample (B,). Two infinite medians are equally wrong: their difference is 0."""
    with np.errstate(invalid="ignore"):
        return np.where(draws_a == draws_b, 0.0, draws_a - draws_b)


@dataclass(frozen=True, eq=False)
class Sampled:
    """A number (a metric, or a difference of two), and how far it may be off.

    ``draws`` (B,) are what resamples of ``clusters`` in ``strata`` gave for it, NaN where a resample says nothing.
    ``trained`` holds, for each method that it is made of, its values (R,) after R trainings, of which it is the mean;
    none where a method was trained once, or learns nothing: the interval then holds for this very training.

    The variance of the draws is too small by (C - strata) / C, and is estimated with C - strata degrees of freedom;
    that of trainings adds to it, and Satterthwaite's formula gives the degrees of freedom of their sum. Where the value
    or a draw is infinite there is no such variance: scores are then those of x / (|x| + s) with the median size s of
    what is finite, and intervals are percentiles of the draws, as far out as Student's t puts the ends (Hesterberg,
    "What Teachers Should Know About the Bootstrap", 2015, section 4.3).
    """

    value: float
    draws: Array
    clusters: int
    strata: int = 1
    trained: tuple[Array, ...] = ()

    def __sub__(self, other: Sampled) -> Sampled:
        """Return the difference, of which both must come from the same resamples."""
        value = differences(np.array([self.value]), np.array([other.value]))[0]
        draws = differences(self.draws, other.draws)
        return Sampled(float(value), draws, self.clusters, self.strata, (*self.trained, *other.trained))

    @classmethod
    def mean(cls, parts: Sequence[Sampled]) -> Sampled:
        """Return the mean of one metric after several trainings of one method."""
        first = parts[0]
        if len(parts) == 1:
            return first
        values = np.array([part.value for part in parts])
        draws = np.mean([part.draws for part in parts], axis=0)
        return cls(float(values.mean()), draws, first.clusters, first.strata, (values,))

    @property
    def freedom(self) -> float:
        """The degrees of freedom of the standard error, 0 where nothing is known about it."""
        if self.clusters <= self.strata or np.isnan(self.value) or np.isnan(self.draws).all():
            return 0.0
        total = sum(variance for variance, _ in self._variances)
        if total == 0:
            return float(self.clusters - self.strata)
        return total**2 / sum(variance**2 / freedom for variance, freedom in self._variances)

    @property
    def score(self) -> float:
        """The number of standard errors by which the value differs from 0: Student's t with ``freedom``."""
        size = float(self._finite(np.array([self.value]))[0])
        error = self._error
        if abs(size) <= _NOISE or not self.freedom:
            return 0.0
        return size / error if error > _NOISE * abs(size) else float(np.copysign(np.inf, size))

    @property
    def p(self) -> float:
        """The probability of a ``score`` this far from 0 or farther, were the truth 0; NaN where nothing is known."""
        return float(2 * t.sf(abs(self.score), self.freedom)) if self.freedom else float("nan")

    def standardised(self) -> Array:
        """Return how far each draw is from the value, in standard deviations of the draws (B,); 0 where they agree."""
        moved = np.nan_to_num(self._finite(self.draws) - self._finite(np.array([self.value])))
        spread = moved.std()
        return moved / spread if spread > _NOISE * max(1.0, abs(self._finite(np.array([self.value]))[0])) else moved * 0

    def interval(self, *, level: float = LEVEL, bounds: tuple[float, float] = (-np.inf, np.inf)) -> tuple[float, float]:
        """Return the (low, high) interval, cut at what the metric can be.

        It is NaN where nothing is known, and where all clusters are at the same end of what can be: a share of 0 in
        every scene that was drawn is no proof that it is 0 in every other.
        """
        if not self.freedom or (self._error <= _NOISE and (np.isinf(self.value) or self.value in bounds)):
            return float("nan"), float("nan")
        errors = t.isf((1 - level) / 2, self.freedom)
        if self._scale is None:
            ends = (self.value - errors * self._error, self.value + errors * self._error)
        else:
            draws = np.sort(self.draws[~np.isnan(self.draws)])
            tail = norm.sf(errors * np.sqrt(self.clusters / (self.clusters - self.strata)))
            # an order statistic instead of an interpolated quantile: half of the draws of a median may be infinite
            place = int(tail * (len(draws) - 1))
            ends = (draws[place], draws[len(draws) - 1 - place])
        low, high = np.clip(ends, *bounds)
        return min(float(low), self.value), max(float(high), self.value)

    @cached_property
    def _scale(self) -> float | None:
        """The size of what is finite, None where all is: nothing must be mapped then."""
        values = np.append(self.draws, self.value)
        if not np.isinf(values).any():
            return None
        sizes = np.abs(values[np.isfinite(values) & (values != 0)])
        return float(np.median(sizes)) if sizes.size else 1.0

    def _finite(self, values: Array) -> Array:
        if self._scale is None:
            return values
        with np.errstate(invalid="ignore"):
            return np.where(np.isinf(values), np.sign(values), values / (np.abs(values) + self._scale))

    @cached_property
    def _variances(self) -> list[tuple[float, int]]:
        """Each part of the variance with its degrees of freedom."""
        freedom = self.clusters - self.strata
        drawn = float(np.nanvar(self._finite(self.draws))) * self.clusters / freedom
        trained = [self._finite(values) for values in self.trained]
        return [(drawn, freedom), *((float(v.var(ddof=1)) / len(v), len(v) - 1) for v in trained)]

    @property
    def _error(self) -> float:
        return float(np.sqrt(sum(variance for variance, _ in self._variances)))
