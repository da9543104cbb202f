"""Latency by stage: percentiles over warm queries, from the same runs that gave the accuracy, one machine per row."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .records import with_replicates

#: The row for a whole query, and that for what no stage of the method covers.
TOTAL, OTHER = "total", "(outside stages)"

_KEYS = ["method", "sweep", "machine"]
_QUERY = [*_KEYS, "replicate", "query"]


def latency_table(estimates: pd.DataFrame, spans: pd.DataFrame) -> pd.DataFrame:
    """Return one row per method, step of the sweep, machine and stage; machines are never mixed.

    ``estimates`` and ``spans`` hold ``ESTIMATE_COLUMNS`` and ``SPAN_COLUMNS``. Columns: method, sweep, machine,
    stage, queries (those that went through the stage), p50, p95, p99, mean (seconds per such query, inclusive of inner
    stages), share (of all time in ``localize``, exclusive of inner stages, so that shares add up to 1).
    Only warm queries count: the first after a map was built pays for caches that the others find filled. A query that
    was killed at its time limit has no stages, but its seconds count in the row "total". Reading the image is in none.
    """
    estimates, spans = with_replicates(estimates), with_replicates(spans)
    warm = estimates.loc[estimates["warm"] & estimates["seconds"].notna(), [*_QUERY, "seconds"]]
    stages = spans.loc[spans["warm"], [*_QUERY, "stage", "seconds", "exclusive_seconds"]]
    if warm.empty:
        return pd.DataFrame(columns=[*_KEYS, "stage", "queries", "p50", "p95", "p99", "mean", "share"])
    outer = stages[~stages["stage"].str.contains("/", regex=False)]
    covered = outer.groupby(_QUERY, observed=True)["seconds"].sum().rename("covered").reset_index()
    rest = warm.merge(covered, on=_QUERY, how="left")
    rest["seconds"] = (rest["seconds"] - rest["covered"].fillna(0.0)).clip(lower=0.0)
    parts = [
        warm.assign(stage=TOTAL, exclusive_seconds=warm["seconds"]),
        stages,
        rest.drop(columns="covered").assign(stage=OTHER, exclusive_seconds=rest["seconds"]),
    ]
    return _percentiles(pd.concat(parts, ignore_index=True))


def _percentiles(parts: pd.DataFrame) -> pd.DataFrame:
    groups = parts.groupby([*_KEYS, "stage"], sort=False, observed=True)
    quantiles = groups["seconds"].quantile(np.array([0.5, 0.95, 0.99])).unstack()
    quantiles.columns = pd.Index(["p50", "p95", "p99"])
    table = quantiles.assign(
        queries=groups.size(), mean=groups["seconds"].mean(), spent=groups["exclusive_seconds"].sum()
    ).reset_index()
    total = table[table["stage"] == TOTAL].set_index(_KEYS)["spent"].rename("all")
    table = table.join(total, on=_KEYS)
    table["share"] = table["spent"] / table["all"]
    return table[[*_KEYS, "stage", "queries", "p50", "p95", "p99", "mean", "share"]]
