"""`IsolatedMethod`: this side's end of a method that runs in an interpreter of its own."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import astuple
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ...datasets.views import View, ViewSet
from ...errors import InputError
from ...sim.geometry import Pose
from ...sim.processes.foreign_worker import ForeignWorker, WorkerLost, WorkerRefused
from ...sim.processes.hiding import hiding
from ..closure import import_closure
from ..files import split_location
from ..method import Estimate, Failure, Method, MethodConfig, Query
from ..privileges import Privilege
from ..timing import Span, record

_WORKER = Path(__file__).with_name("worker.py")
_START_SECONDS = 300.0  # imports and weights from a cold disk
_NO_LIMIT = 1e6  # seconds: the runner keeps the time, and ends this process and the method's


class ProcessLost(Exception):
    """The method's process is gone: it died, broke its memory limit, or sent what is no message. Its map is lost."""


class IsolatedConfig(MethodConfig):
    """Which class runs where. Made by :func:`isolated`: what it found is recorded, and part of what decides results."""

    file: str
    """The file that holds the class, absolute."""
    class_name: str
    """The class in it."""
    name: str
    """What the class calls itself."""
    python: str
    """The interpreter, absolute."""
    python_version: str
    """The interpreter's version."""
    numpy_version: str
    """The version of NumPy over there."""
    libraries: dict[str, str]
    """The versions over there of what the file, and what lies beside it, imports."""
    needs_depth: bool = False
    """Whether the class is given the depth of references, which every table says."""
    memory_limit: float | None = Field(default=None, gt=0)
    """GiB of resident memory that the method and all processes that it starts may take; None for no limit."""


def isolated(location: str, *, python: str, memory_limit: float | None = None) -> IsolatedConfig:
    """Return the configuration that runs ``path/to/file.py:ClassName`` under the interpreter ``python``.

    The interpreter is started once, imports the file, and is asked for the class's name. Raises ``InputError`` where
    there is no such file or interpreter, it has no NumPy, or the class is not what a method must be.
    """
    path, class_name = split_location(location)
    interpreter = shutil.which(Path(python).expanduser())
    if interpreter is None:
        raise InputError(f"--python {python}: no such program; give the path of an interpreter, .../bin/python")
    interpreter = os.path.abspath(interpreter)  # not resolved: a virtual environment's is a link to another one's
    with contextlib.closing(_started(interpreter, memory_limit)) as process:
        try:
            libraries = sorted(import_closure((), file=path).libraries)
            asked = {"file": str(path), "class": class_name, "libraries": libraries}
            reply, _ = process.request("open", asked, timeout=_START_SECONDS)
            made, _ = process.request("make", timeout=_START_SECONDS)
        except WorkerRefused as refused:
            raise InputError(f"{location}: {refused}") from refused
        except WorkerLost as lost:
            raise InputError(f"{location}: cannot be imported by {interpreter}: {_said(lost)}") from lost
        if "raised" in made:
            raise InputError(f"{location}: cannot be made without arguments: {': '.join(made['raised'])}")
        return IsolatedConfig(
            file=str(path),
            class_name=class_name,
            name=reply["name"],
            python=interpreter,
            python_version=process.hello["python"],
            numpy_version=process.hello["versions"]["numpy"],
            libraries=reply["libraries"],
            needs_depth=made["needs_depth"],
            memory_limit=memory_limit,
        )


