"""`generate`: from a spec to a complete dataset, on all cores, resumable at any moment.

A few passes hand units of work to one executor: plan each scene, render the shards, decide what becomes of the views
(the protocol's own passes), measure covisibility. What is done is known from records on disk alone, so a generation
that was killed continues as if nothing had happened. Memory is bounded by one scene per worker and one scene's table in
the parent.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.metadata
import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from .. import __version__
from ..errors import InputError, RunError
from ..sim.processes.executor import Executor, Unit
from ..sim.processes.local import LocalProcesses
from ..sim.processes.locks import held
from ..sim.processes.progress import followed, progress_bars
from ..sim.processes.whole_files import disk_errors
from .covisibility import covisibility_tasks
from .dataset import Dataset
from .deciding import DecideViews
from .manifest import MANIFEST, first_difference
from .rendering import shards
from .rendering_state import RenderState, read_plan
from .scene_planning import PlannedScene, PlanScene, check_scenes, merged_categories
from .sealing import LEFTOVERS, seal
from .spec import DatasetSpec
from .writer import WORK, read_record, write_record


def generate(
    spec: DatasetSpec,
    folder: Path,
    *,
    jobs: int | None = None,
    executor: Executor | None = None,
    progress: bool = True,
) -> Dataset:
    """Generate the dataset of ``spec`` in ``folder``, or finish it, or open it where it is already complete.

    ``executor`` is where it is computed, by default ``jobs`` processes of this machine (all cores); neither changes a
    byte. Raises `InputError` where the folder holds something else or cannot be written to, or a scene does not fit the
    spec; `RunError` where the disk is full, a worker keeps dying, or another process is generating into the folder.
    Nothing that was there is destroyed.
    """
    folder = Path(folder).resolve()  # another machine has another working folder
    if (folder / MANIFEST).exists():
        return _open_complete(spec, folder)
    with _claimed(spec, folder):
        with executor or LocalProcesses(jobs=jobs) as executor:
            _make(spec, folder, executor, progress=progress)
        _remove_work(folder)
    return Dataset.open(folder)


def _make(spec: DatasetSpec, folder: Path, executor: Executor, *, progress: bool) -> None:
    state = RenderState(folder, spec)

    def perform(units: Sequence[Unit], title: str) -> None:
        for _ in followed(executor.run(units, state), bar, total=len(units), title=title):
            pass

    entries = [PlanScene(index, split, entry) for index, (split, entry) in enumerate(spec.scenes.entries())]
    with progress_bars(progress) as bar:
        perform(entries, "planning scenes")
        scenes = [task.planned(folder) for task in entries]
        check_scenes(scenes, spec)
        perform(_render_tasks(folder, scenes), "rendering views")
        for title, units in spec.protocol.passes(spec, folder, [scene.name for scene in scenes]):
            perform(units, title)
        decisions = [DecideViews(scene.name) for scene in scenes]
        perform(decisions, "deciding views")
        measured = [unit for made in decisions for unit in covisibility_tasks(made.scene, made.views(folder))]
        perform(measured, "measuring covisibility")
    seal(spec, folder, scenes, versions(spec))


def _render_tasks(folder: Path, scenes: Sequence[PlannedScene]) -> list[Unit]:
    categories = merged_categories(scenes)
    tasks: list[Unit] = []
    for scene in scenes:
        tasks += shards(scene.name, scene.file, read_plan(folder, scene.name)["condition"], categories)
    return tasks


def versions(spec: DatasetSpec) -> dict[str, str]:
    """Return the versions of everything that decides a pixel."""
    own = {name: importlib.metadata.version(name) for name in ("numpy", "opencv-python-headless")}
    return {"relocbench": __version__, **own, **_simulator_versions(spec.simulator.name)}


@functools.cache
def _simulator_versions(name: str) -> dict[str, str]:
    """Return a simulator's versions; starts its worker, once, where it lives in another interpreter."""
    from ..sim.simulators import simulator_versions

    return {f"{name}:{package}": version for package, version in simulator_versions(name).items()}


def _open_complete(spec: DatasetSpec, folder: Path) -> Dataset:
    dataset = Dataset.open(folder)
    difference = dataset.manifest.difference_from(spec)
    if difference:
        raise InputError(f"{folder}: already holds another dataset ({difference}); choose another folder")
    if (folder / WORK).exists():
        with _locked(folder):
            _remove_work(folder)
    return dataset


@contextlib.contextmanager
def _claimed(spec: DatasetSpec, folder: Path) -> Iterator[None]:
    """Make the folder ours for this spec, or say why it cannot be; one process at a time."""
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: is a file; name a folder for the dataset")
    with disk_errors(folder):
        foreign = folder.is_dir() and any(path.name != WORK for path in folder.iterdir())
        if foreign and not (folder / WORK / "spec.json").exists():
            raise InputError(f"{folder}: is not empty and holds no dataset; choose an empty or a new folder")
        (folder / WORK).mkdir(parents=True, exist_ok=True)
    with _locked(folder):
        _adopt(spec, folder)
        yield


def _adopt(spec: DatasetSpec, folder: Path) -> None:
    claim = {"spec": json.loads(spec.canonical()), "versions": versions(spec)}
    shutil.rmtree(folder / WORK / "tmp", ignore_errors=True)  # what a killed generation was in the middle of writing
    found = read_record(folder, "spec.json")
    if found is not None and found != claim:
        difference = first_difference(found["spec"], claim["spec"])
        difference = difference or first_difference(found["versions"], claim["versions"])
        raise InputError(
            f"{folder}: holds an unfinished dataset of another spec or version ({difference}); choose another folder, "
            "or delete this one"
        )
    write_record(folder, "spec.json", claim)


def _locked(folder: Path) -> contextlib.AbstractContextManager[object]:
    """Hold the folder's lock."""
    busy = RunError(f"{folder}: another process is generating this dataset; wait for it, then run again")
    return held(folder / WORK / "lock", busy=busy)


def _remove_work(folder: Path) -> None:
    """Remove what a complete dataset does not need: files of views that were dropped, then the working area."""
    with disk_errors(folder):
        for path in read_record(folder, LEFTOVERS) or ():
            (folder / path).unlink(missing_ok=True)
        shutil.rmtree(folder / WORK, ignore_errors=False)
