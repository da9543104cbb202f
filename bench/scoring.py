"""The leaderboard: every metric with its interval, paired differences, and ranks that admit ties.

Everything is computed from the per-query records alone (``ESTIMATE_COLUMNS``). Intervals come from the cluster
bootstrap over scenes; the same draws serve all methods, so that differences between methods are paired.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import InputError
from . import metrics
from .bootstrap import FEW_CLUSTERS, LEVEL, RESAMPLES, MedianDraws, cluster_counts, differences, interval, mean_draws
from .questions import Question
from .questions.metric import Metric, Scores
from .roles import is_ranked

Array = NDArray[Any]

#: More clusters than this (single queries, mostly) are dealt into so many groups, which bounds the memory of a resample
#: and moves no interval that could be told from its own Monte Carlo error.
MOST_CLUSTERS = 500


@dataclass(frozen=True)
class _Bootstrap:
    level: float = LEVEL
    resamples: int = RESAMPLES
    seed: int = 0


@dataclass(eq=False)
class _Answers:
    """One method's records at one step of the sweep: numeric columns (N,), and integer codes of query and cluster."""

    columns: dict[str, Array]
    query: Array
    cluster: Array  # global codes
    bootstrap: _Bootstrap
    _medians: dict[Scores, MedianDraws] = field(default_factory=dict)
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
        if metric.statistic == "mean":
            scores, _ = self._asked(metric)
            return float(scores.mean()) if scores.size else float("nan")
        values = self._sorted(metric).values  # sorted: the median of what is sorted already is cheap
        localized_only = metric.statistic == "median of localized"
        return (metrics.median_error_localized if localized_only else metrics.median_error)(values)

    def interval(self, metric: Metric) -> tuple[float, float]:
        """Return the interval of the metric, whose clusters are those with a query that it asks."""
        unasked = bool(metric.asked_by) and np.isnan(self.columns[metric.asked_by]).any()
        clusters = len(np.unique(self._asked(metric)[1])) if unasked else self.clusters
        return interval(self.draws(metric), clusters=clusters, level=self.bootstrap.level)

    def draws(self, metric: Metric) -> Array:
        """Return the metric of each resample (B,), computed once."""
        if metric.name not in self._draws:
            self._draws[metric.name] = self._new_draws(metric)
        return self._draws[metric.name]

    def _new_draws(self, metric: Metric) -> Array:
        counts = cluster_counts(self.clusters, resamples=self.bootstrap.resamples, seed=self.bootstrap.seed)
        if metric.of_ranking and not self.ranks_references:
            return np.full(len(counts), np.nan)
        if metric.statistic == "mean":
            return mean_draws(*self._asked(metric), counts)
        medians = self._sorted(metric)
        return medians.over_all(counts) if metric.statistic == "median" else medians.over_finite(counts)

    def _asked(self, metric: Metric) -> tuple[Array, Array]:
        """Return the scores of the queries that the metric asks, and their clusters."""
        local, _ = self._local
        asked = ~np.isnan(self.columns[metric.asked_by]) if metric.asked_by else np.ones(1, dtype=bool)
        if asked.all():
            return metric.scores(self.columns), local
        columns = {name: self.columns[name][asked] for name in (*metric.reads, "localized")}
        return metric.scores(columns), local[asked]

    def _sorted(self, metric: Metric) -> MedianDraws:
        if metric.scores not in self._medians:  # the medians of all and of localized queries share one sort
            self._medians[metric.scores] = MedianDraws(*self._asked(metric), self.clusters)
        return self._medians[metric.scores]

    def only(self, queries: Array) -> _Answers:
        """Return the answers to the given query codes, in their order."""
        order = np.argsort(self.query)
        rows = order[np.searchsorted(self.query[order], queries)]
        columns = {name: column[rows] for name, column in self.columns.items()}
        return _Answers(columns, self.query[rows], self.cluster[rows], self.bootstrap)


