"""Reports on results in which little or nothing came out are reports, and say what went wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from relocbench.bench.records import ESTIMATE_COLUMNS
from relocbench.reports.html import write_report

Change = Callable[[pd.DataFrame], pd.DataFrame]
POSE = [name for name in ESTIMATE_COLUMNS if name.startswith("est_")]
METHODS = ["sift-5pt", "dense-vlad", "random"]


def failed(table: pd.DataFrame) -> pd.DataFrame:
    """As a unit leaves it whose map could not be built."""
    nothing = dict.fromkeys([*POSE, "confidence", "load_seconds", "seconds"], np.nan)
    infinite = dict.fromkeys(["translation_error", "rotation_error", "top1_distance"], np.inf)
    rank = table["relevant_rank"].where(table["relevant_rank"].isna(), np.inf)
    said = {"status": "failure", "reason": "build_map: raised MemoryError", "flags": "", "warm": False}
    return table.assign(**nothing, **infinite, **said, relevant_rank=rank, ranking=[[]] * len(table))


def without_covisibility(table: pd.DataFrame) -> pd.DataFrame:
    """As a dataset without depth leaves it."""
    return table.assign(covisibility=np.nan, relevant_rank=np.nan)


def one_reference(table: pd.DataFrame) -> pd.DataFrame:
    """Maps of a single photograph."""
    return table.assign(references=1, sweep=1.0, relevant_rank=1.0, ranking=[[f"{m}-r0"] for m in table["map"]])


CASES: dict[str, tuple[list[str], Change]] = {
    "all failed": (METHODS, failed),
    "one method, and it failed": (["sift-5pt"], failed),
    "no warm query": (METHODS, lambda table: table.assign(warm=False)),
    "one query per map": (METHODS, lambda table: table.drop_duplicates(["method", "map"]).assign(warm=False)),
    "no competitor": (["random"], lambda table: table),
    "one reference": (METHODS, one_reference),
    "no covisibility": (METHODS, without_covisibility),
    "no covisibility, and all failed": (METHODS, lambda table: failed(without_covisibility(table))),
}


@pytest.mark.parametrize("question", ["pose", "place"])
@pytest.mark.parametrize("case", CASES)
def test_it_is_a_report(
    case: str, question: str, estimates: pd.DataFrame, small_run: Path, tmp_path: Path, made_up: Callable[..., Path]
) -> None:
    methods, change = CASES[case]
    some = estimates[estimates["method"].isin(methods) & (estimates["scene"] == "house-9")]
    dataset = small_run / "dataset"
    made_up(tmp_path / "run", change(some), methods=methods, dataset=dataset, question=question)
    paths = write_report([tmp_path / "run"], tmp_path / "report")
    page = paths.html.read_text()
    board = (tmp_path / "report" / "leaderboard.md").read_text()
    assert all(method in board for method in methods)
    assert "nan" not in board.lower().replace("dominant", "")
    if "failed" in case:
        assert page.count("build_map: raised MemoryError") > 1  # in the table of failures and in the browser of queries
        assert "ranks first" not in page
    if "no covisibility" in case:
        assert pd.read_csv(tmp_path / "report" / "leaderboard.csv")["MRR (%)"].isna().all()
        assert "not asked" in board


def test_a_good_run_beside_one_that_failed_is_reported(
    estimates: pd.DataFrame, made_up: Callable[..., Path], small_run: Path, tmp_path: Path
) -> None:
    bad = estimates[(estimates["method"] == "dense-vlad") & (estimates["scene"] == "house-9")]
    made_up(tmp_path / "bad", failed(bad), methods=["dense-vlad"], dataset=small_run / "dataset", machine="another")
    write_report([small_run, tmp_path / "bad"], tmp_path / "report")
    board = (tmp_path / "report" / "leaderboard.md").read_text()
    assert "sift-5pt" in board
    assert "dense-vlad" in board
    assert "raised MemoryError" in (tmp_path / "report" / "failures.md").read_text()
