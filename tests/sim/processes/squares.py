"""Tasks for the tests of the worker pool; workers import this module by name."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from relocbench.errors import InputError, RunError
from relocbench.sim.processes.executor import check_shared


@dataclass(frozen=True)
class Square:
    number: int
    affinity: str = "squares"

    @property
    def name(self) -> str:
        return f"square of {self.number}"

    def perform(self, state: dict) -> tuple[int, int]:
        state["done"] = state.get("done", 0) + 1
        return self.number**2, os.getpid()


@dataclass(frozen=True)
class Fail(Square):
    kind: str = "input"

    def perform(self, state: dict) -> tuple[int, int]:
        raise {"input": InputError("bad scene"), "run": RunError("disk full"), "bug": KeyError("oops")}[self.kind]


@dataclass(frozen=True)
class DieOnce(Square):
    """Kills its worker as many times as there are files missing in a folder, then succeeds."""

    folder: Path = Path()
    times: int = 1

    def perform(self, state: dict) -> tuple[int, int]:
        deaths = len(list(self.folder.iterdir()))
        if deaths < self.times:
            (self.folder / str(deaths)).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().perform(state)


@dataclass(frozen=True)
class Sleep(Square):
    """Writes its process id into a file, then sleeps."""

    file: Path = Path()

    def perform(self, state: dict) -> tuple[int, int]:
        self.file.write_text(str(os.getpid()))
        time.sleep(600)
        return super().perform(state)


@dataclass
class Folder:
    """A state that is useless where its folder cannot be seen."""

    path: Path

    def __setstate__(self, state: dict) -> None:
        check_shared(state["path"])
        self.__dict__.update(state)
