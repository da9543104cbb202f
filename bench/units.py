"""`FitUnit` and `MapUnit`: the two kinds of work of a run, each with the supervision of the worker that does it.

A unit runs on the host whose cores do the work: its clocks, its deadlines and the machine that it names are that
host's. Where it runs again after its own process died, it goes on with what its journal or its folder lacks.

A unit knows the ground truth, and keeps it from its worker: what that is given lies in a sealed folder on the same host
(:mod:`relocbench.datasets.sealed`), and what it learns or loads passes through there too.
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

from ..datasets.sealed import QueryToSeal, SealedViews, ViewsToSeal, lay_folder, sealed_folder
from ..errors import InputError, RunError
from ..methods.privileges import withheld
from ..sim.processes.executor import check_shared
from ..sim.processes.hiding import can_hide
from ..sim.processes.locks import FOREVER, held
from ..sim.processes.worker_process import WorkerProcess
from .journal import OF_FIT, Journal, answers
from .messages import (
    Answered,
    Ask,
    Assignment,
    Begun,
    Built,
    Command,
    Failed,
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
    hardware: dict[str, Any] = field(default_factory=lambda: {**hardware(), "hides_folders": can_hide()})
    failure: str = ""


class WorkerLost(Exception):
    """The worker died or was ended because it hung; the message says which."""


class MethodWorkers:
    """What whoever performs units keeps between them: the worker that has one method loaded.

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
        self.end()

    def ask(self, question: Ask) -> None:
        """Give the worker that has built a map one query."""
        assert self._worker is not None
        self._worker.send(question)

    def tell(self, command: Command, assignment: Assignment, log: Path) -> None:
        """Give ``command`` to the worker that does ``assignment``, which is started where it is not there."""
        if self._worker is None or self._assignment != assignment or self._worker.process.poll() is not None:
            self.end()
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
            raise WorkerLost(f"worker died ({self.end()})") from None
        self.end()
        raise WorkerLost(f"timed out after {limit:g} s")

    def end(self) -> str:
        """End the worker; return how it ended."""
        how = "" if self._worker is None else self._worker.kill()
        self._worker = None
        return how


