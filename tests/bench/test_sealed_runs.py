"""What a method is not given it does not get in a run either; what it names it gets, and tables say so."""

from __future__ import annotations

import hashlib
import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from relocbench.bench.runner import run_track
from relocbench.bench.seeds import Seeds
from relocbench.bench.store import RunStore
from relocbench.datasets.dataset import CHECKSUMS, VIEWS, Dataset, file_digest
from relocbench.datasets.manifest import MANIFEST
from relocbench.datasets.sealed import sealing_place
from relocbench.errors import InputError
from relocbench.methods.method import Query
from relocbench.reports.marks import map_notes, mark
from relocbench.sim.processes.hiding import can_hide

THIEVES = Path(__file__).parent / "thieves.py"


@pytest.fixture(scope="module")
def dataset_with_maps(tiny_dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny dataset, whose test views have a depth and a semantic map each."""
    root = tmp_path_factory.mktemp("hidden-away") / "dataset"
    shutil.copytree(tiny_dataset, root)
    table = pd.read_parquet(root / VIEWS)
    for kind in ("depth", "semantic"):
        table[kind] = [f"{kind}/{number}.png" for number in range(len(table))]
        (root / kind).mkdir()
        for number, name in enumerate(table[kind]):
            cv2.imwrite(str(root / name), np.full((16, 16), 2000 + number, np.uint16))
    table.to_parquet(root / VIEWS, index=False)
    paths = [VIEWS, *table["image"], *table["depth"], *table["semantic"]]
    sums = [(path, (root / path).stat().st_size, file_digest(root / path)) for path in paths]
    pd.DataFrame(sums, columns=["path", "size", "blake2b"]).to_parquet(root / CHECKSUMS, index=False)
    manifest = Dataset(root, Dataset.open(tiny_dataset).manifest).manifest
    changed = manifest.model_copy(update={"checksums": hashlib.sha256((root / CHECKSUMS).read_bytes()).hexdigest()})
    (root / MANIFEST).write_text(changed.sealed().to_json())
    return root


@pytest.fixture
def run(shared_track: Path, dataset_with_maps: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Run classes of thieves.py on the dataset with maps, in a folder whose name they are told."""
    monkeypatch.setenv("TEST_SECRET_FOLDER", dataset_with_maps.parent.name)
    monkeypatch.setenv("TEST_STOLEN_TABLE", str(dataset_with_maps / VIEWS))

    def call(*classes: str, out: Path = tmp_path / "run", **options):
        options = {"methods": [], "size": "mini", "jobs": 1, "progress": False, "dataset": dataset_with_maps} | options
        return run_track(shared_track, out=out, method_files=[f"{THIEVES}:{name}" for name in classes], **options)

    return call


def reasons(store) -> dict[str, set[str]]:
    return {name: set(own["reason"]) for name, own in store.estimates().groupby("method")}


def test_both_thefts_come_to_nothing(run, dataset_with_maps):
    store = run("ReadsTheTable", "KnowsTheTable", "ReadsDepth", "ReadsSemantics")
    estimates = store.estimates()
    assert (estimates["status"] == "failure").all()
    found = reasons(store)
    assert found["reads-the-table"] == {"build_map raised StopIteration"}
    assert found["knows-the-table"] == {"no such seed"}
    for name, kind in (("reads-depth", "depth"), ("reads-semantics", "semantic")):
        assert len(found[name]) == 4  # one per map, which names its first reference
        for reason in found[name]:
            assert reason.startswith(f"build_map raised WithheldError: the {kind} of the reference scene-")
            assert reason.endswith(f"let the method's privileges name 'reference {kind}'")


def test_the_same_thefts_succeed_where_the_truth_can_be_reached(tiny_dataset):
    """The thieves are no straw men: beside the dataset itself, and with seeds that are plain hashes, they succeed."""
    spec = importlib.util.spec_from_file_location("thieves_here", THIEVES)
    thieves = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(thieves)
    views = Dataset.open(tiny_dataset).views
    thief = thieves.ReadsTheTable()
    thief.build_map(views.where(role="reference"))
    for view in views.where(role="query"):
        seed = int.from_bytes(hashlib.sha256(f"11 {view.id}".encode()).digest()[:4], "little") >> 1
        answer = thief.localize(Query(view.image(), view.camera, seed))
        assert np.allclose(answer.pose.matrix, view.pose.matrix)


def test_who_names_the_depth_of_references_is_given_it_and_marked(run, dataset_with_maps):
    store = run("GivenDepth", methods=["random"])
    own = store.estimates().query("method == 'given-depth'")
    assert (own["status"] == "ok").all()
    views = Dataset.open(dataset_with_maps).views
    for (name, sweep), group in own.groupby(["map", "sweep"]):
        references = views.where(role="reference", map=name).at_density(int(sweep))
        expected = sum(float(view.depth().sum(dtype=np.float64)) for view in references)
        assert group["confidence"].to_numpy() == pytest.approx(expected)
    board = store.leaderboard().set_index("method")
    assert set(board.loc["given-depth", "role"]) == {"oracle reference depth"}
    assert mark("oracle reference depth") == "¶"
    assert map_notes(board["role"])[0].startswith("¶ oracle depth of references:")
    ranks = board[next(column for column in board if column.startswith("rank"))]
    assert ranks["given-depth"].isna().all()


def test_a_method_that_names_a_privilege_too_late_is_not_given_it(run):
    assert reasons(run("Changes")) == {"changes": {"was not given the pose"}}


def test_nothing_of_the_truth_is_in_memory_or_in_reach(run, monkeypatch):
    monkeypatch.delenv("TEST_STOLEN_TABLE")
    assert reasons(run("Searches")) == {"searches": {"found [] [] []"}}


def test_what_is_learned_passes_through_sealed_folders_too(run):
    store = run("TakesAlong")
    assert reasons(store) == {"takes-along": {"told 4 places, [] []"}}
    (fit,) = (store.folder / "fits").glob("*/told.txt")
    lines = fit.read_text().splitlines()
    assert len(lines) == 8  # two places and six views
    assert not any(str(store.folder) in line for line in lines)


def test_sealed_folders_are_gone_at_the_end(run, dataset_with_maps, monkeypatch, tmp_path):
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setattr("tempfile.tempdir", None)
    place = sealing_place(dataset_with_maps)
    assert place.parent == tmp_path / "temporary"
    run("GivenDepth", "TakesAlong")
    assert list(place.iterdir()) == []


def test_a_run_gives_the_same_seeds_again_and_those_of_another_table_are_others(tiny_dataset, dataset_with_maps):
    first, again, other = Seeds.of(tiny_dataset, 1), Seeds.of(tiny_dataset, 1), Seeds.of(dataset_with_maps, 1)
    later = Seeds.of(tiny_dataset, 2)
    seeds = [each.of_query("scene-2/bath-query-0") for each in (first, again, other, later)]
    assert seeds[0] == seeds[1]
    assert len({*seeds, first.of_fit(), first.of_map("scene-2/bath", 4), first.of_map("scene-2/bath", 8)}) == 6
    many = np.array([first.of_query(str(number)) for number in range(4000)])
    assert many.min() >= 0
    assert many.max() < 2**31
    assert abs(many.mean() / 2**30 - 1) < 0.05  # 5 standard errors


@pytest.mark.parametrize("name", ["bath-query-3", "bath-reference-2", "train-4"])
def test_an_image_that_is_none_is_named_as_it_is_in_the_dataset(run, tiny_dataset, tmp_path, name):
    scene = "scene-1" if name.startswith("train") else "scene-2"
    broken = shutil.copytree(tiny_dataset, tmp_path / "broken")
    image = broken / f"images/{scene}/{name}.png"
    image.write_bytes(b"no image")
    with pytest.raises(InputError) as caught:
        run("LooksAtAll", dataset=broken)
    assert str(caught.value).endswith(f"{image}: missing or not an image; run 'relocbench check {broken}'")


def test_an_unknown_privilege_is_named(shared_track, tiny_dataset, tmp_path):
    text = THIEVES.read_text().replace('frozenset({"reference depth"})', 'frozenset({"reference pose"})')
    (tmp_path / "mine.py").write_text(text)
    with pytest.raises(InputError, match="given-depth: no privilege 'reference pose'; there are pose, depth, semantic"):
        run_track(
            shared_track,
            size="mini",
            out=tmp_path / "run",
            methods=[],
            method_files=[f"{tmp_path / 'mine.py'}:GivenDepth"],
            dataset=tiny_dataset,
            progress=False,
        )


FAR_END = """
import os
from pathlib import Path


class Looks:
    name = "looks"
    needs_depth = True

    def build_map(self, references):
        self.depths = sum(r.depth is not None for r in references)
        self.seen = [name for name in {folders} if os.path.isdir(name) and os.listdir(name)]

    def localize(self, query):
        return "sees " + str(len(self.seen)) + " and " + str(self.depths > 0)
"""


RUN = """
import sys
from relocbench.bench.runner import run_track
track, dataset, out, file, python = sys.argv[1:]
options = {"size": "mini", "methods": [], "jobs": 1, "progress": False}
run_track(track, out=out, dataset=dataset, method_files=[file], python=python, **options)
"""
#: Runs a command where nobody may make namespaces any more.
NO_NAMESPACES = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"'


@pytest.mark.parametrize("allowed", [True, False])
def test_dataset_and_results_are_hidden_from_an_isolated_method(
    shared_track, numpy_python, dataset_with_maps, tmp_path, allowed
):
    if allowed and not can_hide():
        pytest.skip("this system does not let users make namespaces")
    out, place = tmp_path / "run", sealing_place(dataset_with_maps)
    (tmp_path / "method").mkdir()
    file = tmp_path / "method" / "looking.py"
    file.write_text(FAR_END.format(folders=[str(folder) for folder in (dataset_with_maps, out, place)]))
    without = ["unshare", "--user", "--map-root-user", "sh", "-c", NO_NAMESPACES, "sh"]
    prefix = without if can_hide() and not allowed else []
    command = [sys.executable, "-c", RUN, shared_track, dataset_with_maps, out, f"{file}:Looks", numpy_python]
    subprocess.run([*prefix, *map(str, command)], check=True)
    store = RunStore.open(out)
    assert reasons(store) == {"looks": {f"sees {0 if allowed else 3} and True"}}
    assert set(store.estimates()["role"]) == {"oracle reference depth"}
    assert {host["hides_folders"] for host in store.record.sessions[-1]["hosts"].values()} == {allowed}
