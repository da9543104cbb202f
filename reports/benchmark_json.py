"""A method's profile in the format of pytest-benchmark, whose ``compare`` sets profiles side by side."""

from __future__ import annotations

import datetime
import json
import platform
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .. import __version__
from ..bench.profile import Profile
from ..bench.provenance import git_commit
from ..bench.store import write_result


def write_benchmark_json(profile: Profile) -> Path:
    """Write ``<method>.benchmark.json`` beside the profile's results and return its path."""
    path = profile.folder / f"{profile.method}.benchmark.json"
    write_result(path, json.dumps(_benchmark_json(profile), indent=1) + "\n")
    return path


def _benchmark_json(profile: Profile) -> dict[str, Any]:
    """Return what pytest-benchmark 5 writes with ``--benchmark-json``; a stage at one step is one benchmark."""
    now = datetime.datetime.now(datetime.UTC)
    hardware = profile.session["hardware"]
    commit = git_commit() or ""
    benchmarks = []
    for stage, step, seconds in profile.samples:
        name = f"{profile.method}[{stage}]"
        benchmarks.append(
            {
                "group": f"{profile.track}: {stage}, {step:g} {profile.sweep_axis}",
                "name": name,
                "fullname": f"{profile.track}::{name}",
                "params": {"stage": stage, "sweep": step},
                "param": f"{stage}-{step:g}",
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
