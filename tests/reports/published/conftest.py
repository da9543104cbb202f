"""A checkout in miniature: the summary of the made-up run, and pages that ask for it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from relocbench.reports.published.from_run import summarise_run
from relocbench.reports.published.pages import RESULTS, Pages
from relocbench.reports.published.summaries import RunSummary, TableColumn, TableSummary, write_summary

PAGE = """# A page

<!-- table: made-up
columns: [rank, method, median_translation_error, {difference: median_translation_error, of: sift-pnp, header: less}]
names: {dense-vlad: "`dense-vlad`, ours"}
-->
<!-- end -->

It says <!--= made-up dense-vlad median_translation_error -->nothing yet<!--/--> of <!--= made-up queries --><!--/-->.

<!-- picture: made-up
steps: median_translation_error
-->
![What larger maps are worth](curve.png)
<!-- end -->

<!-- table: kept -->
<!-- end -->
"""
KEPT = TableSummary(
    title="Speed",
    command="make benchmark",
    date="2026-01-02",
    commit="0123456789abcdef",
    columns=(TableColumn(header="house", numeric=False), TableColumn(header="frames per second")),
    rows=(("small", "27"), ("large", "12")),
)


@pytest.fixture(scope="session")
def summary(made_up_run: Path) -> RunSummary:
    """The summary of the made-up run. Read-only, shared."""
    return summarise_run([made_up_run])


@pytest.fixture(scope="session")
def written(summary: RunSummary, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout whose pages are as they should be. Read-only, shared."""
    root = tmp_path_factory.mktemp("checkout")
    (root / RESULTS).mkdir(parents=True)
    write_summary(root / RESULTS / "made-up.json", summary)
    write_summary(root / RESULTS / "kept.json", KEPT)
    (root / "README.md").write_text("# Nothing\n")
    (root / "docs" / "page.md").write_text(PAGE)
    Pages(root).write()
    return root


@pytest.fixture
def checkout(written: Path, tmp_path: Path) -> Path:
    """The same checkout, to change at will."""
    return shutil.copytree(written, tmp_path / "checkout")


@pytest.fixture
def page(checkout: Path) -> Callable[[str], Path]:
    """Return the root of a checkout whose one page has this text."""

    def written_as(text: str) -> Path:
        (checkout / "docs" / "page.md").write_text(text)
        return checkout

    return written_as
