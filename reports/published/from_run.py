"""`summarise_run`: from results folders to the summary that pages quote."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from ...bench import curves, scoring
from ...bench.curves import accuracy_curve
from ...bench.provenance import digest, git_commit
from ...bench.questions import Question
from ...bench.store import CellRecord
from ...errors import InputError
from ...methods.closure import import_closure
from ..classes import chance_by_scene
from ..results import Results, load_results
from ..summary import Summary, summarise
from .summaries import FEW_DIGITS, Frame, Made, MethodRecord, RunSummary, Scored, Session, Step

HASH = 10  # hex digits that tell one state of a module or file from the next
_NAME = __name__.partition(".")[0]

#: Columns of `Summary.compared` that a summary says once for all metrics, that follow from the leaderboard, or that no
#: verdict follows from.
_KNOWN = ("sweep", "metric", "a", "b", "p", "value_a", "value_b", "clusters", "cluster_unit")


def summarise_run(folders: Sequence[Path]) -> RunSummary:
    """Score results folders of one run and return their summary.

    Raises ``InputError`` where they hold no results, or those of different runs, and where nobody wrote down what the
    answers were made with.
    """
    groups = load_results(folders)
    if len(groups) > 1:
        names = " and ".join(results.name for results in groups)
        raise InputError(f"a summary is of one run, and these are {names}; name the folders of one of them")
    summary = summarise(groups[0])
    record = summary.results.stores[0].record
    decided = _decided(summary.results)
    all_decides = [decides for cells in decided.values() for _, decides in cells]
    return RunSummary(
        **{name: getattr(record, name) for name in _COPIED},
        primary=summary.results.primary,
        chance=_chance(summary),
        sessions=tuple(_session(one) for store in summary.results.stores for one in store.record.sessions),
        scored=Scored(
            date=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            commit=git_commit(),
            modules=scoring_modules(summary.terms.question),
        ),
        methods={name: _method(decided[name]) for name in summary.order},
        modules=_joined(code_modules(decides) for decides in all_decides),
        libraries=_joined(decides["made_of"]["libraries"] for decides in all_decides),
        steps=tuple(_step(summary, step) for step in summary.steps),
    )


_COPIED = (
    *("track", "track_version", "description", "size", "split", "seed", "question", "simulator"),
    *("dataset_sha256", "dataset_differs", "sweep_axis", "sweeps", "places"),
)


def code_modules(decides: Mapping[str, Any]) -> dict[str, str]:
    """Return the digests, short, of the modules that decide a method's answers, by their names in this package."""
    return _short({**decides["answering"], **decides["made_of"]["modules"]})


def code_digest(decides: Mapping[str, Any]) -> str:
    """Return what stands for all of a method's code: that it has changed shows here, in what, in its modules."""
    return digest(code_modules(decides))[:HASH]


def read_files(decides: Mapping[str, Any]) -> dict[str, str]:
    """Return the digests, short, of the files that a method reads: its checkpoints and what its configuration names."""
    return {Path(name).name: str(sha)[:HASH] for name, sha in decides["made_of"]["files"]}


def scoring_modules(question: Question) -> dict[str, str]:
    """Return the digests, short, of the modules that make scores of records where that question is asked."""
    return _short(import_closure((scoring.__name__, curves.__name__, type(question).__module__)).modules)


def _joined(mappings: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    return dict(sorted({name: value for mapping in mappings for name, value in mapping.items()}.items()))


def _short(modules: Mapping[str, str]) -> dict[str, str]:
    return {name.removeprefix(f"{_NAME}."): sha[:HASH] for name, sha in sorted(modules.items())}


def _chance(summary: Summary) -> dict[str, float]:
    if not summary.results.places:
        return {}
    scored = chance_by_scene(summary.at(summary.base_step))
    return {scene: value for scene, value in scored.items() if not math.isnan(value)}


Decided = list[tuple[CellRecord, dict[str, Any]]]


def _decided(results: Results) -> dict[str, Decided]:
    """Return by method its cells, one for each of its trainings, with what decided their answers."""
    found: dict[str, Decided] = {}
    for name, first in results.cells.items():
        store = next(store for store in results.stores if any(cell is first for cell in store.record.cells))
        cells = [cell for cell in store.record.cells if cell.label == first.label]
        found[name] = [(cell, store.decides(cell)) for cell in cells]
    return found


def _method(decided: Decided) -> MethodRecord:
    first = decided[0][0]
    return MethodRecord(
        method=first.method,
        role=first.role,
        learned=first.learned,
        made=tuple(
            Made(config=cell.config, key=cell.key[:HASH], code=code_digest(decides), files=read_files(decides))
            for cell, decides in decided
        ),
    )


def _session(record: Mapping[str, Any]) -> Session:
    machines = record.get("hosts") or {str(record.get("machine", "")): record.get("hardware", {})}
    return Session(
        started=str(record["started"]),
        command=str(record["command"]),
        commit=record.get("git"),
        executor=str(record.get("executor", "local")),
        jobs=record.get("jobs"),
        versions=record.get("versions", {}),
        hardware=machines,
    )


def _step(summary: Summary, step: float) -> Step:
    estimates, question = summary.at(step), summary.terms.question
    board = summary.board[summary.board["sweep"] == step].drop(columns=["sweep", "primary"])
    metrics = list(dict.fromkeys([summary.results.primary, *(column.name for column in question.main)]))
    tables = {metric: _at(summary.compared(metric), step) for metric in metrics}
    first, names = tables[summary.results.primary], list(board["method"])
    pairs = zip(first["a"], first["b"], strict=True) if len(first) else ()
    return Step(
        sweep=step,
        references=dict(summary.terms.queries[step]),
        queries=estimates["query"].nunique(),
        maps=estimates["map"].nunique(),
        scenes=estimates["scene"].nunique(),
        board=Frame.of(board),
        pairs=tuple((names.index(a), names.index(b)) for a, b in pairs),
        differences={metric: _differences(table) for metric, table in tables.items() if len(table)},
        curves=_curves(estimates, question) if step == summary.base_step else {},
    )


def _at(differences: pd.DataFrame, step: float) -> pd.DataFrame:
    return differences[differences["sweep"] == step] if len(differences) else differences


def _differences(table: pd.DataFrame) -> Frame:
    kept = table.drop(columns=list(_KNOWN)).astype({"distinguishable": "int64"})
    alike = kept["queries"].nunique() == 1
    return Frame.of(kept.drop(columns="queries") if alike else kept, digits=FEW_DIGITS)


def _curves(estimates: pd.DataFrame, question: Question) -> dict[str, Frame]:
    found = {
        curve.name: accuracy_curve(estimates, curve.column, question.metric(curve.metric), curve.edges)
        for curve in question.curves
        if curve.column in estimates and curve.metric == question.primary  # a page draws no others, and they are long
    }
    return {name: Frame.of(bins, digits=FEW_DIGITS) for name, bins in found.items() if len(bins)}
