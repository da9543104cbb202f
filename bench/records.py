"""The tables of a results folder: one row per query, per span, per map. Summaries are rebuilt from them alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
import pyarrow as pa

from ..datasets.views import POSE_COLUMNS, VIEW_COLUMNS
from ..errors import InputError

#: Columns of estimates.parquet. A failure is a row too: its errors are infinite and its estimate NaN. Behind them
#: stand those that the dataset's protocol adds to its views.
ESTIMATE_COLUMNS: dict[str, str] = {
    "method": "string",  # display name, unique in the run
    "replicate": "int32",  # which of several trainings of the method, 0 where there is one
    "role": "string",  # see bench.roles: "" | chance | blind | oracle | oracle segmentation, ...
    "scene": "string",
    "map": "string",
    "room": "string",
    "place": "int32",  # place class of the query, -1 where there are none
    "sweep": "float64",  # how much the map was made of; run.json says what this counts, references per map mostly
    "query": "string",  # view id
    "status": "string",  # ok | failure
    "reason": "string",  # why it failed; "" where it did not
    "flags": "string",  # space-separated
    "confidence": "float64",
    **dict.fromkeys([f"est_{column}" for column in POSE_COLUMNS], "float64"),
    **dict.fromkeys([f"true_{column}" for column in POSE_COLUMNS], "float64"),
    "translation_error": "float64",  # metres; inf for a failure
    "rotation_error": "float64",  # degrees; inf for a failure
    "ranking": "object",  # list of reference ids, best first; empty where the method ranks nothing
    "relevant_rank": "float64",  # 1-based rank of the query's covisible reference; inf where it was not ranked, NaN
    # where the dataset names none, which asks for no rank
    "top1_distance": "float64",  # metres from the query to the reference ranked first; inf where nothing is ranked
    "nearest_distance": "float64",  # metres from the query to the nearest reference of its map
    "references": "int32",  # how many references the map has: what chance depends on
    "covisibility": "float64",  # of the query with its covisible reference
    "load_seconds": "float64",  # reading and decoding the image: listed apart, not part of latency
    "seconds": "float64",  # latency of localize
    "warm": "bool",  # False for a worker's first query after building a map, which percentiles leave out
    "machine": "string",  # fingerprint of the hardware: latencies of two machines never share a row of a table
}

#: Columns of spans.parquet: the named stages inside ``localize``; seconds are inclusive and exclusive of inner stages.
SPAN_COLUMNS: dict[str, str] = {
    "method": "string",
    "replicate": "int32",
    "map": "string",
    "sweep": "float64",
    "query": "string",
    "stage": "string",  # path of names, "retrieval/features"
    "seconds": "float64",
    "exclusive_seconds": "float64",
    "warm": "bool",
    "machine": "string",
}

#: Columns of maps.parquet: one row per built map.
MAP_COLUMNS: dict[str, str] = {
    "method": "string",
    "replicate": "int32",
    "scene": "string",
    "map": "string",
    "sweep": "float64",
    "references": "int32",
    "start_seconds": "float64",  # cold start: from launching the worker to a method that is ready to build
    "build_seconds": "float64",
    "map_bytes": "int64",
    "peak_memory_bytes": "int64",  # peak resident memory of the worker up to the map's last query
    "machine": "string",
}


def check_columns(names: Iterable[str], *, where: str) -> None:
    """Raise ``InputError`` where columns that a protocol adds to its views are named like a measurement's."""
    taken = sorted((set(names) & set(ESTIMATE_COLUMNS)) - set(VIEW_COLUMNS))
    if taken:
        raise InputError(f"{where}: its views have columns called like measurements: {', '.join(taken)}; rename them")


def with_replicates(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of records with its column ``replicate``; earlier versions had none, and one training only."""
    return table if "replicate" in table else table.assign(replicate=np.int32(0))


def first_replicate(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of each method's first training: one per query, method and step of the sweep."""
    return table[table["replicate"] == 0] if "replicate" in table else table


_ARROW = {
    "string": pa.string(),
    "bool": pa.bool_(),
    "int32": pa.int32(),
    "int64": pa.int64(),
    "float64": pa.float64(),
    "object": pa.list_(pa.string()),
}


def arrow_schema(columns: Mapping[str, str], table: pd.DataFrame) -> pa.Schema:
    """Return the schema of a table on disk, the same whatever its rows hold: ``columns``, then what it has besides."""
    more = {str(name): str(dtype) for name, dtype in table.dtypes.items() if name not in columns}
    return pa.schema([(name, _ARROW[dtype]) for name, dtype in {**columns, **more}.items()])
