"""The leaderboard: every metric with its interval, paired differences, and ranks that admit ties.

Everything is computed from the per-query records alone (``ESTIMATE_COLUMNS``). Intervals come from the cluster
bootstrap over scenes; the same draws serve all methods, so that differences between methods are paired.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import InputError
from . import metrics
from .bootstrap import FEW_CLUSTERS, LEVEL, RESAMPLES, MedianDraws, cluster_counts, differences, interval, mean_draws
from .roles import is_ranked

Array = NDArray[Any]

#: The metric that ranks the table. A failure scores 0 in it, so none can hide, and two methods that fail on most
#: queries can still be told apart; their medians over all queries would both be infinite.
PRIMARY = "auc_translation_1m"

#: More clusters than this (single queries, mostly) are dealt into so many groups, which bounds the memory of a resample
#: and moves no interval that could be told from its own Monte Carlo error.
MOST_CLUSTERS = 500


@dataclass(frozen=True)
class Metric:
    """One column of the leaderboard: the records it reads, the per-query scores, and how they are summed up."""

    name: str
    scores: Callable[[Mapping[str, Array]], Array]
    statistic: Literal["mean", "median", "median of localized"] = "mean"
    higher_is_better: bool = True
    of_ranking: bool = False  # NaN for a method that never ranks references


def _error(kind: str) -> Callable[[Mapping[str, Array]], Array]:
    return lambda columns: columns[f"{kind}_error"]


def _joint(metres: float, degrees: float) -> Metric:
    return Metric(
        f"recall_{metres:g}m_{degrees:g}deg",
        lambda c: metrics.joint_recall_scores(
            c["translation_error"], c["rotation_error"], metres=metres, degrees=degrees
        ),
    )


def _area(kind: str, up_to: float, unit: str) -> Metric:
    return Metric(f"auc_{kind}_{up_to:g}{unit}", lambda c: metrics.recall_area_scores(c[f"{kind}_error"], up_to=up_to))


def _recall_at_n(n: int) -> Metric:
    return Metric(f"recall_at_{n}", lambda c: metrics.recall_at_n_scores(c["relevant_rank"], n=n), of_ranking=True)


def _recall_within(metres: float) -> Metric:
    return Metric(
        f"recall_within_{metres:g}m",
        lambda c: metrics.recall_at_distance_scores(c["top1_distance"], metres=metres),
        of_ranking=True,
    )


#: The metrics of every leaderboard, in the order of its columns.
METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("median_translation_error", _error("translation"), "median", higher_is_better=False),
        Metric("median_rotation_error", _error("rotation"), "median", higher_is_better=False),
        Metric("localized_translation_error", _error("translation"), "median of localized", higher_is_better=False),
        Metric("localized_rotation_error", _error("rotation"), "median of localized", higher_is_better=False),
        Metric("success_rate", lambda c: c["localized"]),
        _joint(0.1, 1.0),
        _joint(0.25, 2.0),
        _joint(0.5, 5.0),
        _joint(5.0, 10.0),
        _area("translation", 1.0, "m"),
        _area("rotation", 10.0, "deg"),
        Metric("mrr", lambda c: metrics.reciprocal_rank_scores(c["relevant_rank"]), of_ranking=True),
        _recall_at_n(1),
        _recall_at_n(5),
        _recall_within(0.5),
        _recall_within(1.0),
    )
}


@dataclass(frozen=True)
class _Bootstrap:
    level: float = LEVEL
    resamples: int = RESAMPLES
    seed: int = 0


@dataclass(eq=False)
class _Answers:
    """One method's records at one density: numeric columns (N,), and integer codes of query and cluster."""

    columns: dict[str, Array]
    query: Array
    cluster: Array  # global codes
    bootstrap: _Bootstrap
    _medians: dict[str, MedianDraws] = field(default_factory=dict)
    _draws: dict[str, Array] = field(default_factory=dict)

    @cached_property
    def _local(self) -> tuple[Array, int]:
        present, local = np.unique(self.cluster, return_inverse=True)
        return local, len(present)

    @property
    def clusters(self) -> int:
        return self._local[1]

    @cached_property
    def ranks_references(self) -> bool:
        return bool(np.isfinite(self.columns["top1_distance"]).any())

    def value(self, metric: Metric) -> float:
        if metric.of_ranking and not self.ranks_references:
            return float("nan")
        scores = metric.scores(self.columns)
        if metric.statistic == "mean":
            return float(scores.mean()) if scores.size else float("nan")
        values = self._sorted(metric).values  # sorted: the median of what is sorted already is cheap
        localized_only = metric.statistic == "median of localized"
        return (metrics.median_error_localized if localized_only else metrics.median_error)(values)

    def draws(self, metric: Metric) -> Array:
        """Return the metric of each resample (B,), computed once."""
        if metric.name not in self._draws:
            self._draws[metric.name] = self._new_draws(metric)
        return self._draws[metric.name]

    def _new_draws(self, metric: Metric) -> Array:
        local, size = self._local
        counts = cluster_counts(size, resamples=self.bootstrap.resamples, seed=self.bootstrap.seed)
        if metric.of_ranking and not self.ranks_references:
            return np.full(len(counts), np.nan)
        if metric.statistic == "mean":
            return mean_draws(metric.scores(self.columns), local, counts)
        medians = self._sorted(metric)
        return medians.over_all(counts) if metric.statistic == "median" else medians.over_finite(counts)

    def _sorted(self, metric: Metric) -> MedianDraws:
        kind = metric.name.partition("_")[2]  # the medians of all and of localized queries share one sort
        if kind not in self._medians:
            self._medians[kind] = MedianDraws(metric.scores(self.columns), *self._local)
        return self._medians[kind]

    def only(self, queries: Array) -> _Answers:
        """Return the answers to the given query codes, in their order."""
        order = np.argsort(self.query)
        rows = order[np.searchsorted(self.query[order], queries)]
        columns = {name: column[rows] for name, column in self.columns.items()}
        return _Answers(columns, self.query[rows], self.cluster[rows], self.bootstrap)


