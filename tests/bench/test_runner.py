from __future__ import annotations

import fcntl
import os
import shutil
import time

import numpy as np
import pandas as pd
import psutil
import pytest
from relocbench.bench.computing import Share, map_work
from relocbench.bench.merging import merge_runs
from relocbench.bench.provenance import digest
from relocbench.bench.records import ESTIMATE_COLUMNS, MAP_COLUMNS, SPAN_COLUMNS
from relocbench.bench.runner import run_track
from relocbench.bench.store import DECIDES, RunStore
from relocbench.datasets.dataset import Dataset
from relocbench.datasets.protocols.sparse_reference.protocol import SparseReference
from relocbench.errors import InputError

TIMES = ["load_seconds", "seconds", "warm"]


@pytest.fixture
def run(tiny_track, tiny_dataset, tmp_path, plugged):
    """Run classes of pluggable_methods.py, and built-in methods by name, on the tiny dataset."""

    def call(*classes: str, out: str = "run", methods: tuple[str, ...] = (), jobs: int = 1, **options) -> RunStore:
        options = {"dataset": tiny_dataset, "size": "mini", "progress": False, **options}
        files = [plugged(cls) for cls in classes]
        return run_track(
            tiny_track, methods=list(methods), method_files=files, out=tmp_path / out, jobs=jobs, **options
        )

    return call


@pytest.fixture(scope="module")
def finished(shared_track, tiny_dataset, tmp_path_factory, plugged) -> RunStore:
    """A finished run of three methods. Read-only, shared."""
    return run_track(
        shared_track,
        method_files=[plugged("ReadsPose")],
        out=tmp_path_factory.mktemp("finished") / "run",
        dataset=tiny_dataset,
        size="mini",
        jobs=2,
        progress=False,
    )


def outcomes(store: RunStore, method: str) -> dict[str, int]:
    """How often each reason, or success (""), occurred."""
    estimates = store.estimates()
    return estimates.loc[estimates["method"] == method, "reason"].value_counts().to_dict()


def without_times(store: RunStore) -> pd.DataFrame:
    return store.estimates().drop(columns=TIMES)


def test_baselines_and_a_users_file_run_end_to_end(finished, tiny_dataset):
    store = finished
    estimates, spans, maps = store.estimates(), store.spans(), store.maps()
    assert list(estimates.columns)[: len(ESTIMATE_COLUMNS)] == list(ESTIMATE_COLUMNS)
    assert list(spans.columns) == list(SPAN_COLUMNS)
    assert list(maps.columns) == list(MAP_COLUMNS)
    assert store.labels == ["random", "oracle-nearest", "reads-pose"]
    assert len(estimates) == 3 * 2 * 20  # methods, densities, queries
    assert len(maps) == 3 * 2 * 4
    by_method = dict(list(estimates.groupby("method")))

    exact = by_method["reads-pose"]
    assert exact["translation_error"].max() < 1e-9
    assert exact["rotation_error"].max() < 1e-5
    assert (exact["top1_distance"] == exact["nearest_distance"]).all()
    assert (exact["flags"] == "exact").all()

    oracle, chance = by_method["oracle-nearest"], by_method["random"]
    assert set(oracle["role"]) == {"oracle"}
    assert set(chance["role"]) == {"chance"}
    assert (oracle["translation_error"] == oracle["nearest_distance"]).all()
    assert (chance["translation_error"] >= chance["nearest_distance"]).all()
    nearest = {step: group["nearest_distance"].to_numpy() for step, group in oracle.groupby("sweep")}
    assert (nearest[8] <= nearest[4]).all()  # a sweep only ever adds references
    assert chance["relevant_rank"].between(1, 8).all()

    assert set(spans["stage"]) == {"look", "look/decode"}
    assert (spans["exclusive_seconds"] <= spans["seconds"]).all()
    assert (maps["start_seconds"] > 0).all()
    assert (maps["peak_memory_bytes"] > 20 * 2**20).all()
    assert (estimates.groupby(["method", "sweep", "map"])["warm"].sum() == 4).all()  # all but the first
    assert (store.folder / "leaderboard.csv").exists()
    assert not list(store.folder.glob("methods/*/journal"))  # they have become tables
    assert not children()
    assert store.dataset.root.samefile(tiny_dataset)


