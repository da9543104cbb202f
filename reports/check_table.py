"""What `check` found, for a terminal: the geometry of each scene, then the problems."""

from __future__ import annotations

from rich.console import Group
from rich.table import Table
from rich.text import Text

from ..datasets.check import CheckReport

SHOWN = 20  # problems that are listed


def check_table(report: CheckReport) -> Group:
    """Return the residuals of every scene, and the problems or else the verdict."""
    table = Table(title=f"{report.folder}: residuals of depth reprojected between views", title_justify="left")
    table.add_column("scene", no_wrap=True)
    for title in ("pairs", "median\n(mm)", "95 %\n(mm)", "median\n(px)", "95 %\n(px)", "points\nagree"):
        table.add_column(title, justify="right", no_wrap=True)
    for scene in report.scenes:
        millimetres = [f"{value * 1e3:.3f}" for value in (scene.median_metres, scene.p95_metres)]
        pixels = [f"{value:.4f}" for value in (scene.median_pixels, scene.p95_pixels)]
        table.add_row(scene.scene, str(scene.pairs), *millimetres, *pixels, f"{scene.agreement:.2%}")
    shown = [Text(f"problem: {problem}") for problem in report.problems[:SHOWN]]
    more = len(report.problems) - len(shown)
    last = [] if more <= 0 else [Text(f"... and {more} more problems")]
    return Group(table, *(shown + last or [Text(report.verdict)]))
