"""The process that runs one method: it loads images, keeps the clock, and sends answers as plain values.

It never learns where the dataset lies: whoever supervises it hands over references in a folder that holds nothing else,
queries one by one and without their names, and of the ground truth what the method's ``privileges`` name.

Whatever a method raises is its own failure, be it ``SystemExit`` or ``KeyboardInterrupt``: a user's Ctrl-C is not for
this process.

Started by a unit, which supervises it, as a :class:`~relocbench.sim.processes.worker_process.WorkerProcess`. Nothing
here writes a result: a worker may be killed at any moment and takes no record with it.
"""

from __future__ import annotations

import os
import random
import time
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ..datasets.handing_over import opened, query_view
from ..datasets.sealed import SealedQuery
from ..datasets.views import View, ViewSet
from ..errors import InputError
from ..methods.isolated.isolated_method import IsolatedMethod, ProcessLost
from ..methods.method import Estimate, Failure, Method, Query, granted
from ..methods.privileges import Privilege
from ..methods.registry import make_method
from ..methods.timing import Recorder
from ..sim.processes.memory import peak_memory_bytes
from .answers import plain_answer, plain_spans, raised
from .messages import (
    Answered,
    Ask,
    Assignment,
    Begun,
    Built,
    Failed,
    Fit,
    Fitted,
    Localizing,
    Lost,
    Ready,
    Unit,
    Unusable,
    failure,
)


class Worker:
    """One method. Every map gets a fresh instance: no answer depends on which maps came before."""

    def __init__(self, assignment: Assignment, connection: Connection) -> None:
        self.assignment = assignment
        self.connection = connection
        self._start_seconds: float | None = None
        self._isolated: IsolatedMethod | None = None

    def fit(self, command: Fit) -> None:
        """Fit on the training views and save; reports `Fitted`, or `Failed` with what was raised."""
        train = opened(command.train)
        try:
            method = make_method(self.assignment.method, self.assignment.config)
            reseed(command.seed)
            start = time.perf_counter()
            method.fit(train)
            method.save(Path(command.folder))
            seconds = time.perf_counter() - start
        except BaseException as error:
            self._report("fit", error, train)
            return
        self.connection.send(Fitted(seconds, _peak_memory_bytes(method)))

    def perform(self, unit: Unit) -> None:
        """Build the unit's map and localize its queries."""
        references = opened(unit.references)
        method = self._build(unit, references)
        if method is None:
            return
        known = frozenset(references.ids)
        for number in range(unit.queries):
            self._localize(method, self.connection.recv(), known, warm=number > 0)

    def _build(self, unit: Unit, references: ViewSet) -> Method | None:
        try:
            method = self._load(unit.learned)
        except ProcessLost:
            raise
        except BaseException as error:
            self.connection.send(Failed(f"loading {raised(error)}"))
            return None
        if self._start_seconds is None:
            self._start_seconds = time.monotonic() - self.assignment.launched
        self.connection.send(Ready(self._start_seconds))
        reseed(unit.seed)
        start = time.perf_counter()
        try:
            method.build_map(references)
            seconds = time.perf_counter() - start
            size = int(method.map_bytes())
        except ProcessLost:
            raise
        except BaseException as error:
            self._report("build_map", error, references)
            return None
        self.connection.send(Built(len(references), seconds, size, _peak_memory_bytes(method)))
        return method

    def _report(self, step: str, error: BaseException, views: ViewSet) -> None:
        """Say what a step raised: the method's failure, unless an image that it had to read cannot be read at all."""
        if isinstance(error, InputError):
            for view in views:
                view.image()  # raises what ends the run
        self.connection.send(Failed(f"{step} {raised(error)}"))

    def _load(self, learned: str | None) -> Method:
        """Return a fresh instance; that of an isolated method is made in the process that it has already."""
        if self._isolated is not None:
            self._isolated.start(hidden=self.assignment.hidden)
            return self._isolated
        method = make_method(self.assignment.method, self.assignment.config)
        learned = learned or self.assignment.shipped
        if learned is not None:
            method.load(Path(learned))
        if isinstance(method, IsolatedMethod):
            method.start(hidden=self.assignment.hidden)
            self._isolated = method
        return method

    def _localize(self, method: Method, ask: Ask, known: frozenset[str], *, warm: bool) -> None:
        start = time.perf_counter()
        query = self._query(ask.query)
        load_seconds = time.perf_counter() - start
        ask.query.remove()
        reseed(query.seed)
        self.connection.send(Localizing(ask.number))
        answer: Estimate | Failure
        with Recorder() as recorder:
            start = time.perf_counter()
            try:
                answer = method.localize(query)
                problem = None
            except ProcessLost:
                raise
            except BaseException as error:
                problem = raised(error)
            seconds = time.perf_counter() - start
        plain = plain_answer(answer, known) if problem is None else failure(problem)
        times = {"load_seconds": load_seconds, "seconds": seconds, "warm": warm, "spans": plain_spans(recorder.spans)}
        self.connection.send(Answered(ask.number, {**plain, **times, "peak_memory_bytes": _peak_memory_bytes(method)}))

    def _query(self, sealed: SealedQuery) -> Query:
        view = query_view(sealed)
        query = Query(view.image(), view.camera, sealed.seed)
        # by what the supervisor knows of the method's privileges: the method may say something else by now
        return granted(query, self.assignment.privileges, partial(_truth_of, view))


def _truth_of(view: View, kind: Privilege) -> Any:
    return view.pose if kind == "pose" else view.depth() if kind == "depth" else view.semantic()


def reseed(seed: int) -> None:
    """Seed the global generators, for methods that draw from them although a query brings its own seed."""
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - the global one is the point here
    cv2.setRNGSeed(seed)


def _peak_memory_bytes(method: Method) -> int:
    """Return the peak resident memory so far of this process, and of the one that an isolated method has beside it."""
    beside = method.peak_memory_bytes() if isinstance(method, IsolatedMethod) else 0
    return peak_memory_bytes(os.getpid()) + beside


def serve(connection: Connection) -> None:
    """Perform commands until the other end closes the connection."""
    try:
        worker = Worker(connection.recv(), connection)
        while True:
            command = connection.recv()
            connection.send(Begun())
            worker.fit(command) if isinstance(command, Fit) else worker.perform(command)
    except InputError as error:
        connection.send(Unusable(str(error)))
    except ProcessLost as lost:
        connection.send(Lost(str(lost)))
