"""The two kinds of work that a worker does for the runner, and what each makes of the worker's messages."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

from ..errors import InputError, RunError
from .answers import failure
from .journal import Journal, read_entries
from .messages import (
    Answered,
    Assignment,
    Begun,
    Built,
    Command,
    Failed,
    Finished,
    Fit,
    Fitted,
    Localizing,
    Lost,
    Message,
    Ready,
    Unit,
    Unusable,
)
from .provenance import digest

_START_SECONDS = 300.0  # imports and weights from a cold disk; a worker that takes longer will not come


class Task(Protocol):
    """One piece of work for one worker at a time.

    ``deadline`` is when (``time.monotonic()``) the worker has had its time for what it does now, None for no limit.
    """

    assignment: Assignment  # what a worker must be for to do this
    key: str  # stands for the assignment: tasks with equal ones share a worker
    deadline: float | None
    finished: bool

    @property
    def log(self) -> Path:
        """Where what the method prints goes."""

    @property
    def ready(self) -> bool:
        """Whether everything that it needs has been done."""

    def start(self) -> Command | None:
        """Return what to tell the worker, or None where nothing is left to do after all."""

    def receive(self, message: Message) -> None:
        """Take in one message of the worker."""

    def lost(self, how: str, *, hung: bool) -> None:
        """Take in that the worker died (``how``) or was killed because it ``hung`` past the deadline."""

    def close(self) -> None:
        """Release what ``start`` opened."""


class FitTask:
    """Fits one method on the training split; the result is a folder that appears when it is complete."""

    def __init__(self, assignment: Assignment, folder: Path, record: dict[str, Any]) -> None:
        self.assignment, self.key = assignment, digest(asdict(assignment))
        self.folder = folder
        self.record = record
        self.failure: str | None = None  # why there is nothing, where there is nothing
        self.finished = folder.is_dir()
        self.deadline: float | None = None  # learning takes what it takes
        self.ready = True
        self._begun = False
        self._temporary = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")

    @property
    def log(self) -> Path:
        """Beside the folder of what was learned."""
        return self.folder.with_name(f"{self.folder.name}.log")

    def start(self) -> Command:
        """Fit into a folder with a temporary name."""
        self._temporary.mkdir(parents=True)
        return Fit(str(self._temporary))

    def receive(self, message: Message) -> None:
        """Put the folder in place when the fit is complete."""
        match message:
            case Begun():
                self._begun = True
            case Fitted():
                facts = {**self.record, "seconds": message.seconds, "peak_memory_bytes": message.peak_memory_bytes}
                self.folder.with_name(f"{self.folder.name}.json").write_text(json.dumps(facts, indent=1) + "\n")
                self._temporary.rename(self.folder)
                self.finished = True
            case Failed():
                self._give_up(message.reason)
            case Unusable():
                raise InputError(message.message)

    def lost(self, how: str, *, hung: bool) -> None:
        """A fit is not tried again: what kills a process once, kills it again."""
        if not self._begun:
            raise RunError(_no_start(how, self.log))
        self._give_up(f"fit: worker died ({how})")

    def close(self) -> None:
        """Remove what an unfinished fit left."""
        shutil.rmtree(self._temporary, ignore_errors=True)

    def _give_up(self, reason: str) -> None:
        shutil.rmtree(self._temporary, ignore_errors=True)
        self.failure, self.finished = reason, True


class UnitTask:
    """One method on one map at one density: its queries, answered into a journal, one line each.

    A query during which the worker dies or hangs is a failure; the next worker builds the map again and goes on with
    the query after it. A map that cannot be built fails all queries that are left in it.
    """

    def __init__(
        self,
        assignment: Assignment,
        *,
        map_name: str,
        density: int,
        queries: list[str],
        journal: Path,
        log: Path,
        fit: FitTask | None,
        query_timeout: float,
        map_timeout: float,
        machine: str,
        answered: Callable[[], None],
    ) -> None:
        self.assignment, self.key = assignment, digest(asdict(assignment))
        self.map, self.density = map_name, density
        self.journal, self.log = journal, log
        self.deadline: float | None = None
        self._fit = fit
        self._limits = {"start": _START_SECONDS, "load": _START_SECONDS}
        self._limits |= {"build_map": map_timeout, "localize": query_timeout}
        self._machine = machine
        self._answered = answered
        done = {entry["query"] for entry in read_entries(journal)[0] if entry["kind"] == "answer"}
        self._pending = deque(query for query in queries if query not in done)
        self.finished = not self._pending
        self._step, self._since, self._begun = "start", 0.0, False
        self._last_words = ""  # the worker's, where it knew why it had to end
        self._start_seconds = float("nan")
        self._file: Journal | None = None
        for _ in done:
            answered()

    @property
    def ready(self) -> bool:
        """Whether the fit that it needs is over."""
        return self._fit is None or self._fit.finished

    def start(self) -> Command | None:
        """Ask for the queries that have no answer; without a fit they all fail here."""
        self.close()
        self._file = Journal(self.journal)
        self._begun, self._last_words = False, ""
        if self._fit is not None and self._fit.failure is not None:
            self._fail_all(self._fit.failure)
        if self.finished:
            return None
        self._enter("start")
        return Unit(self.map, self.density, tuple(self._pending))

    def receive(self, message: Message) -> None:
        """Journal answers; set the deadline of each step."""
        match message:
            case Begun():
                self._begun = True
            case Ready():
                self._start_seconds = message.seconds
                self._enter("build_map")
            case Built():
                self._record_map(message)
                self._enter("load")
            case Localizing():
                self._enter("localize")
            case Answered():
                self._record_answer(message.query, message.answer)
                self._enter("load")
            case Finished():
                self.finished = True
            case Failed():
                self._fail_all(message.reason)
            case Lost():
                self._last_words = message.reason
            case Unusable():
                raise InputError(message.message)

    def lost(self, how: str, *, hung: bool) -> None:
        """Record what the loss of the worker means for the query, or the map, that it was at."""
        if not self._begun:
            raise RunError(_no_start(how, self.log))
        ended = f"timed out after {self._limits[self._step]:g} s" if hung else f"worker died ({how})"
        reason = self._last_words or ended
        if self._step in ("start", "build_map"):
            self._fail_all(f"{self._step}: {reason}")
        elif self._pending:
            seconds = time.monotonic() - self._since if self._step == "localize" else float("nan")
            self._record_answer(self._pending[0], {**failure(reason), **_no_times(seconds)})
        self.finished = not self._pending

    def close(self) -> None:
        """Close the journal."""
        if self._file is not None:
            self._file.close()
        self._file = None

    def _enter(self, step: str) -> None:
        self._step, self._since = step, time.monotonic()
        self.deadline = self._since + self._limits[step]

    def _record_map(self, built: Built) -> None:
        self._write(
            {
                "kind": "map",
                "references": built.references,
                "start_seconds": self._start_seconds,
                "build_seconds": built.seconds,
                "map_bytes": built.map_bytes,
                "peak_memory_bytes": built.peak_memory_bytes,
                "machine": self._machine,
            }
        )

    def _record_answer(self, query: str, answer: dict[str, Any]) -> None:
        if query != self._pending[0]:
            raise RunError(f"{self.log}: the worker answered {query}, not {self._pending[0]}")
        self._write({"kind": "answer", "query": query, **answer, "machine": self._machine})
        self._pending.popleft()
        self._answered()

    def _fail_all(self, reason: str) -> None:
        while self._pending:
            self._record_answer(self._pending[0], {**failure(reason), **_no_times(float("nan"))})
        self.finished = True

    def _write(self, entry: dict[str, Any]) -> None:
        assert self._file is not None
        self._file.append(entry)


def _no_times(seconds: float) -> dict[str, Any]:
    return {"load_seconds": float("nan"), "seconds": seconds, "warm": False, "spans": [], "peak_memory_bytes": 0}


def _no_start(how: str, log: Path) -> str:
    last = log.read_text(errors="replace").strip().rpartition("\n")[2] if log.exists() else ""
    return f"a worker could not start ({how}): {last or 'it printed nothing'}; see {log}"
