"""Pages say what summaries say, and nothing that summaries do not know."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import permutations
from pathlib import Path

import pytest
from relocbench.bench.tracks import SweepSpec
from relocbench.errors import InputError
from relocbench.reports.published.pages import RESULTS, Pages, file_digest, typed_tables
from relocbench.reports.published.shown import Scores, broken_claim, value_text
from relocbench.reports.published.specs import parse_value
from relocbench.reports.published.summaries import RunSummary, read_summary, write_summary

Page = Callable[[str], Path]
METRIC = "median_translation_error"


def text_of(root: Path) -> str:
    return (root / "docs" / "page.md").read_text()


def test_a_written_page_agrees_and_is_not_written_again(checkout: Path) -> None:
    assert Pages(checkout).problems() == []
    assert Pages(checkout).write() == []


def test_a_table_has_the_numbers_of_the_leaderboard(written: Path, summary: RunSummary) -> None:
    scores, text = Scores(summary, "made-up"), text_of(written)
    for method in scores.methods:
        (line,) = [line for line in text.splitlines() if line.startswith("|") and method in re.split(r"[ *|`]+", line)]
        value, low, high = scores.value(method, METRIC)
        assert f"| {value:.3f} [{low:.3f}, {high:.3f}] |".replace("inf", "∞") in line
    assert "120 queries in 3 maps of 2 scenes." in text
    assert "hloc counts 180°" in text  # the convention of the metric that is shown
    assert "trapezoids" not in text  # and not of one that is not


def test_a_number_changed_by_hand_is_found_and_mended(checkout: Path, page: Page) -> None:
    text = text_of(checkout)
    number = re.search(r"\d\.\d+ \[", text)
    assert number is not None
    page(text.replace(number[0], "9.99 [", 1))
    assert Pages(checkout).problems() == [f"docs/page.md: differs from {RESULTS}; 'relocbench docs' writes it"]
    assert Pages(checkout).write() == [checkout / "docs" / "page.md"]
    assert text_of(checkout) == text


def test_other_results_change_numbers_and_pictures(checkout: Path, summary: RunSummary) -> None:
    step = summary.steps[0]
    values = {**step.board.values, METRIC: (0.5,) * len(step.board.values[METRIC])}
    other = step.model_copy(update={"board": step.board.model_copy(update={"values": values})})
    write_summary(checkout / RESULTS / "made-up.json", summary.model_copy(update={"steps": (other,)}))
    found = Pages(checkout).problems()
    assert [problem.partition(" differs")[0] for problem in found] == ["docs/page.md:", "docs/page.md: docs/curve.png"]
    before = (checkout / "docs" / "curve.png").read_bytes()
    assert set(Pages(checkout).write()) == {checkout / "docs" / "page.md", checkout / "docs" / "curve.png"}
    assert (checkout / "docs" / "curve.png").read_bytes() != before
    assert Pages(checkout).problems() == []


def test_a_summary_that_no_page_shows_is_named(page: Page) -> None:
    assert f"{RESULTS}/kept.json: no page shows it" in Pages(page("No results here.\n")).problems()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<!-- table: absent\ncolumns: [method]\n-->\n<!-- end -->\n", "no summary 'absent'"),
        ("<!-- table: made-up\ncolumns: [method, absent]\n-->\n<!-- end -->\n", "no metric 'absent'"),
        ("<!-- table: made-up\ncolumns: [method]\nrows: [absent]\n-->\n<!-- end -->\n", "no method 'absent'"),
        ("<!-- table: made-up\ncolumns: [method]\nnames: {absent: A}\n-->\n<!-- end -->\n", "no method 'absent'"),
        ("<!-- table: made-up\ncolumns: [method]\nat: 7\n-->\n<!-- end -->\n", "no step 7"),
        ("<!-- table: made-up\ncolums: [method]\n-->\n<!-- end -->\n", "unknown key 'colums'"),
        ("<!-- table: made-up\ncolumns: [\n-->\n<!-- end -->\n", "is not YAML"),
        ("<!-- table: made-up -->\n<!-- end -->\n", "names its columns"),
        ("<!-- table: kept\ncolumns: [method]\n-->\n<!-- end -->\n", "is shown as it is"),
        ("<!-- table: kept -->\n", "1 markers begin"),
        ("A <!--= made-up queries -->", "1 markers begin"),
        ("A <!--= made-up absent mrr --><!--/-->", "no method 'absent'"),
        ("A <!--= made-up --><!--/-->", "name a summary and what of it"),
        ("A <!--= made-up one two three --><!--/-->", "neither a value"),
        ("A <!--= made-up random - random success_rate --><!--/-->", "not compared"),
        ("A <!--= kept queries --><!--/-->", "kept as a table"),
        ("<!--= made-up queries --><!--/--> queries", "line 1: begins with a value's marker"),
        ("- <!--= made-up queries --><!--/--> queries", "line 1: begins with a value's marker"),
        ("<!-- places: made-up -->\n<!-- end -->\n", "has no places"),
        ("<!-- picture: made-up\ncurve: absent\n-->\n![A](a.png)\n<!-- end -->\n", "no curve 'absent'"),
        ("<!-- picture: made-up\nsteps: success_rate\n-->\nnone\n<!-- end -->\n", "wants one image"),
        ("<!-- claims: made-up\nhold: [random is bad]\n-->\n", "say 'A better than B in METRIC'"),
    ],
)
def test_what_a_page_names_must_be_there(page: Page, text: str, message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)) as raised:
        Pages(page(text)).problems()
    assert str(raised.value).startswith("docs/page.md: ")


def test_a_value_is_quoted_with_its_unit_and_its_interval(summary: RunSummary) -> None:
    scores = Scores(summary, "made-up")
    value, low, high = scores.value("dense-vlad", METRIC)

    def quoted(text: str) -> str:
        return value_text(summary, parse_value(f"made-up {text}"))

    assert quoted(f"dense-vlad {METRIC}") == f"{value:.2f} m [{low:.2f}, {high:.2f}]"
    assert quoted(f"dense-vlad {METRIC} plain") == f"{value:.2f} m"
    assert quoted(f"dense-vlad {METRIC} bare plain at=4") == f"{value:.2f}"
    assert quoted("dense-vlad success_rate") == "100 %"  # of which every resample says the same
    assert quoted("queries") == "120"


def test_differences_change_their_sign_with_their_order_and_claims_with_them(summary: RunSummary) -> None:
    scores = Scores(summary, "made-up")
    compared = [method for method in scores.methods if method != "oracle-nearest"]
    verdicts = set()
    for a, b in permutations(compared, 2):
        value, low, high, apart = scores.difference(a, b, "success_rate")
        other, other_low, other_high, _ = scores.difference(b, a, "success_rate")
        assert (value, low, high) == (-other, -other_high, -other_low)
        claims = [f"{a} {says} {b} in success_rate" for says in ("better than", "worse than", "like")]
        held = [broken_claim(scores, claim) == "" for claim in claims]
        assert held.count(True) == 1
        assert held[2] == (not apart)
        assert held[0] == (broken_claim(scores, f"{b} worse than {a} in success_rate") == "")
        verdicts.add(held.index(True))
    assert verdicts == {0, 1, 2}


def test_a_page_whose_words_do_not_hold_is_told(page: Page) -> None:
    root = page("<!-- claims: made-up\nhold: [random better than dense-vlad in median_translation_error]\n-->\n")
    (problem,) = [problem for problem in Pages(root).problems() if "hold" in problem]
    assert "random is worse than dense-vlad" in problem


def test_a_kept_picture_is_the_one_that_was_drawn_with_its_table(page: Page) -> None:
    root = page("<!-- picture: kept -->\n![Speed](speed.png)\n<!-- end -->\n<!-- claims: made-up\nhold: []\n-->\n")
    picture, path = root / "docs" / "speed.png", root / RESULTS / "kept.json"
    picture.write_bytes(b"a picture")
    kept = read_summary(path).model_copy(update={"pictures": {"docs/speed.png": file_digest(picture)}})
    write_summary(path, kept)
    assert Pages(root).problems() == []
    picture.write_bytes(b"another picture")
    assert Pages(root).problems() == ["docs/page.md: docs/speed.png is not the picture that kept kept"]


def test_a_sweep_is_drawn_and_told_step_by_step(checkout: Path, summary: RunSummary, page: Page) -> None:
    steps = {"random": 0, "dense-vlad": 5, "sift-pnp": 25}
    sweep = SweepSpec(name="methods", axis="How much they look", values=steps)
    write_summary(checkout / RESULTS / "made-up.json", summary.model_copy(update={"sweeps": (sweep,)}))
    page(
        f"""<!-- table: made-up
