"""Tables: what a number reads like, and that every format holds what the table holds."""

from __future__ import annotations

import csv
import io
import math
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from relocbench.bench.questions.place import PlaceQuestion
from relocbench.bench.questions.pose import PoseQuestion
from relocbench.bench.scoring import failure_reasons, leaderboard, paired
from relocbench.bench.store import PlaceCounts
from relocbench.reports.classes import chance_by_scene, class_table
from relocbench.reports.console import print_leaderboard
from relocbench.reports.leaderboard import (
    difference_table,
    failure_table,
    full_table,
    leaderboard_tables,
    main_table,
    rank_texts,
    three_digits,
)
from relocbench.reports.marks import map_notes
from relocbench.reports.tables import (
    Column,
    Table,
    column_decimals,
    escape_latex,
    number_cell,
    text_cell,
    to_csv,
    to_latex,
    to_markdown,
)
from relocbench.reports.terms import Terms
from rich.console import Console

POSES, PLACES = Terms(PoseQuestion()), Terms(PlaceQuestion())
ROLES = {"dense-vlad": "", "sift-pnp": ""}
AWKWARD = "a|b_c & 50 % of $x$ #1 {y} ~ ^ \\ <b>"


@pytest.fixture(scope="module")
def board(estimates: pd.DataFrame) -> pd.DataFrame:
    return leaderboard(estimates, POSES.question)


@pytest.fixture
def awkward() -> Table:
    columns = (Column("Method_name", numeric=False), Column("Error", "m", has_interval=True))
    rows = [[text_cell(AWKWARD), number_cell(0.4242, 2, low=0.35, high=math.inf)], [text_cell("b"), number_cell(1, 2)]]
    return Table("50 % & more", columns, rows, ("A_note.",))


@pytest.mark.parametrize(
    ("value", "low", "high", "text"),
    [
        (0.42, 0.35, 0.51, "0.42 [0.35, 0.51]"),
        (math.inf, 0.35, math.inf, "∞ [0.35, ∞]"),
        (0.42, math.nan, math.nan, "0.42"),
        (math.nan, math.nan, math.nan, "–"),
        (-0.5, -math.inf, 0.25, "−0.50 [−∞, 0.25]"),
    ],
)
def test_a_cell_reads_as_papers_print_it(value: float, low: float, high: float, text: str) -> None:
    cell = number_cell(value, 2, low=low, high=high)
    assert cell.text == text
    assert f"{cell.main} {cell.interval}".strip() == text


@given(st.lists(st.floats(1e-2, 1e4), min_size=1))
def test_the_smallest_of_a_column_shows_two_digits_and_no_column_needs_more_than_three_decimals(
    values: list[float],
) -> None:
    decimals = column_decimals(values)
    assert 0 <= decimals <= 3
    shown = f"{min(values):.{decimals}f}".replace(".", "").lstrip("0")
    assert len(shown) >= 2 or decimals == 3


@given(st.floats(1e-6, 1e6))
def test_three_digits_are_within_half_a_percent(value: float) -> None:
    assert float(three_digits(value)) == pytest.approx(value, rel=0.0051)


def test_markdown_rows_have_as_many_cells_as_columns_whatever_the_text(awkward: Table) -> None:
    lines = [line for line in to_markdown([awkward]).splitlines() if line.startswith("|")]
    assert len(lines) == 2 + len(awkward.rows)
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines} == {len(awkward.columns) + 1}
    assert "0.42 [0.35, ∞]" in lines[2]
    assert "<b>" not in lines[2].replace("\\<b>", "")


def test_csv_keeps_raw_numbers_and_parses_back(awkward: Table) -> None:
    header, first, second = csv.reader(io.StringIO(to_csv(awkward)))
    assert header == ["Method_name", "Error (m)", "Error (m) low", "Error (m) high"]
    assert first == [AWKWARD, "0.4242", "0.35", "inf"]
    assert second == ["b", "1", "", ""]


def test_latex_is_a_complete_document_whose_text_is_escaped(awkward: Table) -> None:
    latex = to_latex([awkward, awkward])
    for name in ("document", "table", "tabular"):
        opened, closed = latex.count(f"\\begin{{{name}}}"), latex.count(f"\\end{{{name}}}")
        assert opened == closed == (1 if name == "document" else 2)
    assert latex.count("\\toprule") == latex.count("\\midrule") == latex.count("\\bottomrule") == 2
    rows = [line for line in latex.splitlines() if line.endswith(r" \\")]
    assert {len(re.findall(r"(?<!\\)&", row)) for row in rows} == {len(awkward.columns) - 1}
    assert r"$\infty$" in latex
    balance = re.sub(r"\\[{}]", "", latex)
    assert balance.count("{") == balance.count("}")


