"""Bars on standard error that say how far long work is; where there is nothing to do there is no bar."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

T = TypeVar("T")


def progress_bars(shown: bool) -> Progress:
    """Return a context manager under which bars are drawn, or with ``shown`` False none."""
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True), disable=not shown)


def followed(results: Iterable[T], bars: Progress, *, total: int, title: str) -> Iterator[T]:
    """Yield ``results``, ``total`` of them, and move a bar on with each."""
    return iter(bars.track(results, total=total, description=title) if total else results)
