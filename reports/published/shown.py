"""What of a summary a page shows: its tables, single values, and the line below a table that says how to read it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import pandas as pd

from ...bench.questions.metric import MetricColumn
from ...errors import InputError
from ..classes import class_table
from ..leaderboard import (
    blind_notes,
    chance_notes,
    failure_notes,
    interval_note,
    metric_decimals,
    rank_notes,
    rank_texts,
    three_digits,
)
from ..marks import mark, mark_notes
from ..tables import Cell, Column, Table, format_number, number_cell, text_cell
from .specs import ABOVE, ROW, DifferenceSpec, MetricSpec, TableSpec, Value, parse_claim
from .summaries import RunSummary, Step, TableSummary

_RANK, _METHOD, _FAILURES, _LATENCY = "rank", "method", "failures", "latency"
_FACTS = ("queries", "maps", "scenes")
_OF_PAIRS = (
    "Differences are paired by query, and each interval is of its pair alone; bold are those that can be told from "
    "nothing when all pairs are asked about at once."
)
_SAYS = {"better than": 1, "worse than": -1, "like": 0}


class Difference(NamedTuple):
    """A paired difference with the ends of its interval, and whether it can be told from nothing."""

    value: float
    low: float
    high: float
    apart: bool


class Scores:
    """The scores of one step of a run's summary, by method and metric."""

    def __init__(self, summary: RunSummary, name: str, at: float | None = None) -> None:
        self.summary, self.name = summary, name
        self.step = _step(summary, name, at)
        self.question, self.terms = summary.asked, summary.terms
        self.board = self.step.board.table.assign(sweep=self.step.sweep, primary=summary.primary)
        self._rows = {str(row["method"]): row for row in self.board.to_dict("records")}

    @property
    def methods(self) -> list[str]:
        """The methods as the leaderboard has them."""
        return list(self._rows)

    def row(self, method: str) -> Mapping[Any, Any]:
        """Return a method's row of the leaderboard; raises ``InputError`` where there is none."""
        if method not in self._rows:
            raise InputError(f"{self.name}: has no method {method!r}; there are {', '.join(self._rows)}")
        return self._rows[method]

    def column(self, metric: str) -> MetricColumn:
        """Return how a metric is shown; raises ``InputError`` where it is not in the summary."""
        if metric not in self.board:
            known = [m.name for m in self.question.metrics if m.name in self.board]
            raise InputError(f"{self.name}: has no metric {metric!r}; there are {', '.join(known)}")
        return self.question.column(metric)

    def value(self, method: str, metric: str) -> tuple[float, float, float]:
        """Return a method's metric and the ends of its interval, in the unit that tables have."""
        column, row = self.column(metric), self.row(method)
        names = (metric, f"{metric}_low", f"{metric}_high")
        value, low, high = (float(row.get(name, float("nan"))) * column.factor for name in names)
        return value, low, high

    def compares(self, a: str, b: str) -> bool:
        """Return whether the summary has the difference of two methods: not where one knows the pose."""
        return self._pair(a, b) is not None

    def difference(self, a: str, b: str, metric: str) -> Difference:
        """Return method ``a`` minus ``b`` in the unit that tables have; raises ``InputError`` where it is not known."""
        factor, pair = self.column(metric).factor, self._pair(a, b)
        if metric not in self.step.differences:
            known = ", ".join(self.step.differences)
            raise InputError(f"{self.name}: has no differences in {metric!r}; there are those in {known}")
        if pair is None:
            raise InputError(f"{self.name}: {a} and {b} are not compared")
        place, sign = pair
        row = self.step.differences[metric].table.iloc[place]
        value, low, high = (sign * factor * float(row[name]) for name in ("difference", "low", "high"))
        return Difference(value, min(low, high), max(low, high), bool(row["distinguishable"]))

    def _pair(self, a: str, b: str) -> tuple[int, int] | None:
        """Return where the difference of two methods stands, and its sign there."""
        first, second = (self.methods.index(str(self.row(name)["method"])) for name in (a, b))
        for pair, sign in (((first, second), 1), ((second, first), -1)):
            if pair in self.step.pairs:
                return self.step.pairs.index(pair), sign
        return None

    def decimals(self, metric: str, methods: Iterable[str]) -> int:
        """Return how many decimals a column of a metric has that shows these methods."""
        values = [self.value(method, metric)[0] for method in methods]
        return metric_decimals(self.column(metric), values, queries=self.step.queries)


