"""The report as a whole: what it consists of, what it merges, and what it does with folders that are not right."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
from relocbench.bench.questions.pose import PoseQuestion
from relocbench.bench.scoring import leaderboard
from relocbench.errors import InputError
from relocbench.reports.console import print_leaderboard
from relocbench.reports.html import ReportPaths, write_report
from relocbench.reports.page import json_in_page
from relocbench.reports.results import load_results
from relocbench.reports.summary import summarise
from relocbench.reports.terms import Terms
from rich.console import Console


class _Links(HTMLParser):
    """Collects everything that a browser would load."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href", "srcset", "data")]


def test_the_report_has_tables_plots_and_a_page(report: ReportPaths) -> None:
    names = {path.name for path in (*report.tables, *report.plots)}
    for stem in ("leaderboard", "latency", "failures"):
        assert {f"{stem}.md", f"{stem}.csv", f"{stem}.tex"} <= names
    for stem in ("error-cdf", "error-covisibility", "accuracy-latency", "stages", "floor-plan-sift-pnp"):
        assert {f"{stem}.png", f"{stem}.svg"} <= names
    assert all(path.stat().st_size for path in (*report.tables, *report.plots))


def test_the_page_loads_nothing_from_outside(report: ReportPaths) -> None:
    page = report.html.read_text()
    links = _Links()
    links.feed(page)
    assert links.found
    assert all(link.startswith(("#", "data:")) for link in links.found)
    assert not re.search(r"@import|url\((?!#)|<link[^>]+stylesheet|<script[^>]+src", page)


def test_every_id_in_the_page_is_there_once(report: ReportPaths) -> None:
    ids = re.findall(r'\bid="([^"]+)"', report.html.read_text())
    assert len(ids) == len(set(ids))


def test_the_page_names_the_dataset_the_machine_and_every_method(report: ReportPaths, made_up_run: Path) -> None:
    page = report.html.read_text()
    record = json.loads((made_up_run / "run.json").read_text())
    for word in (record["dataset_sha256"], "Made-Up 3000", *(cell["label"] for cell in record["cells"])):
        assert word in page


def test_the_same_records_give_the_same_report(small_run: Path, tmp_path: Path) -> None:
    first, second = (write_report([small_run], tmp_path / name) for name in ("first", "second"))
    for a, b in zip(
        (first.html, *first.tables, *first.plots), (second.html, *second.tables, *second.plots), strict=True
    ):
        assert a.read_bytes() == b.read_bytes()


def test_text_from_a_method_cannot_become_markup(tmp_path: Path, estimates: pd.DataFrame, made_up: Callable) -> None:
    evil = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
    some = estimates[estimates["method"] == "sift-5pt"].copy()
    some.loc[some["status"] == "failure", "reason"] = evil
    made_up(tmp_path / "run", some, methods=["sift-5pt"])
    page = write_report([tmp_path / "run"], tmp_path / "out").html.read_text()
    assert "alert(1)" in page
    assert evil not in page
    assert "<img src=x" not in page
    assert page.count("<script") == 2  # the records and the page's own


@pytest.mark.parametrize("text", ["</script>", "<!--", "a & b", "\u2028"])
def test_json_in_a_page_holds_any_text(text: str) -> None:
    inside = json_in_page({"text": text})
    assert not set(inside) & set("<>&")
    assert json.loads(inside) == {"text": text}


def test_a_run_whose_dataset_is_gone_is_reported_without_images(small_run: Path, tmp_path: Path) -> None:
    moved = tmp_path / "run"
    shutil.copytree(small_run, moved, ignore=shutil.ignore_patterns("dataset"))
    page = write_report([moved], tmp_path / "out").html.read_text()
    assert "Without images and floor plans" in page
    assert "data:image/jpeg" not in page


def test_a_damaged_sidecar_costs_the_pictures_and_not_the_report(small_run: Path, tmp_path: Path) -> None:
    shutil.copytree(small_run, tmp_path / "run")
    sidecar = next((tmp_path / "run").glob("dataset/scenes/*.json"))
    for content in ("{", "[]", '{"rooms": [{"name": 1}]}'):
        sidecar.write_text(content)
        (results,) = load_results([tmp_path / "run"])
        assert sidecar.name in results.trouble
        assert results.views is None


