"""Wherever a run is computed, and in however many pieces, its estimates are the same."""

from __future__ import annotations

import importlib
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from relocbench.bench.computing import Share
from relocbench.bench.merging import merge_runs
from relocbench.bench.runner import run_track
from relocbench.bench.store import RunStore
from relocbench.errors import InputError
from relocbench.reports.results import load_results
from relocbench.reports.summary import summarise

TIMES = ["load_seconds", "seconds", "warm"]
Run = Callable[..., RunStore]


@pytest.fixture(scope="module")
def run(shared_track, tiny_dataset, plugged) -> Run:
    def call(out: Path, *classes: str, **options) -> RunStore:
        files = [plugged(cls) for cls in classes or ("Slow", "Learned", "CannotLearn")]
        options = {"methods": ["random"], "dataset": tiny_dataset, **options}
        return run_track(shared_track, size="mini", method_files=files, out=out, progress=False, **options)

    return call


@pytest.fixture(scope="module")
def expected(run, tmp_path_factory) -> RunStore:
    """The run that no other may differ from: one process of this machine. Read-only."""
    return run(tmp_path_factory.mktemp("expected") / "run", jobs=1)


def same(store: RunStore, expected: RunStore) -> None:
    got, wanted = (each.estimates().drop(columns=TIMES) for each in (store, expected))
    pd.testing.assert_frame_equal(got, wanted)
    assert len(got) == 4 * 2 * 20


def answers(out: Path) -> int:
    return sum(path.read_bytes().count(b'"kind":"answer"') for path in out.glob("methods/*/journal/*.jsonl"))


def test_shares_that_are_merged_are_one_run(run, expected, tmp_path):
    """Shares 1 and 2 run at the same time, as they do in an array of jobs; what both need is fitted once."""
    out, shares = tmp_path / "run", [Share(number, 3) for number in (1, 2, 3)]
    together = [threading.Thread(target=run, args=(out,), kwargs={"share": share, "jobs": 1}) for share in shares[:2]]
    for thread in together:
        thread.start()
    for thread in together:
        thread.join()
    folders = [out / "shards" / f"{share.number}-of-3" for share in shares]
    with pytest.raises(InputError, match="name shares 3 too"):
        merge_runs(folders[:2], out)
    assert run(out, share=shares[2], jobs=1).labels == []  # no method is complete in a share
    whole = next(folders[0].glob("methods/*/journal/*.jsonl"))
    begun = folders[1] / whole.relative_to(folders[0])  # of the same unit: a long line, and no answer
    begun.parent.mkdir(parents=True, exist_ok=True)
    begun.write_text(json.dumps({"kind": "map", "machine": "m" * 100_000}) + "\n")
    made = [path.stat().st_mtime_ns for path in out.glob("fits/*/seen.json")]
    assert len(made) == 1

    merged = merge_runs(folders, out)
    same(merged, expected)
    assert RunStore.open(out).record == merged.record
    assert len(merged.record.sessions) == 3
    assert merged.fit_seconds("learned") >= 0.1
    boards = [summarise(load_results([store.folder])[0]).board for store in (merged, expected)]
    times = [name for name in boards[0].columns if "latency" in name or "seconds" in name]
    pd.testing.assert_frame_equal(*(board.drop(columns=times) for board in boards))
    with pytest.raises(InputError, match="holds results already"):
        merge_runs(folders, out)


def test_runs_of_different_methods_are_merged_and_those_of_different_runs_are_not(run, expected, tmp_path):
    one = run(tmp_path / "one", "Noisy", jobs=1)
    merged = merge_runs([one.folder, expected.folder], tmp_path / "both")
    assert merged.labels == ["random", "noisy", "slow", "learned", "cannot-learn"]
    pd.testing.assert_frame_equal(
        merged.estimates().query("method == 'noisy'").reset_index(drop=True),
        one.estimates().query("method == 'noisy'").reset_index(drop=True),
    )
    other = run(tmp_path / "other", "Noisy", jobs=1, query_timeout=7.0)
    with pytest.raises(InputError, match=r"its query_timeout is 7\.0"):
        merge_runs([one.folder, other.folder], tmp_path / "none")


@pytest.mark.parametrize("text", ["0/3", "4/3", "1", "a/b", "1/0"])
def test_a_share_that_is_none_is_refused(text):
    with pytest.raises(InputError, match="such as 2/8"):
        Share.parse(text)


def test_every_share_of_a_list_is_another_part_of_it():
    units = list(range(11))
    shares = [Share(number, 4).of(units) for number in range(1, 5)]  # type: ignore[arg-type]
    assert sorted(unit for share in shares for unit in share) == units
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


WHERE = """
import os
class Where:
    name = affinity = "where"
    def perform(self, state):
        return os.getcwd()
"""


@pytest.mark.timeout(180)
def test_a_cluster_works_where_its_caller_does_and_loses_nothing_with_a_machine(run, expected, tmp_path, monkeypatch):
    ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'relocbench[ray]'")
    from ray.cluster_utils import Cluster
    from relocbench.sim.processes.ray_cluster import RayCluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    lost = cluster.add_node(num_cpus=1)
    out = tmp_path / "run"

    def lose_a_machine() -> None:
        while answers(out) < 10:
            time.sleep(0.02)
        cluster.remove_node(lost, allow_graceful=False)

    try:
        executor = RayCluster(address=cluster.address)
        assert executor.jobs == 2
        (tmp_path / "where.py").write_text(WHERE)
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.chdir(tmp_path)
        ((_, where),) = executor.run([importlib.import_module("where").Where()], None)
        assert Path(where) == tmp_path
        loss = threading.Thread(target=lose_a_machine)
        loss.start()
        store = run(out, executor=executor)
        loss.join()
    finally:
        ray.shutdown()
        cluster.shutdown()
    same(store, expected)
    session = store.record.sessions[-1]
    assert (session["executor"], session["jobs"]) == ("ray", 2)
    assert set(store.estimates()["machine"]) <= set(session["hosts"])
