"""`run_track`: from a track to a scored results folder. What is done is not done again; what was killed resumes."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ..datasets.manifest import Manifest
from ..datasets.spec import SimulatorSpec
from ..datasets.views import ViewSet
from ..errors import InputError, RunError
from ..methods.registry import make_method
from ..sim.processes.cores import available_cores
from ..sim.processes.locks import held
from .cell import Cell, RunSettings, choose_entries, make_cell
from .consolidation import UnitTruth, estimates_table, maps_table, spans_table
from .journal import read_entries
from .overwrite import Overwrite
from .provenance import fingerprint, session
from .records import arrow_schema
from .schedule import perform
from .store import COLUMNS, ESTIMATES, MAPS, RUN, SPANS, CellRecord, PlaceCounts, RunRecord, RunStore, write_record
from .tasks import FitTask, Task, UnitTask
from .track_dataset import track_dataset
from .tracks import TrackSpec, load_track

_LOCK = ".lock"
_JOURNAL = "journal"


def run_track(
    track: str | Path,
    *,
    out: str | Path,
    size: str = "small",
    methods: list[str] | None = None,
    method_files: Sequence[str] = (),
    python: str | None = None,
    memory_limit: float | None = None,
    jobs: int | None = None,
    simulator: SimulatorSpec | None = None,
    dataset: str | Path | None = None,
    split: str = "test",
    query_timeout: float | None = None,
    map_timeout: float | None = None,
    overwrite: Overwrite | str = Overwrite.only_missing,
    progress: bool = True,
) -> RunStore:
    """Generate what is missing, fit what is missing, build maps, localize, score; return the results folder.

    ``track`` is a name or a YAML file; ``methods`` restricts it, or adds registered ones; ``method_files`` adds classes
    in ``file.py:Class``, which with ``python`` run under that interpreter, each with all that it starts limited to
    ``memory_limit`` GiB (see :mod:`relocbench.methods.isolated`).

    ``jobs`` worker processes (all cores by default) change no answer, only what a latency means:
    they share the machine. ``simulator`` renders the dataset in place of the track's own; ``dataset`` is used, and
    none generated. ``split`` "val" is for tuning. Timeouts are the track's by default, in seconds.

    Raises ``InputError`` for what the caller can mend (names, folders, files) and ``RunError`` where the work itself
    cannot go on. A method that raises, hangs or crashes raises nothing: its queries are failures with that reason.
    """
    spec, folder = load_track(track).rendered_by(simulator), Path(out)
    spec.size(size)  # also where another dataset is given: the size names the methods, and the run
    entries = choose_entries(spec, size, methods, list(method_files), python=python, memory_limit=memory_limit)
    for entry in entries:
        make_method(entry.name, entry.config)  # says what is wrong with it before anything is generated
    jobs = jobs or available_cores()
    busy = InputError(f"{folder}: another run is writing here; wait for it or choose another --out")
    with held(folder / _LOCK, busy=busy):  # two runs in one folder would write the same journals
        data = track_dataset(spec, size, folder / "dataset", dataset, jobs=jobs, progress=progress)
        settings = RunSettings(
            dataset=data.root.resolve(),
            dataset_sha256=data.sha256,
            split=split,
            seed=spec.seed,
            query_timeout=query_timeout or spec.query_timeout,
            map_timeout=map_timeout or spec.map_timeout,
        )
        cells = [make_cell(entry, settings) for entry in entries]
        record = _record(spec, size, folder, settings, data.manifest, cells)
        missing = _missing(folder, cells, Overwrite(overwrite))
        if missing:
            record = record.model_copy(
                update={"sessions": (*record.sessions, session(jobs=jobs, decisive=_libraries(missing)))}
            )
        write_record(folder, record)
        if missing:
            _compute(folder, missing, settings, data.views, jobs=jobs, progress=progress)
        store = RunStore(folder, record)
        store.write_leaderboard()
    return store


def _record(
    spec: TrackSpec, size: str, folder: Path, settings: RunSettings, manifest: Manifest, cells: list[Cell]
) -> RunRecord:
    """Return what ``run.json`` is to say: this call's methods, beside those that earlier calls left there."""
    inside = settings.dataset.is_relative_to(folder.resolve())
    record = RunRecord(
        track=spec.name,
        track_version=spec.version,
        description=spec.description,
        size=size,
        split=settings.split,
        seed=settings.seed,
        primary=spec.primary,
        dataset=str(settings.dataset.relative_to(folder.resolve()) if inside else settings.dataset),
        dataset_sha256=settings.dataset_sha256,
        simulator=str(manifest.origin),
        dataset_differs=manifest.difference_from(spec.size(size).dataset),
        query_timeout=settings.query_timeout,
        map_timeout=settings.map_timeout,
        sweeps=spec.sweeps,
        places=_place_counts(manifest, settings.split),
        cells=tuple(_cell_record(cell) for cell in cells),
        sessions=(),
    )
    if not (folder / RUN).exists():
        return record
    earlier = RunStore.open(folder).record
    same = ("track", "track_version", "size", "split", "dataset_sha256", "seed")
    if any(getattr(earlier, name) != getattr(record, name) for name in same):
        raise InputError(
            f"{folder}: holds a run of {earlier.track} {earlier.size} ({earlier.split}) on another dataset or seed; "
            "choose another --out"
        )
    return record.model_copy(
        update={"cells": _merged(earlier.cells, record.cells), "sessions": earlier.sessions},
    )