def test_runs_on_one_dataset_share_a_leaderboard_but_no_latency_table(
    made_up_run: Path, tmp_path: Path, estimates: pd.DataFrame, made_up: Callable
) -> None:
    other = estimates[estimates["method"] == "sift-5pt"]
    made_up(tmp_path / "other", other, methods=["sift-5pt"], machine="another-one", dataset=made_up_run / "dataset")
    (merged,) = load_results([made_up_run, tmp_path / "other"])
    summary = summarise(merged)
    assert f"sift-5pt ({tmp_path.name})" not in summary.order
    assert {"sift-5pt (made-up-mini)", "sift-5pt (other)"} <= set(summary.order)
    assert len(summary.machines) == 2
    for machine in summary.machines:
        assert set(machine.latency["machine"]) == {machine.fingerprint}
    assert [set(machine.latency["method"]) for machine in summary.machines][1] == {"sift-5pt (other)"}


def test_runs_on_other_datasets_get_sections_and_folders_of_their_own(
    small_run: Path, tmp_path: Path, estimates: pd.DataFrame, made_up: Callable
) -> None:
    some = estimates[(estimates["method"] == "random") & (estimates["scene"] == "house-7")]
    made_up(tmp_path / "other", some, methods=["random"])
    paths = write_report([small_run, tmp_path / "other"], tmp_path / "out")
    boards = [path for path in paths.tables if path.name == "leaderboard.csv"]
    assert len({path.parent for path in boards}) == 2
    page = paths.html.read_text()
    assert page.count("<h1>") == 2
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_a_folder_without_results_is_named_in_one_line(tmp_path: Path) -> None:
    for folder in (tmp_path / "missing", tmp_path):
        with pytest.raises(InputError) as error:
            write_report([folder], tmp_path / "out")
        assert str(folder) in str(error.value)
        assert "\n" not in str(error.value)
    assert not (tmp_path / "out").exists()


def test_a_damaged_table_is_named_in_one_line(made_up_run: Path, tmp_path: Path) -> None:
    broken = tmp_path / "run"
    shutil.copytree(made_up_run, broken, ignore=shutil.ignore_patterns("dataset"))
    path = next(broken.glob("methods/*/estimates.parquet"))
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(InputError) as error:
        write_report([broken], tmp_path / "out")
    assert str(broken) in str(error.value)
    assert "\n" not in str(error.value)


def test_a_run_that_finished_nothing_asks_to_be_resumed(made_up_run: Path, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    shutil.copy(made_up_run / "run.json", tmp_path / "run")
    with pytest.raises(InputError, match="no method has finished"):
        write_report([tmp_path / "run"], tmp_path / "out")


def test_an_output_that_is_a_file_is_refused_and_kept(small_run: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(InputError, match="out"):
        write_report([small_run], tmp_path / "out")
    assert (tmp_path / "out").read_text() == "mine"


def test_the_terminal_shows_the_leaderboard_in_100_columns(estimates: pd.DataFrame) -> None:
    console = Console(width=100, record=True, file=None, quiet=False)
    with console.capture() as capture:
        print_leaderboard(leaderboard(estimates, PoseQuestion()), Terms(PoseQuestion()), console)
    lines = capture.get().splitlines()
    assert max(map(len, lines)) <= 100
    for method in set(estimates["method"]):
        row = next(line for line in lines if f" {method} " in line)
        assert "…" not in row
    assert any("[" in line and "]" in line for line in lines)


def test_the_page_says_at_once_that_the_dataset_is_not_the_tracks_own(made_up, estimates, tmp_path):
    run = made_up(tmp_path / "other", estimates)
    record = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**record, "dataset_differs": "seed is 1 there, 2 is asked for"}))
    page = write_report([run], tmp_path / "report").html.read_text()
    assert "Not the track&#39;s own dataset: seed is 1 there, 2 is asked for." in page
