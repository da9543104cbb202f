"""From the track file to the report: places are recognized, chance is where probability says it is."""

from __future__ import annotations

import shutil
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from relocbench.bench.metrics import chance_reciprocal_rank
from relocbench.bench.runner import run_track
from relocbench.bench.store import RunStore
from relocbench.bench.tracks import load_track
from relocbench.reports.html import write_report
from relocbench.reports.results import load_results
from relocbench.reports.summary import summarise
from relocbench.sim.scene_files import save_scene

TRACK = """
name: places
version: 1
protocol: cross-view
description: A test.
primary: mrr
methods: [random, oracle-nearest]
sweeps:
  - {{name: knowledge, axis: Looks at the query, values: {{random: 0, oracle-nearest: 1}}}}
sizes:
  mini:
    dataset:
      scenes: {{test: [{scene}]}}
      camera: {{width: 48, height: 48}}
      cross_view: {{views_per_scene: 450, places: 8, training_images: random, queries_per_scene: 250}}
"""


@pytest.fixture(scope="module")
def run(make_box_room, tmp_path_factory: pytest.TempPathFactory) -> RunStore:
    folder = tmp_path_factory.mktemp("places")
    track = folder / "places.yaml"
    track.write_text(TRACK.format(scene=save_scene(make_box_room(4), folder)))
    return run_track(track, out=folder / "run", size="mini", jobs=2, progress=False)


@pytest.fixture(scope="module")
def with_maps(run: RunStore, plugged, tmp_path_factory: pytest.TempPathFactory) -> RunStore:
    """The same queries, answered by methods that are given the simulator's maps, beside one that guesses."""
    return run_track(
        run.folder.parent / "places.yaml",
        out=tmp_path_factory.mktemp("maps") / "run",
        size="mini",
        methods=["random", "oracle-nearest"],
        method_files=[plugged("GivenMaps"), plugged("GivenLabels")],
        dataset=run.dataset.root,
        jobs=2,
        progress=False,
    )


def of(estimates: pd.DataFrame, method: str) -> pd.DataFrame:
    return estimates[estimates["method"] == method]


def test_the_mean_reciprocal_rank_of_a_guess_is_that_of_chance(run):
    """H(K) / K, within what so many queries leave to luck: 99.9 % of random rankings."""
    guess = of(run.estimates(), "random")
    mean, deviation = chance_reciprocal_rank(8)
    assert mean == pytest.approx(sum(1 / rank for rank in range(1, 9)) / 8)
    assert len(guess) > 200
    assert abs((1 / guess["relevant_rank"]).mean() - mean) < 3.3 * deviation / np.sqrt(len(guess))
    assert (guess["relevant_rank"] == 1).mean() == pytest.approx(1 / 8, abs=3.3 * np.sqrt(1 / 8 * 7 / 8 / len(guess)))


def test_a_query_is_judged_by_the_image_of_its_place(run):
    queries = run.dataset.views.where(role="query").table.set_index("view")
    references = run.dataset.views.where(role="reference").table.set_index("place")["view"]
    for row in of(run.estimates(), "oracle-nearest").iloc[:40].itertuples():
        own = references[queries["place"][row.query]]
        assert row.relevant_rank == list(row.ranking).index(own) + 1
        assert (row.place, row.references, row.sweep) == (queries["place"][row.query], 8, 8)
        assert row.reference_angle == queries["reference_angle"][row.query]
        assert row.reference_distance == queries["reference_distance"][row.query]


def test_a_method_is_given_the_maps_that_it_names_and_no_others(with_maps):
    estimates = with_maps.estimates()
    assert (estimates["status"] == "ok").all()
    views = with_maps.dataset.views
    rows = {name: row for row, name in enumerate(views.ids)}
    maps, labels = (of(estimates, name).set_index("query")["confidence"] for name in ("given-maps", "given-labels"))
    for query in list(maps.index[::60]):
        view = views[rows[query]]
        depth, semantic = (float(array.sum(dtype=np.float64)) for array in (view.depth(), view.semantic()))
        assert maps[query] == pytest.approx(depth + semantic)
        assert labels[query] == semantic


def test_who_was_given_maps_is_listed_but_not_ranked(with_maps):
    board = with_maps.leaderboard().set_index("method")
    assert board["role"].to_dict() == {
        "random": "chance",
        "oracle-nearest": "oracle",
        "given-maps": "oracle segmentation and depth",
        "given-labels": "oracle segmentation",
    }
    assert board["rank_low"].isna().all()


def test_the_leaderboard_ranks_by_places(run):
    board = run.leaderboard().set_index("method")
    assert (board["primary"] == "mrr").all()
    assert (board["cluster_unit"] == "place").all()
    assert board["mrr"]["oracle-nearest"] > board["mrr_high"]["random"]


