"""`run_track`: from a track to a scored results folder. What is done is not done again; what was killed resumes."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from ..datasets.dataset import Dataset
from ..datasets.manifest import Manifest
from ..datasets.spec import SimulatorSpec
from ..errors import InputError
from ..methods.registry import make_method
from ..sim.processes.executor import Executor
from ..sim.processes.local import LocalProcesses
from ..sim.processes.locks import FOREVER, held
from .cell import Cell, Lessons, RunSettings, choose_entries, make_cells
from .computing import Share, compute, consolidate, map_work
from .overwrite import Overwrite
from .provenance import session
from .records import check_columns
from .store import (
    DECIDES,
    ESTIMATES,
    RUN,
    CellRecord,
    PlaceCounts,
    RunRecord,
    RunStore,
    fit_failed,
    write_record,
    write_result,
)
from .track_dataset import track_dataset
from .tracks import TrackSpec, load_track
from .units import Done

_LOCK, _DATASET_LOCK = ".lock", ".dataset.lock"


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
    executor: Executor | None = None,
    share: Share | None = None,
    simulator: SimulatorSpec | None = None,
    dataset: str | Path | None = None,
    split: str = "test",
    fit_from: str | Path | None = None,
    query_timeout: float | None = None,
    map_timeout: float | None = None,
    overwrite: Overwrite | str = Overwrite.only_missing,
    progress: bool = True,
) -> RunStore:
    """Generate what is missing, fit what is missing, build maps, localize, score; return the results folder.

    ``track`` is a name or a YAML file; ``methods`` restricts it, or adds registered ones; ``method_files`` adds classes
    in ``file.py:Class``, which with ``python`` run under that interpreter, each with all that it starts limited to
    ``memory_limit`` GiB (see :mod:`relocbench.methods.isolated`).

    ``executor`` is where it is computed, by default ``jobs`` processes of this machine (all cores). Neither changes an
    answer, only what a latency means: processes share a machine. With ``share``, only that part of the work is done,
    with results in ``out/shards/<i>-of-<n>``, on a dataset and fits in ``out`` that the shares have in common; see
    :func:`relocbench.bench.merging.merge_runs`. ``simulator`` renders the dataset in place of the track's own;
    ``dataset`` is used, and none generated; ``fit_from`` is a dataset whose training views methods learn from in place
    of those of the one that they localize in. ``split`` "val" is for tuning. Timeouts are the track's by default, in
    seconds.

    Raises ``InputError`` for what the caller can mend (names, folders, files) and ``RunError`` where the work itself
    cannot go on. A method that raises, hangs or crashes raises nothing: its queries are failures with that reason.
    """
    spec, common = load_track(track).rendered_by(simulator), Path(out)
    folder = common if share is None else common / "shards" / f"{share.number}-of-{share.count}"
    check_columns(spec.protocol.columns, where=f"protocol {spec.protocol.name!r}")
    spec.size(size)  # also where another dataset is given: the size names the methods, and the run
    entries = choose_entries(spec, size, methods, list(method_files), python=python, memory_limit=memory_limit)
    for entry in entries:
        for config in entry.configs:
            make_method(entry.name, config)  # says what is wrong with it before anything is generated
    busy = InputError(f"{folder}: another run is writing here; wait for it or choose another --out")
    # two runs in one folder would write the same journals
    with held(folder / _LOCK, busy=busy), executor or LocalProcesses(jobs=jobs) as executor:
        with contextlib.nullcontext() if share is None else held(common / _DATASET_LOCK, busy=busy, wait=FOREVER):
            data = track_dataset(spec, size, common / "dataset", dataset, executor=executor, progress=progress)
        settings = RunSettings(
            dataset=data.root.resolve(),
            dataset_sha256=data.sha256,
            lessons=Lessons.of(data) if fit_from is None else Lessons.asked_for(Dataset.open(fit_from)),
            split=split,
            seed=spec.seed,
            query_timeout=query_timeout or spec.query_timeout,
            map_timeout=map_timeout or spec.map_timeout,
        )
        cells = make_cells(entries, settings)
        records = [_cell_record(cell, os.path.relpath(common, folder), settings) for cell in cells]
        record = _record(spec, size, folder, settings, data.manifest, records)
        record = record.model_copy(update={"share": str(share or "")})
        missing = _missing(folder, cells, Overwrite(overwrite))
        for cell in cells:
            _write_decides(folder / cell.folder, cell)
        if missing:
            record = record.model_copy(
                update={"sessions": (*record.sessions, session(executor, decisive=_libraries(missing)))}
            )
        write_record(folder, record)
        if missing:
            met = _Hosts(folder, record)
            compute(
                folder.resolve(),
                missing,
                settings,
                work := map_work(data.views, split, where=settings.dataset),
                fits_folder=common.resolve(),
                share=share or Share(),
                executor=executor,
                met=met,
                finished=lambda cell: None if share else consolidate(folder, cell, work),
                progress=progress,
            )
            record = met.record
        store = RunStore(folder, record)
        store.write_leaderboard()
    return store


def _record(
    spec: TrackSpec, size: str, folder: Path, settings: RunSettings, manifest: Manifest, cells: list[CellRecord]
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
        question=spec.question.name,
        sweep_axis=manifest.origin.sweep_axis,
        primary=spec.question.primary,
        dataset=str(settings.dataset.relative_to(folder.resolve()) if inside else settings.dataset),
        dataset_sha256=settings.dataset_sha256,
        simulator=str(manifest.origin),
        dataset_differs=manifest.difference_from(spec.size(size).dataset),
        query_timeout=settings.query_timeout,
        map_timeout=settings.map_timeout,
        sweeps=spec.sweeps,
        places=_place_counts(manifest, settings.split),
        cells=tuple(cells),
        sessions=(),
    )
    if not (folder / RUN).exists():
        return record
    earlier = RunStore.open(folder).record
    if earlier.identity != record.identity:
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


def _cell_record(cell: Cell, common: str, settings: RunSettings) -> CellRecord:
    fit = None if cell.fit is None else os.path.normpath(f"{common}/{cell.fit.folder}")
    elsewhere = cell.fit is not None and settings.lessons.dataset_sha256 != settings.dataset_sha256
    return CellRecord(
        label=cell.label,
        replicate=cell.replicate,
        role=cell.role,
        method=cell.method,
        config=cell.config,
        key=cell.key,
        folder=cell.folder,
        fit=fit,
        learned="with the package" if cell.shipped else f"on {settings.lessons.dataset}" if elsewhere else "",
    )


def _merged(earlier: Sequence[CellRecord], current: Sequence[CellRecord]) -> tuple[CellRecord, ...]:
    """Replace cells of the same label, keep the others in their places, and add new ones at the end."""
    by_label: dict[str, list[CellRecord]] = {}
    for cells in (earlier, current):
        known = {cell.label: [other for other in cells if other.label == cell.label] for cell in cells}
        by_label |= known
    return tuple(cell for cells in by_label.values() for cell in cells)


def _missing(folder: Path, cells: list[Cell], overwrite: Overwrite) -> list[Cell]:
    """Return the cells to compute, after removing what there is of them: with ``always``, or because a fit failed."""
    for cell in cells:
        again = overwrite is Overwrite.only_missing and cell.fit is not None and fit_failed(folder / cell.folder)
        if again or overwrite is Overwrite.always:
            shutil.rmtree(folder / cell.folder, ignore_errors=True)
    missing = [cell for cell in cells if not (folder / cell.folder / ESTIMATES).exists()]
    if missing and overwrite is Overwrite.only_cache:
        names = ", ".join(cell.label for cell in missing)
        raise InputError(f"{folder}: no results of {names} under their present configuration and code; run them")
    return missing


def _write_decides(folder: Path, cell: Cell) -> None:
    """Keep what a cell's key is the digest of: without it, nobody could tell later in what the code has changed."""
    folder.mkdir(parents=True, exist_ok=True)
    write_result(folder / DECIDES, json.dumps(cell.decides, indent=1) + "\n")


def _libraries(cells: list[Cell]) -> dict[str, str | None]:
    return {name: version for cell in cells for name, version in cell.libraries.items()}


class _Hosts:
    """Writes into the record of a run what the machines are that take part, when the first result of each is there."""

    def __init__(self, folder: Path, record: RunRecord) -> None:
        self.folder, self.record = folder, record

    def __call__(self, done: Done) -> None:
        *earlier, session = self.record.sessions
        if done.machine not in session["hosts"]:
            session = {**session, "hosts": {**session["hosts"], done.machine: done.hardware}}
            self.record = self.record.model_copy(update={"sessions": (*earlier, session)})
            write_record(self.folder, self.record)
