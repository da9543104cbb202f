"""What ``relocbench doctor --docs`` lists: published results that other code, files or settings would decide by now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from ...bench.cell import decided_by_code
from ...bench.tracks import load_track
from ...errors import InputError
from ...methods.closure import library_version
from ...methods.registry import make_method
from .from_run import HASH, code_digest, code_modules, read_files, scoring_modules
from .pages import Shelf, file_digest
from .summaries import Made, RunSummary, TableSummary


def print_stale(shelf: Shelf, console: Console) -> None:
    """Print what is stale of each summary, one line per reason; and that nothing is, where it is so."""
    found = {name: stale(shelf, name) for name in shelf.names}
    for name, reasons in found.items():
        for number, reason in enumerate(reasons):
            if not number:
                console.print(f"{name}: {shelf.get(name).origin}", style="bold", markup=False, highlight=False)
            console.print(f"  {reason}", markup=False, highlight=False, soft_wrap=True)
    if not any(found.values()):
        console.print(f"all {len(found)} summaries are of the code that is here", markup=False, highlight=False)


def stale(shelf: Shelf, name: str) -> list[str]:
    """Return why a summary is no more what this code would give, nothing where it is.

    Code counts as `relocbench.methods.closure` says. What generated the dataset is no part of it: a summary names its
    dataset, and says what methods made of that one.
    """
    summary = shelf.get(name)
    if isinstance(summary, TableSummary):
        return _of_table(summary, shelf.root)
    reasons: dict[str, list[str]] = {}
    for label, reason in dict.fromkeys(_of_methods(summary)):
        reasons.setdefault(reason, []).append(label)
    lines = []
    for reason, labels in reasons.items():
        who = "all methods" if len(labels) == len(summary.methods) else ", ".join(labels)
        lines.append(f"{who}: {reason}")
    return [*lines, *_of_track(summary), *_of_libraries(summary), *_of_scoring(summary)]


def _of_table(summary: TableSummary, root: Path) -> list[str]:
    if not summary.records:
        return [f"its records are not kept; `{summary.command}` measures it again"]
    changed = [name for name, sha in summary.records.items() if file_digest(root / name)[:HASH] != sha]
    return [f"other records: {', '.join(changed)}"] if changed else []


def _of_methods(summary: RunSummary) -> Iterator[tuple[str, str]]:
    """Yield each method with a reason why its answers would be others."""
    entries = _entries(summary)
    for label, record in summary.methods.items():
        then = [made.config for made in record.made]
        name, configs = entries.get(label, (record.method, then))
        if len(configs) != len(then):
            yield label, f"{len(configs)} in place of {len(then)} trainings"
        for made, config in zip(record.made, configs, strict=False):
            try:
                now = decided_by_code(make_method(name, config))
            except InputError as error:
                yield label, f"cannot be made any more: {error}"
                continue
            yield from ((label, reason) for reason in _changes(made, now, summary.modules))


def _changes(made: Made, now: Mapping[str, Any], modules: Mapping[str, str]) -> Iterator[str]:
    if code_digest(now) != made.code:
        changed = [name for name, sha in code_modules(now).items() if modules.get(name) != sha]
        yield f"changed since: {', '.join(changed)}" if changed else "imports less code by now"
    files = read_files(now)
    changed = sorted(name for name in {*files, *made.files} if files.get(name) != made.files.get(name))
    if changed:
        yield f"other files: {', '.join(changed)}"
    settings = _settings(now["config"], made.config)
    if settings:
        yield f"other settings: {', '.join(settings)}"


def _settings(now: Mapping[str, Any], then: Mapping[str, Any], outer: str = "") -> list[str]:
    """Return the names of settings that differ, those of a part behind the part's name."""
    found = []
    for name in sorted({*now, *then}):
        here, there = now.get(name), then.get(name)
        if isinstance(here, Mapping) and isinstance(there, Mapping):
            found += _settings(here, there, f"{outer}{name}.")
        elif here != there:
            found.append(f"{outer}{name}")
    return found


def _entries(summary: RunSummary) -> dict[str, tuple[str, list[dict[str, Any]]]]:
    """Return the method and configurations that the track has by now under each label.

    Nothing where it is not one of this package's tracks.
    """
    try:
        track = load_track(summary.track)
    except InputError:
        return {}
    return {entry.label: (entry.name, entry.configs) for entry in track.methods}


def _of_track(summary: RunSummary) -> list[str]:
    absent = [label for label in _entries(summary) if label not in summary.methods]
    return [f"the track also has {', '.join(absent)}"] if absent else []


def _of_libraries(summary: RunSummary) -> list[str]:
    changed = [
        f"{name} {then} → {now}"
        for name, then in summary.libraries.items()
        if name != "python" and (now := library_version(name)) != then
    ]
    return [f"other libraries here: {', '.join(changed)}"] if changed else []


def _of_scoring(summary: RunSummary) -> list[str]:
    now = scoring_modules(summary.asked)
    changed = sorted(
        name for name in {*now, *summary.scored.modules} if now.get(name) != summary.scored.modules.get(name)
    )
    if not changed:
        return []
    return [
        f"scored by older code: {', '.join(changed)}; 'relocbench report RUN_DIR --summary' scores its records again"
    ]
