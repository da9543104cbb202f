"""The leaderboard: every metric with its interval, paired differences, and the ranks that each method may have.

Everything is computed from the per-query records alone (``ESTIMATE_COLUMNS``). Intervals come from the cluster
bootstrap over scenes; the same draws serve all methods, so that differences between methods are paired.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import InputError
from . import metrics
from .bootstrap import LEVEL, RESAMPLES, MedianDraws, Sampled, mean_draws
from .familywise import adjusted_p, rank_ranges
from .questions import Question
from .questions.metric import Metric, Scores
from .roles import is_blind, is_ranked
from .sampling import Clusters

Array = NDArray[Any]


@dataclass(frozen=True)
class _Bootstrap:
    level: float = LEVEL
    resamples: int = RESAMPLES
    seed: int = 0


@dataclass(eq=False)
class _Answers:
    """One method's records after one training, at one step of the sweep: columns (N,), query codes, clusters."""

    columns: dict[str, Array]
    query: Array
    clusters: Clusters
    bootstrap: _Bootstrap
    _medians: dict[Scores, MedianDraws] = field(default_factory=dict)

    @property
    def counts(self) -> Array:
        return self.clusters.counts(resamples=self.bootstrap.resamples, seed=self.bootstrap.seed)

    @cached_property
    def ranks_references(self) -> bool:
        return bool(np.isfinite(self.columns["top1_distance"]).any())

    def sampled(self, metric: Metric) -> Sampled:
        """Return the metric with its draws; the clusters that count are those with a query that it asks."""
        scores, cluster, scene = self._asked(metric)
        clusters, strata = self._extent(cluster)
        if not scores.size or (metric.of_ranking and not self.ranks_references):
            return Sampled(float("nan"), np.full(len(self.counts), np.nan), clusters, strata)
        if metric.statistic == "mean":
            draws = mean_draws(scores, cluster, self.counts)
            return Sampled(float(scores.mean()), draws, clusters, strata)
        if metric.statistic == "mean of scene medians":
            return Sampled(*self._scene_medians(scores, cluster, scene), clusters, strata)
        medians = self._sorted(metric)
        if metric.statistic == "median":
            return Sampled(metrics.median_error(medians.values), medians.over_all(self.counts), clusters, strata)
        draws = medians.over_finite(self.counts)
        return Sampled(metrics.median_error_localized(medians.values), draws, clusters, strata)

    def _asked(self, metric: Metric) -> tuple[Array, Array, Array]:
        """Return the scores of the queries that the metric asks, their clusters, and their scenes."""
        asked = ~np.isnan(self.columns[metric.asked_by]) if metric.asked_by else np.ones(1, dtype=bool)
        if asked.all():
            return metric.scores(self.columns), self.clusters.cluster, self.columns["scene"]
        columns = {name: self.columns[name][asked] for name in (*metric.reads, "localized")}
        return metric.scores(columns), self.clusters.cluster[asked], self.columns["scene"][asked]

    def _extent(self, cluster: Array) -> tuple[int, int]:
        """Return the number of clusters that are there, and of their strata."""
        if cluster is self.clusters.cluster:
            return sum(self.clusters.sizes), len(self.clusters.sizes)
        present = np.unique(cluster)
        return len(present), len(np.unique(self.clusters.stratum[np.isin(self.clusters.cluster, present)]))

    def _sorted(self, metric: Metric) -> MedianDraws:
        if metric.scores not in self._medians:  # the medians of all and of localized queries share one sort
            scores, cluster, _ = self._asked(metric)
            self._medians[metric.scores] = MedianDraws(scores, cluster, sum(self.clusters.sizes))
        return self._medians[metric.scores]

    def _scene_medians(self, scores: Array, cluster: Array, scene: Array) -> tuple[float, Array]:
        """Return the mean of the medians of all scenes, and of each resample; a scene drawn twice counts twice."""
        counts = self.counts
        medians, draws, weights = [], [], []
        for each in np.unique(scene):
            here = scene == each
            present = np.unique(cluster[here])
            local = np.searchsorted(present, cluster[here])
            medians.append(metrics.median_error(scores[here]))
            draws.append(MedianDraws(scores[here], local, len(present)).over_all(counts[:, present]))
            weights.append(counts[:, present].mean(axis=1))
        drawn = np.array(weights) > 0
        total = np.where(drawn, np.array(weights) * np.where(drawn, draws, 0.0), 0.0).sum(axis=0)
        return float(np.mean(medians)), total / np.sum(weights, axis=0)

    def only(self, queries: Array) -> _Answers:
        """Return the answers to the given query codes, in their order."""
        order = np.argsort(self.query)
        rows = order[np.searchsorted(self.query[order], queries)]
        columns = {name: column[rows] for name, column in self.columns.items()}
        return _Answers(columns, self.query[rows], self.clusters.at(rows), self.bootstrap)