@dataclass(frozen=True)
class FitUnit:
    """Fits one method on the training split, once; the result is a folder that appears when it is complete.

    The global generators start from ``seed``.
    """

    assignment: Assignment
    train: ViewsToSeal | None
    seed: int
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
        """Fit into a sealed folder; return why there is nothing, "" where there is something."""
        if self.train is None:
            return "fit: the dataset has no training views; learn from another one (--fit-from)"
        with sealed_folder(Path(self.train.root)) as sealed:
            learned = sealed / "learned"
            learned.mkdir()
            views = self.train.seal(sealed / "train")
            workers.tell(Fit(views, str(learned), self.seed), self.assignment, self.log)
            return self._fitted(workers, self.train, sealed / "train", learned)

    def _fitted(self, workers: MethodWorkers, train: ViewsToSeal, sealed: Path, learned: Path) -> str:
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
                    self._keep(learned, message)
                    return ""
                case Failed():
                    return message.reason
                case Unusable():
                    raise InputError(train.unsealed(message.message, sealed))

    def _keep(self, learned: Path, cost: Fitted) -> None:
        """Take over what was learned: facts about it first, then the folder, in one step."""
        for left in self.folder.parent.glob(f".{self.folder.name}.*.tmp"):  # half done by somebody who was killed
            shutil.rmtree(left, ignore_errors=True)
        temporary = self.folder.with_name(f".{self.folder.name}.{uuid.uuid4().hex}.tmp")
        try:
            lay_folder(learned, temporary)
            costs = {"seconds": cost.seconds, "peak_memory_bytes": cost.peak_memory_bytes}
            facts = {**self.facts, "machine": fingerprint(), **costs}
            self.folder.with_name(f"{self.folder.name}.json").write_text(json.dumps(facts, indent=1) + "\n")
            temporary.rename(self.folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


@dataclass(frozen=True)
class MapUnit:
    """One method on one map at one density: its queries, answered into a journal, one line each.

    A query during which the worker dies or hangs is a failure; the next worker builds the map again and goes on with
    the query after it. A map that cannot be built fails all queries that are left in it, and so does a method that
    could not be fitted, for the reason ``unfit``. What the method learned here lies in the folder ``learned``; the
    global generators start from ``seed``.
    """

    assignment: Assignment
    map: str
    density: int
    references: ViewsToSeal
    queries: tuple[QueryToSeal, ...]
    seed: int
    learned: Path | None
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
        """The method with its configuration, which a worker has loaded."""
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
            if answering.pending:
                self._answer(answering, workers)
        return Done()

    def _answer(self, answering: _Answering, workers: MethodWorkers) -> None:
        with contextlib.ExitStack() as stack:
            folder = stack.enter_context(sealed_folder(Path(self.references.root)))
            learned = None
            if self.learned is not None:
                learned = stack.enter_context(sealed_folder(self.learned)) / "learned"
                lay_folder(self.learned, learned)
            desk = folder / "query"
            desk.mkdir()
            references = self.references.seal(folder / "references", withheld=withheld(self.assignment.privileges))
            hidden = (*self.assignment.hidden, str(folder.parent)) if self.assignment.hidden else ()
            assignment = replace(self.assignment, hidden=hidden)
            handed = _HandedOver(assignment, references, None if learned is None else str(learned), desk)
            while answering.pending:
                answering.go_on(workers, handed)


@dataclass(frozen=True)
class _HandedOver:
    """What lies ready for the worker of a map: its references, what its method learned, and the place of one query."""

    assignment: Assignment
    references: SealedViews
    learned: str | None
    desk: Path


class _Answering:
    """A unit under way: what is ``pending``, and the journal of what is not."""

    def __init__(self, unit: MapUnit) -> None:
        self.unit = unit
        done = answers(unit.journal)
        if unit.learned is not None and not unit.unfit:  # an earlier try may have found nothing learned
            done = {query: answer for query, answer in done.items() if not answer["reason"].startswith(OF_FIT)}
        # in the order of the seeds, which tells nothing: that of the dataset may follow places or a trajectory
        asked = sorted(unit.queries, key=lambda query: (query.seed, query.id))
        self.pending = deque(query for query in asked if query.id not in done)
        self._journal = Journal(unit.journal)
        self._machine = fingerprint()
        self._begun = False  # whether the worker has; from then on a loss is the method's
        self._step, self._since, self._start_seconds = "start", 0.0, float("nan")
        self._last_words = ""  # the worker's, where it knew why it had to end

    def close(self) -> None:
        """Close the journal."""
        self._journal.close()

    def go_on(self, workers: MethodWorkers, handed: _HandedOver) -> None:
        """Have a worker build the map and answer what is pending, until it is done with that or lost."""
        unit = self.unit
        self._begun, self._last_words = False, ""
        self._enter("start")
        command = Unit(handed.references, handed.learned, unit.seed, len(self.pending))
        workers.tell(command, handed.assignment, unit.log)
        try:
            while self._take_in(message := workers.hear(unit.limit(self._step)), handed):
                if isinstance(message, Built | Answered):
                    workers.ask(self._question(handed.desk))
        except WorkerLost as lost:
            if not self._begun:
                raise RunError(_no_start(lost, unit.log)) from lost
            self._lose(self._last_words or str(lost))
        except BaseException:
            workers.end()  # it may be waiting for a query, and would take the next command for one
            raise

    def _question(self, desk: Path) -> Ask:
        """Lay the next query on the desk, and nothing of those after it."""
        number, granted = len(self.pending), self.unit.assignment.privileges
        return Ask(number, self.pending[0].seal(desk, number=number, granted=granted))

    def fail_all(self, reason: str) -> None:
        """Journal a failure of everything that is pending."""
        while self.pending:
            self._record_answer({**failure(reason), **_no_times(float("nan"))})

    def _take_in(self, message: Message, handed: _HandedOver) -> bool:
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
                self._check_number(message.number)
                self._record_answer(message.answer)
                self._enter("load")
                return bool(self.pending)
            case Lost():
                self._last_words = message.reason
            case Failed():
                self.fail_all(message.reason)
                return False
            case Unusable():
                raise InputError(self._unsealed(message.message, handed))
        return True

    def _lose(self, reason: str) -> None:
        """Record what the loss of the worker means for the query, or the map, that it was at."""
        if self._step in ("start", "build_map"):
            self.fail_all(f"{self._step}: {reason}")
        elif self.pending:
            seconds = time.monotonic() - self._since if self._step == "localize" else float("nan")
            self._record_answer({**failure(reason), **_no_times(seconds)})

    def _unsealed(self, message: str, handed: _HandedOver) -> str:
        if self._step == "load":
            return self.pending[0].unsealed(message, handed.desk, number=len(self.pending))
        return self.unit.references.unsealed(message, Path(handed.references.folder))

    def _check_number(self, number: int) -> None:
        if number != len(self.pending):
            raise RunError(f"{self.unit.log}: the worker answered query {number}, not {len(self.pending)}")

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

    def _record_answer(self, answer: dict[str, Any]) -> None:
        self._journal.append({"kind": "answer", "query": self.pending[0].id, **answer, "machine": self._machine})
        self.pending.popleft()


def _no_times(seconds: float) -> dict[str, Any]:
    return {"load_seconds": float("nan"), "seconds": seconds, "warm": False, "spans": [], "peak_memory_bytes": 0}


def _no_start(how: WorkerLost, log: Path) -> str:
    last = log.read_text(errors="replace").strip().rpartition("\n")[2] if log.exists() else ""
    return f"a worker could not start: {how}: {last or 'it printed nothing'}; see {log}"