def test_a_run_keeps_what_its_keys_are_the_digests_of(finished, tmp_path):
    for cell in finished.record.cells:
        decides = finished.decides(cell)
        assert digest(decides) == cell.key
        assert decides["dataset"] == finished.record.dataset_sha256
    cell, other = finished.record.cells[:2]
    copy = RunStore(shutil.copytree(finished.folder, tmp_path / "copy"), finished.record)
    shutil.copy(finished.folder / other.folder / DECIDES, copy.folder / cell.folder / DECIDES)
    with pytest.raises(InputError, match="is not what the results beside it were made with"):
        copy.decides(cell)
    (copy.folder / cell.folder / DECIDES).unlink()
    with pytest.raises(InputError, match="nobody can tell what random was made with"):
        copy.decides(cell)
    assert merge_runs([finished.folder], tmp_path / "merged").decides(cell) == finished.decides(cell)


def test_methods_that_misbehave_harm_only_themselves(run):
    store = run("ReadsPose", "Raises", "Dies", "Invalid", "RanksOnly", "CannotLearn", "Unruly", "StartsProcesses")
    raised, died = outcomes(store, "raises"), outcomes(store, "dies")
    assert set(raised) == {"", "raised ValueError: bad luck"}
    assert set(died) == {"", "worker died (SIGSEGV)"}
    assert sum(raised.values()) == sum(died.values()) == 40
    assert died[""] > 20
    assert outcomes(store, "reads-pose") == {"": 40}
    assert outcomes(store, "starts-processes") == {"": 40}
    unruly = {"raised KeyboardInterrupt": 16, "raised SystemExit: enough": 8, r"raised GeneratorExit: \udcff": 8, "": 8}
    assert outcomes(store, "unruly") == unruly
    assert r"\udcff/look" in set(store.spans()["stage"])
    assert store.failed_fits() == {"cannot-learn": "fit raised ArithmeticError: nothing to learn"}
    assert outcomes(store, "cannot-learn") == {"fit raised ArithmeticError: nothing to learn": 40}
    assert "invalid answer: an Estimate needs a pose or a ranking, and has neither" in outcomes(store, "invalid")
    estimates = store.estimates()
    assert np.isinf(estimates.loc[estimates["status"] == "failure", "translation_error"]).all()
    ranked = estimates[estimates["method"] == "ranks-only"]
    assert (ranked["status"] == "ok").all()
    assert np.isinf(ranked["translation_error"]).all()
    assert np.isfinite(ranked["relevant_rank"]).all()
    assert estimates.groupby("method").size().nunique() == 1  # nobody loses a query


def test_hanging_is_cut_short_per_query_and_per_map(run):
    store = run("Hangs", "CannotBuild", query_timeout=0.7, map_timeout=0.8)
    reasons = outcomes(store, "hangs")
    assert reasons["timed out after 0.7 s"] + reasons[""] == 40
    assert reasons[""] > 20
    estimates = store.estimates()
    hung = estimates[estimates["reason"] == "timed out after 0.7 s"]
    assert hung["seconds"].between(0.7, 5).all()
    reasons = outcomes(store, "cannot-build")
    assert reasons["build_map raised RuntimeError: kitchens are too greasy"] == 20
    assert reasons["build_map: timed out after 0.8 s"] == 5
    assert reasons[""] == 15