@dataclass(eq=False)
class _Method:
    """What one method answered at one step of the sweep: once, or after each of several trainings."""

    role: str
    trainings: list[_Answers]
    _sampled: dict[str, Sampled] = field(default_factory=dict)

    def sampled(self, metric: Metric) -> Sampled:
        """Return the metric, the mean over trainings, computed once."""
        if metric.name not in self._sampled:
            self._sampled[metric.name] = Sampled.mean([answers.sampled(metric) for answers in self.trainings])
        return self._sampled[metric.name]

    def column(self, name: str) -> Array:
        """Return a column of the records of all trainings."""
        return np.concatenate([answers.columns[name] for answers in self.trainings])

    @property
    def queries(self) -> Array:
        """The codes of the queries that were asked."""
        return self.trainings[0].query

    def only(self, queries: Array) -> _Method:
        """Return the answers to the given query codes, in their order."""
        return _Method(self.role, [answers.only(queries) for answers in self.trainings])


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
    ``_high``, and the ranks that it may have by ``primary``, which is the question's own by default.

    ``rank_low`` is 1 plus the number of methods that are better beyond doubt, ``rank_high`` the number of methods minus
    those that it is better than beyond doubt. The doubt is that of all pairs together: the probability that any of
    these differences is none is at most 1 - ``level`` (:mod:`relocbench.bench.familywise`). Baselines that do not look
    at the query, and methods that were given a part of the ground truth (see :mod:`relocbench.bench.roles`), are listed
    but not ranked. Nor is a method of which ``primary`` is NaN, because the dataset does not ask it or the method does
    not answer it. ``beats_blind`` says of those that are ranked whether they are better than every baseline that does
    not look, each beyond doubt; NA where there is none.

    Intervals are the value plus and minus Student's t times the bootstrap's standard error. ``cluster_unit`` says what
    was drawn again, ``clusters`` how many of them: "scene" where there are at least three, and the intervals speak for
    other scenes; with fewer "place" or "query", and they speak for these very scenes
    (:class:`~relocbench.bench.sampling.Clusters`). Where a method was trained several times (``replicates``) they hold
    for other trainings, too. They are NaN where nothing is known.
    ``primary`` names the metric in every row, ``references`` is the most that a map holds. ``failures`` counts,
    ``reasons`` groups the failures. Latencies are of warm queries, NaN where machines are mixed.

    Raises ``InputError`` where ``primary`` is no metric.
    """
    metric = question.metric(primary or question.primary)
    tables = []
    bootstrap = _Bootstrap(level, resamples, seed)
    for step, unit, groups in _by_step(estimates, question.metrics, bootstrap):
        rows = [_row(name, method, question.metrics, unit, level) for name, method in groups.items()]
        table = pd.DataFrame(rows)
        table.insert(1, "role", [method.role for method in groups.values()])
        table.insert(2, "sweep", step)
        table.insert(3, "primary", metric.name)
        ranges = _rank_ranges(groups, metric, bootstrap)
        for number, name in enumerate(("rank_low", "rank_high")):
            ranks = [each and each[number] for each in ranges]
            table.insert(4 + number, name, pd.Series(ranks, dtype="Int64"))
        table.insert(6, "beats_blind", pd.Series(_beating_blind(groups, metric, bootstrap), dtype="boolean"))
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
    p, p_adjusted, distinguishable, queries, clusters, cluster_unit. Raises ``InputError`` for an unknown method or
    metric.
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

    ``low``, ``high`` and ``p`` are of the pair alone, as if no other had been asked about. ``p_adjusted`` is corrected
    for all ``pairs`` of one step, and ``distinguishable`` says that it is below 1 - ``level``.
    """
    chosen = question.metric(metric or question.primary)
    known = list(estimates["method"].unique())
    named = list(dict.fromkeys(name for pair in pairs for name in pair))
    for name in named:
        if name not in known:
            raise InputError(f"no results of a method {name!r}; there are {', '.join(known)}")
    rows = []
    of_these = estimates[estimates["method"].isin(named)]
    bootstrap = _Bootstrap(level, resamples, seed)
    for step, unit, groups in _by_step(of_these, [chosen], bootstrap):
        there = [(a, b) for a, b in pairs if a in groups and b in groups]
        for (a, b), row in zip(there, _compared(groups, there, chosen, bootstrap), strict=True):
            rows.append({"sweep": step, "metric": chosen.name, "a": a, "b": b, **row, "cluster_unit": unit})
    return pd.DataFrame(rows)


