"""Tables as the page shows them: what a cell sorts by, its bar, its colour."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from .palette import MethodStyle, page_colour
from .tables import Cell, Column, Table


@dataclass(frozen=True)
class Bar:
    """An interval drawn in a cell, in percent of the bar's width."""

    low: float
    at: float
    high: float


@dataclass(frozen=True)
class PageCell:
    """A cell: its words, the value that it sorts by ("" where there is none), and what is drawn in it."""

    main: str
    interval: str
    sort: str
    numeric: bool
    is_method: bool
    swatch: str
    bar: Bar | None


@dataclass(frozen=True)
class PageRow:
    """A row, and the role of its method: bounds are drawn back."""

    cells: list[PageCell]
    role: str


@dataclass(frozen=True)
class PageTable:
    """A table for the template; ``kind`` is its class, ``sorted_column`` what it is ordered by, or -1."""

    caption: str
    kind: str
    columns: tuple[Column, ...]
    rows: list[PageRow]
    notes: tuple[str, ...]
    sorted_column: int


def page_table(
    table: Table, styles: Mapping[str, MethodStyle], roles: Mapping[str, str], *, kind: str = "", sorted_by: str = ""
) -> PageTable:
    """Return a table for the page: bars where there are intervals, a swatch beside each method's name.

    ``sorted_by`` is the title of the column that the rows are ordered by, "" where none is.
    """
    scales = [_BarScale.of(column, [row[i] for row in table.rows]) for i, column in enumerate(table.columns)]
    first = next((i for i, column in enumerate(table.columns) if column.header == "Method"), None)
    rows = []
    for row in table.rows:
        name = str(row[first].value) if first is not None else ""
        cells = [
            _cell(cell, column, scale, page_colour(styles[name].colour) if i == first else None)
            for i, (cell, column, scale) in enumerate(zip(row, table.columns, scales, strict=True))
        ]
        rows.append(PageRow(cells, roles.get(name, "")))
    columns = tuple(replace(column, header=_unbroken(column.header)) for column in table.columns)
    titles = [column.title for column in table.columns]
    sorted_column = titles.index(sorted_by) if sorted_by else -1
    return PageTable(table.caption, kind, columns, rows, table.notes, sorted_column)


def _unbroken(header: str) -> str:
    """Keep numbers and their units on one line: "5 m"."""
    return re.sub(r"(?<=\d) (?=m\b)", "\u00a0", header)


def _cell(cell: Cell, column: Column, scale: _BarScale | None, swatch: str | None) -> PageCell:
    return PageCell(
        main=cell.main,
        interval=cell.interval,
        sort=_sort_key(cell.value),
        numeric=column.numeric,
        is_method=swatch is not None,
        swatch=swatch or "",
        bar=None if scale is None else scale.bar(cell),
    )


def _sort_key(value: float | str) -> str:
    if isinstance(value, str):
        return value
    return "" if math.isnan(value) else repr(float(value))  # infinity reads "inf", which the script knows


@dataclass(frozen=True)
class _BarScale:
    """The common scale of a column's bars: shares from 0 to 1, errors from the least to the largest, logarithmic."""

    low: float
    high: float
    logarithmic: bool

    @classmethod
    def of(cls, column: Column, cells: list[Cell]) -> _BarScale | None:
        if not column.has_interval or all(math.isnan(cell.low) for cell in cells):
            return None
        if not column.smaller_is_better:
            return cls(0.0, 100.0 if column.unit == "%" else 1.0, False)
        values = [float(v) for cell in cells for v in (cell.value, cell.low, cell.high)]
        positive = [value for value in values if math.isfinite(value) and value > 0]
        return cls(min(positive), max(positive), True) if positive and min(positive) < max(positive) else None

    def bar(self, cell: Cell) -> Bar | None:
        if math.isnan(cell.low) or isinstance(cell.value, str) or math.isnan(cell.value):
            return None
        return Bar(self._place(cell.low), self._place(cell.value), self._place(cell.high))

    def _place(self, value: float) -> float:
        if math.isinf(value):
            return 100.0
        low, high = self.low, self.high
        if self.logarithmic:
            value, low, high = (math.log(max(v, self.low)) for v in (value, low, high))
        return round(100 * min(max((value - low) / (high - low), 0.0), 1.0), 1)