def _place_counts(manifest: Manifest, split: str) -> dict[str, PlaceCounts]:
    """Return what the dataset's manifest says of the classes of each scene: the dataset may be gone one day."""
    return {
        scene.name: PlaceCounts(
            candidates=scene.places.candidates,
            no_class=scene.places.dropped,
            over_limit=scene.places.over_limit,
            queries=scene.places.views,
        )
        for scene in manifest.scenes
        if scene.places is not None and scene.split == split
    }


def _cell_record(cell: Cell) -> CellRecord:
    fit = None if cell.fit is None else cell.fit.folder
    return CellRecord(
        label=cell.label,
        role=cell.role,
        method=cell.method,
        config=cell.config,
        key=cell.key,
        folder=cell.folder,
        fit=fit,
    )


def _merged(earlier: Sequence[CellRecord], current: Sequence[CellRecord]) -> tuple[CellRecord, ...]:
    """Replace cells of the same label, keep the others in their places, and add new ones at the end."""
    replaced = {cell.label: cell for cell in earlier} | {cell.label: cell for cell in current}
    return tuple(replaced.values())


def _missing(folder: Path, cells: list[Cell], overwrite: Overwrite) -> list[Cell]:
    """Return the cells to compute; with ``always``, after removing what there is of them."""
    if overwrite is Overwrite.always:
        for cell in cells:
            shutil.rmtree(folder / cell.folder, ignore_errors=True)
    missing = [cell for cell in cells if not (folder / cell.folder / ESTIMATES).exists()]
    if missing and overwrite is Overwrite.only_cache:
        names = ", ".join(cell.label for cell in missing)
        raise InputError(f"{folder}: no results of {names} under their present configuration and code; run them")
    return missing


def _libraries(cells: list[Cell]) -> dict[str, str | None]:
    return {name: version for cell in cells for name, version in cell.libraries.items()}


@dataclass(eq=False)
class _Computation:
    """One cell under way: its units and the truth that their answers are held against."""

    cell: Cell
    tasks: list[UnitTask]
    truths: list[UnitTruth]


def _compute(
    folder: Path, cells: list[Cell], settings: RunSettings, views: ViewSet, *, jobs: int, progress: bool
) -> None:
    fits = _fit_tasks(folder, cells, settings)
    units = _units(views, settings)
    total = len(cells) * sum(len(queries) for _, _, queries, _ in units)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not progress) as bar:
        line = bar.add_task("localizing queries", total=total)
        computations = [
            _computation(folder, cell, settings, fits, units, answered=lambda: bar.advance(line)) for cell in cells
        ]
        owner = {id(task): computation for computation in computations for task in computation.tasks}
        left = Counter(id(computation) for computation in owner.values())

        def finished(task: Task) -> None:
            computation = owner.get(id(task))  # a fit has none
            if computation is not None:
                left[id(computation)] -= 1
                if not left[id(computation)]:
                    _consolidate(folder, computation)

        tasks = [task for computation in computations for task in computation.tasks]
        perform([*fits.values(), *tasks], jobs=jobs, finished=finished)