def failure_reasons(estimates: pd.DataFrame) -> pd.DataFrame:
    """Return how often each method failed why: columns method, sweep, reason, count; most frequent first."""
    failed = estimates.loc[estimates["status"] == "failure", ["method", "sweep", "reason"]]
    counts = failed.groupby(["method", "sweep", "reason"], observed=True, sort=True).size().reset_index(name="count")
    return counts.sort_values(["method", "sweep", "count"], ascending=[True, True, False], kind="stable")


Groups = dict[str, _Method]


def _by_step(
    estimates: pd.DataFrame, asked: Sequence[Metric], bootstrap: _Bootstrap
) -> Iterator[tuple[float, str, Groups]]:
    """Yield (step of the sweep, unit of the intervals, the methods), steps ascending, methods as they come.

    Answers hold what the metrics that are ``asked`` read.
    """
    if estimates.empty:
        return
    query = pd.factorize(estimates["query"])[0]
    method, names = pd.factorize(estimates["method"])
    replicate = estimates["replicate"].to_numpy() if "replicate" in estimates else np.zeros(len(estimates), dtype=int)
    clusters = Clusters.of(estimates)
    steps = estimates["sweep"].to_numpy()
    columns = _numeric_columns(estimates, asked)
    for value in np.unique(steps):
        at = steps == value
        groups: Groups = {}
        for code, name in enumerate(names):
            mine = at & (method == code)
            if not mine.any():
                continue
            trainings = []
            for number in np.unique(replicate[mine]):
                rows = np.flatnonzero(mine & (replicate == number))
                chosen = {name: column[rows] for name, column in columns.items()}
                trainings.append(_Answers(chosen, query[rows], clusters.at(rows), bootstrap))
            groups[str(name)] = _Method(str(estimates["role"].iloc[np.flatnonzero(mine)[0]]), trainings)
        yield float(value), clusters.unit, groups


def _numeric_columns(estimates: pd.DataFrame, asked: Sequence[Metric]) -> dict[str, Array]:
    names = {name for metric in asked for name in metric.reads} | {"top1_distance", "references", "seconds"}
    columns: dict[str, Array] = {name: estimates[name].to_numpy(dtype=np.float64) for name in sorted(names)}
    columns["localized"] = (estimates["status"] == "ok").to_numpy(dtype=np.float64)
    columns["warm"] = estimates["warm"].to_numpy(dtype=bool)
    columns["machine"] = pd.factorize(estimates["machine"])[0]
    columns["scene"] = pd.factorize(estimates["scene"])[0]
    return columns


