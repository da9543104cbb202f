from __future__ import annotations

import io
import json
import subprocess
import sys

import pytest
from relocbench.bench.fitting import fit_method
from relocbench.bench.latency import OTHER, TOTAL, latency_table
from relocbench.bench.profile import profile_method
from relocbench.bench.store import RunStore
from relocbench.errors import InputError, RunError
from relocbench.reports.benchmark_json import write_benchmark_json
from relocbench.reports.profile_table import profile_table
from rich.console import Console


@pytest.fixture(scope="module")
def profiles(shared_track, tiny_dataset, tmp_path_factory, plugged):
    """Profiles of a method with stages and of one without, in one folder."""
    out = tmp_path_factory.mktemp("profiles")
    options = {"out": out, "dataset": tiny_dataset, "progress": False}
    return {cls: profile_method(shared_track, plugged(cls), **options) for cls in ("ReadsPose", "Noisy")}


def test_a_profile_says_where_time_and_memory_go(profiles):
    result = profiles["ReadsPose"]
    stages = result.latency[result.latency["sweep"] == 4].set_index("stage")
    assert list(stages.index) == [TOTAL, "look", "look/decode", OTHER]
    assert (stages["queries"] == 16).all()  # four maps, all queries but the first of each
    assert (stages["p50"] <= stages["p95"]).all()
    assert (stages["p95"] <= stages["p99"]).all()
    assert stages.loc["look", "mean"] >= stages.loc["look/decode", "mean"]
    assert stages["share"].drop(TOTAL).sum() == pytest.approx(1, abs=1e-6)
    assert (result.maps["map_bytes"] > 0).all()
    console = Console(width=140, file=io.StringIO())
    console.print(profile_table(result))
    text = console.file.getvalue()
    for word in ("p99", "cold start", "peak memory", "look", "decode", "learns nothing", "one thread"):
        assert word in text


def test_pytest_benchmark_compares_profiles(profiles):
    paths = [write_benchmark_json(profile) for profile in profiles.values()]
    command = [sys.executable, "-m", "pytest_benchmark", "compare", *map(str, paths)]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for name in ("reads-pose[total]", "noisy[total]", "reads-pose[look/decode]", "noisy[build_map]"):
        assert name in shown
    total = next(b for b in json.loads(paths[0].read_text())["benchmarks"] if b["name"] == "reads-pose[total]")
    stats = total["stats"]
    assert stats["min"] <= stats["q1"] <= stats["median"] <= stats["q3"] <= stats["max"]
    assert stats["rounds"] == len(stats["data"])


def test_shares_of_methods_without_stages_are_all_outside(profiles):
    stages = profiles["Noisy"].latency.set_index("stage")
    assert set(stages.index) == {TOTAL, OTHER}
    assert stages.loc[OTHER, "share"].to_numpy() == pytest.approx(1)


def test_no_warm_query_gives_an_empty_table(profiles):
    store = RunStore.open(profiles["Noisy"].folder)
    assert latency_table(store.estimates().assign(warm=False), store.spans().assign(warm=False)).empty


def test_training_writes_what_was_learned(tiny_track, tiny_dataset, tmp_path, plugged):
    options = {"size": "mini", "dataset": tiny_dataset, "progress": False}
    folder = fit_method(plugged("Learned"), tiny_track, out=tmp_path / "weights", **options)
    assert json.loads((folder / "seen.json").read_text()) == 6
    with pytest.raises(InputError, match="exists already"):
        fit_method(plugged("Learned"), tiny_track, out=tmp_path / "weights", **options)
    with pytest.raises(InputError, match="learns nothing"):
        fit_method("random", tiny_track, out=tmp_path / "other", **options)
    with pytest.raises(RunError, match="fit raised ArithmeticError: nothing to learn"):
        fit_method(plugged("CannotLearn"), tiny_track, out=tmp_path / "other", **options)
