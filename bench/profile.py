"""`profile_method`: what one query of one method costs, stage by stage, with nothing else running."""

from __future__ import annotations

import datetime
import json
import platform
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Group
from rich.table import Table
from rich.text import Text

from .. import __version__
from ..datasets.spec import SimulatorSpec
from .cell import choose_entries
from .latency import TOTAL, latency_table
from .overwrite import Overwrite
from .provenance import git_commit
from .runner import run_track
from .store import RunStore, write_whole
from .track_dataset import track_dataset
from .tracks import load_track

BENCHMARK_JSON = "benchmark.json"


@dataclass(frozen=True, eq=False)
class Profile:
    """Where a method's time and memory go.

    ``latency`` is that of :func:`relocbench.bench.latency.latency_table`, ``maps`` has ``MAP_COLUMNS``;
    ``fit_seconds`` is None for methods that learn nothing; ``benchmark_json`` is for ``pytest-benchmark compare``.
    """

    method: str
    latency: pd.DataFrame
    maps: pd.DataFrame
    load_seconds: float
    fit_seconds: float | None
    session: Mapping[str, Any]
    benchmark_json: Path

    def table(self) -> Group:
        """Return the tables for the terminal: stages, then what is paid once, then the machine."""
        return Group(_stage_table(self.latency), _once_table(self), Text(_machine_line(self.session), style="dim"))


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
    data = track_dataset(spec, size, Path(out) / "dataset", dataset, jobs=jobs, progress=progress)
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
    path = store.folder / f"{label}.{BENCHMARK_JSON}"
    profile = Profile(
        method=label,
        latency=latency_table(estimates, spans),
        maps=maps,
        load_seconds=float(estimates["load_seconds"].median()),
        fit_seconds=store.fit_seconds(label),
        session=store.record.sessions[-1],
        benchmark_json=path,
    )
    group = f"{store.record.track} {store.record.size}"
    write_whole(path, json.dumps(_benchmark_json(profile, group, _samples(estimates, spans, maps)), indent=1) + "\n")
    return profile


def _stage_table(latency: pd.DataFrame) -> Table:
    table = Table(title="one query (milliseconds, warm)", title_justify="left")
    for name in ("refs per map", "stage", "queries", "p50", "p95", "p99", "share"):
        table.add_column(name, justify="left" if name == "stage" else "right")
    for row in latency.to_dict("records"):
        *outer, name = str(row["stage"]).split("/")
        milliseconds = [f"{1e3 * row[column]:.2f}" for column in ("p50", "p95", "p99")]
        numbers = [str(row["queries"]), *milliseconds, f"{row['share']:.0%}"]
        style = "bold" if row["stage"] == TOTAL else None
        table.add_row(str(row["density"]), "  " * len(outer) + name, *numbers, style=style)
    return table


def _once_table(profile: Profile) -> Table:
    maps = profile.maps
    table = Table(title="paid once", title_justify="left")
    for name in ("refs per map", "maps", "build p50 (s)", "build max (s)", "map (KiB)", "peak memory (MiB)"):
        table.add_column(name, justify="right")
    for density, group in maps.groupby("density"):
        table.add_row(
            str(density),
            str(len(group)),
            f"{group['build_seconds'].median():.3f}",
            f"{group['build_seconds'].max():.3f}",
            f"{group['map_bytes'].median() / 2**10:.0f}",
            f"{group['peak_memory_bytes'].max() / 2**20:.0f}",
        )
    fit = "learns nothing" if profile.fit_seconds is None else f"fit {profile.fit_seconds:.1f} s"
    start = maps["start_seconds"].median() if len(maps) else float("nan")
    table.caption = f"cold start {start:.2f} s; {fit}; reading one image {1e3 * profile.load_seconds:.2f} ms"
    return table


def _machine_line(session: Mapping[str, Any]) -> str:
    hardware = session["hardware"]
    return (
        f"{hardware['cpu']}, {hardware['logical_cores']} cores, {hardware['memory_gib']} GiB; one thread; "
        f"load before: {session['load_average']}; machine {session['machine']}"
    )


def _samples(
    estimates: pd.DataFrame, spans: pd.DataFrame, maps: pd.DataFrame
) -> Iterator[tuple[str, int, Sequence[float]]]:
    """Yield (name, density, seconds) of everything that was timed."""
    timed = estimates[estimates["warm"] & estimates["seconds"].notna()]
    stages = spans[spans["warm"]]
    for density in sorted(timed["density"].unique()):
        yield TOTAL, int(density), timed.loc[timed["density"] == density, "seconds"].tolist()
        own = stages[stages["density"] == density]
        for stage in own["stage"].unique():
            yield str(stage), int(density), own.loc[own["stage"] == stage, "seconds"].tolist()
        yield "build_map", int(density), maps.loc[maps["density"] == density, "build_seconds"].tolist()


def _benchmark_json(
    profile: Profile, group: str, samples: Iterator[tuple[str, int, Sequence[float]]]
) -> dict[str, Any]:
    """Return what pytest-benchmark 5 writes with ``--benchmark-json``; a stage of one density is one benchmark."""
    now = datetime.datetime.now(datetime.UTC)
    hardware = profile.session["hardware"]
    commit = git_commit() or ""
    benchmarks = []
    for stage, density, seconds in samples:
        name = f"{profile.method}[{stage}]"
        benchmarks.append(
            {
                "group": f"{group}: {stage}, {density} references",
                "name": name,
                "fullname": f"{group}::{name}",
                "params": {"stage": stage, "density": density},
                "param": f"{stage}-{density}",
                "extra_info": {},
                "options": {"disable_gc": False, "timer": "perf_counter", "warmup": True},
                "stats": _statistics(seconds),
            }
        )
    return {
        "machine_info": {
            "node": profile.session["machine"],
            "processor": hardware["cpu"],
            "machine": hardware["architecture"],
            "system": hardware["system"],
            "release": platform.release(),
            "python_implementation": platform.python_implementation(),
            "python_version": platform.python_version(),
            "cpu": {"brand_raw": hardware["cpu"], "count": hardware["logical_cores"]},
        },
        "commit_info": {
            "id": commit.removesuffix("+") or "unversioned",
            "time": now.isoformat(),
            "author_time": now.isoformat(),
            "dirty": commit.endswith("+"),
            "project": "relocbench",
            "branch": "(unknown)",
        },
        "benchmarks": benchmarks,
        "datetime": now.isoformat(),
        "version": f"relocbench {__version__}",
    }


def _statistics(seconds: Sequence[float]) -> dict[str, Any]:
    data = sorted(seconds)
    array = np.array(data)
    mean, deviation = statistics.mean(data), statistics.stdev(data) if len(data) > 1 else 0.0
    q1, median, q3 = (float(q) for q in np.percentile(array, [25, 50, 75]))
    fence = 1.5 * (q3 - q1)
    within = array[(array >= q1 - fence) & (array <= q3 + fence)]
    beyond_deviation = int((np.abs(array - mean) > deviation).sum())
    return {
        "min": data[0],
        "max": data[-1],
        "mean": mean,
        "stddev": deviation,
        "rounds": len(data),
        "median": median,
        "iqr": q3 - q1,
        "q1": q1,
        "q3": q3,
        "iqr_outliers": len(data) - len(within),
        "stddev_outliers": beyond_deviation,
        "outliers": f"{beyond_deviation};{len(data) - len(within)}",
        "ld15iqr": float(within.min()),
        "hd15iqr": float(within.max()),
        "ops": 1 / mean if mean else 0.0,
        "total": sum(data),
        "data": list(seconds),
        "iterations": 1,
    }
