"""What ``relocbench doctor`` prints: what runs on this machine, and whether its simulators show a scene alike."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from ..errors import RunError
from ..sim.agreement import DEPTH_LIMIT, LABEL_LIMIT, Agreement, PairAgreement, compare, named_scene
from ..sim.diagnosis import Diagnosis, diagnose, runnable
from ..sim.processes.settings import CONFIG_FILE, CONFIG_VARIABLE, cache_folder, config_file
from ..sim.simulators import SIMULATORS, open_simulator
from .agreement_picture import check_name, length, percent, write_picture


def print_diagnoses(console: Console) -> None:
    """Print what this machine is, and for each simulator whether it runs here, how, and otherwise what to do."""
    cache = cache_folder().absolute()
    there = next(folder for folder in (cache, *cache.parents) if folder.exists())
    named = config_file()
    settings = str(named.absolute()) if named.is_file() else f"no {CONFIG_FILE} here, and {CONFIG_VARIABLE} names none"
    _print_block(
        console,
        "this machine",
        {
            "Python": f"{platform.python_version()} ({sys.executable})",
            "cores": str(os.cpu_count()),
            "cache": f"{cache} ({shutil.disk_usage(there).free / 1e9:.1f} GB free)",
            "settings": settings,
        },
    )
    for name in SIMULATORS.names():
        with console.status(f"starting {name}"):
            found = diagnose(name)
        _print_block(console, f"{name}: {'cannot run' if found.problem else 'runs'}", _rows(found))


def _rows(found: Diagnosis) -> dict[str, str]:
    return {
        "versions": ", ".join(f"{package} {version}" for package, version in found.versions.items()),
        "renderer": found.renderer,
        "interpreter": found.interpreter and f"{found.interpreter} ({found.source})",
        "problem": found.problem,
        "note": found.note,
    }


def _print_block(console: Console, title: str, rows: dict[str, str]) -> None:
    console.print(title, style="bold", highlight=False, markup=False)
    for key, value in rows.items():
        if value:  # one line each, however long: a command in it can be copied
            console.print(f"  {key:<12} {value}", soft_wrap=True, highlight=False, markup=False)


def print_comparison(
    scene: str,
    names: Sequence[str] | None,
    *,
    condition: str,
    count: int,
    seed: int,
    out: Path | None,
    console: Console,
) -> None:
    """Render the same poses with the simulators ``names`` (None: all that run here) and print how each pair differs.

    ``scene`` is a house's seed or the path of a .glb; ``out`` is where to draw it. Raises ``RunError`` where a pair
    disagrees, ``InputError`` where there is nothing to compare.
    """
    if out is not None:
        check_name(out)
    with ExitStack() as stack:
        with console.status("starting the simulators"):
            opened = {name: stack.enter_context(closing(open_simulator(name))) for name in runnable(names)}
        with console.status("reading the scene"):
            world = named_scene(scene)
        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
        with Progress(*columns, console=console, transient=True) as progress:
            task = progress.add_task("", total=count * len(opened))
            agreement = compare(
                world,
                opened,
                condition=condition,
                count=count,
                seed=seed,
                progress=lambda name: progress.update(task, description=name, advance=1),
            )
    console.print(agreement_table(agreement))
    console.print(
        f"required of every pair: median depth difference below {DEPTH_LIMIT * 1000:g} mm, {LABEL_LIMIT:.0%} of labels "
        "equal, away from depth edges",
        soft_wrap=True,
    )
    if out is not None:
        console.print(str(write_picture(agreement, out)), soft_wrap=True)
    if agreement.complaints:
        raise RunError(f"{world.name}: {'; '.join(agreement.complaints)}")


def agreement_table(agreement: Agreement) -> Table:
    """Return one column per pair of simulators; the three pairs of three simulators fit into 80 characters."""
    title = f"{agreement.scene.name}, {agreement.condition}: the same {len(agreement.poses.matrix)} poses"
    table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left")
    table.add_column("away from depth edges", no_wrap=True)
    for pair in agreement.pairs:
        table.add_column(f"{pair.first}\n{pair.second}", justify="right")
    for title, shown in _MEASURES.items():
        table.add_row(title, *(shown(pair) for pair in agreement.pairs))
    return table


_MEASURES: dict[str, Callable[[PairAgreement], str]] = {
    "share of all pixels": lambda pair: percent(pair.compared),
    "hit by one of them only": lambda pair: percent(pair.hit_by_one),
    "depth difference, median": lambda pair: length(pair.depth_median),
    "depth difference, 99 %": lambda pair: length(pair.depth_p99),
    "of the depth, median": lambda pair: f"{pair.relative_median * 100:.2g} %",
    "of the depth, 99 %": lambda pair: f"{pair.relative_p99 * 100:.2g} %",
    "equal categories": lambda pair: percent(pair.category),
    "equal objects": lambda pair: percent(pair.instance),
    "verdict": lambda pair: "differ" if pair.complaints else "agree",
}
