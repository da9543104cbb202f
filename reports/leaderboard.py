"""The accuracy tables: leaderboard, further metrics, paired differences, reasons of failure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from ..bench.questions.metric import MetricColumn
from ..bench.questions.question import span
from ..bench.roles import is_blind, is_ranked
from ..bench.sampling import FEWEST_SCENES, SPEAKS_FOR
from .marks import map_notes, mark_notes, marked
from .tables import NOTHING, Cell, Column, Table, column_decimals, number_cell, text_cell
from .terms import Terms

PERCENT_DECIMALS_FROM = 500  # queries: with fewer, a tenth of a percent is less than one query


def leaderboard_tables(board: pd.DataFrame, terms: Terms) -> list[Table]:
    """Return, for each step of a scored leaderboard, the table that ranks and that of further metrics, if any."""
    boards = [board[board["sweep"] == step] for step in sorted(set(board["sweep"]))]
    return [
        table
        for here in boards
        for table in (main_table(here, terms), *([further_table(here, terms)] if further_columns(here, terms) else []))
    ]


def main_columns(board: pd.DataFrame, terms: Terms) -> tuple[MetricColumn, ...]:
    """Return the metrics that lead: those of the question, behind the one that ranks where it is none of them."""
    primary, main = str(board["primary"].iloc[0]), terms.question.main
    return main if primary in [column.name for column in main] else (terms.question.column(primary), *main)


def further_columns(board: pd.DataFrame, terms: Terms) -> list[MetricColumn]:
    """Return the metrics that do not lead."""
    leading = [column.name for column in main_columns(board, terms)]
    return [column for column in terms.question.shown.values() if column.name not in leading]


def main_table(board: pd.DataFrame, terms: Terms) -> Table:
    """Return the table that ranks the methods of one step; the metric that ranks is among its columns."""
    metrics = main_columns(board, terms)
    columns = [Column("Rank", smaller_is_better=True), Column("Method", numeric=False)]
    columns += [_column(metric) for metric in metrics]
    columns += [Column("Failures"), Column("Latency p50", "ms", smaller_is_better=True)]
    cells = [_rank_cells(board), method_cells(board["method"], board["role"])]
    cells += [_metric_cells(board, metric) for metric in metrics]
    cells += [
        [number_cell(failures) for failures in board["failures"]],
        _plain_cells(board["seconds_p50"] * 1e3),
    ]
    caption = _caption(board, "Leaderboard", terms) + _chance_levels(board, terms)
    return Table(caption, tuple(columns), _transposed(cells), _notes(board, terms))


def further_table(board: pd.DataFrame, terms: Terms) -> Table:
    """Return the table of the metrics of one step that do not lead: strict recall, areas under curves, and so on."""
    metrics = further_columns(board, terms)
    columns = [Column("Method", numeric=False), *(_column(metric) for metric in metrics)]
    cells = [method_cells(board["method"], board["role"]), *(_metric_cells(board, metric) for metric in metrics)]
    conventions = terms.question.conventions(metric.name for metric in metrics)
    notes = (*terms.question.further_notes, *conventions, *map_notes(board["role"]))
    return Table(_caption(board, "Further metrics", terms), tuple(columns), _transposed(cells), notes)


def full_table(board: pd.DataFrame, terms: Terms) -> Table:
    """Return every metric of every step in one table: what a spreadsheet wants."""
    shown = [*main_columns(board, terms), *further_columns(board, terms)]
    columns = [Column(terms.header), Column("Rank"), Column("Method", numeric=False)]
    columns += [Column("Role", numeric=False), *(_column(metric) for metric in shown)]
    columns += [Column("Queries"), Column("Failures"), Column("Latency p50", "ms"), Column("Latency p95", "ms")]
    cells = [[step_cell(step) for step in board["sweep"]], _rank_cells(board)]
    cells += [[text_cell(value) for value in board[name]] for name in ("method", "role")]
    cells += [_metric_cells(board, metric) for metric in shown]
    cells += [[number_cell(value) for value in board[name]] for name in ("queries", "failures")]
    cells += [_plain_cells(board[name] * 1e3) for name in ("seconds_p50", "seconds_p95")]
    return Table("All metrics", tuple(columns), _transposed(cells))


def difference_table(differences: pd.DataFrame, metric: str, roles: Mapping[str, str], terms: Terms) -> Table:
    """Return paired differences (the rows of ``bench.scoring.paired``) of one metric as a table."""
    shown = terms.question.column(metric)
    values = differences[["value_a", "value_b", "difference", "low", "high"]] * shown.factor
    both = values[["value_a", "value_b"]].to_numpy().ravel()
    decimals = metric_decimals(shown, both, queries=int(differences["queries"].max()))
    columns = (
        Column(terms.header),
        Column("Method A", numeric=False),
        Column("Method B", numeric=False),
        Column("A", shown.unit),
        Column("B", shown.unit),
        Column("A − B", shown.unit, has_interval=True),
        Column("p, corrected"),
        Column("Common queries"),
        Column("Verdict", numeric=False),
    )
    rows = [
        [
            step_cell(row["sweep"]),
            *method_cells([row["a"], row["b"]], [roles[row["a"]], roles[row["b"]]]),
            number_cell(value["value_a"], decimals),
            number_cell(value["value_b"], decimals),
            number_cell(value["difference"], decimals, low=value["low"], high=value["high"]),
            _p_cell(row["p_adjusted"]),
            number_cell(row["queries"]),
            text_cell(_verdict(row, shown)),
        ]
        for row, value in zip(differences.to_dict("records"), values.to_dict("records"), strict=True)
    ]
    caption = f"Paired differences: {shown.in_words}"
    first = differences[differences["sweep"] == differences["sweep"].min()].to_dict("records")
    ranked = sum(is_ranked(roles[row["a"]]) and is_ranked(roles[row["b"]]) for row in first)
    notes = (
        "Both methods answered the same queries. The interval is of their difference alone; p, and so the verdict, is "
        f"corrected for all pairs of one table: {ranked} of ranked methods, and apart from these the others.",
    )
    compared = {roles[name] for column in ("a", "b") for name in differences[column]}
    return Table(caption, columns, rows, (*notes, *map_notes(compared)))


def _p_cell(p: float) -> Cell:
    return Cell("< 0.001", p) if p < 0.001 else number_cell(p, 3)


def _verdict(row: Mapping[Any, Any], metric: MetricColumn) -> str:
    if not row["distinguishable"]:
        return "cannot be told apart"
    return f"{row['a'] if (row['difference'] > 0) != metric.smaller_is_better else row['b']} is better"


def failure_table(reasons: pd.DataFrame, board: pd.DataFrame, terms: Terms) -> Table:
    """Return how often each method failed for each reason (the rows of ``bench.scoring.failure_reasons``)."""
    queries = board.set_index(["method", "sweep"])["queries"]
    roles = dict(zip(board["method"], board["role"], strict=True))
    columns = (
        Column("Method", numeric=False),
        Column(terms.header),
        Column("Reason", numeric=False),
        Column("Failures"),
        Column("Share of queries", "%"),
    )
    rows = [
        [
            *method_cells([row["method"]], [roles[row["method"]]]),
            step_cell(row["sweep"]),
            text_cell(row["reason"]),
            number_cell(row["count"]),
            number_cell(100 * row["count"] / queries[row["method"], row["sweep"]], 1),
        ]
        for row in reasons.to_dict("records")
    ]
    return Table("Failures by reason", columns, rows, tuple(map_notes(roles[method] for method in reasons["method"])))


def method_cells(methods: Iterable[str], roles: Iterable[str]) -> list[Cell]:
    """Return the methods' names as cells, marked where they see more or less than the image."""
    return [Cell(marked(name, role), name) for name, role in zip(methods, roles, strict=True)]


