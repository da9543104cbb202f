"""The browser's data: which queries are in a page, and that what it says of them is what the records say."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from relocbench.bench.questions.place import PlaceQuestion
from relocbench.bench.questions.pose import PoseQuestion
from relocbench.bench.store import RunStore
from relocbench.datasets.views import ViewSet
from relocbench.reports import query_browser
from relocbench.reports.query_browser import browse_queries, choose_queries, worst_first

ORDER = ["sift-pnp", "sift-5pt+fallback", "sift-5pt", "oracle-nearest", "dense-vlad", "random"]

ERROR = PoseQuestion.judged_by


def test_few_queries_are_all_there(estimates: pd.DataFrame) -> None:
    assert choose_queries(estimates, most=1000, by=ERROR) == set(estimates["query"])


def test_the_worst_of_every_method_are_there_beside_an_even_sample(estimates: pd.DataFrame) -> None:
    chosen = choose_queries(estimates, most=40, by=ERROR)
    assert 30 <= len(chosen) <= 40
    for _, group in estimates.groupby("method"):
        assert set(worst_first(group, ERROR)["query"].iloc[:2]) <= chosen
    shuffled = estimates.sample(frac=1.0, random_state=5)
    assert choose_queries(shuffled, most=40, by=ERROR) == chosen


def test_worst_first_puts_failures_that_saw_much_before_those_that_saw_little(estimates: pd.DataFrame) -> None:
    ordered = worst_first(estimates[estimates["method"] == "sift-5pt"], ERROR)
    failures = (ordered["status"] == "failure").to_numpy()
    assert failures[: failures.sum()].all()
    assert (np.diff(ordered["covisibility"].to_numpy()[: failures.sum()]) <= 0).all()
    assert (np.diff(ordered["translation_error"].to_numpy()[failures.sum() :]) <= 0).all()


def test_answers_say_what_the_records_say(estimates: pd.DataFrame, made_up_run: Path) -> None:
    data = browse_queries(estimates, ORDER, RunStore.open(made_up_run).dataset.views, {}, PoseQuestion()).data
    json.dumps(data, allow_nan=False)
    assert len(data["answers"]) == len(estimates)
    rows = estimates.set_index(["method", "query"])
    for answer in data["answers"][::37]:
        query = data["queries"][answer["q"]]
        row = rows.loc[(ORDER[answer["m"]], query["id"])]
        assert (answer["reason"] is None) == (row["status"] == "ok")
        if answer["reason"] is None:
            assert answer["loss"] == pytest.approx(row["translation_error"], abs=1e-4)
            assert np.hypot(*(np.array(answer["pose"][:2]) - query["pose"][:2])) == pytest.approx(
                answer["loss"], abs=0.01
            )
        else:
            assert answer["reason"] == row["reason"]
            assert answer["loss"] is None
        shown = [data["references"][place]["id"] for place in answer["ranking"]]
        assert shown == list(row["ranking"])[:5]


def test_no_image_is_in_a_page_twice_and_every_query_has_one(estimates: pd.DataFrame, made_up_run: Path) -> None:
    data = browse_queries(estimates, ORDER, RunStore.open(made_up_run).dataset.views, {}, PoseQuestion()).data
    assert len(set(data["images"])) == len(data["images"])
    assert all(query["image"] is not None for query in data["queries"])
    assert all(uri.startswith("data:image/jpeg;base64,") for uri in data["images"])


def test_images_stay_within_the_limit_and_the_page_says_so(
    estimates: pd.DataFrame, made_up_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(query_browser, "IMAGE_BYTES", 20_000)
    browser = browse_queries(estimates, ORDER, RunStore.open(made_up_run).dataset.views, {}, PoseQuestion())
    assert sum(map(len, browser.data["images"])) < 20_000 * 1.4
    assert "left out" in browser.note


def test_without_a_dataset_there_are_answers_and_no_images(estimates: pd.DataFrame) -> None:
    browser = browse_queries(estimates, ORDER, None, {}, PoseQuestion())
    assert browser.data["images"] == []
    assert len(browser.data["answers"]) == len(estimates)
    assert browser.data["answers"][0]["ranking"]
    assert "no images" in browser.note


def test_where_places_are_recognized_the_worst_are_those_ranked_last(
    estimates: pd.DataFrame, made_up_run: Path
) -> None:
    many = estimates.assign(relevant_rank=np.random.default_rng(0).integers(1, 90, len(estimates)).astype(float))
    many.loc[many.index[::17], "relevant_rank"] = np.inf
    ordered = worst_first(many, "relevant_rank")["relevant_rank"].to_numpy()
    assert np.isinf(ordered[0])
    assert (ordered[:-1] >= ordered[1:]).all()
    chosen = choose_queries(many, most=40, by="relevant_rank")
    for _, group in many.groupby("method"):
        assert set(worst_first(group, "relevant_rank")["query"].iloc[:2]) <= chosen


def test_a_query_of_a_place_knows_the_image_of_its_place(estimates: pd.DataFrame, made_up_run: Path) -> None:
    views = RunStore.open(made_up_run).dataset.views
    placed = views.table.assign(place=-1)
    references = placed["role"] == "reference"
    placed.loc[references, "place"] = placed.loc[references, "view"].str[-1].astype(int)
    answers = estimates.assign(place=2)
    data = browse_queries(answers, ORDER, ViewSet(placed, views.root, depth_unit=0.001), {}, PlaceQuestion()).data
    assert data["verdict"] == "Its place"
    for query in data["queries"]:
        assert data["references"][query["own"]]["id"] == f"{query['map']}-r2"
    assert {answer["outcome"].rpartition(" of ")[2] for answer in data["answers"] if answer["reason"] is None} == {"4"}
    assert all(
        query["own"] is None for query in browse_queries(estimates, ORDER, views, {}, PoseQuestion()).data["queries"]
    )
