"""`write_report`: from results folders to tables, plots and one self-contained page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from .. import __version__
from ..errors import InputError, RunError
from .page import PageGroup, page_group
from .report_files import write_plots, write_tables
from .results import load_results
from .summary import summarise


@dataclass(frozen=True)
class ReportPaths:
    """What a report consists of: the page, and the tables and plots beside it."""

    html: Path
    tables: tuple[Path, ...]
    plots: tuple[Path, ...]


def write_report(run_folders: Sequence[Path], out: Path) -> ReportPaths:
    """Write the report on results folders into the folder ``out`` and return what was written.

    Runs of the same track, split and dataset share their tables; others get sections, and subfolders, of their own.
    Everything comes from the per-query records; images come from the dataset, and a report on a run whose dataset is
    gone says so. Raises ``InputError`` for a folder without results, ``RunError`` where ``out`` cannot be written to.
    """
    out = Path(out)
    if out.exists() and not out.is_dir():
        raise InputError(f"{out}: is a file, and the report needs a folder; choose another --out")
    summaries = [summarise(results) for results in load_results(run_folders)]
    tables: list[Path] = []
    plots: list[Path] = []
    groups: list[PageGroup] = []
    try:
        for index, summary in enumerate(summaries):
            folder = out if len(summaries) == 1 else out / f"{index + 1}-{_slug(summary.results.name)}"
            folder.mkdir(parents=True, exist_ok=True)
            group = page_group(summary, identifier=f"r{index + 1}")
            tables += write_tables(summary, folder)
            plots += write_plots(group, folder)
            groups.append(group)
        page = out / "report.html"
        page.write_text(render_page(groups), encoding="utf-8")
    except OSError as error:
        raise RunError(f"{out}: the report cannot be written ({error.strerror}); choose another --out") from error
    return ReportPaths(page, tuple(tables), tuple(plots))


def render_page(groups: Sequence[PageGroup]) -> str:
    """Return the page: style, script, plots, images and records inside it, nothing outside."""
    environment = Environment(
        loader=PackageLoader(__package__),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    files = resources.files(f"{__package__}.templates")
    return environment.get_template("report.html.j2").render(
        title=" and ".join(group.title for group in groups),
        groups=groups,
        version=__version__,
        style=files.joinpath("report.css").read_text(encoding="utf-8"),
        script=files.joinpath("report.js").read_text(encoding="utf-8"),
    )


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
