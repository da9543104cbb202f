"""`fit_method`: fit a method once on a track's training scenes, apart from any run."""

from __future__ import annotations

from pathlib import Path

from ..datasets.spec import SimulatorSpec
from ..errors import InputError, RunError
from ..methods.registry import make_method
from ..sim.processes.executor import Executor
from ..sim.processes.local import LocalProcesses
from .cell import Lessons, RunSettings, choose_entries, make_cell
from .computing import fit_unit
from .track_dataset import default_folder, track_dataset
from .tracks import load_track
from .units import MethodWorkers


def fit_method(
    method: str,
    track: str | Path,
    *,
    size: str = "small",
    out: str | Path | None = None,
    jobs: int | None = None,
    executor: Executor | None = None,
    simulator: SimulatorSpec | None = None,
    dataset: str | Path | None = None,
    progress: bool = True,
) -> Path:
    """Fit ``method`` on the training split of a track's dataset and return the folder of what it learned.

    ``out`` is ``weights/<method>`` by default; the dataset is that of the run in its default folder, generated where
    it is missing, unless another is given. Raises ``InputError`` where the method learns nothing or ``out`` exists, and
    ``RunError`` where fitting fails.
    """
    spec = load_track(track).rendered_by(simulator)
    names, files = ([], [method]) if ".py:" in method else ([method], [])
    entry = choose_entries(spec, size, names, files)[0]
    if not make_method(entry.name, entry.config).needs_fit:
        raise InputError(f"method {method!r} learns nothing: there is nothing to fit")
    folder = Path(out) if out is not None else Path("weights") / entry.label
    if folder.exists():
        raise InputError(f"{folder}: exists already; move it away or choose another --out")
    place = default_folder(spec.name, size, simulator) / "dataset"
    executor = executor or LocalProcesses(jobs=jobs)
    data = track_dataset(spec, size, place, dataset, executor=executor, progress=progress)
    lessons = Lessons.asked_for(data)
    settings = RunSettings(
        data.root.resolve(), data.sha256, lessons, "train", spec.seed, spec.query_timeout, spec.map_timeout
    )
    cell = make_cell(entry, settings)
    assert cell.fit is not None
    folder.parent.mkdir(parents=True, exist_ok=True)
    unit = fit_unit(cell, lessons, settings.seed, folder.resolve())
    with MethodWorkers(folder.parent.resolve()) as workers, executor:
        for _, done in executor.run([unit], workers):
            if done.failure:
                raise RunError(f"{entry.label}: {done.failure}; see {unit.log}")
    return folder
