"""A method's profile for a terminal: what a query costs stage by stage, what is paid once, and on which machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from ..bench.latency import TOTAL
from ..bench.profile import Profile


def profile_table(profile: Profile) -> Group:
    """Return the tables: stages, then what is paid once, then the machine."""
    machine = Text(_machine_line(profile.session), style="dim")
    return Group(_stage_table(profile), _once_table(profile), machine)


def _stage_table(profile: Profile) -> Table:
    table = Table(title="one query (milliseconds, warm)", title_justify="left")
    for name in (profile.sweep_axis, "stage", "queries", "p50", "p95", "p99", "share"):
        table.add_column(name, justify="left" if name == "stage" else "right")
    for row in profile.latency.to_dict("records"):
        *outer, name = str(row["stage"]).split("/")
        milliseconds = [f"{1e3 * row[column]:.2f}" for column in ("p50", "p95", "p99")]
        numbers = [str(row["queries"]), *milliseconds, f"{row['share']:.0%}"]
        style = "bold" if row["stage"] == TOTAL else None
        table.add_row(f"{row['sweep']:g}", "  " * len(outer) + name, *numbers, style=style)
    return table


def _once_table(profile: Profile) -> Table:
    maps = profile.maps
    table = Table(title="paid once", title_justify="left")
    for name in (profile.sweep_axis, "maps", "build p50 (s)", "build max (s)", "map (KiB)", "peak memory (MiB)"):
        table.add_column(name, justify="right")
    for step, group in maps.groupby("sweep"):
        table.add_row(
            f"{step:g}",
            str(len(group)),
            f"{group['build_seconds'].median():.3f}",
            f"{group['build_seconds'].max():.3f}",
            f"{group['map_bytes'].median() / 2**10:.0f}",
            f"{group['peak_memory_bytes'].max() / 2**20:.0f}",
        )
    fit = "learns nothing" if profile.fit_seconds is None else f"fit {profile.fit_seconds:.1f} s"
    start = maps["start_seconds"].median() if len(maps) else float("nan")
    table.caption = f"cold start {start:.2f} s; {fit}; reading one image {1e3 * profile.load_seconds:.2f} ms"
    return table


def _machine_line(session: Mapping[str, Any]) -> str:
    hardware = session["hardware"]
    return (
        f"{hardware['cpu']}, {hardware['logical_cores']} cores, {hardware['memory_gib']} GiB; one thread; "
        f"load before: {session['load_average']}; machine {session['machine']}"
    )
