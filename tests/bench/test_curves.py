"""Recognition of places against what makes it hard: bins, means and intervals over places."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from relocbench.bench.curves import CURVE_COLUMNS, FEWEST_IN_BIN, accuracy_curve
from relocbench.bench.questions.place import PlaceQuestion

EDGES = (0, 30, 60, 180)
MRR = PlaceQuestion().metric("mrr")


def ranked(method: str, count: int = 600, *, places: int = 20, seed: int = 0) -> pd.DataFrame:
    """Queries of every angle; their rank is 1 below 30 degrees, 2 up to 60, and 4 or a failure beyond."""
    rng = np.random.default_rng(seed)
    angle = rng.uniform(0, 180, count)
    rank = np.select([angle < 30, angle < 60, np.arange(count) % 2 == 0], [1.0, 2.0, 4.0], np.inf)
    place = rng.integers(0, places, count)
    columns = {
        "method": method,
        "scene": "house",
        "map": "house",
        "query": np.arange(count),
        "place": place,
        "reference_angle": angle,
        "relevant_rank": rank,
    }
    return pd.DataFrame(columns)


def test_each_bin_holds_the_mean_of_its_queries():
    table = ranked("a")
    curve = accuracy_curve(table, "reference_angle", MRR, EDGES)
    assert list(curve.columns) == list(CURVE_COLUMNS)
    assert curve["value"].tolist()[:2] == [1.0, 0.5]
    assert curve["value"].iloc[2] == pytest.approx((1 / table["relevant_rank"][table["reference_angle"] > 60]).mean())
    assert curve["queries"].sum() == len(table)
    assert curve["low"].isna().tolist() == [True, False, False]  # all of the first are right
    assert not (curve["low"] > curve["value"]).any()
    assert not (curve["value"] > curve["high"]).any()
    assert curve["low"].iloc[2] < curve["high"].iloc[2]


def test_methods_do_not_mix_and_the_order_of_rows_changes_nothing():
    table = pd.concat([ranked("b", seed=1), ranked("a")])
    curve = accuracy_curve(table, "reference_angle", MRR, EDGES)
    assert curve["method"].tolist() == ["a"] * 3 + ["b"] * 3
    again = accuracy_curve(table.sample(frac=1, random_state=1), "reference_angle", MRR, EDGES)
    pd.testing.assert_frame_equal(curve, again)


def test_queries_that_share_a_place_are_no_independent_evidence():
    """Twenty places that are recognized always or never say less than as many queries of as many places."""
    table = ranked("a").assign(reference_angle=10.0)
    table["relevant_rank"] = np.where(table["place"] % 2 == 0, 1.0, np.inf)
    alone = table.assign(place=np.arange(len(table)))
    wide, narrow = (accuracy_curve(t, "reference_angle", MRR, EDGES).iloc[0] for t in (table, alone))
    assert wide["value"] == narrow["value"]
    assert wide["high"] - wide["low"] > 3 * (narrow["high"] - narrow["low"])


def test_the_last_bin_holds_its_end_and_small_bins_are_left_out():
    table = ranked("a").assign(reference_angle=180.0)
    table.loc[: FEWEST_IN_BIN - 2, "reference_angle"] = 40.0
    curve = accuracy_curve(table, "reference_angle", MRR, EDGES)
    assert curve["bin"].tolist() == [2]
    assert curve["queries"].tolist() == [len(table) - FEWEST_IN_BIN + 1]


def test_without_places_there_is_no_curve():
    assert accuracy_curve(ranked("a").assign(reference_angle=np.nan), "reference_angle", MRR, EDGES).empty
