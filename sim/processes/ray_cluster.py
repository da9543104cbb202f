"""`RayCluster`: the executor that hands units to the machines of a Ray cluster.

All machines see the datasets, results and the working folder under the same paths: units read and write there, as they
do at home. What they return travels: a few numbers, but for training whole frames where no cache keeps them. On each
machine a unit is performed by a process like those of `LocalProcesses`.
"""

from __future__ import annotations

import logging
import os
import pickle
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import RayError

from ...errors import InputError
from .cores import available_cores
from .executor import check_shared
from .lanes import Lane, LaneExecutor, LaneLost, Outcome
from .local import LocalProcesses


class RayCluster(LaneExecutor["_RayLane"]):
    """A Ray cluster: ``address`` is that of its head, "auto" one that runs here; without, Ray is started for the run.

    ``jobs`` units at once on all machines together, by default as many as there are CPUs; each reserves one. Storage
    must be shared by all machines, under the same paths.
    """

    name = "ray"

    def __init__(self, *, jobs: int | None = None, address: str | None = None) -> None:
        super().__init__(jobs=jobs)
        if not ray.is_initialized():
            _connect(address, cpus=jobs or available_cores())
        self.jobs = jobs or max(1, int(ray.cluster_resources().get("CPU", 1)))

    def _open(self, state: bytes) -> _RayLane:
        return _RayLane(state)

    def _wait(self, lanes: Sequence[_RayLane]) -> list[_RayLane]:
        waited = {lane.news: lane for lane in lanes}
        ready, _ = ray.wait(list(waited))
        return [waited[news] for news in ready]


def _connect(address: str | None, *, cpus: int) -> None:
    own: dict[str, Any] = {"num_cpus": cpus, "include_dashboard": False} if address is None else {}
    try:
        ray.init(address=address or "local", logging_level=logging.ERROR, log_to_driver=False, **own)
    except (ConnectionError, RayError, RuntimeError, ValueError) as error:
        where = "--executor ray" if address is None else f"--address {address}"
        said = str(error).strip().partition("\n")[0]
        raise InputError(
            f"{where}: Ray cannot be reached: {said}; see 'ray status' on the head of the cluster"
        ) from error


@ray.remote(num_cpus=1, max_restarts=0)
class _Host:
    """Performs units on whichever machine Ray puts it, in a process that has nothing of Ray in it."""

    def __init__(self, path: list[str], folder: Path) -> None:
        sys.path.extend(entry for entry in path if entry not in sys.path)
        self._folder = folder
        self._local = LocalProcesses(jobs=1)
        self._state: Any = None

    def ready(self) -> None:
        """Return when the host is up."""

    def perform(self, unit: bytes, state: bytes) -> Outcome:
        """Perform a pickled unit, with the copy of a pickled state that its process keeps.

        That process works in the folder of the one who handed it out, which relative paths and settings are read from.
        """

        def perform() -> Any:
            if self._state is None:
                check_shared(self._folder)
                os.chdir(self._folder)
                self._state = pickle.loads(state)
            ((_, result),) = self._local.run([pickle.loads(unit)], self._state)
            return result

        return Outcome.of(perform)


class _RayLane(Lane):
    def __init__(self, state: bytes) -> None:
        self._state = ray.put(state)
        self._host = _Host.remote(list(sys.path), Path.cwd())  # type: ignore[attr-defined]
        self.ready = False
        self.news = self._host.ready.remote()

    def send(self, unit: bytes) -> None:
        self.news = self._host.perform.remote(unit, self._state)

    def receive(self) -> Outcome | None:
        try:
            outcome = ray.get(self.news)
        except RayError as error:
            raise LaneLost(f"{type(error).__name__}, often for lack of memory, or a machine was lost") from error
        self.ready = True
        return outcome

    def stop(self) -> None:
        ray.kill(self._host)