class IsolatedMethod(Method[IsolatedConfig]):
    """Passes references, queries and answers between the runner and a class that runs in another process.

    What the class raises is raised here under the same name; what it prints goes to standard error.
    """

    name = "isolated"

    def __init__(self, config: IsolatedConfig | None = None) -> None:
        super().__init__(config)
        self._process: ForeignWorker | None = None
        self._far_end = _WORKER
        self._map_bytes = 0

    @property
    def privileges(self) -> frozenset[Privilege]:
        """The depth of references, where the class says that it needs it."""
        return frozenset({"reference depth"} if self.config.needs_depth else ())

    def start(self, *, hidden: Sequence[str] = ()) -> None:
        """Make a fresh instance of the class, in its process, which is started where it does not run yet.

        For that process the folders ``hidden`` are empty, where this machine allows it
        (:mod:`relocbench.sim.processes.hiding`).
        """
        if self._process is None:
            self._process = _started(self.config.python, self.config.memory_limit, tee=2, hidden=self._hidden(hidden))
            self._ask("open", {"file": self.config.file, "class": self.config.class_name})
        self._ask("make")

    def build_map(self, references: ViewSet) -> None:
        """Send the references and have the map built; raises ``ProcessLost`` where the process does not survive it."""
        if self._process is None:
            self.start()
        for number, view in enumerate(references):
            fields = {"number": number, "id": view.id, "camera": astuple(view.camera)}
            self._ask("reference", fields, self._arrays(view))
        # The runner seeds the global generators per map; those over there take their seed from here.
        seed = int(np.random.randint(2**31))  # noqa: NPY002
        self._map_bytes = self._ask("build_map", {"seed": seed})[0]["map_bytes"]

    def localize(self, query: Query) -> Estimate | Failure:
        """Have one query answered; what its stages do not cover is the way there and back, "transfer"."""
        fields = {"camera": astuple(query.camera), "seed": query.seed}
        reply, arrays = self._ask("localize", fields, {"image": query.image})
        if "failure" in reply:
            return Failure(reply["failure"])
        if "invalid" in reply:
            return Failure(f"invalid answer: {reply['invalid']}")
        try:
            pose = Pose(arrays["world_from_camera"]) if arrays else None
        except ValueError as error:
            return Failure(f"invalid answer: {error}")
        return Estimate(pose, reply["ranking"], reply["confidence"], reply["flags"])

    def map_bytes(self) -> int:
        """Return what the other side says that its map takes."""
        return self._map_bytes

    def peak_memory_bytes(self) -> int:
        """Return the peak resident memory of the method's process and those that it started, 0 where none runs."""
        return 0 if self._process is None else self._process.peak_memory_bytes()

    def close(self) -> None:
        """End the method's process."""
        if self._process is not None:
            self._process.close()
        self._process = None

    def _hidden(self, folders: Sequence[str]) -> list[str]:
        needed = (self.config.file, self.config.python, os.path.realpath(self.config.python), str(_WORKER))
        return hiding(folders, needed=needed)

    def _arrays(self, view: View) -> dict[str, NDArray[Any]]:
        arrays = {"image": view.image(), "world_from_camera": view.pose.matrix.astype(np.float64)}
        return {**arrays, "depth": view.depth()} if self.config.needs_depth else arrays

    def _ask(
        self, operation: str, fields: Mapping[str, Any] | None = None, arrays: Mapping[str, NDArray[Any]] | None = None
    ) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        if self._process is None:
            raise ProcessLost("process lost: build the map again")
        start = time.perf_counter()
        try:
            reply, received = self._process.request(operation, fields, arrays, timeout=_NO_LIMIT)
        except WorkerLost as lost:
            self.close()
            raise ProcessLost(f"process lost: {lost.args[0]}") from lost
        if "spans" in reply:
            seconds = time.perf_counter() - start
            spans = [Span(*span) for span in reply["spans"]]
            record([*spans, Span("transfer", -1, max(0.0, seconds - spans[0].seconds))])
        if "raised" in reply:
            name, message = reply["raised"]
            raise type(name, (Exception,), {})(message)
        return reply, received

    def __del__(self) -> None:
        with contextlib.suppress(Exception):  # at the interpreter's end anything may be gone already
            self.close()


def _started(
    python: str, memory_limit: float | None, *, tee: int | None = None, hidden: Sequence[str] = ()
) -> ForeignWorker:
    """Start the interpreter, behind what hides folders from it; raises ``InputError`` where it does not run our side of
    it, in its own last words."""
    limit = None if memory_limit is None else int(memory_limit * 2**30)
    try:
        return ForeignWorker([*hidden, python], _WORKER, start_timeout=_START_SECONDS, memory_limit=limit, tee=tee)
    except WorkerLost as lost:
        raise InputError(f"{python}: cannot run a method: {_said(lost)}") from lost


def _said(lost: WorkerLost) -> str:
    last = lost.log.rpartition(" | ")[2]
    return f"{lost.args[0]}: {last}" if last else str(lost.args[0])
