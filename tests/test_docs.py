"""README and docs/ say what the summaries in docs/results say, and no measured table stands there by hand."""

from __future__ import annotations

import pytest
from relocbench.cli import main
from relocbench.errors import InputError
from relocbench.reports.published import pages
from relocbench.reports.published.pages import RESULTS, Pages, typed_tables

PAGES = Pages.here()


def test_pages_and_summaries_agree():
    assert PAGES.problems() == []


@pytest.mark.parametrize("page", PAGES.paths, ids=lambda path: path.name)
def test_no_table_of_numbers_is_typed_by_hand(page):
    assert typed_tables(page.read_text()) == []


@pytest.mark.parametrize("name", PAGES.shelf.names)
def test_summaries_are_small(name):
    assert (PAGES.root / RESULTS / f"{name}.json").stat().st_size < 60_000


def test_doctor_lists_published_results_whose_records_are_gone(capsys):
    main_of("doctor", "--docs")
    printed = capsys.readouterr().out
    assert "simulator-speed: 2026-11-21" in printed
    assert "its records are not kept" in printed


def test_outside_of_a_checkout_there_is_nothing_to_write_or_list(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(pages, "PACKAGE", tmp_path)
    with pytest.raises(InputError, match="pages are made in a checkout of the sources only"):
        Pages.here()
    for command in (["docs"], ["doctor", "--docs"]):
        with pytest.raises(SystemExit) as end:
            main(command)
        assert end.value.code == 2
        said = capsys.readouterr().err
        assert said.count("\n") == 1
        assert "pages are made in a checkout of the sources only" in said


def main_of(*arguments: str) -> None:
    with pytest.raises(SystemExit) as end:
        main(list(arguments))
    assert end.value.code == 0