def test_answers_do_not_depend_on_the_number_of_processes(run):
    one = run("Noisy", methods=("random",), out="one", jobs=1)
    two = run("Noisy", methods=("random",), out="two", jobs=2)
    pd.testing.assert_frame_equal(without_times(one), without_times(two))
    assert [cell.key for cell in one.record.cells] == [cell.key for cell in two.record.cells]
    noisy = without_times(one).query("method == 'noisy' and status == 'ok'")
    assert noisy["est_tx"].nunique() == noisy["query"].nunique() > 15  # queries do draw different numbers


def test_what_is_done_is_not_done_again(run):
    first = run("ReadsPose", methods=("random",))
    again = run("ReadsPose", methods=("random",))
    pd.testing.assert_frame_equal(first.estimates(), again.estimates())  # times too: nothing was computed
    assert len(again.record.sessions) == 1
    more = run("ReadsPose", methods=("random", "oracle-nearest"))
    pd.testing.assert_frame_equal(first.estimates(), more.estimates().query("method != 'oracle-nearest'"))
    assert more.labels == ["random", "reads-pose", "oracle-nearest"]
    seconds = more.estimates()["seconds"]
    anew = run(methods=("random",), overwrite="always")
    assert (anew.estimates()["seconds"] != seconds).sum() >= 30  # those of random, and of nobody else
    assert (anew.estimates()["seconds"] == seconds).sum() >= 80


def test_another_configuration_gets_a_cell_beside_the_old_one(run):
    before = run(methods=("random",), query_timeout=50.0)
    after = run(methods=("random",), query_timeout=60.0)
    assert before.record.cells[0].key != after.record.cells[0].key
    assert len(list((after.folder / "methods").iterdir())) == 2
    assert after.labels == ["random"]


def test_only_cache_computes_nothing(run, finished, shared_track, tiny_dataset):
    with pytest.raises(InputError, match="no results of random"):
        run(methods=("random",), overwrite="only-cache")
    options = {"dataset": tiny_dataset, "size": "mini", "overwrite": "only-cache", "progress": False}
    again = run_track(shared_track, out=finished.folder, **options)
    assert again.record == finished.record


def test_a_fit_is_shared_and_made_once(run):
    store = run("Learned")
    fits = [path for path in (store.folder / "fits").iterdir() if path.is_dir()]
    assert len(fits) == 1
    made = fits[0].stat().st_mtime_ns
    assert store.estimates()["confidence"].eq(6).all()  # the six training views, and no other
    run("Learned", overwrite="always")
    assert fits[0].stat().st_mtime_ns == made
    assert store.fit_seconds("learned") >= 0.1


def test_a_fit_that_failed_is_tried_again_by_the_same_command(run, monkeypatch, tmp_path):
    def both() -> list[RunStore]:
        """Of a whole run, and of one that is merged from its only share."""
        share = run("LearnsInMemory", out="shared", share=Share(1, 1)).folder
        shutil.rmtree(tmp_path / "moved", ignore_errors=True)
        shutil.copytree(share, tmp_path / "moved" / "share")  # where the share's record of its fit cannot be reached
        merged = merge_runs([tmp_path / "moved" / "share"], tmp_path / "moved" / "merged")
        return [run("LearnsInMemory", methods=("random",)), merged]

    monkeypatch.setenv("TEST_NO_MEMORY", "yes")
    before = both()
    reason = {"learns-in-memory": "fit raised MemoryError: images do not fit"}
    assert [store.failed_fits() for store in before] == [reason, reason]
    chance = before[0].estimates().query("method == 'random'")
    assert run("LearnsInMemory", methods=("random",), overwrite="only-cache").failed_fits() == reason
    monkeypatch.delenv("TEST_NO_MEMORY")
    for store in both():
        assert store.failed_fits() == {}
        assert outcomes(store, "learns-in-memory") == {"": 40}
    again = run("LearnsInMemory", methods=("random",))
    pd.testing.assert_frame_equal(again.estimates().query("method == 'random'"), chance)  # nobody else's was computed
    shutil.rmtree(again.folder / "fits")
    assert run("LearnsInMemory", methods=("random",)).failed_fits() == {}
    assert len(again.record.sessions) == 2