def leaderboard(
    estimates: pd.DataFrame,
    *,
    primary: str = PRIMARY,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> pd.DataFrame:
    """Return one row per method and density, best first: every metric with ``_low`` and ``_high``, and its rank.

    ``rank`` is 1 plus the number of methods that are better by ``primary`` beyond doubt: the paired interval of the
    difference excludes zero at ``level`` (each pair on its own, not corrected for the number of pairs). Methods that
    cannot be told apart therefore share a rank. Methods that were given a part of the ground truth (see
    :mod:`relocbench.bench.roles`) are listed but not ranked: those that see the image only do not compare with them.

    Intervals resample whole clusters: ``cluster_unit`` says which. It is "scene" where there are at least five; with
    fewer, "map", then "place" (queries of one place share its one reference), then "query", and the intervals then hold
    for these very scenes, not for others.
    ``primary`` names the metric in every row. ``failures`` counts, ``reasons`` groups the failures. Latencies are of
    warm queries, NaN where machines are mixed.

    Raises ``InputError`` where ``primary`` is no metric.
    """
    metric = _metric(primary)
    tables = []
    for density, unit, groups in _by_density(estimates, _Bootstrap(level, resamples, seed)):
        rows = [_row(method, answers, unit) for method, (answers, _) in groups.items()]
        table = pd.DataFrame(rows)
        table.insert(1, "role", [role for _, role in groups.values()])
        table.insert(2, "density", density)
        table.insert(3, "primary", primary)
        table.insert(4, "rank", pd.Series(_ranks(groups, metric), dtype="Int64"))
        order = table[primary] * (-1 if metric.higher_is_better else 1)
        tables.append(table.iloc[np.argsort(order, kind="stable")])  # NaN sorts last
    if not tables:
        return pd.DataFrame()
    reasons = failure_reasons(estimates).groupby(["method", "density"], observed=True)
    texts = reasons.apply(lambda g: "; ".join(f"{r}: {n}" for r, n in zip(g["reason"], g["count"], strict=True)))
    board = pd.concat(tables, ignore_index=True)
    keys = zip(board["method"], board["density"], strict=True)
    return board.assign(reasons=[texts.get(key, "") if len(texts) else "" for key in keys])


def paired(
    estimates: pd.DataFrame,
    a: str,
    b: str,
    metric: str = PRIMARY,
    *,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> pd.DataFrame:
    """Return, per density, method ``a`` minus method ``b`` on their common queries, with its interval.

    Columns: density, metric, a, b, value_a, value_b, difference, low, high, distinguishable (the interval excludes
    zero), queries, clusters, cluster_unit. Raises ``InputError`` for an unknown method or metric.
    """
    return paired_all(estimates, [(a, b)], metric, level=level, resamples=resamples, seed=seed)


def paired_all(
    estimates: pd.DataFrame,
    pairs: Sequence[tuple[str, str]],
    metric: str = PRIMARY,
    *,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> pd.DataFrame:
    """Return what :func:`paired` says of every pair, by density, then in the order of ``pairs``.

    The draws of a method serve all of its pairs.
    """
    chosen = _metric(metric)
    known = list(estimates["method"].unique())
    named = list(dict.fromkeys(name for pair in pairs for name in pair))
    for name in named:
        if name not in known:
            raise InputError(f"no results of a method {name!r}; there are {', '.join(known)}")
    rows = []
    of_these = estimates[estimates["method"].isin(named)]
    for density, unit, groups in _by_density(of_these, _Bootstrap(level, resamples, seed)):
        for a, b in pairs:
            if a in groups and b in groups:
                row = _difference(groups[a][0], groups[b][0], chosen)
                rows.append({"density": density, "metric": metric, "a": a, "b": b, **row, "cluster_unit": unit})
    return pd.DataFrame(rows)


def failure_reasons(estimates: pd.DataFrame) -> pd.DataFrame:
    """Return how often each method failed why: columns method, density, reason, count; most frequent first."""
    failed = estimates.loc[estimates["status"] == "failure", ["method", "density", "reason"]]
    counts = failed.groupby(["method", "density", "reason"], observed=True, sort=True).size().reset_index(name="count")
    return counts.sort_values(["method", "density", "count"], ascending=[True, True, False], kind="stable")


def _metric(name: str) -> Metric:
    if name not in METRICS:
        raise InputError(f"no metric {name!r}; there are {', '.join(METRICS)}")
    return METRICS[name]


Groups = dict[str, tuple[_Answers, str]]


def _by_density(estimates: pd.DataFrame, bootstrap: _Bootstrap) -> Iterator[tuple[int, str, Groups]]:
    """Yield (density, cluster unit, answers and role of each method), densities ascending, methods as they come."""
    # sorted, so that the draws do not depend on the order of rows; single queries only where they are drawn themselves
    codes = {unit: pd.factorize(estimates[unit], sort=True)[0] for unit in ("scene", "map")}
    place = estimates["place"].to_numpy() + 1  # numbered within a map, 0 without places
    codes["place"] = pd.factorize(codes["map"] * (place.max(initial=0) + 1) + place, sort=True)[0]
    few = codes["place"].max(initial=0) + 1 < FEW_CLUSTERS
    codes |= {"method": pd.factorize(estimates["method"])[0], "query": pd.factorize(estimates["query"], sort=few)[0]}
    methods = list(estimates["method"].unique())
    density = estimates["density"].to_numpy()
    columns = _numeric_columns(estimates)
    for value in np.unique(density):
        at = density == value
        unit = _cluster_unit({name: code[at] for name, code in codes.items()})
        groups: Groups = {}
        for code, method in enumerate(methods):
            rows = np.flatnonzero(at & (codes["method"] == code))
            if rows.size:
                chosen = {name: column[rows] for name, column in columns.items()}
                cluster = codes[unit][rows] % MOST_CLUSTERS
                answers = _Answers(chosen, codes["query"][rows], cluster, bootstrap)
                groups[method] = (answers, str(estimates["role"].iloc[rows[0]]))
        yield int(value), unit, groups


def _numeric_columns(estimates: pd.DataFrame) -> dict[str, Array]:
    names = ("translation_error", "rotation_error", "relevant_rank", "top1_distance", "seconds")
    columns: dict[str, Array] = {name: estimates[name].to_numpy(dtype=np.float64) for name in names}
    columns["localized"] = (estimates["status"] == "ok").to_numpy(dtype=np.float64)
    columns["warm"] = estimates["warm"].to_numpy(dtype=bool)
    columns["machine"] = pd.factorize(estimates["machine"])[0]
    columns["scene"] = pd.factorize(estimates["scene"])[0]
    return columns


def _cluster_unit(codes: Mapping[str, Array]) -> str:
    for unit in ("scene", "map", "place"):
        if np.count_nonzero(np.bincount(codes[unit])) >= FEW_CLUSTERS:
            return unit
    return "query"


def _row(method: str, answers: _Answers, unit: str) -> dict[str, Any]:
    row: dict[str, Any] = {"method": method}
    for metric in METRICS.values():
        row[metric.name] = answers.value(metric)
        draws = answers.draws(metric)
        low, high = interval(draws, clusters=answers.clusters, level=answers.bootstrap.level)
        row[f"{metric.name}_low"], row[f"{metric.name}_high"] = low, high
    columns = answers.columns
    warm = columns["seconds"][columns["warm"] & ~np.isnan(columns["seconds"])]
    one_machine = warm.size > 0 and len(np.unique(columns["machine"])) == 1
    p50, p95 = np.percentile(warm, [50, 95]) if one_machine else (np.nan, np.nan)
    return row | {
        "seconds_p50": float(p50),
        "seconds_p95": float(p95),
        "queries": len(columns["localized"]),
        "scenes": len(np.unique(columns["scene"])),
        "clusters": answers.clusters,
        "cluster_unit": unit,
        "failures": int((columns["localized"] == 0).sum()),
    }


def _difference(a: _Answers, b: _Answers, metric: Metric) -> dict[str, Any]:
    """Compare two methods on their common queries, with the same draws of clusters for both."""
    if not np.array_equal(a.query, b.query):
        common = np.intersect1d(a.query, b.query)
        a, b = a.only(common), b.only(common)
    draws = differences(a.draws(metric), b.draws(metric))
    low, high = interval(draws, clusters=a.clusters, level=a.bootstrap.level)
    value_a, value_b = a.value(metric), b.value(metric)
    return {
        "value_a": value_a,
        "value_b": value_b,
        "difference": float(differences(np.array([value_a]), np.array([value_b]))[0]),
        "low": low,
        "high": high,
        "distinguishable": low > 0 or high < 0,
        "queries": len(a.query),
        "clusters": a.clusters,
    }


def _ranks(groups: Groups, metric: Metric) -> list[int | None]:
    """Return the rank of each method, in order: 1 plus the number of methods that are better beyond doubt."""
    ranked = {method: answers for method, (answers, role) in groups.items() if is_ranked(role)}
    better = dict.fromkeys(ranked, 0)
    names = list(ranked)
    for i, a in enumerate(names):
        for b in names[i + 1 :]:
            comparison = _difference(ranked[a], ranked[b], metric)
            if comparison["distinguishable"]:
                a_is_better = (comparison["low"] > 0) == metric.higher_is_better
                better[b if a_is_better else a] += 1
    return [1 + better[method] if method in ranked else None for method in groups]
