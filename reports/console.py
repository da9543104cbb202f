"""The leaderboard in a terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd
from rich.console import Console
from rich.table import Table

from .leaderboard import (
    MetricColumn,
    chance_note,
    interval_note,
    main_metrics,
    metric_decimals,
    notes_on_marks,
    rank_texts,
    ranks_places,
    three_digits,
)
from .marks import marked
from .tables import format_number

#: What fits into 100 columns, by the metrics' names, with headers of its own.
HEADERS = {
    "auc_translation_1m": "AUC to 1 m",
    "median_translation_error": "median error",
    "median_rotation_error": "rotation",
    "success_rate": "success",
    "recall_0.25m_2deg": "0.25 m, 2°",
    "recall_0.5m_5deg": "0.5 m, 5°",
    "mrr": "MRR",
    "recall_at_1": "top-1",
    "recall_at_5": "top-5",
}
WITH_INTERVAL = ("median_translation_error", "mrr", "recall_at_1", "recall_at_5")
#: What a narrow terminal does without, first to last.
DISPENSABLE = ("recall_0.25m_2deg", "median_rotation_error", "recall_0.5m_5deg")


def print_leaderboard(leaderboard: pd.DataFrame, console: Console) -> None:
    """Print a scored leaderboard (:func:`relocbench.bench.scoring.leaderboard`), one table per density.

    All columns take about 100 characters; a narrower terminal gets fewer columns rather than broken ones.
    """
    if leaderboard.empty:
        console.print("no results: no method has finished")
        return
    for _, board in leaderboard.groupby("density", sort=True):
        console.print(_fitting_table(board, console))
    console.print(f"[dim]{_footnote(leaderboard)}[/dim]", highlight=False)


def _fitting_table(board: pd.DataFrame, console: Console) -> Table:
    for dropped in range(len(DISPENSABLE) + 1):
        metrics = [metric for metric in main_metrics(board) if metric.name in HEADERS]
        shown = [metric for metric in metrics if metric.name not in DISPENSABLE[:dropped]]
        table = _table(board, shown)
        if console.measure(table, options=console.options.update(max_width=1000)).maximum <= console.width:
            break
    return table


def _table(board: pd.DataFrame, shown: Sequence[MetricColumn]) -> Table:
    first = board.iloc[0]
    title = f"{first['density']} references per map, {board['queries'].max()} queries"
    table = Table(title=title, title_justify="left", title_style="bold", header_style="bold", box=None, pad_edge=False)
    table.add_column("rank", justify="right", no_wrap=True)
    table.add_column("method", no_wrap=True)
    for metric in shown:
        table.add_column(f"{HEADERS[metric.name]}\n({metric.unit})", justify="right", no_wrap=True)
    table.add_column("latency p50\n(ms)", justify="right", no_wrap=True)
    cells = [_texts(board, metric) for metric in shown]
    for i, (rank, row) in enumerate(zip(rank_texts(board), board.to_dict("records"), strict=True)):
        values = [texts[i] for texts in cells]
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
    if metric.name not in WITH_INTERVAL:
        return [text[0] for text in texts]
    known = [not math.isnan(low) for low in values[:, 1]]
    return [f"{v} \\[{low}, {high}]" if k else v for (v, low, high), k in zip(texts, known, strict=True)]


def _footnote(board: pd.DataFrame) -> str:
    places = ranks_places(str(board["primary"].iloc[0]))
    counted = chance_note(board) if places else "Errors are medians over all queries, failures counted as infinite."
    return " ".join([interval_note(board), counted, *notes_on_marks(board)])