def _step(summary: RunSummary, name: str, at: float | None) -> Step:
    steps = {step.sweep: step for step in summary.steps}
    if at is not None and at not in steps:
        raise InputError(f"{name}: has no step {at:g}; there are {', '.join(f'{step:g}' for step in steps)}")
    return steps[min(steps) if at is None else at]


def run_table(scores: Scores, spec: TableSpec) -> Table:
    """Return the table that a block asks for; raises ``InputError`` where it names what is not there."""
    if not spec.columns:
        raise InputError(f"{scores.name}: a table of a run names its columns")
    for method in (*spec.rows, *spec.without, *spec.names):
        scores.row(method)
    methods = list(spec.rows) or [method for method in scores.methods if method not in spec.without]
    columns, cells = [], []
    for column in spec.columns:
        head, own = _column(scores, methods, spec, column)
        columns.append(head)
        cells.append(own)
    rows = [list(row) for row in zip(*cells, strict=True)]
    return Table("", tuple(columns), rows, (run_note(scores, spec, methods),))


def _column(
    scores: Scores, methods: Sequence[str], table: TableSpec, spec: str | MetricSpec | DifferenceSpec
) -> tuple[Column, list[Cell]]:
    if spec == _RANK:
        texts = dict(zip(scores.board["method"], rank_texts(scores.board), strict=True))
        return Column("Rank"), [text_cell(texts[str(scores.row(method)["method"])]) for method in methods]
    if spec == _METHOD:
        names = [_name_cell(scores, method, table.names.get(method, "")) for method in methods]
        return Column(table.head, numeric=False), names
    if spec == _FAILURES:
        return Column("Failures"), [number_cell(scores.row(method)["failures"]) for method in methods]
    if spec == _LATENCY:
        seconds = [float(scores.row(method)["seconds_p50"]) for method in methods]
        return Column("Latency p50", "ms"), [text_cell(three_digits(1e3 * value)) for value in seconds]
    if isinstance(spec, DifferenceSpec):
        return _difference_column(scores, methods, spec)
    return _metric_column(scores, methods, MetricSpec(metric=spec) if isinstance(spec, str) else spec)


def _name_cell(scores: Scores, method: str, text: str) -> Cell:
    role = str(scores.row(method)["role"])
    if text:
        return text_cell(f"{text} {mark(role)}".strip())
    return text_cell(f"*{method}* {mark(role)}" if role else method)


def _metric_column(scores: Scores, methods: Sequence[str], spec: MetricSpec) -> tuple[Column, list[Cell]]:
    shown = scores.column(spec.metric)
    decimals = scores.decimals(spec.metric, methods)
    cells = []
    for method in methods:
        value, low, high = scores.value(method, spec.metric)
        ends = {"low": low, "high": high} if spec.interval and _says_more(value, low, high, decimals) else {}
        cells.append(number_cell(value, decimals, **ends))
    return _headed(spec.header, shown), cells


def _difference_column(scores: Scores, methods: Sequence[str], spec: DifferenceSpec) -> tuple[Column, list[Cell]]:
    shown = scores.column(spec.difference)
    decimals = scores.decimals(spec.difference, methods)
    cells = []
    for place, method in enumerate(methods):
        named = {ROW: method, ABOVE: methods[place - 1] if place else ""}
        a, b = (named.get(name, name) for name in (spec.of, spec.minus))
        cell = text_cell("")
        if a and b and scores.compares(a, b):
            value, low, high, apart = scores.difference(a, b, spec.difference)
            cell = number_cell(value, decimals, **({"low": low, "high": high} if spec.interval else {}))
            cell = replace(cell, text=f"**{cell.text}**") if apart else cell
        cells.append(cell)
    return _headed(spec.header or f"{shown.header}: difference", shown, own=bool(spec.header)), cells


def _headed(header: str, shown: MetricColumn, *, own: bool = False) -> Column:
    if header and own:
        return Column(header, convention=shown.convention)
    return Column(header or shown.header, shown.unit, has_interval=True, convention=shown.convention)


def _says_more(value: float, low: float, high: float, decimals: int) -> bool:
    """Return whether an interval says more than its value: not of what is the same in every resample, such as 100 %."""
    return len({format_number(number, decimals) for number in (value, low, high)}) > 1


