"""`WorkerPool`: tasks in separate processes that die with their parent, are restarted, and keep what they loaded.

Why not `concurrent.futures`: one dead process there breaks the whole pool, tasks cannot prefer the process that has
their scene in memory, and a killed parent leaves its children running. A worker is a fresh interpreter, limited to one
thread, so that the parent's thread settings, and whether its main module can be imported twice, never matter.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import subprocess
import sys
import threading
import traceback
from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe, wait
from types import TracebackType
from typing import Any, Protocol

from ...errors import InputError, RunError

ATTEMPTS = 3

#: One thread per worker: the cores are shared out between processes, and sums are made in one order only.
SINGLE_THREAD = {
    name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
}


class Task(Protocol):
    """One unit of work, picklable. Doing it twice must do no harm: it is repeated when its worker dies."""

    @property
    def name(self) -> str:
        """What an error message calls it."""

    @property
    def affinity(self) -> str:
        """What a worker loads for it: tasks with the same affinity go to the same worker while others are free."""

    def perform(self, state: Any) -> Any:
        """Do the work, given what the worker keeps between tasks; the result is sent to the parent."""


def available_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class WorkerPool:
    """A context manager that owns up to ``jobs`` workers, each with its own copy of ``state``."""

    def __init__(self, state: Any, jobs: int) -> None:
        self.state = state
        self.jobs = jobs
        self._workers: list[_Worker] = []

    def __enter__(self) -> WorkerPool:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        for worker in self._workers:
            worker.stop()
        self._workers.clear()

    def run(self, tasks: Sequence[Task]) -> Iterator[tuple[Task, Any]]:
        """Yield each task with its result, in the order of completion.

        Raises what a task raised where that is an `InputError` or a `RunError`; a `RunError` for any other exception,
        and for a task whose worker died ``ATTEMPTS`` times.
        """
        queue, deaths = _Queue(tasks), Counter[str]()
        while queue or any(worker.task for worker in self._workers):
            self._hand_out(queue)
            busy = {worker.connection: worker for worker in self._workers if worker.task}
            for connection in wait(list(busy)):
                worker = busy[connection]  # type: ignore[index]
                task = worker.task
                assert task is not None
                try:
                    outcome = worker.receive()
                except (EOFError, OSError):
                    self._bury(worker, task, queue, deaths)
                    continue
                yield task, outcome.unwrap(task)

    def _hand_out(self, queue: _Queue) -> None:
        idle = [worker for worker in self._workers if worker.task is None]
        while queue and (idle or len(self._workers) < self.jobs):
            if not idle:
                idle.append(_Worker(self.state))
                self._workers.append(idle[-1])
            taken = {worker.affinity for worker in self._workers if worker.task}
            worker = next((w for w in idle if queue.holds(w.affinity)), idle[0])
            idle.remove(worker)
            task = queue.take(worker.affinity, taken)
            try:
                worker.send(task)
            except OSError:  # it died while idle: that is not the task's fault
                self._workers.remove(worker)
                worker.stop()
                queue.put_back(task)

    def _bury(self, worker: _Worker, task: Task, queue: _Queue, deaths: Counter[str]) -> None:
        self._workers.remove(worker)
        status = worker.stop()
        deaths[task.name] += 1
        if deaths[task.name] >= ATTEMPTS:
            raise RunError(
                f"{task.name}: its worker died {ATTEMPTS} times ({_death(status)}); what was written is kept, run the "
                "same command again to resume"
            )
        queue.put_back(task)


def _death(status: int) -> str:
    if status == -9:
        return "killed by signal 9, often for lack of memory: use fewer --jobs"
    return f"killed by signal {-status}" if status < 0 else f"exit code {status}"


class _Queue:
    """Tasks by affinity. A worker keeps its own; then it takes one nobody works on; then the one with most left."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        self._tasks: defaultdict[str, deque[Task]] = defaultdict(deque)
        for task in tasks:
            self._tasks[task.affinity].append(task)

    def __bool__(self) -> bool:
        return bool(self._tasks)

    def holds(self, affinity: str) -> bool:
        return affinity in self._tasks

    def take(self, affinity: str, taken: set[str]) -> Task:
        if affinity not in self._tasks:
            free = [name for name in self._tasks if name not in taken]
            affinity = free[0] if free else max(self._tasks, key=lambda name: len(self._tasks[name]))
        task = self._tasks[affinity].popleft()
        if not self._tasks[affinity]:
            del self._tasks[affinity]
        return task

    def put_back(self, task: Task) -> None:
        self._tasks[task.affinity].appendleft(task)


