"""Methods in an interpreter of their own: the same answers and costs, and every way to fail harms one query only."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import psutil
import pytest
from relocbench.bench.cell import Lessons, RunSettings, choose_entries, make_cell
from relocbench.bench.latency import TOTAL
from relocbench.bench.profile import profile_method
from relocbench.bench.runner import run_track
from relocbench.bench.seeds import Seeds
from relocbench.bench.tracks import load_track
from relocbench.datasets.dataset import Dataset
from relocbench.errors import InputError

METHODS = Path(__file__).parent / "isolated_methods.py"

#: Per kind of trouble, the reason that is recorded; "" where it does no harm. These end the method's process,
FATAL = {
    "die": "process lost: it ended by SIGSEGV",
    "hang": "timed out after 5 s",
    "eat": "process lost: it went over its memory limit of 0.60 GiB",
    "babble": "process lost: it sent not a message: it begins with b'this'",
}
#: and these do not.
MILD = {
    "fail": "raised ValueError: bad luck",
    "leave": "raised SystemExit: 3",
    "give_up": "too dark",
    "invent": "invalid answer: the ranking names 'nowhere', which is no reference of this map",
    "mislabel": "invalid answer: it has 'pose'; an answer has world_from_camera, ranking, confidence, flags",
    "shrug": "invalid answer: localize returns a dictionary, or a string for a failure, not NoneType",
    "skew": "invalid answer: a pose's rotation is not a rotation (R^T R differs from I by 3)",
    "print_garbage": "",
}


@pytest.fixture(scope="module")
def options(shared_track, tiny_dataset, numpy_python) -> dict:
    return {"track": shared_track, "dataset": tiny_dataset, "size": "mini", "python": str(numpy_python)}


def test_a_plain_class_runs_end_to_end(options, tmp_path):
    store = run_track(
        **options, out=tmp_path, methods=["random"], method_files=[f"{METHODS}:ReadsPose"], jobs=1, progress=False
    )
    exact = store.estimates().query("method == 'reads-pose-elsewhere'")
    assert len(exact) == 40
    assert (exact["status"] == "ok").all()
    assert exact["translation_error"].max() < 1e-9
    assert exact["rotation_error"].max() < 1e-5
    assert (exact["top1_distance"] == exact["nearest_distance"]).all()
    assert (exact["flags"] == "exact").all()
    assert exact["confidence"].nunique() == 1  # one process for all maps

    spans = store.spans()
    assert set(spans["stage"]) == {"localize", "localize/look", "localize/look/decode", "transfer"}
    covered = spans[~spans["stage"].str.contains("/")].groupby(["sweep", "query"])["seconds"].sum()
    assert (covered <= exact.set_index(["sweep", "query"])["seconds"].reindex(covered.index)).all()

    maps = store.maps().set_index("method")
    assert (maps.loc["reads-pose-elsewhere", "map_bytes"] == maps.loc["reads-pose-elsewhere", "references"] * 24).all()
    beside = maps.loc["reads-pose-elsewhere", "peak_memory_bytes"].min() - maps.loc["random", "peak_memory_bytes"].max()
    assert beside > 200 * 2**20

    (cell,) = [cell for cell in store.record.cells if cell.label == "reads-pose-elsewhere"]
    assert cell.config["python"] == options["python"]
    assert "looked at a query" in (tmp_path / cell.folder / "worker.log").read_text()


def test_every_way_to_fail_is_counted_and_the_next_query_goes_on(gone, options, tiny_dataset, tmp_path):
    queries = Dataset.open(tiny_dataset).views.where(role="query")
    chosen = {}
    for i, (_, group) in enumerate(queries.table.groupby("map", sort=False)):
        troubles = [list(FATAL)[i], *list(MILD)[2 * i : 2 * i + 2]]
        chosen |= dict(zip(group["view"].iloc[1:4], troubles, strict=True))
    expected = {query: {**FATAL, **MILD}[trouble] for query, trouble in chosen.items()}
    x = {query.id: f"{query.pose.translation[0]:.6f}" for query in queries}
    (tmp_path / "troubles.json").write_text(json.dumps({x[query]: trouble for query, trouble in chosen.items()}))
    shutil.copy(METHODS, tmp_path)
    store = run_track(
        **options,
        out=tmp_path / "run",
        methods=[],
        method_files=[f"{tmp_path / METHODS.name}:InTrouble"],
        memory_limit=0.6,
        query_timeout=5.0,
        jobs=2,
        progress=False,
    )
    estimates = store.estimates()
    assert len(estimates) == 40
    rows = estimates[estimates["sweep"] == 4].set_index("query")
    assert {query: rows.loc[query, "reason"] for query in chosen} == expected
    harmed = [query for query, reason in expected.items() if reason]
    assert sorted(estimates.loc[estimates["status"] == "failure", "query"]) == sorted(harmed)
    assert np.isinf(rows.loc[harmed, "translation_error"]).all()
    seeds = Seeds.of(tiny_dataset, 11)  # in whose order queries are asked
    for _, group in rows.groupby("map"):  # the map is lost with its process, and with nothing else
        group = group.loc[sorted(group.index, key=seeds.of_query)]
        (fatal,) = np.flatnonzero(group["reason"].isin([*FATAL.values()]))
        before, after = ({*part.loc[part["status"] == "ok", "confidence"]} for part in (group[:fatal], group[fatal:]))
        assert max(len(before), len(after)) == 1
        assert not before & after

    hung = rows[rows["reason"] == "timed out after 5 s"]
    assert hung["seconds"].between(5, 15).all()
    assert all(gone(pid) for pid in json.loads((tmp_path / "hanging.json").read_text()))
    assert not [child for child in psutil.Process().children(recursive=True) if "worker.py" in str(child.cmdline())]


def test_a_map_that_cannot_be_built_fails_its_queries(options, tmp_path):
    store = run_track(
        **options, out=tmp_path, methods=[], method_files=[f"{METHODS}:CannotBuild"], jobs=2, progress=False
    )
    reasons = store.estimates()["reason"].value_counts().to_dict()
    assert reasons == {
        "build_map raised RuntimeError: kitchens are too greasy": 20,
        "build_map: process lost: it ended with exit code 7": 20,
    }


def test_a_profile_tells_the_method_from_the_way_there(options, tmp_path):
    profile = profile_method(**options, method=f"{METHODS}:ReadsPose", out=tmp_path, progress=False)
    stages = profile.latency[profile.latency["sweep"] == 8].set_index("stage")
    assert {TOTAL, "localize", "localize/look", "transfer"} <= set(stages.index)
    assert stages.loc["localize", "mean"] < stages.loc[TOTAL, "mean"]
    assert stages["share"].drop(TOTAL).sum() == pytest.approx(1, abs=1e-6)


def test_what_decides_is_in_the_key(options, tmp_path):
    file = tmp_path / "method.py"
    link = tmp_path / "environment"  # the same interpreter at another place
    link.symlink_to(Path(options["python"]).parents[1])
    settings = RunSettings(tmp_path, "0" * 64, Lessons(tmp_path, "0" * 64, 0), "test", 0, 1.0, 1.0)

    def key(content: str = "", python: str = options["python"], memory_limit: float | None = None) -> str:
        file.write_text(METHODS.read_text() + content)
        spec = load_track(options["track"])
        location = f"{file}:ReadsPose"
        (entry,) = choose_entries(spec, "mini", [], [location], python=python, memory_limit=memory_limit)
        return make_cell(entry, settings).key

    same = key()
    assert key() == same
    assert key("# the same") == same
    others = [key("CHANGED = 1"), key(python=str(link / "bin" / "python")), key(memory_limit=4.0)]
    assert len({same, *others}) == 4


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"python": None, "memory_limit": 1.0}, "--memory-limit goes with --python"),
        ({"method_files": []}, "--python goes with --method"),
        ({"method_files": [f"{METHODS}:Nobody"]}, "has no class 'Nobody'"),
    ],
)
def test_bad_input_is_named_before_anything_is_written(options, tmp_path, changed, message):
    asked = {**options, "method_files": [f"{METHODS}:ReadsPose"], **changed}
    with pytest.raises(InputError, match=message):
        run_track(**asked, out=tmp_path / "run", methods=["random"], progress=False)
    assert not (tmp_path / "run").exists()