def leaderboard(
    estimates: pd.DataFrame,
    question: Question,
    *,
    primary: str | None = None,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> pd.DataFrame:
    """Return one row per method and step of the sweep, best first: every metric of the question with ``_low`` and
    ``_high``, and its rank by ``primary``, which is the question's own by default.

    ``rank`` is 1 plus the number of methods that are better by ``primary`` beyond doubt: the paired interval of the
    difference excludes zero at ``level`` (each pair on its own, not corrected for the number of pairs). Methods that
    cannot be told apart therefore share a rank. Methods that were given a part of the ground truth (see
    :mod:`relocbench.bench.roles`) are listed but not ranked: those that see the image only do not compare with them.
    Nor is a method of which ``primary`` is NaN, because the dataset does not ask it or the method does not answer it.

    Intervals resample whole clusters: ``cluster_unit`` says which. It is "scene" where there are at least five; with
    fewer, "map", then "place" (queries of one place share its one reference), then "query", and the intervals then hold
    for these very scenes, not for others.
    ``primary`` names the metric in every row, ``references`` is the most that a map holds. ``failures`` counts,
    ``reasons`` groups the failures. Latencies are of warm queries, NaN where machines are mixed.

    Raises ``InputError`` where ``primary`` is no metric.
    """
    metric = question.metric(primary or question.primary)
    tables = []
    bootstrap = _Bootstrap(level, resamples, seed)
    for step, unit, groups in _by_step(estimates, question.metrics, bootstrap):
        rows = [_row(method, answers, question.metrics, unit) for method, (answers, _) in groups.items()]
        table = pd.DataFrame(rows)
        table.insert(1, "role", [role for _, role in groups.values()])
        table.insert(2, "sweep", step)
        table.insert(3, "primary", metric.name)
        table.insert(4, "rank", pd.Series(_ranks(groups, metric), dtype="Int64"))
        order = table[metric.name] * (-1 if metric.higher_is_better else 1)
        tables.append(table.iloc[np.argsort(order, kind="stable")])  # NaN sorts last
    if not tables:
        return pd.DataFrame()
    reasons = failure_reasons(estimates).groupby(["method", "sweep"], observed=True)
    texts = reasons.apply(lambda g: "; ".join(f"{r}: {n}" for r, n in zip(g["reason"], g["count"], strict=True)))
    board = pd.concat(tables, ignore_index=True)
    keys = zip(board["method"], board["sweep"], strict=True)
    return board.assign(reasons=[texts.get(key, "") if len(texts) else "" for key in keys])


def paired(
    estimates: pd.DataFrame,
    a: str,
    b: str,
    question: Question,
    *,
    metric: str | None = None,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> pd.DataFrame:
    """Return, per step of the sweep, method ``a`` minus method ``b`` on their common queries, with its interval.

    ``metric`` is the one that ranks by default. Columns: sweep, metric, a, b, value_a, value_b, difference, low, high,
    distinguishable (the interval excludes zero), queries, clusters, cluster_unit. Raises ``InputError`` for an unknown
    method or metric.
    """
    return paired_all(estimates, [(a, b)], question, metric=metric, level=level, resamples=resamples, seed=seed)


def paired_all(
    estimates: pd.DataFrame,
    pairs: Sequence[tuple[str, str]],
    question: Question,
    *,
    metric: str | None = None,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> pd.DataFrame:
    """Return what :func:`paired` says of every pair, by step of the sweep, then in the order of ``pairs``.

    The draws of a method serve all of its pairs.
    """
    chosen = question.metric(metric or question.primary)
    known = list(estimates["method"].unique())
    named = list(dict.fromkeys(name for pair in pairs for name in pair))
    for name in named:
        if name not in known:
            raise InputError(f"no results of a method {name!r}; there are {', '.join(known)}")
    rows = []
    of_these = estimates[estimates["method"].isin(named)]
    for step, unit, groups in _by_step(of_these, [chosen], _Bootstrap(level, resamples, seed)):
        for a, b in pairs:
            if a in groups and b in groups:
                row = _difference(groups[a][0], groups[b][0], chosen)
                rows.append({"sweep": step, "metric": chosen.name, "a": a, "b": b, **row, "cluster_unit": unit})
    return pd.DataFrame(rows)


def failure_reasons(estimates: pd.DataFrame) -> pd.DataFrame:
    """Return how often each method failed why: columns method, sweep, reason, count; most frequent first."""
    failed = estimates.loc[estimates["status"] == "failure", ["method", "sweep", "reason"]]
    counts = failed.groupby(["method", "sweep", "reason"], observed=True, sort=True).size().reset_index(name="count")
    return counts.sort_values(["method", "sweep", "count"], ascending=[True, True, False], kind="stable")


Groups = dict[str, tuple[_Answers, str]]


def _by_step(
    estimates: pd.DataFrame, asked: Sequence[Metric], bootstrap: _Bootstrap
) -> Iterator[tuple[float, str, Groups]]:
    """Yield (step of the sweep, cluster unit, answers and role of each method), steps ascending, methods as they come.

    Answers hold what the metrics that are ``asked`` read.
    """
    # sorted, so that the draws do not depend on the order of rows; single queries only where they are drawn themselves
    codes = {unit: pd.factorize(estimates[unit], sort=True)[0] for unit in ("scene", "map")}
    place = estimates["place"].to_numpy() + 1  # numbered within a map, 0 without places
    codes["place"] = pd.factorize(codes["map"] * (place.max(initial=0) + 1) + place, sort=True)[0]
    few = codes["place"].max(initial=0) + 1 < FEW_CLUSTERS
    codes |= {"method": pd.factorize(estimates["method"])[0], "query": pd.factorize(estimates["query"], sort=few)[0]}
    methods = list(estimates["method"].unique())
    steps = estimates["sweep"].to_numpy()
    columns = _numeric_columns(estimates, asked)
    for value in np.unique(steps):
        at = steps == value
        unit = _cluster_unit({name: code[at] for name, code in codes.items()})
        groups: Groups = {}
        for code, method in enumerate(methods):
            rows = np.flatnonzero(at & (codes["method"] == code))
            if rows.size:
                chosen = {name: column[rows] for name, column in columns.items()}
                cluster = codes[unit][rows] % MOST_CLUSTERS
                answers = _Answers(chosen, codes["query"][rows], cluster, bootstrap)
                groups[method] = (answers, str(estimates["role"].iloc[rows[0]]))
        yield float(value), unit, groups


def _numeric_columns(estimates: pd.DataFrame, asked: Sequence[Metric]) -> dict[str, Array]:
    names = {name for metric in asked for name in metric.reads} | {"top1_distance", "references", "seconds"}
    columns: dict[str, Array] = {name: estimates[name].to_numpy(dtype=np.float64) for name in sorted(names)}
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


def _row(method: str, answers: _Answers, asked: Sequence[Metric], unit: str) -> dict[str, Any]:
    row: dict[str, Any] = {"method": method}
    for metric in asked:
        row[metric.name] = answers.value(metric)
        row[f"{metric.name}_low"], row[f"{metric.name}_high"] = answers.interval(metric)
    columns = answers.columns
    warm = columns["seconds"][columns["warm"] & ~np.isnan(columns["seconds"])]
    one_machine = warm.size > 0 and len(np.unique(columns["machine"])) == 1
    p50, p95 = np.percentile(warm, [50, 95]) if one_machine else (np.nan, np.nan)
    return row | {
        "seconds_p50": float(p50),
        "seconds_p95": float(p95),
        "references": int(columns["references"].max()),
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
    ranked = {
        method: answers
        for method, (answers, role) in groups.items()
        if is_ranked(role) and not math.isnan(answers.value(metric))
    }
    better = dict.fromkeys(ranked, 0)
    names = list(ranked)
    for i, a in enumerate(names):
        for b in names[i + 1 :]:
            comparison = _difference(ranked[a], ranked[b], metric)
            if comparison["distinguishable"]:
                a_is_better = (comparison["low"] > 0) == metric.higher_is_better
                better[b if a_is_better else a] += 1
    return [1 + better[method] if method in ranked else None for method in groups]