@dataclass(frozen=True)
class _Outcome:
    """What came of a task: its result, or the exception in a form that always pickles."""

    result: Any = None
    error: type[InputError] | type[RunError] | None = None
    message: str = ""
    traceback: str = ""

    @classmethod
    def of_exception(cls, error: Exception) -> _Outcome:
        if isinstance(error, InputError | RunError):
            return cls(error=type(error), message=str(error))
        return cls(error=RunError, message=f"{type(error).__name__}: {error}", traceback=traceback.format_exc())

    def unwrap(self, task: Task) -> Any:
        if self.error is None:
            return self.result
        if not self.traceback:
            raise self.error(self.message)
        raise RunError(f"{task.name}: unexpected {self.message}") from RuntimeError(f"in a worker:\n{self.traceback}")


class _Worker:
    """The parent's end of one worker process. ``task`` is what it works on, None while it is idle."""

    def __init__(self, state: Any) -> None:
        self.task: Task | None = None
        self.affinity = ""
        self._dying = False
        self.connection, theirs = Pipe()
        lifeline, self._lifeline = os.pipe()
        self.process = subprocess.Popen(
            [sys.executable, "-c", _BOOT, str(theirs.fileno()), str(lifeline)],
            pass_fds=[theirs.fileno(), lifeline],
            env={**os.environ, **SINGLE_THREAD},
            stdin=subprocess.DEVNULL,
        )
        theirs.close()
        os.close(lifeline)
        with contextlib.suppress(OSError):  # a worker that is already dead shows when its first task is sent
            self.connection.send((list(sys.path), pickle.dumps(state)))

    def send(self, task: Task) -> None:
        self.connection.send_bytes(pickle.dumps(task))
        self.task, self.affinity = task, task.affinity

    def receive(self) -> _Outcome:
        try:
            outcome = self.connection.recv()
        except (EOFError, OSError):
            self._dying = True
            raise
        self.task = None
        return outcome

    def stop(self) -> int:
        """End the process at once, which is safe: whatever it was writing has a temporary name. Returns its status."""
        self.connection.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            if self._dying:
                self.process.wait(timeout=10)  # its end of the connection is gone: learn what it died of
        self.process.kill()
        os.close(self._lifeline)
        return self.process.wait()


#: sys.path comes first, before relocbench is imported, so that a worker imports what its parent would.
_BOOT = """
import sys
from multiprocessing.connection import Connection
connection = Connection(int(sys.argv[1]))
sys.path[:], state = connection.recv()
from relocbench.sim.processes.pool import serve
serve(connection, int(sys.argv[2]), state)
"""


def serve(connection: Connection, lifeline: int, pickled_state: bytes) -> None:
    """Run a worker: perform tasks until the parent closes the connection, or is gone."""
    import signal

    import cv2

    threading.Thread(target=_die_with_parent, args=(lifeline,), daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    cv2.setNumThreads(1)
    state = pickle.loads(pickled_state)
    with contextlib.suppress(EOFError, OSError):
        while True:
            task = pickle.loads(connection.recv_bytes())
            try:
                outcome = _Outcome(result=task.perform(state))
            except Exception as error:
                outcome = _Outcome.of_exception(error)
            connection.send(outcome)


def _die_with_parent(lifeline: int) -> None:
    os.read(lifeline, 1)  # the parent never writes: this returns when its end is closed, be it by SIGKILL
    os._exit(1)
