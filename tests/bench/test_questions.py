"""Kinds of question: what is not asked is not scored, and a new kind needs no more than its own class."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from relocbench.bench.consolidation import UnitTruth, estimates_table
from relocbench.bench.questions import QUESTIONS, Question, question
from relocbench.bench.questions.metric import Metric, share
from relocbench.bench.questions.place import PlaceQuestion
from relocbench.bench.questions.pose import PoseQuestion
from relocbench.bench.records import ESTIMATE_COLUMNS
from relocbench.bench.scoring import leaderboard
from relocbench.bench.store import ESTIMATES, RUN, RunStore
from relocbench.datasets.dataset import Dataset
from relocbench.errors import InputError


@pytest.fixture
def records() -> pd.DataFrame:
    """One method on 200 queries of eight scenes, everywhere ranked and off by centimetres to metres."""
    n, rng = 200, np.random.default_rng(0)
    columns = {
        "method": "a",
        "role": "",
        "scene": [f"scene-{i % 8}" for i in range(n)],
        "map": [f"scene-{i % 8}" for i in range(n)],
        "place": -1,
        "sweep": 8.0,
        "references": 8,
        "query": [f"query-{i}" for i in range(n)],
        "status": "ok",
        "reason": "",
        "translation_error": rng.exponential(0.5, n),
        "rotation_error": rng.exponential(5.0, n),
        "relevant_rank": rng.integers(1, 9, n).astype(float),
        "top1_distance": rng.exponential(1.0, n),
        "seconds": 0.01,
        "warm": True,
        "machine": "a",
    }
    return pd.DataFrame(columns).astype({name: dtype for name, dtype in ESTIMATE_COLUMNS.items() if name in columns})


def test_conventions_are_said_once_and_only_of_what_is_shown():
    pose = PoseQuestion()
    of_areas = pose.conventions(["auc_translation_1m", "auc_rotation_10deg"])
    assert len(of_areas) == 1
    assert "trapezoids" in of_areas[0]
    assert set(pose.conventions(["success_rate"])) == set()
    every = {column.convention for column in pose.shown.values()} - {""}
    assert set(pose.conventions(pose.shown)) == every


OF_RANK = ("mrr", "recall_at_1", "recall_at_5")


@pytest.mark.parametrize("asked", [PoseQuestion(), PlaceQuestion()])
def test_queries_that_nobody_can_be_right_about_are_left_out_of_what_asks_them_and_of_nothing_else(
    records: pd.DataFrame, asked: Question
) -> None:
    some = records.assign(relevant_rank=records["relevant_rank"].where(np.arange(len(records)) % 3 > 0))
    mixed, full = leaderboard(some, asked).iloc[0], leaderboard(records, asked).iloc[0]
    known = leaderboard(some[some["relevant_rank"].notna()], asked).iloc[0]
    for name in [metric.name for metric in asked.metrics]:
        same = known if name in OF_RANK else full
        assert [mixed[name], mixed[f"{name}_low"], mixed[f"{name}_high"]] == pytest.approx(
            [same[name], same[f"{name}_low"], same[f"{name}_high"]], nan_ok=True
        )
    nothing = leaderboard(records.assign(relevant_rank=np.nan), asked).iloc[0]
    assert nothing[list(OF_RANK)].isna().all()
    assert nothing["median_translation_error"] == full["median_translation_error"]
    assert pd.isna(nothing["rank_low"]) == (asked.primary in OF_RANK)


def test_who_ranks_nothing_recognizes_no_place_but_was_not_asked_to_rank_for_a_pose(records: pd.DataFrame) -> None:
    silent = records.assign(relevant_rank=np.inf, top1_distance=np.inf)
    place, pose = (leaderboard(silent, kind).iloc[0] for kind in (PlaceQuestion(), PoseQuestion()))
    assert (place["mrr"], place["recall_within_1m"], place["rank_low"]) == (0, 0, 1)
    assert np.isnan([pose["mrr"], pose["recall_within_1m"]]).all()


class Nearness(Question):
    """A question of one metric, as another package would bring it."""

    name = "nearness"
    metrics = (Metric("near", lambda c: (c["top1_distance"] < 1.0).astype(float), ("top1_distance",)),)
    primary = "near"
    main = (share("near", "Retrieved within 1 m"),)


def test_one_metric_makes_a_question(records: pd.DataFrame) -> None:
    far = records.assign(method="b", top1_distance=records["top1_distance"] + 1.0)
    board = leaderboard(pd.concat([far, records]), Nearness())
    assert list(board["method"]) == ["a", "b"]
    assert list(board["rank_low"]) == [1, 2]
    assert list(board["near"]) == [(records["top1_distance"] < 1).mean(), 0]
    with pytest.raises(InputError, match="no metric 'mrr'; there are near"):
        leaderboard(records, Nearness(), primary="mrr")


@pytest.mark.parametrize("name", QUESTIONS.names())
def test_a_question_measures_what_it_shows_draws_and_sorts_by(name: str) -> None:
    asked = question(name)
    assert asked.name == name
    measured = [metric.name for metric in asked.metrics]
    assert len(set(measured)) == len(measured)
    wanted = {asked.primary, asked.drawn or asked.primary, *asked.shown, *(curve.metric for curve in asked.curves)}
    assert wanted <= set(measured)
    assert set(asked.chance(5)) <= set(measured)
    panels = asked.distribution.panels if asked.distribution else ()
    assert {asked.judged_by, *(panel.column for panel in panels)} <= set(ESTIMATE_COLUMNS)
    for metric in asked.metrics:
        assert asked.column(metric.name).smaller_is_better != metric.higher_is_better


def test_chance_is_what_random_rankings_score_on_average() -> None:
    ranks = np.random.default_rng(0).integers(1, 8, 40_000).astype(float)
    asked = PlaceQuestion()
    for name, level in asked.chance(7).items():
        scores = asked.metric(name).scores({"relevant_rank": ranks})
        assert scores.mean() == pytest.approx(level, abs=0.01)


def test_chance_is_of_every_query_in_its_own_map() -> None:
    """Sixty queries among 20 places and thirty among 100: random rankings of them score what is said."""
    rng, asked, queries = np.random.default_rng(0), PlaceQuestion(), {20: 60, 100: 30}
    ranks = np.concatenate([rng.integers(1, size + 1, 2000 * n) for size, n in queries.items()]).astype(float)
    for name, level in asked.mean_chance(queries).items():
        scores = asked.metric(name).scores({"relevant_rank": ranks})
        assert scores.mean() == pytest.approx(level, abs=0.003)
    assert asked.mean_chance({7: 40}) == pytest.approx(asked.chance(7))
    runs = np.concatenate([part.reshape(2000, -1) for part in np.split(1 / ranks, [120_000])], axis=1).mean(axis=1)
    low, high = np.quantile(100 * runs, [0.025, 0.975])
    note = asked.chance_note(queries)
    assert "K = 20 to 100 places and 90 queries" in note
    said = [float(number) for number in re.findall(r"\d+\.\d\d", note)]
    assert said == pytest.approx([low, high], abs=0.7)


def test_without_a_covisible_reference_no_rank_is_asked(tiny_dataset: Path) -> None:
    views = Dataset.open(tiny_dataset).views
    queries, references = (views.where(role=role, map="scene-2/bath") for role in ("query", "reference"))
    queries.table.loc[::2, "covisible_reference"] = ""
    answer = {"status": "ok", "reason": "", "flags": "", "confidence": 0.0, "pose": None, "ranking": references.ids}
    answer |= {"load_seconds": 0.0, "seconds": 0.0, "warm": True, "machine": "a", "spans": []}
    entries = [{"kind": "answer", "query": name, **answer} for name in queries.ids]
    table = estimates_table(entries, UnitTruth("a", "", "scene-2/bath", 8, queries, references))
    assert table["relevant_rank"].isna().tolist() == [i % 2 == 0 for i in range(len(queries))]
    assert set(table["relevant_rank"].dropna()) == {3}  # the third of the map is the covisible one


def test_results_of_earlier_versions_are_read_as_they_would_be_written_today(
    records: pd.DataFrame, tmp_path: Path
) -> None:
    """They called the step of the sweep "density", named no question, and gave rank infinity where none was asked."""
    full = pd.DataFrame({name: pd.Series(dtype=dtype) for name, dtype in ESTIMATE_COLUMNS.items()})
    new = pd.concat([full, records])[list(ESTIMATE_COLUMNS)]
    new["covisibility"] = np.where(np.arange(len(new)) % 2, 0.5, np.nan)
    old = new.rename(columns={"sweep": "density"}).astype({"density": "int32"})
    new["relevant_rank"] = new["relevant_rank"].where(new["covisibility"].notna())
    boards = []
    for name, table in (("old", old), ("new", new)):
        folder = tmp_path / name
        cell = {"label": "a", "role": "", "method": "a", "config": {}, "key": "0", "folder": "methods/a"}
        record = {"track": "t", "track_version": 1, "description": "", "size": "mini", "split": "test", "seed": 0}
        record |= {"primary": "mrr", "dataset": "d", "dataset_sha256": "", "query_timeout": 1, "map_timeout": 1}
        record |= {"cells": [cell], "sessions": [], **({"question": "place"} if name == "new" else {})}
        (folder / "methods" / "a").mkdir(parents=True)
        (folder / RUN).write_text(json.dumps(record))
        table.to_parquet(folder / "methods" / "a" / ESTIMATES, index=False)
        boards.append(RunStore.open(folder).leaderboard())
    pd.testing.assert_frame_equal(*boards)
    assert boards[0]["mrr"].iloc[0] == pytest.approx((1 / new["relevant_rank"]).mean())
