"""A method that was trained several times answers several times, and stands in one row."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from relocbench.bench.computing import Share
from relocbench.bench.latency import OTHER, TOTAL, latency_table
from relocbench.bench.merging import merge_runs
from relocbench.bench.records import first_replicate
from relocbench.bench.runner import run_track
from relocbench.bench.store import ESTIMATES, MAPS, RUN, SPANS, RunStore
from relocbench.bench.tracks import load_track
from relocbench.errors import InputError
from relocbench.reports.query_browser import browse_queries
from relocbench.reports.results import load_results
from relocbench.reports.summary import summarise

TRAINED = "- {name: blind-ahead, as: trained, config: {distance: 9}, replicates: [{distance: 1}, {distance: 2}]}"
QUERIES, STEPS = 20, 2
Run = Callable[..., RunStore]


def track(text: str, entries: str = TRAINED) -> str:
    return text.replace("methods: [random, oracle-nearest]", f"methods:\n  - random\n  {entries}")


@pytest.fixture
def run(tiny_track: Path, tiny_dataset: Path, tmp_path: Path) -> Run:
    bare = tiny_track.read_text()

    def call(entries: str = TRAINED, out: str = "run", **options) -> RunStore:
        tiny_track.write_text(track(bare, entries))
        options = {"dataset": tiny_dataset, "jobs": 1, "progress": False, **options}
        return run_track(tiny_track, size="mini", out=tmp_path / out, **options)

    return call


def distances(store: RunStore) -> dict[int, set[float]]:
    """Return how far ahead of a reference each replicate's answers are."""
    found: dict[int, set[float]] = {}
    for cell in store.record.cells:
        if cell.label == "trained":
            found.setdefault(cell.replicate, set()).add(cell.config["distance"])
    return found


def test_each_replicate_answers_and_all_stand_under_one_name(run: Run) -> None:
    store = run()
    assert store.labels == ["random", "trained"]
    assert distances(store) == {0: {1.0}, 1: {2.0}}
    estimates = store.estimates()
    counts = estimates.groupby(["method", "replicate"]).size().to_dict()
    assert counts == {("random", 0): 40, ("trained", 0): 40, ("trained", 1): 40}
    answers = estimates[estimates["method"] == "trained"].set_index(["sweep", "query", "replicate"])
    assert answers.index.is_unique
    places = answers[["est_tx", "est_ty", "est_tz"]]
    apart = np.linalg.norm(places.xs(0, level=2) - places.xs(1, level=2), axis=1)
    assert apart == pytest.approx(1.0), "of one query's seed both replicates draw the same reference"
    assert len(store.maps()) == 3 * 4 * STEPS
    board = store.leaderboard()
    assert board["method"].value_counts().to_dict() == {"random": STEPS, "trained": STEPS}
    assert len(first_replicate(estimates)) == 2 * QUERIES * STEPS


def test_what_is_done_is_kept_whichever_number_it_gets(run: Run) -> None:
    first = run()
    again = run(TRAINED.replace("[{distance: 1}, {distance: 2}]", "[{distance: 2}, {distance: 1}]"))
    assert len(again.record.sessions) == len(first.record.sessions) == 1
    assert distances(again) == {0: {2.0}, 1: {1.0}}
    before, after = (store.estimates().query("method == 'trained'") for store in (first, again))
    swapped = before.assign(replicate=1 - before["replicate"])
    keys = ["sweep", "query", "replicate"]
    pd.testing.assert_frame_equal(
        after.sort_values(keys, ignore_index=True), swapped.sort_values(keys, ignore_index=True), check_dtype=False
    )
    fewer = run(TRAINED.partition(", replicates")[0].replace("9", "2") + "}")
    assert distances(fewer) == {0: {2.0}}
    assert set(fewer.estimates()["replicate"]) == {0}


