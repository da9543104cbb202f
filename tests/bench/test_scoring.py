from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from relocbench.bench import metrics
from relocbench.bench.questions.place import PlaceQuestion
from relocbench.bench.questions.pose import PoseQuestion
from relocbench.bench.records import ESTIMATE_COLUMNS
from relocbench.bench.scoring import failure_reasons, leaderboard, paired
from relocbench.errors import InputError


def records(
    method: str,
    error: np.ndarray,
    *,
    scenes: int = 8,
    role: str = "",
    sweep: float = 4,
    first: int = 0,
    ranks: bool = True,
) -> pd.DataFrame:
    """Records of one method: ``error`` (N,) metres, spread evenly over scenes of three maps each."""
    n = len(error)
    scene = np.arange(n) % scenes
    failed = np.isinf(error)
    columns = {
        "method": method,
        "role": role,
        "scene": [f"scene-{i}" for i in scene],
        "map": [f"scene-{i}/room-{j}" for i, j in zip(scene, np.arange(n) // scenes % 3, strict=True)],
        "place": -1,
        "sweep": sweep,
        "references": 4,
        "query": [f"query-{i}" for i in range(first, first + n)],
        "status": np.where(failed, "failure", "ok"),
        "reason": np.where(failed, "too few matches", ""),
        "translation_error": error,
        "rotation_error": error * 10,
        "relevant_rank": np.where(failed | (not ranks), np.inf, 2.0),
        "top1_distance": error if ranks else np.full(n, np.inf),
        "seconds": 0.01,
        "warm": True,
        "machine": "a",
    }
    table = pd.DataFrame(columns)
    return table.astype({name: dtype for name, dtype in ESTIMATE_COLUMNS.items() if name in columns})


@pytest.fixture
def errors() -> np.ndarray:
    return np.random.default_rng(0).exponential(0.3, 400)


MEDIAN = "median_translation_error"


def row(board: pd.DataFrame, method: str) -> pd.Series:
    return board[board["method"] == method].iloc[0]


def test_every_value_is_the_pure_metric_and_lies_in_its_interval(errors):
    error = np.where(errors > 0.9, np.inf, errors)
    board = row(leaderboard(records("a", error), PoseQuestion()), "a")
    assert board["median_translation_error"] == metrics.median_error(error)
    assert board["localized_rotation_error"] == metrics.median_error_localized(error * 10)
    assert board["success_rate"] == np.mean(np.isfinite(error))
    assert board["recall_0.25m_2deg"] == metrics.joint_recall(error, error * 10, metres=0.25, degrees=2)
    assert board["auc_translation_1m"] == pytest.approx(metrics.recall_area(error, up_to=1))
    assert board["mrr"] == pytest.approx(metrics.mean_reciprocal_rank(np.where(np.isinf(error), np.inf, 2)))
    assert board["failures"] == np.isinf(error).sum()
    assert board["reasons"] == f"too few matches: {board['failures']}"
    for name in (metric.name for metric in PoseQuestion.metrics):
        assert not board[f"{name}_low"] > board[name]
        assert not board[f"{name}_high"] < board[name]
        assert np.isnan(board[f"{name}_low"]) == (board[name] == 0)  # in every scene


def ranks(board: pd.DataFrame) -> dict[str, tuple[int, int]]:
    return {r["method"]: (r["rank_low"], r["rank_high"]) for r in board.to_dict("records")}


def test_methods_have_the_ranks_that_the_data_admit(errors):
    noise = np.random.default_rng(1).normal(0, 0.01, errors.size)
    board = leaderboard(
        pd.concat(
            [
                records("clearly worst", errors + 1),
                records("good", errors),
                records("as good", np.abs(errors + noise)),
                records("never answers", np.full(errors.size, np.inf)),
                records("neither does this", np.full(errors.size, np.inf)),
                records("the oracle", errors / 10, role="oracle"),
            ]
        ),
        PoseQuestion(),
        primary=MEDIAN,
    )
    may_be = ranks(board)
    assert may_be["good"] == may_be["as good"] == (1, 2)
    assert may_be["clearly worst"] == (3, 3)
    assert may_be["never answers"] == may_be["neither does this"] == (4, 5)
    assert all(pd.isna(end) for end in may_be["the oracle"])
    assert board["method"].iloc[0] == "the oracle"  # listed by its value all the same


def test_a_metric_where_more_is_better_ranks_the_other_way_round(errors):
    table = pd.concat([records("a", errors + 1), records("b", errors)])
    board = leaderboard(table, PoseQuestion(), primary="auc_translation_1m")
    assert list(board["method"]) == ["b", "a"]
    assert ranks(board) == {"b": (1, 1), "a": (2, 2)}


def test_pairing_sees_a_difference_that_intervals_of_their_own_do_not(errors):
    """Scenes differ far more than methods do; only comparing on the same scenes shows the small, steady difference."""
    hard = np.arange(400) % 8 * 0.5
    table = pd.concat([records("a", errors + hard), records("b", errors + hard + 0.05)])
    board = leaderboard(table, PoseQuestion(), primary=MEDIAN)
    a, b = row(board, "a"), row(board, "b")
    assert a["median_translation_error_high"] > b["median_translation_error_low"]
    assert (a["rank_high"], b["rank_low"]) == (1, 2)
    difference = paired(table, "b", "a", PoseQuestion(), metric=MEDIAN).iloc[0]
    assert difference["low"] > 0
    assert difference["distinguishable"]
    assert paired(table, "a", "b", PoseQuestion(), metric=MEDIAN).iloc[0]["high"] == -difference["low"]


def test_pairs_are_compared_on_common_queries_in_any_order(errors):
    a, b = records("a", errors), records("b", errors[::-1] + 1, first=200)
    shuffled = pd.concat([a, b]).sample(frac=1, random_state=3)
    comparison = paired(shuffled, "a", "b", PoseQuestion(), metric=MEDIAN).iloc[0]
    assert comparison["queries"] == 200
    assert comparison["value_a"] == np.median(errors[200:])
    assert comparison["value_b"] == np.median(errors[::-1][:200] + 1)


def test_the_order_of_rows_changes_nothing(errors):
    table = pd.concat([records("a", errors), records("b", errors * 1.1)])
    board, again = leaderboard(table, PoseQuestion()), leaderboard(table.sample(frac=1, random_state=0), PoseQuestion())
    again = again.set_index("method").loc[board["method"]].reset_index()
    numbers = board.select_dtypes("number").columns
    np.testing.assert_allclose(board[numbers].astype(float), again[numbers].astype(float), rtol=1e-9)


@pytest.mark.parametrize(("scenes", "unit", "clusters"), [(8, "scene", 8), (3, "scene", 3), (2, "query", 400)])
def test_few_scenes_are_owned_up_to(errors, scenes, unit, clusters):
    board = row(leaderboard(records("a", errors, scenes=scenes), PoseQuestion()), "a")
    assert (board["cluster_unit"], board["clusters"], board["scenes"]) == (unit, clusters, scenes)


def test_queries_of_one_place_stand_or_fall_together(errors):
    """In a single house the places are what was drawn: each has one reference, which decides about all its queries."""
    table = records("a", errors, scenes=1)
    table["place"] = (np.arange(len(table)) % 20).astype(np.int32)
    board = row(leaderboard(table, PlaceQuestion()), "a")
    assert (board["cluster_unit"], board["clusters"]) == ("place", 60)  # twenty in each of three maps
    assert board["primary"] == "mrr"


def test_steps_of_the_sweep_are_tables_of_their_own(errors):
    table = pd.concat([records("a", errors + 1, sweep=4), records("b", errors, sweep=4), records("a", errors, sweep=8)])
    board = leaderboard(table, PoseQuestion())
    assert list(zip(board["sweep"], board["method"], board["rank_low"], strict=True)) == [
        (4, "b", 1),
        (4, "a", 2),
        (8, "a", 1),
    ]


def test_a_method_that_ranks_nothing_has_no_ranking_metrics(errors):
    board = row(leaderboard(records("a", errors, ranks=False), PoseQuestion()), "a")
    assert np.isnan([board["mrr"], board["recall_at_1"], board["recall_within_1m_high"]]).all()


def test_latencies_of_two_machines_are_never_mixed(errors):
    table = records("a", errors)
    assert row(leaderboard(table, PoseQuestion()), "a")["seconds_p50"] == 0.01
    table.loc[:10, "machine"] = "b"
    assert np.isnan(row(leaderboard(table, PoseQuestion()), "a")["seconds_p50"])


def test_reasons_are_counted(errors):
    table = records("a", np.where(errors > 0.5, np.inf, errors))
    table.loc[table["translation_error"].isna(), "reason"] = ""
    failed = table.index[table["status"] == "failure"]
    table.loc[failed[:3], "reason"] = "no consistent pair"
    counts = failure_reasons(table)
    assert counts["count"].sum() == len(failed)
    assert counts["count"].is_monotonic_decreasing
    assert dict(zip(counts["reason"], counts["count"], strict=True))["no consistent pair"] == 3


def test_many_single_queries_do_not_exhaust_memory():
    error = np.random.default_rng(0).exponential(size=20_000)
    board = row(leaderboard(records("a", error, scenes=1), PoseQuestion()), "a")
    half = (board["median_translation_error_high"] - board["median_translation_error_low"]) / 2
    assert half == pytest.approx(
        1.96 * 0.5 / np.sqrt(error.size) / 0.5, rel=0.35
    )  # 1.96 / (2 f(m) sqrt(n)), f(m) = 1/2


def test_the_default_ranking_tells_methods_apart_that_mostly_fail(errors):
    """Their medians are both infinite; one of them still finds three queries in ten, the other none."""
    some = np.where(np.arange(errors.size) % 10 < 3, errors / 4, np.inf)
    table = pd.concat([records("never", np.full(errors.size, np.inf)), records("sometimes", some)])
    assert list(leaderboard(table, PoseQuestion())["method"]) == ["sometimes", "never"]
    assert ranks(leaderboard(table, PoseQuestion())) == {"sometimes": (1, 1), "never": (2, 2)}
    assert set(ranks(leaderboard(table, PoseQuestion(), primary=MEDIAN)).values()) == {(1, 2)}


def test_unknown_names_are_input_errors(errors):
    table = records("a", errors)
    with pytest.raises(InputError, match="no metric 'speed'"):
        leaderboard(table, PoseQuestion(), primary="speed")
    with pytest.raises(InputError, match="no results of a method 'b'; there are a"):
        paired(table, "a", "b", PoseQuestion())


def test_nothing_gives_an_empty_table(errors):
    assert leaderboard(records("a", errors[:0]), PoseQuestion()).empty