def test_a_run_with_another_seed_does_not_overwrite_one(finished, tiny_track, tiny_dataset):
    tiny_track.write_text(tiny_track.read_text().replace("seed: 11", "seed: 12"))
    before = (finished.folder / "run.json").read_bytes()
    with pytest.raises(InputError, match="choose another --out"):
        run_track(tiny_track, out=finished.folder, size="mini", dataset=tiny_dataset, progress=False)
    assert (finished.folder / "run.json").read_bytes() == before


def test_a_protocol_cannot_write_over_what_is_measured(run, tmp_path, tiny_dataset, monkeypatch):
    monkeypatch.setattr(SparseReference, "columns", {"pose": "int32", "status": "string", "seconds": "float64"})
    with pytest.raises(InputError, match=r"protocol 'sparse-reference': .* like measurements: seconds, status"):
        run(methods=("random",))
    assert not (tmp_path / "run").exists()
    views = Dataset.open(tiny_dataset).views
    views.table["seconds"] = 1.0
    with pytest.raises(InputError, match=f"{tiny_dataset}: .* like measurements: seconds"):
        map_work(views, "test", where=tiny_dataset)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"methods": ("nope",)}, "unknown method 'nope'"),
        ({"methods": ("random", "random")}, "two of the methods to run are called 'random'"),
        ({"methods": ("random",), "split": "val"}, "the split 'val' has no references or no queries"),
        ({"methods": ("random",), "dataset": "nowhere"}, "not a complete dataset"),
        ({"methods": ("random",), "size": "full"}, "no size 'full'"),
    ],
)
def test_bad_input_is_named(run, options, message):
    with pytest.raises(InputError, match=message):
        run(**options)


def test_two_runs_do_not_write_into_one_folder(run, tmp_path):
    (tmp_path / "run").mkdir()
    with (tmp_path / "run" / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(InputError, match="another run is writing here"):
            run(methods=("random",))


def test_a_missing_image_is_the_datasets_fault_and_ends_the_run(run, tiny_dataset, tmp_path):
    broken = tmp_path / "broken"
    shutil.copytree(tiny_dataset, broken)
    (broken / "images/scene-2/bath-query-3.png").unlink()
    with pytest.raises(InputError, match=r"bath-query-3\.png: missing"):
        run("ReadsPose", dataset=broken)
    assert not children()


def test_an_unfinished_method_is_not_in_the_tables(finished, tmp_path):
    copy = shutil.copytree(finished.folder, tmp_path / "copy")
    (copy / finished.record.cells[0].folder / "estimates.parquet").unlink()
    store = RunStore.open(copy)
    assert store.labels == ["oracle-nearest", "reads-pose"]
    assert set(store.estimates()["method"]) == {"oracle-nearest", "reads-pose"}
    assert set(store.leaderboard()["method"]) == {"oracle-nearest", "reads-pose"}


def test_a_folder_without_results_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match="no results here"):
        RunStore.open(tmp_path)
    (tmp_path / "run.json").write_text('{"format": "relocbench-run", "version": 9}')
    with pytest.raises(InputError, match=r"run\.json"):
        RunStore.open(tmp_path)


def children() -> list[psutil.Process]:
    time.sleep(0.05)
    running = psutil.Process(os.getpid()).children(recursive=True)
    return [child for child in running if "bench.worker" in " ".join(child.cmdline())]


def test_a_method_that_cannot_be_made_is_told_before_anything_is_generated(tiny_track, tmp_path):
    tiny_track.write_text(tiny_track.read_text().replace("[random", "[{name: random, config: {luck: 7}}"))
    with pytest.raises(InputError, match="unknown configuration key 'luck'"):
        run_track(tiny_track, size="mini", out=tmp_path / "run", progress=False)
    assert not (tmp_path / "run").exists()
