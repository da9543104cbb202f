"""`FitUnit` and `MapUnit`: the two kinds of work of a run, each with the supervision of the worker that does it.

A unit runs on the host whose cores do the work: its clocks, its deadlines and the machine that it names are that
host's. Where it runs again after its own process died, it goes on with what its journal or its folder lacks.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import time
import uuid
from collections import deque
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..errors import InputError, RunError
from ..sim.processes.executor import check_shared
from ..sim.processes.locks import FOREVER, held
from ..sim.processes.worker_process import WorkerProcess
from .journal import OF_FIT, Journal, answers
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
    failure,
)
from .provenance import digest, fingerprint, hardware

_START_SECONDS = 300.0  # imports and weights from a cold disk; a worker that takes longer will not come
_LAST_WRITE_SECONDS = 180.0  # until a lost machine writes no more: twice the lease of its lock on NFS, 90 s


@dataclass(frozen=True)
class Done:
    """What is known when a unit is over: where it was measured, and why it came to nothing, where it did."""

    machine: str = field(default_factory=fingerprint)
    hardware: dict[str, Any] = field(default_factory=hardware)
    failure: str = ""


class WorkerLost(Exception):
    """The worker died or was ended because it hung; the message says which."""


class MethodWorkers:
    """What whoever performs units keeps between them: the worker that has one method and dataset loaded.

    ``folder`` is where results go. A context manager, for those that perform units in their own process.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._worker: WorkerProcess | None = None
        self._assignment: Assignment | None = None

    def __getstate__(self) -> Path:
        return self.folder

    def __setstate__(self, folder: Path) -> None:
        check_shared(folder)
        self.__init__(folder)  # type: ignore[misc]

    def __enter__(self) -> MethodWorkers:
        return self

    def __exit__(self, *raised: object) -> None:
        self._end()

    def tell(self, command: Command, assignment: Assignment, log: Path) -> None:
        """Give ``command`` to the worker that does ``assignment``, which is started where it is not there."""
        if self._worker is None or self._assignment != assignment or self._worker.process.poll() is not None:
            self._end()
            launched = time.monotonic()
            self._worker = WorkerProcess("relocbench.bench.worker:serve", log=log)
            self._worker.send(replace(assignment, launched=launched))
            self._assignment = assignment
        self._worker.send(command)

    def hear(self, limit: float | None) -> Message:
        """Return the worker's next message; raises ``WorkerLost`` where it dies or says nothing for so many seconds."""
        assert self._worker is not None
        try:
            if self._worker.connection.poll(limit):
                return self._worker.receive()
        except (EOFError, OSError):
            raise WorkerLost(f"worker died ({self._end()})") from None
        self._end()
        raise WorkerLost(f"timed out after {limit:g} s")

    def _end(self) -> str:
        how = "" if self._worker is None else self._worker.kill()
        self._worker = None
        return how


@dataclass(frozen=True)
class FitUnit:
    """Fits one method on the training split, once; the result is a folder that appears when it is complete."""

    assignment: Assignment
    folder: Path
    facts: dict[str, Any]

    @property
    def name(self) -> str:
        """What an error message calls it."""
        return f"fitting {self.assignment.method}"

    @property
    def affinity(self) -> str:
        """Every fit on its own."""
        return str(self.folder)

    @property
    def log(self) -> Path:
        """Where what the method prints goes: beside the folder of what was learned."""
        return self.folder.with_name(f"{self.folder.name}.log")

    def perform(self, workers: MethodWorkers) -> Done:
        """Fit, unless that is done; whoever else is at the same fit is waited for.

        A fit whose worker dies is tried again by the next run only: what kills a process once, kills it again.
        """
        lock = self.folder.with_name(f".{self.folder.name}.lock")
        with held(lock, busy=RunError(f"{lock}: taken"), wait=FOREVER):
            return Done() if self.folder.is_dir() else Done(failure=self._fit(workers))

    def _fit(self, workers: MethodWorkers) -> str:
        """Fit into a folder with a temporary name; return why there is nothing, "" where there is something."""
        for left in self.folder.parent.glob(f".{self.folder.name}.*.tmp"):  # half done by somebody who was killed
            shutil.rmtree(left, ignore_errors=True)
        temporary = self.folder.with_name(f".{self.folder.name}.{uuid.uuid4().hex}.tmp")
        temporary.mkdir()
        workers.tell(Fit(str(temporary)), self.assignment, self.log)
        try:
            return self._fitted(workers, temporary)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)

    def _fitted(self, workers: MethodWorkers, temporary: Path) -> str:
        begun = False
        while True:
            try:
                message = workers.hear(None)  # learning takes what it takes
            except WorkerLost as lost:
                if not begun:
                    raise RunError(_no_start(lost, self.log)) from lost
                return f"fit: {lost}"
            match message:
                case Begun():
                    begun = True
                case Fitted():
                    cost = {"seconds": message.seconds, "peak_memory_bytes": message.peak_memory_bytes}
                    facts = {**self.facts, "machine": fingerprint(), **cost}
                    self.folder.with_name(f"{self.folder.name}.json").write_text(json.dumps(facts, indent=1) + "\n")
                    temporary.rename(self.folder)
                    return ""
                case Failed():
                    return message.reason
                case Unusable():
                    raise InputError(message.message)