def _fit_tasks(folder: Path, cells: list[Cell], settings: RunSettings) -> dict[str, FitTask]:
    """Return one task per distinct fit, after clearing away what killed ones left half done."""
    for left in (folder / "fits").glob(".*.tmp"):
        shutil.rmtree(left, ignore_errors=True)
    tasks: dict[str, FitTask] = {}
    for cell in cells:
        if cell.fit is not None and cell.fit.key not in tasks:
            facts = {"fit": cell.fit.name, "key": cell.fit.key, "learned_by": cell.label, "machine": fingerprint()}
            tasks[cell.fit.key] = FitTask(cell.assignment(settings, None), folder / cell.fit.folder, facts)
    return tasks


Units = list[tuple[str, int, ViewSet, ViewSet]]


def _units(views: ViewSet, settings: RunSettings) -> Units:
    """Return (map, density, queries, references) of all there is to do; raises ``InputError`` for an empty split."""
    references = views.where(split=settings.split, role="reference")
    queries = views.where(split=settings.split, role="query")
    if not len(queries) or not len(references):
        raise InputError(f"{settings.dataset}: the split {settings.split!r} has no references or no queries")
    units: Units = []
    for density in sorted(references.table["density"].unique()):
        for map_name in queries.table["map"].unique():
            own = references.where(map=map_name).at_density(density)
            if not len(own):
                raise InputError(f"{settings.dataset}: the map {map_name} has no references at density {density}")
            units.append((str(map_name), int(density), queries.where(map=map_name), own))
    return units


def _computation(
    folder: Path,
    cell: Cell,
    settings: RunSettings,
    fits: dict[str, FitTask],
    units: Units,
    *,
    answered: Callable[[], None],
) -> _Computation:
    fit = None if cell.fit is None else fits[cell.fit.key]
    assignment = cell.assignment(settings, None if fit is None else fit.folder)
    (folder / cell.folder).mkdir(parents=True, exist_ok=True)
    tasks = [
        UnitTask(
            assignment,
            map_name=map_name,
            density=density,
            queries=queries.ids,
            journal=folder / cell.folder / _JOURNAL / _journal_name(map_name, density),
            log=folder / cell.folder / "worker.log",
            fit=fit,
            query_timeout=settings.query_timeout,
            map_timeout=settings.map_timeout,
            machine=fingerprint(),
            answered=answered,
        )
        for map_name, density, queries, _ in units
    ]
    truths = [UnitTruth(cell.label, cell.role, *unit) for unit in units]
    return _Computation(cell, tasks, truths)


def _journal_name(map_name: str, density: int) -> str:
    readable = re.sub(r"[^A-Za-z0-9._-]", "-", map_name)
    return f"{readable}-{density}-{sha256(map_name.encode()).hexdigest()[:8]}.jsonl"


def _consolidate(folder: Path, computation: _Computation) -> None:
    """Turn a cell's journals into its tables, unit by unit so that memory stays flat; estimates appear last."""
    place = folder / computation.cell.folder
    makers = {SPANS: spans_table, MAPS: maps_table, ESTIMATES: estimates_table}
    writers: dict[str, pq.ParquetWriter] = {}
    try:
        for task, truth in zip(computation.tasks, computation.truths, strict=True):
            entries, _ = read_entries(task.journal)
            for name, make in makers.items():
                schema = arrow_schema(COLUMNS[name])
                if name not in writers:
                    writers[name] = pq.ParquetWriter(place / f".{name}.tmp", schema)
                writers[name].write_table(pa.Table.from_pandas(make(entries, truth), schema, preserve_index=False))
        for name in makers:
            writers[name].close()
            (place / f".{name}.tmp").replace(place / name)
    except OSError as error:
        raise RunError(f"{place}: cannot be written ({error.strerror or error}); run the same command again") from error
    shutil.rmtree(place / _JOURNAL)