def run_note(scores: Scores, spec: TableSpec, methods: Sequence[str]) -> str:
    """Return the line below a table: of how many queries it is, what intervals speak for, how metrics are counted."""
    shown = [column for column in spec.columns if not isinstance(column, str)]
    metrics = [column.metric if isinstance(column, MetricSpec) else column.difference for column in shown]
    metrics += [column for column in spec.columns if isinstance(column, str) and column in scores.board]
    board = scores.board[scores.board["method"].isin(methods)]
    several = f" with {scores.terms.at(scores.step.sweep)}" if len(scores.summary.steps) > 1 else ""
    parts = [
        f"{_counts(scores)}{several}.",
        interval_note(board),
        *([*rank_notes(scores.board), *blind_notes(scores.board)] if _RANK in spec.columns else []),
        *([_OF_PAIRS] if any(isinstance(column, DifferenceSpec) for column in shown) else []),
        *scores.question.conventions(name for name in dict.fromkeys(metrics) if name in scores.question.shown),
        *(chance_notes(scores.board, scores.terms) if "chance" in set(board["role"]) else []),
        *failure_notes(board, scores.terms),
        *mark_notes(board["role"], scores.question),
        f"Computed {scores.summary.origin}.",
    ]
    return " ".join(parts)


def _counts(scores: Scores) -> str:
    step = scores.step
    counted = (_counted(step.queries, "query", "queries"), _counted(step.maps, "map"), _counted(step.scenes, "scene"))
    return "{} in {} of {}".format(*counted)


def _counted(number: int, noun: str, plural: str = "") -> str:
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def places_table(summary: RunSummary, name: str) -> Table:
    """Return the table of a run's places; raises ``InputError`` where it has none."""
    if not summary.places:
        raise InputError(f"{name}: has no places")
    table = class_table(summary.places, summary.chance)
    note = " ".join((*table.notes, f"Computed {summary.origin}."))
    return Table("", table.columns, table.rows, (note,))


def kept_table(summary: TableSummary) -> Table:
    """Return the table of a summary that is one."""
    columns = tuple(Column(column.header, numeric=column.numeric) for column in summary.columns)
    kept = f"records: {', '.join(summary.records)}" if summary.records else "its records are not kept"
    note = " ".join((*summary.notes, f"Measured by `{summary.command}`, {summary.origin}; {kept}."))
    return Table("", columns, [[text_cell(cell) for cell in row] for row in summary.rows], (note,))


def value_text(summary: RunSummary, asked: Value) -> str:
    """Return one value as a sentence quotes it; raises ``InputError`` where it is not there."""
    scores, words = Scores(summary, asked.summary, asked.at), asked.words
    if len(words) == 1 and words[0] in _FACTS:
        return f"{getattr(scores.step, words[0]):,}"
    if len(words) == 2 and words[0] == "chance":
        return _chance(scores, words[1], bare=asked.bare)
    if len(words) == 4 and words[1] == "-":
        a, _, b, metric = words
        numbers = tuple(scores.difference(a, b, metric))[:3]
        methods = [a, b]
    elif len(words) == 2:
        method, metric = words
        numbers, methods = scores.value(method, metric), [method]
    else:
        raise InputError(f"{asked.summary}: {' '.join(words)!r} is neither a value nor a difference nor a fact")
    value, low, high = numbers
    decimals, column = scores.decimals(metric, methods), scores.column(metric)
    text = format_number(value, decimals) + ("" if asked.bare else _unit(column))
    known = not asked.plain and not pd.isna(low) and _says_more(value, low, high, decimals)
    return f"{text} [{format_number(low, decimals)}, {format_number(high, decimals)}]" if known else text


def _chance(scores: Scores, metric: str, *, bare: bool) -> str:
    levels, column = scores.question.mean_chance(scores.step.references), scores.column(metric)
    if metric not in levels:
        raise InputError(f"{scores.name}: nobody can say what answering at random scores in {metric}")
    return format_number(levels[metric] * column.factor, 2) + ("" if bare else _unit(column))


def _unit(column: MetricColumn) -> str:
    return column.unit if column.unit in ("", "°") else f" {column.unit}"


def broken_claim(scores: Scores, text: str) -> str:
    """Return what the results say in place of a claim, "" where it holds; raises ``InputError`` as values do."""
    claim = parse_claim(text)
    a, b, metric = claim["a"], claim["b"], claim["metric"]
    value, low, high, apart = scores.difference(a, b, metric)
    better = 0 if not apart else 1 if (value > 0) != scores.column(metric).smaller_is_better else -1
    if better == _SAYS[claim["says"]]:
        return ""
    said = {1: "better than", -1: "worse than", 0: "not to be told from"}[better]
    return f"{scores.name}: '{text}' does not hold: {a} is {said} {b}, {value:.3g} [{low:.3g}, {high:.3g}]"
