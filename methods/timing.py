"""Stage spans: ``with stage("features"):`` names what is being timed inside a method.

Spans go to the recorder that is active in the current context (the runner's); without one, ``stage`` costs one
look-up and records nothing. A span's seconds are inclusive; ``parent`` lets a report compute exclusive times.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from time import perf_counter
from types import TracebackType


@dataclass(slots=True)
class Span:
    """One timed stage: its name, the index of the enclosing span (-1 for none), and its inclusive seconds."""

    name: str
    parent: int
    seconds: float


@dataclass(slots=True)
class Recorder:
    """Collects the spans of one call, in the order in which they were opened."""

    spans: list[Span] = field(default_factory=list)
    open: int = -1

    def __enter__(self) -> Recorder:
        _active.append(self)
        return self

    def __exit__(self, *exc: object) -> None:
        _active.pop()


_active: list[Recorder] = []  # a stack, one process runs one method at a time


def record(spans: Sequence[Span]) -> None:
    """Add spans that were measured elsewhere, in another process; their ``parent`` counts within ``spans``."""
    recorder = _active[-1] if _active else None
    if recorder is not None:
        first = len(recorder.spans)
        for span in spans:
            parent = recorder.open if span.parent < 0 else first + span.parent
            recorder.spans.append(replace(span, parent=parent))


class stage:  # noqa: N801 - reads as a statement: with stage("features"):
    """Context manager that records one named span in the active :class:`Recorder`."""

    __slots__ = ("_index", "_name", "_recorder", "_start")

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        recorder = _active[-1] if _active else None
        self._recorder = recorder
        if recorder is not None:
            self._index = len(recorder.spans)
            recorder.spans.append(Span(self._name, recorder.open, 0.0))
            recorder.open = self._index
        self._start = perf_counter()

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        seconds = perf_counter() - self._start
        recorder = self._recorder
        if recorder is not None:
            span = recorder.spans[self._index]
            span.seconds = seconds
            recorder.open = span.parent