def test_the_report_draws_what_cross_view_means(run, tmp_path):
    paths = write_report([run.folder], tmp_path)
    drawn = {path.stem for path in paths.plots}
    assert {"mrr-angle", "mrr-distance", "mrr-covisibility", "rank-curve"} <= drawn
    assert "sweep" in drawn
    assert not any(name.startswith(("error-", "floor-plan", "accuracy-latency")) for name in drawn)  # nobody competes
    table = (tmp_path / "leaderboard.md").read_text()
    head = table.splitlines()[2]
    assert head.index("MRR") < head.index("Top-1") < head.index("Top-5") < head.index("Failures")
    assert "rror" not in head
    assert "chance with K = 8 places: MRR 33.97 %, top-1 12.50 %, top-5 62.50 %" in table


def test_the_report_counts_the_classes_where_the_dataset_is_gone(run, tmp_path):
    """Everything about classes and sweeps is in the run's own record."""
    alone = tmp_path / "run"
    shutil.copytree(run.folder, alone, ignore=shutil.ignore_patterns("dataset"))
    paths = write_report([alone], tmp_path / "out")
    assert "sweep" in {path.stem for path in paths.plots}
    row = pd.read_csv(tmp_path / "out" / "classes.csv").iloc[0]
    record = run.dataset.manifest.scenes[0].places
    assert (row["Candidates"], row["Of no place"], row["Over the limit"]) == (450, record.dropped, record.over_limit)
    assert record.over_limit > 0
    assert (row["Queries"], row["Places"], row["Queries per place, min"]) == (250, 8, min(record.views))
    guess = of(run.estimates(), "random")
    assert row["MRR of a random ranking (%)"] == pytest.approx(100 * (1 / guess["relevant_rank"]).mean(), rel=1e-5)
    inside = row["Chance MRR (%) low"] <= row["MRR of a random ranking (%)"] <= row["Chance MRR (%) high"]
    assert row["Within"] == ("yes" if inside else "no")


def test_the_report_compares_methods_with_maps_with_each_other_and_with_those_without(with_maps, tmp_path):
    differences = summarise(load_results([with_maps.folder])[0]).differences
    pairs = {frozenset((row.a, row.b)) for row in differences.itertuples()}
    assert pairs == {frozenset(pair) for pair in combinations(["random", "given-maps", "given-labels"], 2)}
    write_report([with_maps.folder], tmp_path)
    assert "given-maps §¶" in (tmp_path / "leaderboard.md").read_text()
    assert "given-maps (oracle segmentation and depth)" in (tmp_path / "report.html").read_text()


def test_the_track_is_the_papers(run):
    full = load_track("cross-view-v1").size("full").dataset
    assert (full.camera.width, full.camera.height, full.camera.horizontal_fov) == (256, 256, 90)
    assert (full.protocol.views_per_scene, full.protocol.places) == (100_000, 100)
    assert (full.protocol.cell_size, full.protocol.cell_angle) == (2, 30)
    assert full.protocol.training_images == "similar"
    assert len(full.scenes.test) == 3


def test_the_track_from_the_other_side_has_the_papers_cameras():
    """Those of the habitat documentation that it refers to, and level: its poses have three degrees of freedom."""
    full = load_track("cross-view-v2").size("full").dataset
    assert (full.camera.width, full.camera.height, full.camera.horizontal_fov) == (256, 256, 90)
    assert full.protocol.camera_height == (1.25, 1.25)
    assert full.protocol.pitch_std == 0
    assert full.protocol.views_per_scene == 100_000
    assert (full.protocol.cell_size, full.protocol.cell_angle) == (2, 30)
    assert full.protocol.training_images == "similar"
    assert full.protocol.least_ahead / 2 >= 2, "metres from any training image to its point"


@pytest.mark.parametrize("size", ["mini", "small"])
def test_the_houses_to_tune_on_are_made_as_those_of_the_track(size):
    tuned = load_track(Path(__file__).parents[2] / "docs" / "tracks" / "cross-view-validation.yaml").size(size).dataset
    track = load_track("cross-view-v2").size(size).dataset
    for parameter in ("point_range", "least_ahead", "free_floor", "query_sampling", "camera_height", "places"):
        assert getattr(tuned.protocol, parameter) == getattr(track.protocol, parameter)
    assert (tuned.seed, tuned.camera) == (track.seed, track.camera)
    assert all(2000 <= house < 3000 for house in tuned.scenes.val)
    assert not tuned.scenes.test


def test_methods_of_the_track_know_how_far_points_lie():
    track = load_track("cross-view-v2")
    ranges = {entry.config["point_range"] for entry in track.methods if "point_range" in entry.config}
    assert ranges == {track.size("full").dataset.protocol.point_range}
