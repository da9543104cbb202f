"""Hands tasks to worker processes, with deadlines; one loop, no threads."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import wait

from .process import WorkerProcess
from .tasks import Task


@dataclass
class _Lane:
    """One of the processes that may run side by side: its worker, and the task that this one is at."""

    worker: WorkerProcess | None = None
    key: str = ""  # what the worker is for
    task: Task | None = None

    def close(self) -> None:
        if self.worker is not None:
            self.worker.kill()
        self.worker = None


def perform(tasks: Sequence[Task], *, jobs: int, finished: Callable[[Task], None]) -> None:
    """Do all tasks with up to ``jobs`` workers; ``finished`` is called once per task, in order of completion.

    What a task does to its worker (hang, crash) ends in that task's own record; only what is wrong with the input or
    the disk is raised (`InputError`, `RunError`). All workers are gone when this returns or raises.
    """
    lanes = [_Lane() for _ in range(jobs)]
    queue = list(tasks)
    try:
        while queue or any(lane.task for lane in lanes):
            for lane in lanes:
                if lane.task is None:
                    _hand_out(lane, lanes, queue, finished)
            busy = [lane for lane in lanes if lane.task is not None]
            if busy:  # else what was handed out turned out to be done
                _advance(busy, queue, finished)
    finally:
        for lane in lanes:
            lane.close()
        for task in tasks:
            task.close()


def _hand_out(lane: _Lane, lanes: list[_Lane], queue: list[Task], finished: Callable[[Task], None]) -> None:
    """Give a free lane the task that suits it best, if any is ready; tasks that turn out to be done are passed over."""
    while (task := _choose(lane, lanes, queue)) is not None:
        queue.remove(task)
        command = None if task.finished else task.start()
        if command is None:
            task.close()
            finished(task)
            continue
        if lane.worker is None or lane.key != task.key:
            lane.close()
            lane.worker, lane.key = WorkerProcess(task.assignment, task.log), task.key
        lane.task = task
        lane.worker.send(command)
        return


def _choose(lane: _Lane, lanes: list[_Lane], queue: list[Task]) -> Task | None:
    """Prefer a task for the lane's own worker, then one that nobody is at, then one of those with most left."""
    ready = [task for task in queue if task.ready]
    if not ready:
        return None
    own = lane.key if lane.worker else ""
    others = {other.task.key for other in lanes if other.task is not None}
    left = Counter(task.key for task in ready)

    def preference(task: Task) -> tuple[bool, bool, int]:
        return task.key == own, task.key not in others, left[task.key]

    return max(ready, key=preference)  # the first of the best: tasks come in the order of the track


def _advance(busy: list[_Lane], queue: list[Task], finished: Callable[[Task], None]) -> None:
    """Wait for messages or the next deadline, and let the tasks take in what happened."""
    connections = {lane.worker.connection: lane for lane in busy if lane.worker}
    for connection in wait(list(connections), timeout=_patience(busy)):
        lane = connections[connection]  # type: ignore[index]
        assert lane.worker is not None
        assert lane.task is not None
        try:
            lane.task.receive(lane.worker.receive())
        except (EOFError, ConnectionError):
            _lose(lane, hung=False)
    now = time.monotonic()
    for lane in busy:
        if lane.worker and lane.task and lane.task.deadline is not None and lane.task.deadline < now:
            _lose(lane, hung=True)
        _settle(lane, queue, finished)


def _patience(busy: list[_Lane]) -> float | None:
    deadlines = [lane.task.deadline for lane in busy if lane.task and lane.task.deadline is not None]
    return max(0.0, min(deadlines) - time.monotonic()) if deadlines else None


def _lose(lane: _Lane, *, hung: bool) -> None:
    assert lane.worker is not None
    assert lane.task is not None
    how = lane.worker.kill()
    lane.worker = None
    lane.task.lost(how, hung=hung)


def _settle(lane: _Lane, queue: list[Task], finished: Callable[[Task], None]) -> None:
    """Free the lane where its task is over, or put the task first in the queue where its worker is gone."""
    task = lane.task
    if task is None:
        return
    if task.finished:
        lane.task = None
        task.close()
        finished(task)
    elif lane.worker is None:
        lane.task = None
        queue.insert(0, task)
