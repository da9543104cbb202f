"""`profile_method`: what one query of one method costs, stage by stage, with nothing else running."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from ..datasets.spec import SimulatorSpec
from ..sim.processes.local import LocalProcesses
from .cell import choose_entries
from .latency import TOTAL, latency_table
from .overwrite import Overwrite
from .runner import run_track
from .store import RunStore
from .track_dataset import track_dataset
from .tracks import load_track

Sample = tuple[str, float, Sequence[float]]


@dataclass(frozen=True, eq=False)
class Profile:
    """Where a method's time and memory go.

    ``latency`` is that of :func:`relocbench.bench.latency.latency_table`, ``maps`` has ``MAP_COLUMNS``; ``samples`` are
    (stage, step of the sweep, seconds) of everything that was timed, and ``sweep_axis`` says what a step counts;
    ``fit_seconds`` is None for methods that learn nothing. ``track`` names the track with its size, ``folder`` is that
    of the results.
    """

    method: str
    track: str
    folder: Path
    sweep_axis: str
    latency: pd.DataFrame
    maps: pd.DataFrame
    samples: tuple[Sample, ...]
    load_seconds: float
    fit_seconds: float | None
    session: Mapping[str, Any]


def profile_method(
    track: str | Path,
    method: str,
    *,
    out: str | Path,
    size: str = "mini",
    python: str | None = None,
    memory_limit: float | None = None,
    jobs: int | None = None,
    simulator: SimulatorSpec | None = None,
    dataset: str | Path | None = None,
    progress: bool = True,
) -> Profile:
    """Run one method alone, one worker on one thread, and measure it; ``jobs`` only speeds up a missing dataset.

    ``method`` is a display name of the track, a registered name, or ``file.py:Class``, for which ``python`` and
    ``memory_limit`` mean what they mean in a run. The dataset of ``out`` is used, and generated where it is missing;
    results lie in ``out/profile``, apart from those that were computed side by side.
    What is there from an earlier profile is measured again. Raises like :func:`relocbench.bench.runner.run_track`.
    """
    spec = load_track(track).rendered_by(simulator)
    names, files = ([], [method]) if ".py:" in method else ([method], [])
    label = choose_entries(spec, size, names, files, python=python, memory_limit=memory_limit)[0].label
    executor = LocalProcesses(jobs=jobs)
    data = track_dataset(spec, size, Path(out) / "dataset", dataset, executor=executor, progress=progress)
    store = run_track(
        track,
        size=size,
        out=Path(out) / "profile",
        methods=names,
        method_files=files,
        python=python,
        memory_limit=memory_limit,
        jobs=1,
        dataset=data.root,
        overwrite=Overwrite.always,
        progress=progress,
    )
    return _profile(store, label)


def _profile(store: RunStore, label: str) -> Profile:
    estimates, spans, maps = store.estimates(), store.spans(), store.maps()
    estimates, spans = estimates[estimates["method"] == label], spans[spans["method"] == label]
    maps = maps[maps["method"] == label].reset_index(drop=True)
    return Profile(
        method=label,
        track=f"{store.record.track} {store.record.size}",
        folder=store.folder,
        sweep_axis=store.record.sweep_axis,
        latency=latency_table(estimates, spans),
        maps=maps,
        samples=tuple(_samples(estimates, spans, maps)),
        load_seconds=float(estimates["load_seconds"].median()),
        fit_seconds=store.fit_seconds(label),
        session=store.record.sessions[-1],
    )


def _samples(estimates: pd.DataFrame, spans: pd.DataFrame, maps: pd.DataFrame) -> Iterator[Sample]:
    timed = estimates[estimates["warm"] & estimates["seconds"].notna()]
    stages = spans[spans["warm"]]
    for step in sorted(timed["sweep"].unique()):
        yield TOTAL, float(step), timed.loc[timed["sweep"] == step, "seconds"].tolist()
        own = stages[stages["sweep"] == step]
        for stage in own["stage"].unique():
            yield str(stage), float(step), own.loc[own["stage"] == stage, "seconds"].tolist()
        yield "build_map", float(step), maps.loc[maps["sweep"] == step, "build_seconds"].tolist()
