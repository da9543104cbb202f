"""The latency tables: one set per machine, because times of two machines say nothing about two methods."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from .leaderboard import method_cells, three_digits
from .tables import Cell, Column, Table, number_cell, text_cell

QUANTILES = (0.5, 0.95, 0.99)


def latency_table(latencies: pd.DataFrame) -> Table:
    """Return the cost of one query per method and density of one machine.

    ``latencies`` has columns method, role, density, queries, p50, p95, p99, load_p50, cold (seconds).
    """
    columns = (
        Column("Method", numeric=False),
        Column("References per map"),
        Column("Latency p50", "ms", smaller_is_better=True),
        Column("p95", "ms", smaller_is_better=True),
        Column("p99", "ms", smaller_is_better=True),
        Column("First query, p50", "ms", smaller_is_better=True),
        Column("Reading the image, p50", "ms", smaller_is_better=True),
        Column("Warm queries"),
    )
    names = method_cells(latencies["method"], latencies["role"])
    rows = [
        [
            name,
            number_cell(row.density),
            *(_milliseconds(value) for value in (row.p50, row.p95, row.p99, row.cold, row.load_p50)),
            number_cell(row.queries),
        ]
        for name, row in zip(names, latencies.itertuples(), strict=True)
    ]
    return Table("Latency of one query", columns, rows, ("Reading and decoding the image is not part of the latency.",))


def stage_table(stages: pd.DataFrame) -> Table:
    """Return what each stage costs: columns method, density, stage, share, p50, p95, p99, inclusive_p50 (seconds)."""
    columns = (
        Column("Method", numeric=False),
        Column("References per map"),
        Column("Stage", numeric=False),
        Column("Queries with it", "%"),
        Column("Exclusive p50", "ms", smaller_is_better=True),
        Column("p95", "ms", smaller_is_better=True),
        Column("p99", "ms", smaller_is_better=True),
        Column("Inclusive p50", "ms", smaller_is_better=True),
    )
    rows = [
        [
            text_cell(row.method),
            number_cell(row.density),
            text_cell(row.stage),
            number_cell(100 * row.share),
            *(_milliseconds(value) for value in (row.p50, row.p95, row.p99, row.inclusive_p50)),
        ]
        for row in stages.itertuples()
    ]
    notes = ("Exclusive: without the stages inside. Percentiles are over the warm queries in which the stage ran.",)
    return Table("Latency by stage", columns, rows, notes)


def map_table(maps: pd.DataFrame) -> Table:
    """Return what maps cost: medians per method and density of ``MAP_COLUMNS``."""
    columns = (
        Column("Method", numeric=False),
        Column("References per map"),
        Column("Maps"),
        Column("Cold start, p50", "s", smaller_is_better=True),
        Column("Build, p50", "s", smaller_is_better=True),
        Column("Map size, p50", "MB", smaller_is_better=True),
        Column("Peak memory", "MB", smaller_is_better=True),
    )
    rows = []
    for (method, density), group in maps.groupby(["method", "density"], sort=False):
        middle = group[["start_seconds", "build_seconds", "map_bytes"]].median()
        cells = [text_cell(method), number_cell(density), number_cell(len(group))]
        cells += [_cell(middle["start_seconds"]), _cell(middle["build_seconds"]), _cell(middle["map_bytes"] / 1e6)]
        rows.append([*cells, _cell(group["peak_memory_bytes"].max() / 1e6)])
    return Table("Maps", columns, rows, ("Peak memory is of the whole process, the libraries it loads included.",))


def _milliseconds(seconds: float) -> Cell:
    return _cell(seconds * 1e3)


def _cell(value: float) -> Cell:
    return Cell(three_digits(value), float(value))


def summarise_latency(estimates: pd.DataFrame) -> pd.DataFrame:
    """Return the percentiles that :func:`latency_table` shows, from the records of one machine."""
    rows = []
    for (method, density), group in estimates.groupby(["method", "density"], sort=False):
        warm = group.loc[group["warm"], "seconds"].dropna().to_numpy()
        p50, p95, p99 = np.quantile(warm, QUANTILES) if len(warm) else [np.nan] * 3
        cold = group.loc[~group["warm"], "seconds"].median()
        load = group["load_seconds"].median()
        rows.append((method, group["role"].iloc[0], density, len(warm), p50, p95, p99, load, cold))
    return pd.DataFrame(
        rows, columns=["method", "role", "density", "queries", "p50", "p95", "p99", "load_p50", "cold"]
    )


def summarise_stages(spans: pd.DataFrame, latencies: pd.DataFrame) -> pd.DataFrame:
    """Return the percentiles that :func:`stage_table` shows, from the warm spans of one machine."""
    warm = spans[spans["warm"]]
    per_query = warm.groupby(["method", "density", "map", "query", "stage"], sort=False, as_index=False)[
        ["seconds", "exclusive_seconds"]
    ].sum()  # a stage that runs once per reference counts with all its runs
    queries = latencies.set_index(["method", "density"])["queries"]
    rows = []
    for (method, density, stage), group in per_query.groupby(["method", "density", "stage"], sort=False):
        p50, p95, p99 = np.quantile(group["exclusive_seconds"], QUANTILES)
        share = len(group) / queries[method, density]
        rows.append((method, density, stage, share, p50, p95, p99, group["seconds"].median()))
    columns = ["method", "density", "stage", "share", "p50", "p95", "p99", "inclusive_p50"]
    return pd.DataFrame(rows, columns=columns)


def in_order(table: pd.DataFrame, order: Sequence[str]) -> pd.DataFrame:
    """Return a table's rows by density, then by the leaderboard's order of methods; rows of one method keep theirs."""
    place = {method: i for i, method in enumerate(order)}
    keys = pd.DataFrame({"density": table["density"], "place": table["method"].map(place)})
    return table.loc[keys.sort_values(["density", "place"], kind="stable").index]