@given(st.text())
def test_escaped_latex_has_no_active_character_and_no_character_that_pdflatex_refuses(text: str) -> None:
    escaped = escape_latex(text)
    plain = re.sub(
        r"\\(textbackslash|textasciitilde|textasciicircum|textless|textgreater|dag|ddag|S|P)\{\}", "", escaped
    )
    plain = re.sub(r"\{[\[\]]\}|\\[&%$#_{}]|\$(\\infty|\^\\circ|-|\\times|\\leq|\\mu)\$", "", plain)
    assert not set(plain) & set("&%$#_{}~^\\")
    assert all(ord(character) < 0x250 for character in escaped)


def test_the_leaderboard_marks_bounds_ties_and_failures(board: pd.DataFrame, estimates: pd.DataFrame) -> None:
    table = main_table(board, POSES)
    rows = {str(row[1].value): row for row in table.rows}
    assert rows["oracle-nearest"][0].text == "–"
    assert rows["oracle-nearest"][1].text.endswith("†")
    assert rows["random"][1].text.endswith("‡")
    failures = [column.header for column in table.columns].index("Failures")
    assert rows["sift-5pt"][failures].value == ((estimates.method == "sift-5pt") & (estimates.status != "ok")).sum()
    assert any("†" in note for note in table.notes)
    assert all(column.unit for column in table.columns if "error" in column.header or "Recall" in column.header)


def test_shared_ranks_are_marked_and_others_are_not() -> None:
    low, high = (pd.array(ends, dtype="Int64") for ends in ([1, 2, 2, None, 4], [1, 3, 3, None, 4]))
    assert rank_texts(pd.DataFrame({"rank_low": low, "rank_high": high})) == ["1", "2–3", "2–3", "–", "4"]


def test_a_method_that_mostly_fails_has_an_infinite_median_and_a_finite_one_over_what_it_localized(
    estimates: pd.DataFrame,
) -> None:
    failing = estimates[estimates["method"] == "sift-5pt"].copy()
    failing.loc[failing.index[: int(0.6 * len(failing))], ["translation_error", "rotation_error"]] = math.inf
    failing.loc[failing.index[: int(0.6 * len(failing))], "status"] = "failure"
    table = main_table(leaderboard(failing, POSES.question), POSES)
    row = dict(zip([column.header for column in table.columns], table.rows[0], strict=True))
    assert row["Median translation error, all"].main == "∞"
    assert math.isfinite(float(row["Translation error, localized"].value))


def test_the_csv_of_all_metrics_has_every_step_and_parses(board: pd.DataFrame) -> None:
    parsed = pd.read_csv(io.StringIO(to_csv(full_table(board, POSES))))
    assert len(parsed) == len(board)
    values = parsed["Median translation error, all (m)"].to_numpy()
    assert values == pytest.approx(board["median_translation_error"].to_numpy(), rel=1e-6)


def test_leaderboards_come_per_step_of_the_sweep(estimates: pd.DataFrame) -> None:
    doubled = pd.concat([estimates, estimates.assign(sweep=8.0)])
    captions = [table.caption for table in leaderboard_tables(leaderboard(doubled, POSES.question), POSES)]
    assert len(captions) == 4
    assert "4 references" in captions[0]
    assert "8 references" in captions[2]


def test_a_paired_difference_names_the_better_method(estimates: pd.DataFrame) -> None:
    metric = "median_translation_error"
    table = difference_table(
        paired(estimates, "dense-vlad", "sift-pnp", POSES.question, metric=metric), metric, ROLES, POSES
    )
    assert table.rows[0][-1].text == "sift-pnp is better"
    same = difference_table(
        paired(estimates, "sift-pnp", "sift-pnp", POSES.question, metric=metric), metric, ROLES, POSES
    )
    assert same.rows[0][-1].text == "cannot be told apart"
    success = difference_table(
        paired(estimates, "dense-vlad", "sift-pnp", POSES.question, metric="success_rate"), "success_rate", ROLES, POSES
    )
    assert success.rows[0][-1].text == "dense-vlad is better"


