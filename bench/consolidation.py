"""From journals to the three tables of a method: answers are joined with the ground truth and their errors computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..datasets.views import POSE_COLUMNS, VIEW_COLUMNS, ViewSet, pose_columns, pose_from_table
from ..sim.geometry import rotation_error, translation_error
from .records import ESTIMATE_COLUMNS, MAP_COLUMNS, SPAN_COLUMNS

Array = NDArray[Any]
Entries = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, eq=False)
class UnitTruth:
    """What answers of one method to one map at one step of the sweep are held against."""

    method: str
    role: str
    map: str
    sweep: float
    queries: ViewSet
    references: ViewSet
    replicate: int = 0


def estimates_table(entries: Entries, truth: UnitTruth) -> pd.DataFrame:
    """Return one row per query in the order of ``truth.queries``, whatever the journal's.

    Columns are ``ESTIMATE_COLUMNS``, then what the protocol adds to the views.

    Raises ``KeyError`` where a query has no answer.
    """
    by_query = {entry["query"]: entry for entry in entries if entry["kind"] == "answer"}
    answers = [by_query[query] for query in truth.queries.ids]
    table = truth.queries.table
    columns: dict[str, Any] = {
        "method": truth.method,
        "replicate": truth.replicate,
        "role": truth.role,
        "scene": table["scene"],
        "map": truth.map,
        "room": table["room"],
        "sweep": truth.sweep,
        "query": table["view"],
        "references": len(truth.references),
        **{name: table[name] for name in ("place", "covisibility")},
        **_poses_and_errors(answers, truth.queries),
        **_ranking_columns(answers, truth),
    }
    for name in ("status", "reason", "flags", "confidence", "ranking", "load_seconds", "seconds", "warm", "machine"):
        columns[name] = pd.Series([answer[name] for answer in answers], dtype=ESTIMATE_COLUMNS[name])
    own = _typed(pd.DataFrame(columns, index=range(len(answers))), ESTIMATE_COLUMNS)
    return own.assign(**{str(name): table[name] for name in table if name not in VIEW_COLUMNS})


def spans_table(entries: Entries, truth: UnitTruth) -> pd.DataFrame:
    """Return one row per query and stage (``SPAN_COLUMNS``), queries in the order of ``truth.queries``."""
    by_query = {entry["query"]: entry for entry in entries if entry["kind"] == "answer"}
    rows = [
        (query, *span, by_query[query]["warm"], by_query[query]["machine"])
        for query in truth.queries.ids
        for span in by_query[query]["spans"]
    ]
    table = pd.DataFrame(rows, columns=["query", "stage", "seconds", "exclusive_seconds", "warm", "machine"])
    return _typed(table.assign(**_named(truth)), SPAN_COLUMNS)


def maps_table(entries: Entries, truth: UnitTruth) -> pd.DataFrame:
    """Return the row of the map (``MAP_COLUMNS``), or none where it could not be built.

    A resumed run builds the map again: the last build counts. Its peak memory includes the queries after it.
    """
    built = [entry for entry in entries if entry["kind"] == "map"]
    if not built:
        return _typed(pd.DataFrame(columns=list(MAP_COLUMNS)), MAP_COLUMNS)
    row = {name: value for name, value in built[-1].items() if name != "kind"}
    row["peak_memory_bytes"] = max(entry["peak_memory_bytes"] for entry in entries)
    scene = truth.queries.table["scene"].iloc[0]
    return _typed(pd.DataFrame([{**_named(truth), "scene": scene, **row}]), MAP_COLUMNS)


def _named(truth: UnitTruth) -> dict[str, Any]:
    return {"method": truth.method, "replicate": truth.replicate, "map": truth.map, "sweep": truth.sweep}


def _typed(table: pd.DataFrame, columns: Mapping[str, str]) -> pd.DataFrame:
    return table[list(columns)].astype(dict(columns))


def _poses_and_errors(answers: Entries, queries: ViewSet) -> dict[str, Array]:
    """Return estimated and true pose columns and both errors; without an estimated pose the errors are infinite."""
    nothing = [np.nan] * len(POSE_COLUMNS)
    estimated = np.array([answer["pose"] or nothing for answer in answers], dtype=np.float64).reshape(-1, 7)
    posed = np.isfinite(estimated).all(axis=1)
    truth = queries.poses
    translation, rotation = np.full(len(answers), np.inf), np.full(len(answers), np.inf)
    if posed.any():
        poses = pose_from_table(pd.DataFrame(estimated[posed], columns=POSE_COLUMNS))
        translation[posed] = translation_error(poses, truth[posed])
        rotation[posed] = rotation_error(poses, truth[posed])
    return {
        **{f"est_{name}": estimated[:, i] for i, name in enumerate(POSE_COLUMNS)},
        **pose_columns(truth, "true_"),
        "translation_error": translation,
        "rotation_error": rotation,
    }


def _ranking_columns(answers: Entries, truth: UnitTruth) -> dict[str, Array]:
    """Return the rank of the covisible reference, and the distances to the first-ranked and nearest ones.

    Where the dataset names no covisible reference the rank is NaN: nobody could be right about it.
    """
    row = {reference: i for i, reference in enumerate(truth.references.ids)}
    centres, references = truth.queries.poses.translation, truth.references.poses.translation
    distances = np.linalg.norm(centres[:, None] - references[None], axis=-1)
    ranks, first = np.full(len(answers), np.inf), np.full(len(answers), np.inf)
    for i, (answer, relevant) in enumerate(zip(answers, truth.queries.table["covisible_reference"], strict=True)):
        ranking = answer["ranking"]
        if ranking:
            first[i] = distances[i, row[ranking[0]]]
            ranks[i] = ranking.index(relevant) + 1 if relevant in ranking else np.inf
    ranks[(truth.queries.table["covisible_reference"] == "").to_numpy()] = np.nan
    return {"relevant_rank": ranks, "top1_distance": first, "nearest_distance": distances.min(axis=1)}