def rank_texts(board: pd.DataFrame) -> list[str]:
    """Return the ranks that each row may have as text: "2", "1–3", or "–" where the method is not ranked."""
    ranges = zip(board["rank_low"], board["rank_high"], strict=True)
    return [NOTHING if pd.isna(low) else f"{low}" if low == high else f"{low}–{high}" for low, high in ranges]


def step_cell(step: float) -> Cell:
    """Return the cell of a step of the sweep, without decimals that it does not need."""
    return Cell(f"{step:g}", float(step))


def _rank_cells(board: pd.DataFrame) -> list[Cell]:
    """Cells that sort as the table is ordered: by the estimate, whatever the ranges have in common."""
    places = (board["rank_low"].notna().cumsum()).where(board["rank_low"].notna())
    return [Cell(text, float(place)) for text, place in zip(rank_texts(board), places, strict=True)]


def _column(metric: MetricColumn) -> Column:
    return Column(
        metric.header,
        metric.unit,
        has_interval=True,
        smaller_is_better=metric.smaller_is_better,
        convention=metric.convention,
    )


def _metric_cells(board: pd.DataFrame, metric: MetricColumn) -> list[Cell]:
    names = [metric.name, f"{metric.name}_low", f"{metric.name}_high"]
    values = board[names].astype(float).to_numpy() * metric.factor
    decimals = metric_decimals(metric, values[:, 0], queries=int(board["queries"].max()))
    return [number_cell(value, decimals, low=low, high=high) for value, low, high in values]


def metric_decimals(metric: MetricColumn, values: Iterable[float], *, queries: int) -> int:
    """Return how many decimals a metric's column deserves: no more than its number of queries supports."""
    if metric.unit == "%":
        return 1 if queries >= PERCENT_DECIMALS_FROM else 0
    decimals = column_decimals(values)
    return min(2, max(1, decimals)) if metric.unit == "°" else max(2, decimals)


