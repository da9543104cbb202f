"""`Results`: what a report is made of, read from results folders; those of one run are merged."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..bench.store import CellRecord, PlaceCounts, RunStore
from ..bench.tracks import SweepSpec
from ..datasets.dataset import Dataset
from ..datasets.views import ViewSet
from ..errors import InputError


@dataclass(frozen=True, eq=False)
class RoomOutline:
    """One room of a floor plan: its name, its type, and its outline (K, 2) in world x, y metres."""

    name: str
    type: str
    ring: NDArray[Any]


@dataclass(frozen=True, eq=False)
class Results:
    """The records of one run, or of several that localized the same queries.

    ``estimates``, ``spans`` and ``maps`` have the columns of ``bench.records``; ``cells`` are the methods behind them,
    by the names that the tables use (of one with replicates, the first), and ``fit_seconds`` how long each of them
    learned. ``views`` is None where the dataset cannot be read, and ``trouble`` says why.
    """

    stores: tuple[RunStore, ...]
    cells: dict[str, CellRecord]
    fit_seconds: dict[str, float | None]
    estimates: pd.DataFrame
    spans: pd.DataFrame
    maps: pd.DataFrame
    views: ViewSet | None
    rooms: dict[str, list[RoomOutline]]
    trouble: str

    @property
    def name(self) -> str:
        """The track and its size."""
        record = self.stores[0].record
        return f"{record.track} · {record.size}"

    @property
    def places(self) -> dict[str, PlaceCounts]:
        """The place classes of each scene, none where the protocol has none."""
        return self.stores[0].record.places

    @property
    def sweeps(self) -> tuple[SweepSpec, ...]:
        """Which methods differ in one number."""
        return self.stores[0].record.sweeps

    @property
    def primary(self) -> str:
        """The metric that ranks."""
        return self.stores[0].question.primary


def load_results(folders: Sequence[Path]) -> list[Results]:
    """Open results folders and merge those of one run (`RunRecord.identity`), in the order given.

    Raises ``InputError`` where a folder holds no results, or none that are complete, and where none is given.
    """
    if not folders:
        raise InputError("no results folder was given; name at least one that 'relocbench run' wrote")
    groups: dict[tuple[Any, ...], list[RunStore]] = {}
    for folder in dict.fromkeys(Path(folder).resolve() for folder in folders):
        store = RunStore.open(folder)
        if not store.labels:
            raise InputError(f"{folder}: no method has finished here; run the same 'relocbench run' again to resume")
        groups.setdefault(tuple(store.record.identity.values()), []).append(store)
    return [_merge(stores) for stores in groups.values()]


def _merge(stores: Sequence[RunStore]) -> Results:
    names = _unique_names(stores)
    cells = {
        names[i, cell.label]: cell
        for i, store in enumerate(stores)
        for cell in store.record.cells
        if cell.label in store.labels and cell.replicate == 0
    }
    views, rooms, trouble = _read_dataset(stores)
    return Results(
        stores=tuple(stores),
        cells=cells,
        fit_seconds={name: stores[i].fit_seconds(label) for (i, label), name in names.items()},
        estimates=_table(stores, names, "estimates"),
        spans=_table(stores, names, "spans"),
        maps=_table(stores, names, "maps"),
        views=views,
        rooms=rooms,
        trouble=trouble,
    )


def _unique_names(stores: Sequence[RunStore]) -> dict[tuple[int, str], str]:
    """Return what each store's methods are called: a name that two runs share gets the run's folder beside it."""
    labels = [label for store in stores for label in store.labels]
    return {
        (i, label): label if labels.count(label) == 1 else f"{label} ({_short_name(i, store, stores)})"
        for i, store in enumerate(stores)
        for label in store.labels
    }


def _short_name(index: int, store: RunStore, stores: Sequence[RunStore]) -> str:
    folders = [other.folder.name for other in stores]
    return store.folder.name if folders.count(store.folder.name) == 1 else f"{store.folder.name}, {index + 1}"


def _table(stores: Sequence[RunStore], names: dict[tuple[int, str], str], kind: str) -> pd.DataFrame:
    tables = []
    for i, store in enumerate(stores):
        try:
            table = getattr(store, kind)()
        except (OSError, ValueError, KeyError) as error:
            message = str(error).partition("\n")[0]
            raise InputError(
                f"{store.folder}: its {kind} cannot be read ({message}); remove the damaged folder under methods/ "
                "and run the same 'relocbench run' again"
            ) from error
        tables.append(table.assign(method=[names[i, label] for label in table["method"]]))
    return pd.concat(tables, ignore_index=True)


def _read_dataset(stores: Sequence[RunStore]) -> tuple[ViewSet | None, dict[str, list[RoomOutline]], str]:
    """Read the first dataset that can be read; a report without images is better than none."""
    trouble = ""
    for store in stores:
        try:
            dataset = store.dataset
            return dataset.views, _outlines(dataset), ""
        except InputError as error:
            trouble = trouble or str(error)
    return None, {}, trouble


def _outlines(dataset: Dataset) -> dict[str, list[RoomOutline]]:
    """Read each scene's rooms from its sidecar alone: the meshes beside it are large."""
    rooms: dict[str, list[RoomOutline]] = {}
    for record in dataset.manifest.scenes:
        sidecar = None if record.file is None else (dataset.root / record.file).with_suffix(".json")
        if sidecar is not None and sidecar.exists():  # a scene that somebody brought has none
            rooms[record.name] = _rooms(sidecar)
    return rooms


def _rooms(sidecar: Path) -> list[RoomOutline]:
    try:
        return [_outline(room) for room in json.loads(sidecar.read_text())["rooms"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{sidecar}: is not the sidecar of a scene ({type(error).__name__}: {error})") from error


def _outline(room: dict[str, Any]) -> RoomOutline:
    return RoomOutline(room["name"], room["type"], np.asarray(room["polygon"]["exterior"], dtype=np.float64))
