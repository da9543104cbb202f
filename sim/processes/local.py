"""`LocalProcesses`: the executor that shares out the cores of this machine.

Why not `concurrent.futures`: one dead process there breaks the whole pool, units cannot prefer the process that has
their scene in memory, and a killed parent leaves its children running.
"""

from __future__ import annotations

import contextlib
import pickle
import signal
import subprocess
from collections.abc import Sequence
from multiprocessing.connection import Connection, wait

from .cores import available_cores
from .lanes import Lane, LaneExecutor, LaneLost, Outcome
from .worker_process import WorkerProcess


class LocalProcesses(LaneExecutor["_LocalLane"]):
    """The processes of this machine: ``jobs`` at once, all cores by default."""

    name = "local"

    def __init__(self, *, jobs: int | None = None, address: str | None = None) -> None:
        super().__init__(jobs=jobs or available_cores(), address=address)

    def _open(self, state: bytes) -> _LocalLane:
        return _LocalLane(state)

    def _wait(self, lanes: Sequence[_LocalLane]) -> list[_LocalLane]:
        news = wait([lane.process.connection for lane in lanes])
        return [lane for lane in lanes if lane.process.connection in news]


class _LocalLane(Lane):
    def __init__(self, state: bytes) -> None:
        self.process = WorkerProcess(f"{__name__}:perform_units")
        self.process.send(state)

    def send(self, unit: bytes) -> None:
        try:
            self.process.connection.send(unit)
        except OSError as error:
            raise LaneLost("it died while idle") from error

    def receive(self) -> Outcome:
        try:
            return self.process.receive()
        except (EOFError, OSError) as error:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.process.wait(timeout=10)  # its end of the pipe is gone: learn what it died of
            raise LaneLost(_death(self.process.kill())) from error

    def stop(self) -> None:
        self.process.kill()


def _death(ended: str) -> str:
    killed = ended == signal.SIGKILL.name
    return f"killed by {ended}, often for lack of memory: use fewer --jobs" if killed else ended


def perform_units(connection: Connection) -> None:
    """Be a lane's process: perform units until the other end is closed, or gone."""
    state = connection.recv()
    kept: list[object] = []

    def perform() -> object:
        if not kept:
            kept.append(pickle.loads(state))
        return pickle.loads(unit).perform(kept[0])

    while True:
        unit = connection.recv()
        connection.send(Outcome.of(perform))
