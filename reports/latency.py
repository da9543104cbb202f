"""The latency tables: one set per machine, because times of two machines say nothing about two methods."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from ..bench.latency import OTHER, TOTAL
from .leaderboard import method_cells, step_cell, three_digits
from .marks import map_notes
from .tables import Cell, Column, Table, number_cell, text_cell
from .terms import Terms


def query_table(latency: pd.DataFrame, estimates: pd.DataFrame, roles: Mapping[str, str], terms: Terms) -> Table:
    """Return what one query costs, per method and step of the sweep.

    ``latency`` is that of :func:`relocbench.bench.latency.latency_table` and ``estimates`` the records, of one machine.
    """
    columns = (
        Column("Method", numeric=False),
        Column(terms.header),
        Column("Latency p50", "ms", smaller_is_better=True),
        Column("p95", "ms", smaller_is_better=True),
        Column("p99", "ms", smaller_is_better=True),
        Column("First query on a map, p50", "ms", smaller_is_better=True),
        Column("Reading the image, p50", "ms", smaller_is_better=True),
        Column("Warm queries"),
    )
    total = latency[latency["stage"] == TOTAL].to_dict("records")
    warm = {(row["method"], row["sweep"]): row for row in total}
    asked = in_order(estimates, list(roles)).groupby(["method", "sweep"], sort=False)
    rows = [_query_row(group, warm, roles) for _, group in asked]
    note = "Percentiles are of warm queries. Reading and decoding the image is not part of the latency."
    return Table("Latency of one query", columns, rows, (note, *_map_notes(estimates, roles)))


def _query_row(
    answers: pd.DataFrame, warm: Mapping[tuple[str, float], Mapping[Any, Any]], roles: Mapping[str, str]
) -> list[Cell]:
    """Return the row of one method at one step; without a warm query its percentiles are unknown."""
    method, step = str(answers["method"].iloc[0]), float(answers["sweep"].iloc[0])
    total = warm.get((method, step), {})
    return [
        *method_cells([method], [roles[method]]),
        step_cell(step),
        *(_milliseconds(total.get(name, math.nan)) for name in ("p50", "p95", "p99")),
        _milliseconds(float(answers.loc[~answers["warm"], "seconds"].median())),
        _milliseconds(float(answers["load_seconds"].median())),
        number_cell(total.get("queries", 0)),
    ]


def stage_table(latency: pd.DataFrame, roles: Mapping[str, str], terms: Terms) -> Table:
    """Return what each stage of a query costs (the rows of ``latency_table`` of one machine)."""
    columns = (
        Column("Method", numeric=False),
        Column(terms.header),
        Column("Stage", numeric=False),
        Column("Queries with it"),
        Column("p50", "ms", smaller_is_better=True),
        Column("p95", "ms", smaller_is_better=True),
        Column("p99", "ms", smaller_is_better=True),
        Column("Share of all time", "%"),
    )
    rows = [
        [
            *method_cells([row["method"]], [roles[row["method"]]]),
            step_cell(row["sweep"]),
            text_cell(row["stage"]),
            number_cell(row["queries"]),
            *(_milliseconds(row[name]) for name in ("p50", "p95", "p99")),
            number_cell(100 * row["share"], 1),
        ]
        for row in latency.to_dict("records")
    ]
    notes = (
        "Percentiles are over the warm queries that went through the stage, inner stages included; "
        "shares exclude inner stages.",
        *_map_notes(latency, roles),
    )
    return Table("Latency by stage", columns, rows, notes)


def map_table(
    maps: pd.DataFrame, fit_seconds: Mapping[str, float | None], roles: Mapping[str, str], terms: Terms
) -> Table:
    """Return what is paid before the first query: medians over the maps (``MAP_COLUMNS``) per method and step."""
    columns = (
        Column("Method", numeric=False),
        Column(terms.header),
        Column("Maps"),
        Column("Learning, once", "s", smaller_is_better=True),
        Column("Cold start, p50", "s", smaller_is_better=True),
        Column("Build, p50", "s", smaller_is_better=True),
        Column("Map size, p50", "MB", smaller_is_better=True),
        Column("Peak memory", "MB", smaller_is_better=True),
    )
    rows = []
    for _, group in maps.groupby(["method", "sweep"], sort=False):
        method, step = str(group["method"].iloc[0]), float(group["sweep"].iloc[0])
        middle = group[["start_seconds", "build_seconds", "map_bytes"]].median()
        learning = fit_seconds.get(method)
        cells = [*method_cells([method], [roles[method]]), step_cell(step), number_cell(len(group))]
        cells.append(_cell(float("nan") if learning is None else learning))
        cells += [_cell(middle["start_seconds"]), _cell(middle["build_seconds"]), _cell(middle["map_bytes"] / 1e6)]
        rows.append([*cells, _cell(group["peak_memory_bytes"].max() / 1e6)])
    notes = (
        "Methods that share what they learned show the same learning time. "
        "Peak memory is of the whole process, its libraries included.",
        *_map_notes(maps, roles),
    )
    return Table("Before the first query", columns, rows, notes)


def _map_notes(table: pd.DataFrame, roles: Mapping[str, str]) -> list[str]:
    return map_notes(roles[method] for method in table["method"].unique())


def stage_means(latency: pd.DataFrame) -> pd.DataFrame:
    """Return each stage's exclusive part of the mean latency: columns method, sweep, stage, seconds.

    Means, because only means of stages add up to that of the whole. Methods that name no stages have no rows.
    """
    mean = latency[latency["stage"] == TOTAL].set_index(["method", "sweep"])["mean"]
    stages = latency[latency["stage"] != TOTAL]
    named = pd.MultiIndex.from_frame(stages.loc[stages["stage"] != OTHER, ["method", "sweep"]])
    keys = pd.MultiIndex.from_frame(stages[["method", "sweep"]])
    stages, whole = stages[keys.isin(named)], mean.reindex(keys[keys.isin(named)]).to_numpy(dtype=float)
    return stages[["method", "sweep", "stage"]].assign(seconds=stages["share"].to_numpy(dtype=float) * whole)


def _milliseconds(seconds: float) -> Cell:
    return _cell(seconds * 1e3)


def _cell(value: float) -> Cell:
    return Cell(three_digits(value), float(value))


def in_order(table: pd.DataFrame, order: Sequence[str]) -> pd.DataFrame:
    """Return a table's rows by step, then by the leaderboard's order of methods; rows of one method keep theirs."""
    place = {method: i for i, method in enumerate(order)}
    keys = pd.DataFrame({"sweep": table["sweep"], "place": table["method"].map(place)})
    return table.loc[keys.sort_values(["sweep", "place"], kind="stable").index]