rows: [{", ".join(steps)}]
head: How much
columns: [method, {{difference: success_rate, minus: above, header: more than above}}]
-->
<!-- end -->

<!-- picture: made-up
sweep: How much they look
-->
![More](more.png)
<!-- end -->

<!-- table: kept -->
<!-- end -->
"""
    )
    assert set(Pages(checkout).write()) == {checkout / "docs" / "page.md", checkout / "docs" / "more.png"}
    assert Pages(checkout).problems() == []
    value, *_ = Scores(summary, "made-up").difference("sift-pnp", "dense-vlad", "success_rate")
    first, *_, last = [line for line in text_of(checkout).splitlines() if line.startswith("|") and "small" not in line][
        2:5
    ]
    assert first == "| *random* ‡ | |"
    assert last.startswith(f"| sift-pnp | **−{abs(value):.0f} [")


def test_tables_of_numbers_are_told_from_tables_of_words() -> None:
    words = "| command | what it does |\n|---|---|\n| `run` | about 1.5 GB, 100 places, 4 to 256 per room |\n"
    right = "| method | AUC |\n|---|---:|\n| sift | many |\n"
    numbers = "| method | AUC |\n|---|---|\n| sift | 0.3 [0.2, 0.4] |\n"
    shares = "| method | quality |\n|---|---|\n| sift | recall 52 %, chance 8 % |\n"
    inside = f"<!-- table: kept -->\n\n{numbers}\n<!-- end -->\n"
    assert typed_tables(f"{words}\n{inside}") == []
    assert len(typed_tables(f"{right}\n{words}\n{numbers}\n{shares}\n{inside}")) == 3