@dataclass(frozen=True)
class MapUnit:
    """One method on one map at one density: its queries, answered into a journal, one line each.

    A query during which the worker dies or hangs is a failure; the next worker builds the map again and goes on with
    the query after it. A map that cannot be built fails all queries that are left in it, and so does a method that
    could not be fitted, for the reason ``unfit``.
    """

    assignment: Assignment
    map: str
    density: int
    queries: tuple[str, ...]
    journal: Path
    log: Path
    query_timeout: float
    map_timeout: float
    unfit: str = ""

    @property
    def name(self) -> str:
        """What an error message calls it."""
        return f"{self.assignment.method} on map {self.map} at density {self.density}"

    @property
    def affinity(self) -> str:
        """The method with its configuration and the dataset, which a worker has loaded."""
        return digest(vars(self.assignment))

    def limit(self, step: str) -> float:
        """Return how many seconds a step of the worker may take."""
        return {"build_map": self.map_timeout, "localize": self.query_timeout}.get(step, _START_SECONDS)

    def perform(self, workers: MethodWorkers) -> Done:
        """Answer the queries that have no answer in the journal."""
        busy = RunError(f"{self.journal}: another process is answering these queries; wait for it, then run again")
        with (
            held(self.journal.with_suffix(".lock"), busy=busy, wait=_LAST_WRITE_SECONDS),
            contextlib.closing(_Answering(self)) as answering,
        ):
            if self.unfit:
                answering.fail_all(self.unfit)
            while answering.pending:
                answering.go_on(workers)
        return Done()


class _Answering:
    """A unit under way: what is ``pending``, and the journal of what is not."""

    def __init__(self, unit: MapUnit) -> None:
        self.unit = unit
        done = answers(unit.journal)
        if unit.assignment.fit_folder is not None and not unit.unfit:  # an earlier try may have found nothing learned
            done = {query: answer for query, answer in done.items() if not answer["reason"].startswith(OF_FIT)}
        self.pending = deque(query for query in unit.queries if query not in done)
        self._journal = Journal(unit.journal)
        self._machine = fingerprint()
        self._begun = False  # whether the worker has; from then on a loss is the method's
        self._step, self._since, self._start_seconds = "start", 0.0, float("nan")
        self._last_words = ""  # the worker's, where it knew why it had to end

    def close(self) -> None:
        """Close the journal."""
        self._journal.close()

    def go_on(self, workers: MethodWorkers) -> None:
        """Have a worker build the map and answer what is pending, until it is done with that or lost."""
        unit = self.unit
        self._begun, self._last_words = False, ""
        self._enter("start")
        workers.tell(Unit(unit.map, unit.density, tuple(self.pending)), unit.assignment, unit.log)
        try:
            while self._take_in(workers.hear(unit.limit(self._step))):
                pass
        except WorkerLost as lost:
            if not self._begun:
                raise RunError(_no_start(lost, unit.log)) from lost
            self._lose(self._last_words or str(lost))

    def fail_all(self, reason: str) -> None:
        """Journal a failure of everything that is pending."""
        while self.pending:
            self._record_answer(self.pending[0], {**failure(reason), **_no_times(float("nan"))})

    def _take_in(self, message: Message) -> bool:
        """Journal what a message says; return whether there will be another one."""
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
            case Lost():
                self._last_words = message.reason
            case Failed():
                self.fail_all(message.reason)
            case Unusable():
                raise InputError(message.message)
        return not isinstance(message, Failed | Finished)

    def _lose(self, reason: str) -> None:
        """Record what the loss of the worker means for the query, or the map, that it was at."""
        if self._step in ("start", "build_map"):
            self.fail_all(f"{self._step}: {reason}")
        elif self.pending:
            seconds = time.monotonic() - self._since if self._step == "localize" else float("nan")
            self._record_answer(self.pending[0], {**failure(reason), **_no_times(seconds)})

    def _enter(self, step: str) -> None:
        self._step, self._since = step, time.monotonic()

    def _record_map(self, built: Built) -> None:
        self._journal.append(
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
        if query != self.pending[0]:
            raise RunError(f"{self.unit.log}: the worker answered {query}, not {self.pending[0]}")
        self._journal.append({"kind": "answer", "query": query, **answer, "machine": self._machine})
        self.pending.popleft()


def _no_times(seconds: float) -> dict[str, Any]:
    return {"load_seconds": float("nan"), "seconds": seconds, "warm": False, "spans": [], "peak_memory_bytes": 0}


def _no_start(how: WorkerLost, log: Path) -> str:
    last = log.read_text(errors="replace").strip().rpartition("\n")[2] if log.exists() else ""
    return f"a worker could not start: {how}: {last or 'it printed nothing'}; see {log}"
