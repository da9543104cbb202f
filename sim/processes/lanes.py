"""Which process performs which unit next: what all executors with several processes share."""

from __future__ import annotations

import pickle
import traceback
from abc import ABC, abstractmethod
from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from ...errors import InputError, RunError
from .executor import Executor, U, Unit

ATTEMPTS = 3


@dataclass(frozen=True)
class Outcome:
    """What came of a unit: its result, or the exception in a form that always pickles."""

    result: Any = None
    error: type[InputError] | type[RunError] | None = None
    message: str = ""
    traceback: str = ""

    @classmethod
    def of(cls, perform: Any) -> Outcome:
        """Call ``perform`` and keep what it returns or raises."""
        try:
            return cls(result=perform())
        except (InputError, RunError) as error:
            return cls(error=type(error), message=str(error), traceback=_worker_traceback(error))
        except Exception as error:
            message = f"unexpected {type(error).__name__}: {error}"
            return cls(error=RunError, message=message, traceback=traceback.format_exc())

    def unwrap(self, unit: Unit) -> Any:
        """Return the result, or raise what was raised."""
        if self.error is None:
            return self.result
        if not self.traceback:
            raise self.error(self.message)
        named = self.message if self.message.startswith(unit.name) else f"{unit.name}: {self.message}"
        raise self.error(named) from RuntimeError(f"in a worker:\n{self.traceback}")


def _worker_traceback(error: Exception) -> str:
    """Return the traceback of a bug that an executor below this one has met already."""
    return str(error.__cause__) if isinstance(error.__cause__, RuntimeError) else ""


class LaneLost(Exception):
    """The process of a lane is gone; the message says how it ended."""


class Lane(ABC):
    """One of the processes that may run side by side. ``unit`` is what it is at, None while it is idle."""

    unit: Unit | None = None
    affinity: str | None = None  # that of its last unit, None while it had none
    ready = True  # whether it can be given something: elsewhere it may have to wait for a core

    @abstractmethod
    def send(self, unit: bytes) -> None:
        """Give it a pickled unit; raises ``LaneLost`` where it is gone."""

    @abstractmethod
    def receive(self) -> Outcome | None:
        """Return what came of the unit, None where all that happened is that it became ready."""

    @abstractmethod
    def stop(self) -> None:
        """End it and all that it started."""


L = TypeVar("L", bound=Lane)


class LaneExecutor(Executor, Generic[L]):
    """Keeps up to ``jobs`` lanes from one run to the next, as long as these have the same state."""

    def __init__(self, *, jobs: int | None = None, address: str | None = None) -> None:
        super().__init__(jobs=jobs, address=address)
        self._state: Any = None
        self._lanes: list[L] = []

    @abstractmethod
    def _open(self, state: bytes) -> L:
        """Start a lane with its own copy of a pickled state."""

    @abstractmethod
    def _wait(self, lanes: Sequence[L]) -> list[L]:
        """Return those of which there is news, after waiting for the first."""

    def run(self, units: Sequence[U], state: Any) -> Iterator[tuple[U, Any]]:
        """See :meth:`Executor.run`; raises ``RunError`` for a unit whose process died ``ATTEMPTS`` times."""
        if state is not self._state:
            self.close()
        self._state, pickled = state, pickle.dumps(state)
        queue, deaths = _Queue(units), Counter[int]()  # by the id of a unit: names are not unique
        try:
            while queue or any(lane.unit for lane in self._lanes):
                self._hand_out(queue, pickled, deaths)
                waited = [lane for lane in self._lanes if lane.unit or not lane.ready]
                for lane in self._wait(waited) if waited else ():  # none where all that were idle have died
                    unit = lane.unit
                    try:
                        outcome = lane.receive()
                    except LaneLost as lost:
                        self._bury(lane, lost, queue, deaths)
                        continue
                    if outcome is not None:
                        assert unit is not None
                        lane.unit = None
                        yield unit, outcome.unwrap(unit)  # type: ignore[misc]
        finally:
            for lane in [lane for lane in self._lanes if lane.unit]:  # nobody waits for these any more
                self._drop(lane)

    def close(self) -> None:
        """End all lanes."""
        for lane in list(self._lanes):
            self._drop(lane)
        self._state = None

    def _drop(self, lane: L) -> None:
        self._lanes.remove(lane)
        lane.stop()

    def _hand_out(self, queue: _Queue, state: bytes, deaths: Counter[int]) -> None:
        while len(self._lanes) < self.jobs and sum(lane.unit is None for lane in self._lanes) < len(queue):
            self._lanes.append(self._open(state))
        for lane in list(self._lanes):  # which lose those that have died
            if queue and lane.ready and lane.unit is None:
                self._give(lane, queue, deaths)

    def _give(self, lane: L, queue: _Queue, deaths: Counter[int]) -> None:
        unit = queue.take(lane.affinity, {other.affinity for other in self._lanes if other.unit})
        try:
            lane.send(pickle.dumps(unit))
        except LaneLost as lost:  # it died while idle: that is not the unit's fault
            queue.put_back(unit)
            if lane.affinity is None:  # it never came up: the next one may not either
                self._bury(lane, lost, queue, deaths)
            else:
                self._drop(lane)
        else:
            lane.unit, lane.affinity = unit, unit.affinity

    def _bury(self, lane: L, lost: LaneLost, queue: _Queue, deaths: Counter[int]) -> None:
        unit, name = lane.unit, lane.unit.name if lane.unit else "starting"
        lane.unit = None
        self._drop(lane)
        deaths[id(unit)] += 1
        if deaths[id(unit)] >= ATTEMPTS:
            raise RunError(
                f"{name}: its worker died {ATTEMPTS} times ({lost}); what was written is kept, run the same command "
                "again to resume"
            )
        if unit is not None:
            queue.put_back(unit)


class _Queue:
    """Units by affinity. A lane keeps its own; then it takes one nobody works on; then the one with most left."""

    def __init__(self, units: Sequence[Unit]) -> None:
        self._units: defaultdict[str, deque[Unit]] = defaultdict(deque)
        for unit in units:
            self._units[unit.affinity].append(unit)

    def __len__(self) -> int:
        return sum(len(units) for units in self._units.values())

    def take(self, affinity: str | None, taken: set[str | None]) -> Unit:
        if affinity is None or affinity not in self._units:
            free = [name for name in self._units if name not in taken]
            affinity = free[0] if free else max(self._units, key=lambda name: len(self._units[name]))
        unit = self._units[affinity].popleft()
        if not self._units[affinity]:
            del self._units[affinity]
        return unit

    def put_back(self, unit: Unit) -> None:
        self._units[unit.affinity].appendleft(unit)
