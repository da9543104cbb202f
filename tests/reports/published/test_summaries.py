"""A summary says what the records said, in a file that anybody's JSON reader takes."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from relocbench.bench.scoring import paired
from relocbench.bench.store import DECIDES, RunStore
from relocbench.cli import main
from relocbench.errors import InputError
from relocbench.reports.published.from_run import summarise_run
from relocbench.reports.published.summaries import DIGITS, Frame, RunSummary, read_summary, to_json, write_summary

NUMBERS = st.floats(allow_nan=True, allow_infinity=True, width=64)


@settings(max_examples=50)
@given(st.lists(st.tuples(NUMBERS, st.integers(-9, 9) | st.none(), st.text(max_size=5), st.booleans()), max_size=5))
def test_a_table_comes_back_as_it_was_kept(rows: list[tuple[float, int | None, str, bool]]) -> None:
    table = pd.DataFrame(rows, columns=["number", "rank", "words", "yes"])
    table = table.astype({"number": "float64", "rank": "Int64", "words": "object", "yes": "bool"})
    kept = Frame.model_validate(json.loads(json.dumps(Frame.of(table).model_dump(mode="json"), allow_nan=False))).table
    assert list(kept.columns) == list(table.columns)
    np.testing.assert_allclose(kept["number"], table["number"], rtol=10.0 ** (1 - DIGITS))
    assert kept["rank"].equals(table["rank"])
    assert list(kept["words"]) == list(table["words"])
    assert list(kept["yes"]) == list(table["yes"])


def test_a_summary_holds_the_leaderboard_and_the_differences_of_its_run(summary: RunSummary, made_up_run: Path) -> None:
    store = RunStore.open(made_up_run)
    board, (step,) = store.leaderboard().set_index("method"), summary.steps
    kept = step.board.table.set_index("method")
    for metric in [metric.name for metric in summary.asked.metrics]:
        for column in (metric, f"{metric}_low", f"{metric}_high"):
            np.testing.assert_allclose(kept[column], board.loc[kept.index, column], rtol=1e-5)
    names = list(kept.index)
    places = [step.pairs.index((names.index(a), names.index(b))) for a, b in [("sift-pnp", "dense-vlad")]]
    expected = paired(store.estimates(), "sift-pnp", "dense-vlad", summary.asked, metric="success_rate").iloc[0]
    row = step.differences["success_rate"].table.iloc[places[0]]
    assert row["difference"] == pytest.approx(expected["difference"], rel=1e-3)
    assert (row["low"], row["high"]) == pytest.approx((expected["low"], expected["high"]), rel=1e-3)
    assert (step.queries, step.maps, step.scenes) == (120, 3, 2)


def test_a_summary_is_small_strict_json_that_reads_back(summary: RunSummary, tmp_path: Path) -> None:
    path = tmp_path / "made-up.json"
    write_summary(path, summary)
    text = path.read_text()
    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert len(text) < 60_000
    again = read_summary(path)
    assert to_json(again) == text
    assert again.methods == summary.methods
    assert again.sessions[0].command == "relocbench run made-up"


def test_the_command_writes_the_summary_and_no_report(made_up_run: Path, tmp_path: Path, capsys) -> None:
    path = tmp_path / "made-up.json"
    with pytest.raises(SystemExit) as end:
        main(["report", str(made_up_run), "--summary", str(path)])
    assert end.value.code == 0
    assert capsys.readouterr().out == f"{path}\n"
    assert isinstance(read_summary(path), RunSummary)
    assert not (made_up_run / "report").exists()


def test_infinity_and_what_is_not_known_stay_apart() -> None:
    kept = Frame.of(pd.DataFrame({"error": [math.inf, math.nan, 1.0]})).table["error"]
    assert [math.isinf(kept[0]), math.isnan(kept[1]), kept[2]] == [True, True, 1.0]


def test_nothing_is_summarised_of_which_nobody_knows_how_it_was_made(made_up, estimates, tmp_path: Path) -> None:
    run = made_up(tmp_path / "run", estimates)
    next(run.glob(f"methods/*/{DECIDES}")).unlink()
    with pytest.raises(InputError, match="nobody can tell what"):
        summarise_run([run])


def test_two_runs_have_no_common_summary(made_up_run: Path, small_run: Path) -> None:
    with pytest.raises(InputError, match="a summary is of one run"):
        summarise_run([made_up_run, small_run])


@pytest.mark.parametrize("content", ["{", "{}", '{"kind": "run"}', '{"kind": "other"}'])
def test_a_file_that_is_no_summary_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "made-up.json").write_text(content)
    with pytest.raises(InputError, match=r"made-up\.json: is no summary of results"):
        read_summary(tmp_path / "made-up.json")