def _plain_cells(values: pd.Series) -> list[Cell]:
    """Cells of positive numbers over several decades: three significant digits each."""
    return [Cell(three_digits(value), float(value)) for value in values]


def three_digits(value: float) -> str:
    """Return a positive number with three significant digits, without an exponent."""
    if not math.isfinite(value) or value == 0:
        return NOTHING if math.isnan(value) else f"{value:g}".replace("inf", "∞")
    return f"{value:.{max(0, 2 - math.floor(math.log10(abs(value))))}f}"


def _caption(board: pd.DataFrame, title: str, terms: Terms) -> str:
    scenes = _count(board["scenes"].max(), "scene")
    return f"{title}: {terms.at(board['sweep'].iloc[0])}, {board['queries'].max()} queries in {scenes}"


def _chance_levels(board: pd.DataFrame, terms: Terms) -> str:
    """Return what answering at random scores in the metrics that lead, as the end of a caption."""
    queries = terms.queries.get(float(board["sweep"].iloc[0]), {})
    levels = terms.question.mean_chance(queries)
    named = [
        f"{column.terminal or column.header} {levels[column.name]:.2%}".replace("%", " %")
        for column in main_columns(board, terms)
        if column.name in levels
    ]
    return f"; chance with K = {span(queries)} {terms.question.alternatives}: {', '.join(named)}" if named else ""


def _count(number: int, noun: str) -> str:
    plural = {"query": "queries"}.get(noun, f"{noun}s")
    return f"{number} {noun if number == 1 else plural}"


def _notes(board: pd.DataFrame, terms: Terms) -> tuple[str, ...]:
    """Say how the intervals were made, what ranks mean, and what the marks mean."""
    return (
        interval_note(board),
        *rank_notes(board),
        *blind_notes(board),
        *chance_notes(board, terms),
        *terms.question.notes,
        *terms.question.conventions(metric.name for metric in main_columns(board, terms)),
        *failure_notes(board, terms),
        *closing_notes(board, terms),
    )


def failure_notes(board: pd.DataFrame, terms: Terms) -> list[str]:
    """Return what a failure counts as, nothing where there is none."""
    return [terms.question.failure_note] if (board["failures"] > 0).any() and terms.question.failure_note else []


def chance_notes(board: pd.DataFrame, terms: Terms) -> list[str]:
    """Return what answering at random scores, nothing where the question does not say."""
    queries = terms.queries.get(float(board["sweep"].iloc[0]), {})
    note = terms.question.chance_note(queries) if queries else ""
    return [note] if note else []


def closing_notes(board: pd.DataFrame, terms: Terms) -> list[str]:
    """Return whether the question was asked at all, and what the marks in a leaderboard mean."""
    unasked = board[str(board["primary"].iloc[0])].isna().all() and terms.question.needs
    not_asked = [f"{NOTHING}: not asked; the dataset has no {terms.question.needs}."] if unasked else []
    return [*not_asked, *mark_notes(board["role"], terms.question)]


def rank_notes(board: pd.DataFrame) -> list[str]:
    """Return what a range of ranks means, nothing where fewer than two methods are ranked."""
    if board["rank_low"].notna().sum() < 2:
        return []
    return [
        "Rank: the one, or the range of those, that a method may have by all paired differences together; that any "
        "range is wrong has a probability of at most 5 %. Rows stand in the order of the estimates."
    ]


def blind_notes(board: pd.DataFrame) -> list[str]:
    """Return which ranked methods are better than all baselines that do not look, nothing where none was asked."""
    known = board[board["beats_blind"].notna()]
    if known.empty:
        return []
    names = list(dict.fromkeys(board.loc[[is_blind(role) for role in board["role"]], "method"]))
    baselines = f"{'each of ' if len(names) > 1 else ''}{_listed(names)}"
    others = list(dict.fromkeys(known.loc[~known["beats_blind"].astype(bool), "method"]))
    if not others:
        return [f"Every ranked method is better than {baselines}."]
    return [f"Not shown to be better than {baselines}: {_listed(others)}."]


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]


def interval_note(board: pd.DataFrame) -> str:
    """Return the sentence that says what the intervals of a leaderboard are about, and what they speak for."""
    unit, clusters = str(board["cluster_unit"].iloc[0]), int(board["clusters"].max())
    grouped = unit == "query" and clusters < int(board["queries"].max())
    counted = f"{clusters} groups of queries" if grouped else _count(clusters, unit)
    note = f"Brackets: 95 % intervals from a bootstrap over {counted}; they speak for {SPEAKS_FOR[unit]}"
    if unit != "scene":
        note += f", as fewer than {FEWEST_SCENES} scenes say nothing about others"
    several = sorted({int(number) for number in board["replicates"] if number > 1})
    if several:
        note += f", and for other trainings of methods that were trained {span(several)} times"
    return f"{note}."


def _transposed(columns: Sequence[list[Cell]]) -> list[list[Cell]]:
    return [list(row) for row in zip(*columns, strict=True)]
