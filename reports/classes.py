"""The table of place classes: what became of each scene's candidates, how evenly queries belong, where chance lies."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd

from ..bench.metrics import chance_reciprocal_rank, mean_reciprocal_rank
from ..bench.roles import CHANCE
from ..bench.store import PlaceCounts
from .tables import NOTHING, Cell, Column, Table, number_cell, text_cell

_COLUMNS = (
    Column("Scene", numeric=False),
    Column("Candidates"),
    Column("Of no place"),
    Column("Over the limit"),
    Column("Queries"),
    Column("Places"),
    Column("Queries per place, min"),
    Column("median"),
    Column("max"),
    Column("Share of the largest", "%"),
    Column("Chance MRR", "%", has_interval=True),
    Column("MRR of a random ranking", "%"),
    Column("Within", numeric=False),
)


def chance_by_scene(estimates: pd.DataFrame) -> dict[str, float]:
    """Return the mean reciprocal rank of the method that answers without looking, by scene; NaN where none ran.

    ``estimates`` has ``ESTIMATE_COLUMNS``.
    """
    guess = estimates[estimates["role"] == CHANCE]
    guess = guess[guess["method"] == guess["method"].min()]
    scenes = sorted(set(estimates["scene"]))
    return {scene: mean_reciprocal_rank(guess.loc[guess["scene"] == scene, "relevant_rank"]) for scene in scenes}


def class_table(places: Mapping[str, PlaceCounts], chance: Mapping[str, float]) -> Table:
    """Return one row per scene; ``chance`` is what `chance_by_scene` says."""
    rows = [_row(scene, counts, chance.get(scene, math.nan)) for scene, counts in places.items()]
    notes = (
        "Candidates become training images (one per place), queries, or are left out: they see no place's point, or "
        "more queries than the limit were drawn already.",
        "Chance MRR is H(K) / K; in brackets, where 95 % of random rankings of so many queries lie. One scene in "
        "twenty is expected outside.",
    )
    return Table("Places and their queries", _COLUMNS, rows, notes)


def _row(scene: str, counts: PlaceCounts, scored: float) -> list[Cell]:
    queries = np.array(counts.queries)
    total = int(queries.sum())
    mean, deviation = chance_reciprocal_rank(len(queries))
    margin = 1.96 * deviation / math.sqrt(total) if total else math.nan
    return [
        text_cell(scene),
        *(number_cell(value) for value in (counts.candidates, counts.no_class, counts.over_limit, total, len(queries))),
        *(number_cell(value) for value in (queries.min(), np.median(queries), queries.max())),
        number_cell(100 * queries.max() / total if total else math.nan, 1),
        number_cell(100 * mean, 2, low=100 * (mean - margin), high=100 * (mean + margin)),
        number_cell(100 * scored, 2),
        text_cell(NOTHING if math.isnan(scored) else "yes" if abs(scored - mean) <= margin else "no"),
    ]
