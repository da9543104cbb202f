"""The leaderboard in a terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..bench.questions.metric import MetricColumn
from .leaderboard import (
    blind_notes,
    chance_notes,
    closing_notes,
    failure_notes,
    interval_note,
    main_columns,
    metric_decimals,
    rank_notes,
    rank_texts,
    three_digits,
)
from .marks import marked
from .tables import format_number
from .terms import Terms


def print_leaderboard(leaderboard: pd.DataFrame, terms: Terms, console: Console) -> None:
    """Print a scored leaderboard (:func:`relocbench.bench.scoring.leaderboard`), one table per step of the sweep.

    All columns take about 100 characters; a narrower terminal gets fewer columns, and at last lines that it has to
    break: numbers are never cut.
    """
    if leaderboard.empty:
        console.print("no results: no method has finished")
        return
    for _, board in leaderboard.groupby("sweep", sort=True):
        console.print(_fitting_table(board, terms, console), crop=False)
    console.print(_footnote(leaderboard, terms), style="dim", markup=False, highlight=False)


def print_failures(estimates: pd.DataFrame, console: Console) -> None:
    """Print of every method in ``estimates`` that failed how often, and the reason that it gave most."""
    for method, answers in estimates.groupby("method", sort=False):
        reasons = answers.loc[answers["status"] == "failure", "reason"].value_counts()
        if len(reasons):
            share = f"{reasons.sum()} of {len(answers)} queries failed"
            most = "" if len(reasons) == 1 else f", {reasons.iloc[0]} of them"
            line = f"{method}: {share}{most}: {reasons.index[0]}"
            console.print(line, markup=False, highlight=False, style="dim", soft_wrap=True)


def _fitting_table(board: pd.DataFrame, terms: Terms, console: Console) -> Table:
    columns = [column for column in main_columns(board, terms) if column.terminal is not None]
    spared = sorted((column for column in columns if column.spare > 0), key=lambda column: column.spare)
    for dropped in range(len(spared) + 1):
        shown = [column for column in columns if column not in spared[:dropped]]
        table = _table(board, terms, shown)
        table.width = console.measure(table, options=console.options.update(max_width=1000)).maximum
        if table.width <= console.width:
            break
    return table


def _table(board: pd.DataFrame, terms: Terms, shown: Sequence[MetricColumn]) -> Table:
    title = f"{terms.at(board['sweep'].iloc[0])}, {board['queries'].max()} queries"
    table = Table(title=title, title_justify="left", title_style="bold", header_style="bold", box=None, pad_edge=False)
    table.add_column("rank", justify="right", no_wrap=True)
    table.add_column("method", no_wrap=True)
    for metric in shown:
        unit = f"({metric.unit})" if metric.unit else ""
        table.add_column(f"{metric.terminal or metric.header}\n{unit}", justify="right", no_wrap=True)
    table.add_column("latency p50\n(ms)", justify="right", no_wrap=True)
    cells = [_texts(board, metric) for metric in shown]
    for i, (rank, row) in enumerate(zip(rank_texts(board), board.to_dict("records"), strict=True)):
        values = [Text(texts[i]) for texts in cells]
        table.add_row(
            rank,
            marked(row["method"], row["role"]),
            *values,
            three_digits(row["seconds_p50"] * 1e3),
            style="dim" if row["role"] else None,
        )
    return table


def _texts(board: pd.DataFrame, metric: MetricColumn) -> list[str]:
    columns = [metric.name, f"{metric.name}_low", f"{metric.name}_high"]
    values = board[columns].astype(float).to_numpy() * metric.factor
    decimals = metric_decimals(metric, values[:, 0], queries=int(board["queries"].max()))
    texts = [[format_number(value, decimals) for value in row] for row in values]
    if not metric.terminal_interval:
        return [text[0] for text in texts]
    known = [not math.isnan(low) for low in values[:, 1]]
    return [f"{v} [{low}, {high}]" if k else v for (v, low, high), k in zip(texts, known, strict=True)]


def _footnote(board: pd.DataFrame, terms: Terms) -> str:
    counted = [*blind_notes(board), *chance_notes(board, terms), *failure_notes(board, terms)]
    return " ".join([interval_note(board), *rank_notes(board), *counted, *closing_notes(board, terms)])