def _row(name: str, method: _Method, asked: Sequence[Metric], unit: str, level: float) -> dict[str, Any]:
    row: dict[str, Any] = {"method": name}
    for metric in asked:
        sampled = method.sampled(metric)
        row[metric.name] = sampled.value
        row[f"{metric.name}_low"], row[f"{metric.name}_high"] = sampled.interval(level=level, bounds=metric.bounds)
    seconds = method.column("seconds")
    warm = seconds[method.column("warm") & ~np.isnan(seconds)]
    one_machine = warm.size > 0 and len(np.unique(method.column("machine"))) == 1
    p50, p95 = np.percentile(warm, [50, 95]) if one_machine else (np.nan, np.nan)
    return row | {
        "seconds_p50": float(p50),
        "seconds_p95": float(p95),
        "references": int(method.column("references").max()),
        "queries": len(method.queries),
        "scenes": len(np.unique(method.column("scene"))),
        "clusters": sum(method.trainings[0].clusters.sizes),
        "cluster_unit": unit,
        "replicates": len(method.trainings),
        "failures": int((method.column("localized") == 0).sum()),
    }


def _compared(
    groups: Groups, pairs: Sequence[tuple[str, str]], metric: Metric, bootstrap: _Bootstrap
) -> list[dict[str, Any]]:
    """Compare methods pair by pair on their common queries, with the same draws of clusters for both of each."""
    sides = [_common(groups[a], groups[b]) for a, b in pairs]
    sampled = [(a.sampled(metric), b.sampled(metric)) for a, b in sides]
    comparisons = [a - b for a, b in sampled]
    rows = []
    for (side, _), (a, b), difference, p in zip(
        sides, sampled, comparisons, adjusted_p(comparisons, seed=bootstrap.seed), strict=True
    ):
        low, high = difference.interval(level=bootstrap.level)
        rows.append(
            {
                "value_a": a.value,
                "value_b": b.value,
                "difference": difference.value,
                "low": low,
                "high": high,
                "p": difference.p,
                "p_adjusted": float(p),
                "distinguishable": bool(p < 1 - bootstrap.level),
                "queries": len(side.queries),
                "clusters": difference.clusters,
            }
        )
    return rows


def _common(a: _Method, b: _Method) -> tuple[_Method, _Method]:
    """Return both with the queries that both were asked, in one order."""
    if all(np.array_equal(answers.query, a.queries) for answers in (*a.trainings, *b.trainings)):
        return a, b
    common = np.intersect1d(a.queries, b.queries)
    return a.only(common), b.only(common)


def _ranked(groups: Groups, metric: Metric) -> list[str]:
    """Return the names of the methods that have a rank by a metric."""
    return [
        name
        for name, method in groups.items()
        if is_ranked(method.role) and not math.isnan(method.sampled(metric).value)
    ]


def _beating_blind(groups: Groups, metric: Metric, bootstrap: _Bootstrap) -> list[bool | None]:
    """Return of each method whether it is better than all baselines that do not look; None for those without a rank.

    Who must be better than all of them needs no correction for their number.
    """
    ranked = _ranked(groups, metric)
    blind = [name for name, method in groups.items() if is_blind(method.role)]
    blind = [name for name in blind if not math.isnan(groups[name].sampled(metric).value)]
    beats = dict.fromkeys(ranked if blind else [], True)
    for baseline in blind:
        for name in beats:
            (row,) = _compared(groups, [(name, baseline)], metric, bootstrap)
            better = row["distinguishable"] and (row["difference"] > 0) == metric.higher_is_better
            beats[name] = beats[name] and better
    return [beats.get(name) for name in groups]


def _rank_ranges(groups: Groups, metric: Metric, bootstrap: _Bootstrap) -> list[tuple[int, int] | None]:
    """Return the best and the worst rank that each method may have, in order; None for those that are not ranked."""
    names = _ranked(groups, metric)
    better = np.zeros((len(names), len(names)), dtype=bool)
    pairs = list(combinations(range(len(names)), 2))
    rows = _compared(groups, [(names[i], names[j]) for i, j in pairs], metric, bootstrap)
    for (i, j), row in zip(pairs, rows, strict=True):
        first_is_better = (row["difference"] > 0) == metric.higher_is_better
        better[(i, j) if first_is_better else (j, i)] = row["distinguishable"]
    ranges = {name: (int(low), int(high)) for name, (low, high) in zip(names, rank_ranges(better), strict=True)}
    return [ranges.get(name) for name in groups]