def test_a_method_is_complete_when_all_of_its_replicates_are(run: Run) -> None:
    store = run()
    last = store.record.cells[-1]
    (store.folder / last.folder / ESTIMATES).unlink()
    opened = RunStore.open(store.folder)
    assert opened.labels == ["random"]
    assert set(opened.estimates()["method"]) == {"random"}


def test_shares_with_replicates_are_merged(run: Run, tmp_path: Path) -> None:
    whole = run(out="whole")
    for number in (1, 2):
        run(out="shared", share=Share(number, 2))
    merged = merge_runs([tmp_path / "shared" / "shards" / f"{n}-of-2" for n in (1, 2)], tmp_path / "merged")
    times = ["load_seconds", "seconds", "warm"]
    pd.testing.assert_frame_equal(merged.estimates().drop(columns=times), whole.estimates().drop(columns=times))


def test_the_browser_shows_one_answer_per_method_and_query(run: Run) -> None:
    summary = summarise(load_results([run().folder])[0])
    results = summary.results
    shown = browse_queries(results.estimates, summary.order, results.views, results.rooms, summary.terms.question)
    keys = [(answer["m"], answer["s"], answer["q"]) for answer in shown.data["answers"]]
    assert len(keys) == len(set(keys)) == 2 * STEPS * QUERIES


def test_results_of_earlier_versions_have_one_replicate(run: Run) -> None:
    store = run(TRAINED.partition(", replicates")[0] + "}")
    record = json.loads((store.folder / RUN).read_text())
    for cell in record["cells"]:
        del cell["replicate"]
        for name in (ESTIMATES, SPANS, MAPS):
            path = store.folder / cell["folder"] / name
            pd.read_parquet(path).drop(columns="replicate").to_parquet(path, index=False)
    (store.folder / RUN).write_text(json.dumps(record))
    opened = RunStore.open(store.folder)
    for table in (opened.estimates(), opened.spans(), opened.maps(), opened.estimates(["method", "replicate"])):
        assert table["replicate"].dtype == np.int32
        assert (table["replicate"] == 0).all()
    assert "replicate" not in opened.estimates(["method", "query"])


@pytest.mark.parametrize(
    ("replicates", "complaint"),
    [
        ("[{distance: 1}]", "one replicate is none"),
        ("[{distance: 1}, {distance: 1}]", "named twice"),
        ("[{distance: 1}, 2]", "replicates.1: Input should be a mapping"),
    ],
)
def test_replicates_that_are_none_are_refused(tiny_track: Path, replicates: str, complaint: str) -> None:
    text = TRAINED.replace("[{distance: 1}, {distance: 2}]", replicates)
    tiny_track.write_text(track(tiny_track.read_text(), text))
    with pytest.raises(InputError, match=complaint):
        load_track(tiny_track)


def test_replicates_that_come_to_the_same_are_refused(run: Run) -> None:
    with pytest.raises(InputError, match="replicates 0 and 1 have the same configuration"):
        run(TRAINED.replace("[{distance: 1}, {distance: 2}]", "[{}, {distance: 9.0}]"))


def test_the_time_outside_stages_is_that_of_each_replicate() -> None:
    """Two trainings of which one spends 3 of 4 seconds in its stage, the other 1 of 2: a third is outside."""
    common = {"method": "a", "sweep": 4.0, "machine": "m", "query": "q", "warm": True}
    estimates = pd.DataFrame([{**common, "replicate": 0, "seconds": 4.0}, {**common, "replicate": 1, "seconds": 2.0}])
    stages = [
        {**common, "stage": "s", "replicate": i, "seconds": t, "exclusive_seconds": t} for i, t in ((0, 3), (1, 1))
    ]
    table = latency_table(estimates, pd.DataFrame(stages)).set_index("stage")
    assert table.loc[OTHER, "share"] == pytest.approx(1 / 3)
    assert table.loc[TOTAL, "queries"] == table.loc[OTHER, "queries"] == 2
