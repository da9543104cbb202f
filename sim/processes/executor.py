"""`Executor`: a place to compute. What hands it work does not know whether that is this machine or a cluster."""

from __future__ import annotations

import socket
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Protocol, Self, TypeVar

from ...errors import InputError
from ...registry import Registry, complete_class


class Unit(Protocol):
    """One unit of work: picklable, and complete wherever it is performed.

    It supervises what it starts, keeps its own time limits and clocks, and writes its own records, on the machine
    where it runs. Doing it twice must do no harm: it is repeated when the process that performs it dies.
    """

    @property
    def name(self) -> str:
        """What an error message calls it."""

    @property
    def affinity(self) -> str:
        """What a process loads for it: units with the same affinity go to the same process while others are free."""

    def perform(self, state: Any) -> Any:
        """Do the work, given what the process keeps between units; return a picklable result."""


U = TypeVar("U", bound=Unit)


class Executor(ABC):
    """Performs units, with up to ``jobs`` of them at once; ``address`` says where, to those that can be elsewhere.

    It may be run again after it was closed. Another one is a subclass with :meth:`run`, by an entry point of the group
    ``relocbench.executors``.
    """

    name: ClassVar[str] = "unnamed"

    def __init__(self, *, jobs: int | None = None, address: str | None = None) -> None:
        if address is not None:
            raise InputError(f"--address {address}: an executor with an address is wanted, such as --executor ray")
        self.jobs = jobs or 1

    @abstractmethod
    def run(self, units: Sequence[U], state: Any) -> Iterator[tuple[U, Any]]:
        """Yield each unit with its result, in the order of completion.

        Every process that performs units has a copy of ``state``, made when it starts, and keeps in it what it loads.
        Raises what a unit raised where that is an ``InputError`` or a ``RunError``, and a ``RunError`` for anything
        else.
        """

    def close(self) -> None:  # noqa: B027 - one that keeps nothing has nothing to end
        """End everything that was started, at once: whatever is being written has a temporary name."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        self.close()


#: The places to compute, by the name that ``--executor`` takes.
EXECUTORS: Registry[type[Executor]] = Registry(
    "executor",
    "executors",
    {"local": ".sim.processes.local:LocalProcesses", "ray": ".sim.processes.ray_cluster:RayCluster"},
    extra="ray",
    check=complete_class(Executor),
)


def make_executor(name: str = "local", *, jobs: int | None = None, address: str | None = None) -> Executor:
    """Return the executor called ``name``; raises ``InputError`` where there is none, or it cannot be had here."""
    return EXECUTORS.load(name)(jobs=jobs, address=address)


def check_shared(folder: Path) -> None:
    """Raise ``InputError`` where a folder of the one who started the work cannot be seen by the one who performs it."""
    if not folder.exists():
        raise InputError(
            f"{folder}: not there on {socket.gethostname()}; all machines that take part must share the storage that "
            "datasets and results lie on, under the same path"
        )
