"""The files beside the page: tables in three formats, plots in two."""

from __future__ import annotations

from pathlib import Path

from .classes import chance_by_scene, class_table
from .figures import save_png
from .latency import map_table, query_table, stage_table
from .leaderboard import difference_table, failure_table, full_table, leaderboard_tables
from .page import PageGroup
from .summary import Summary
from .tables import Table, write_table


def write_tables(summary: Summary, folder: Path) -> list[Path]:
    """Write leaderboard, latency and failures as .md, .csv and .tex into ``folder`` and return the paths."""
    terms = summary.terms
    boards = leaderboard_tables(summary.board, terms)
    if len(summary.differences):
        boards.append(difference_table(summary.differences, summary.results.primary, summary.roles, terms))
    failures = failure_table(summary.reasons, summary.board, terms)
    paths = write_table(boards, folder / "leaderboard", raw=full_table(summary.board, terms))
    paths += write_table([failures], folder / "failures", raw=failures)
    if summary.results.places:
        classes = class_table(summary.results.places, chance_by_scene(summary.at(summary.base_step)))
        paths += write_table([classes], folder / "classes", raw=classes)
    for machine in summary.machines:
        tables = [
            query_table(machine.latency, machine.estimates, summary.roles, terms),
            stage_table(machine.latency, summary.roles, terms),
            map_table(machine.maps, summary.results.fit_seconds, summary.roles, terms),
        ]
        named = [_on_machine(table, machine.fingerprint) for table in tables]
        stem = "latency" if len(summary.machines) == 1 else f"latency-{machine.fingerprint}"
        paths += write_table(named, folder / stem, raw=named[0])
        paths += write_table(named[1:2], folder / stem.replace("latency", "stages"), raw=named[1])
    return paths


def _on_machine(table: Table, fingerprint: str) -> Table:
    return Table(f"{table.caption}, on machine {fingerprint}", table.columns, table.rows, table.notes)


def write_plots(group: PageGroup, folder: Path) -> list[Path]:
    """Write every plot of the page as .png and .svg into ``folder`` and return the paths."""
    paths = []
    for plot in group.plots:
        png, svg = (folder / f"{plot.name}.{suffix}" for suffix in ("png", "svg"))
        save_png(plot.figure, png)
        svg.write_text(plot.document, encoding="utf-8")
        paths += [png, svg]
    return paths
