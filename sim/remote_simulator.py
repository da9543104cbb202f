"""`RemoteSimulator`: a simulator that lives in another interpreter; what its adapters share."""

from __future__ import annotations

import contextlib
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from numpy.typing import NDArray

from ..errors import InputError, RunError
from .geometry import Camera, Pose
from .processes.foreign_worker import ForeignWorker, WorkerLost, WorkerRefused
from .processes.settings import worker_command, worker_settings
from .scene import Scene, check_renderable
from .simulator import OUTPUTS, Observation

#: How often one frame is tried, by a fresh worker each time.
ATTEMPTS = 3

#: The environment variable that tells a worker its number of threads (0 is all cores) before it loads its simulator:
#: some libraries count their threads once, when they are loaded.
THREADS = "RELOCBENCH_THREADS"

Arrays = Mapping[str, NDArray[Any]]


class RemoteSimulator(ABC):
    """Renders through a worker process, which is started when it is needed and replaced when it is lost.

    An adapter names its worker and converts at its door: a scene into what its simulator reads, a pose into its
    conventions, and what it saw into ours. The same pose gives the same observation from any worker, so that a
    replacement shows nowhere. The worker knows three operations: ``open`` (once, with the options), ``load`` and
    ``render``; its ``hello`` gives ``versions`` and ``renderer``.
    """

    name: ClassVar[str]
    worker_file: ClassVar[Path]
    module: ClassVar[str]  # what an interpreter must have to run the worker
    advice: ClassVar[str]  # what to do where there is no such interpreter

    def __init__(self, *, cache_folder: Path | None = None, options: Mapping[str, Any] | None = None) -> None:
        self._options = dict(options or {})
        self._cache_folder = cache_folder
        self._own_folder: tempfile.TemporaryDirectory[str] | None = None
        self._settings = worker_settings(self.name)
        self._worker: ForeignWorker | None = None
        self._loaded: dict[str, Any] | None = None  # the load request of the scene that is rendered
        self._in_worker: dict[str, Any] | None = None  # the one that the worker has performed
        self._frames = 0  # rendered by this worker

    @abstractmethod
    def _prepare(self, scene: Scene, condition: str, folder: Path) -> dict[str, Any]:
        """Write what the simulator reads of the scene below ``folder``, unless it is there; return the load request."""

    @abstractmethod
    def _request(self, world_from_camera: NDArray[Any], camera: Camera, outputs: frozenset[str]) -> dict[str, Any]:
        """Return the render request (plain values) of one pose (4, 4)."""

    @abstractmethod
    def _observation(self, reply: Arrays, camera: Camera, outputs: frozenset[str]) -> Observation:
        """Return what the worker's arrays show, in our conventions."""

    def load(self, scene: Scene, condition: str) -> None:
        """Make ``scene`` under ``condition`` the one that is rendered; raises ``KeyError`` for an unknown condition.

        Raises ``InputError`` for a scene that only another simulator can render.
        """
        check_renderable(scene, self.name)
        if condition not in scene.conditions:
            raise KeyError(f"scene {scene.name!r} has no condition {condition!r}; it has {sorted(scene.conditions)}")
        self._loaded = self._prepare(scene, condition, self._folder())

    def render(self, poses: Pose, camera: Camera, outputs: frozenset[str]) -> Iterator[Observation]:
        """Yield the observation of each pose of a batch, in order; a single pose yields one.

        Raises ``ValueError`` where an output is not one of ``OUTPUTS`` or nothing is loaded, ``InputError`` where the
        simulator cannot be started or cannot show such a view, ``RunError`` where a frame is lost ``ATTEMPTS`` times.
        """
        if not set(outputs) <= OUTPUTS:
            raise ValueError(f"outputs are among {sorted(OUTPUTS)}, not {sorted(set(outputs) - OUTPUTS)}")
        if self._loaded is None:
            raise ValueError("render: load a scene first")
        return self._observations(poses, camera, frozenset(outputs))

    def close(self) -> None:
        """End the worker and remove what was written for it; the simulator may be loaded again."""
        self._drop_worker()
        self._loaded = None
        if self._own_folder is not None:
            self._own_folder.cleanup()
            self._own_folder = None

    def hello(self) -> dict[str, Any]:
        """Return what the worker says about itself: ``versions`` and ``renderer``. Starts it where none runs.

        Raises ``InputError`` where no interpreter is known for it or the worker does not come up.
        """
        try:
            return self._running().hello
        except (WorkerLost, WorkerRefused) as problem:
            raise InputError(f"{self.name}: {problem}; see 'relocbench doctor'") from problem

    def _observations(self, poses: Pose, camera: Camera, outputs: frozenset[str]) -> Iterator[Observation]:
        for matrix in poses.matrix.reshape(-1, 4, 4):
            reply = self._rendered(self._request(matrix, camera, outputs))
            yield self._observation(reply, camera, outputs)

    def _rendered(self, request: dict[str, Any]) -> Arrays:
        """Have a frame rendered; a worker that is lost is replaced, and the frame tried again."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                if self._in_worker is not None and self._needs_fresh_worker(self._in_worker):
                    self._drop_worker()
                worker = self._running()
                if self._in_worker != self._loaded:
                    worker.request("load", self._loaded, timeout=self._settings.load_timeout)
                    self._in_worker = self._loaded
                _, arrays = worker.request("render", request, timeout=self._settings.frame_timeout)
            except WorkerLost as lost:
                self._drop_worker()
                if attempt == ATTEMPTS:
                    raise RunError(
                        f"{self.name}: a frame was lost {ATTEMPTS} times: {lost}; what was written is kept, run the "
                        "same command again to resume"
                    ) from lost
            except WorkerRefused as refused:
                raise RunError(f"{self.name}: {refused}") from refused
            else:
                self._frames += 1
                return arrays
        raise AssertionError("not reached: the last attempt returns or raises")

    def _needs_fresh_worker(self, in_worker: dict[str, Any]) -> bool:
        """Return whether a worker that performed the load request ``in_worker`` cannot take on the present one."""
        return False

    def _running(self) -> ForeignWorker:
        """Return the worker, after starting it where there is none; raises ``WorkerLost`` where it does not come up."""
        if self._worker is not None and self._frames >= self._settings.recycle_after:
            self._drop_worker()
        if self._worker is None:
            command = worker_command(self.name, module=self.module, advice=self.advice)
            worker = ForeignWorker(
                command,
                self.worker_file,
                environment={THREADS: str(self._settings.threads)},
                start_timeout=self._settings.start_timeout,
            )
            worker.request("open", self._options, timeout=self._settings.start_timeout)
            self._worker, self._in_worker, self._frames = worker, None, 0
        return self._worker

    def _drop_worker(self) -> None:
        if self._worker is not None:
            self._worker.close()
        self._worker = self._in_worker = None

    def _folder(self) -> Path:
        if self._cache_folder is not None:
            return self._cache_folder
        if self._own_folder is None:
            self._own_folder = tempfile.TemporaryDirectory(prefix=f"relocbench-{self.name}-")
        return Path(self._own_folder.name)

    def __del__(self) -> None:
        with contextlib.suppress(Exception):  # at the interpreter's end anything may be gone already
            self._drop_worker()