def test_reasons_add_up_to_the_failures(estimates: pd.DataFrame, board: pd.DataFrame) -> None:
    table = failure_table(failure_reasons(estimates), board, POSES)
    assert sum(float(row[3].value) for row in table.rows) == board["failures"].sum()


@pytest.fixture(scope="module")
def board_of_places(estimates: pd.DataFrame) -> pd.DataFrame:
    """A leaderboard by MRR on which two methods were given maps of the simulator."""
    roles = estimates["method"].map({"sift-pnp": "oracle segmentation", "sift-5pt": "oracle segmentation and depth"})
    return leaderboard(estimates.assign(role=roles.fillna(estimates["role"])), PLACES.question)


def test_methods_with_maps_are_marked_by_which_they_got_and_not_ranked(board_of_places: pd.DataFrame) -> None:
    table = main_table(board_of_places, PLACES)
    rows = {str(row[1].value): row for row in table.rows}
    assert (rows["sift-pnp"][1].text, rows["sift-5pt"][1].text) == ("sift-pnp §", "sift-5pt §¶")
    assert rows["sift-pnp"][0].text == rows["sift-5pt"][0].text == "–"
    assert rows["dense-vlad"][0].text != "–"
    (note,) = [note for note in table.notes if "§" in note]
    assert "§ oracle segmentation, ¶ oracle depth" in note
    assert "¶" not in "".join(map_notes(["oracle segmentation", ""]))
    assert map_notes(iter(["oracle depth", "oracle segmentation"])) == map_notes(["oracle segmentation and depth"])
    csv_roles = pd.read_csv(io.StringIO(to_csv(full_table(board_of_places, PLACES)))).set_index("Method")["Role"]
    assert csv_roles["sift-5pt"] == "oracle segmentation and depth"


def test_the_level_of_chance_is_that_of_maps_as_they_are(estimates: pd.DataFrame) -> None:
    board = leaderboard(estimates, PLACES.question)
    (step,) = set(board["sweep"])
    alike, mixed = (Terms(PLACES.question, queries={step: sizes}) for sizes in ({20: 30}, {20: 20, 100: 10}))
    assert "chance with K = 20 places: MRR 17.99 %, top-1 5.00 %" in main_table(board, alike).caption
    assert f"{step:g} references per map" in main_table(board, alike).caption
    assert "chance with K = 20 to 100 places: MRR 13.72 %, top-1 3.67 %" in main_table(board, mixed).caption
    assert "20 to 100 references per map" in main_table(board, mixed).caption


def test_the_terminal_marks_them_too(board_of_places: pd.DataFrame) -> None:
    console = Console(width=100)
    with console.capture() as capture:
        print_leaderboard(board_of_places, PLACES, console)
    assert "sift-5pt §¶" in capture.get()
    assert "¶ oracle depth" in " ".join(capture.get().split())


def test_the_table_of_classes_counts_every_candidate_and_knows_chance(estimates: pd.DataFrame) -> None:
    """Half of the queries at rank 1 of 4, half at rank 4, is far from chance, 0.52; every rank equally often is not."""
    queries = (30, 10, 0, 40)
    counts = {"house-9": PlaceCounts(candidates=200, no_class=96, over_limit=20, queries=queries)}
    own = estimates[(estimates["method"] == "random") & (estimates["scene"] == "house-9")].iloc[:40]
    even = pd.concat([own] * 2).assign(relevant_rank=np.tile([1.0, 2.0, 3.0, 4.0], 20))
    lucky = even.assign(relevant_rank=np.repeat([1.0, 4.0], 40))
    for records, verdict in ((even, "yes"), (lucky, "no"), (even[:0], "–")):
        table = class_table(counts, chance_by_scene(records))
        row = dict(zip([column.header for column in table.columns], table.rows[0], strict=True))
        assert row["Within"].text == verdict
        assert row["Candidates"].value == 200
        parts = ("Of no place", "Over the limit", "Queries", "Places")
        assert sum(row[name].value for name in parts) == row["Candidates"].value
        assert [row[name].value for name in ("Queries per place, min", "median", "max")] == [0, 20, 40]
        assert row["Share of the largest"].value == 50
        chance = row["Chance MRR"]
        assert chance.value == pytest.approx(100 * (1 + 1 / 2 + 1 / 3 + 1 / 4) / 4)
        assert chance.low < chance.value < chance.high
