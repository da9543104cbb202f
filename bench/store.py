"""`RunStore`: a results folder, opened for reading.

<run>/
  run.json              what was run: track, dataset, seeds, cells with their keys, and a record of every session
  dataset/              unless another one was named
  fits/<name>-<key>/    what methods learned
  methods/<label>-<key>/    estimates.parquet, spans.parquet, maps.parquet; journal/ while it is under way
  leaderboard.csv
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict, ValidationError

from ..datasets.dataset import Dataset
from ..datasets.spec import first_problem
from ..errors import InputError, RunError
from ..sim.processes.whole_files import write_whole
from .records import ESTIMATE_COLUMNS, MAP_COLUMNS, SPAN_COLUMNS
from .scoring import leaderboard
from .tracks import SweepSpec

RUN = "run.json"
LEADERBOARD = "leaderboard.csv"
ESTIMATES, SPANS, MAPS = "estimates.parquet", "spans.parquet", "maps.parquet"

#: What each table of a method holds.
COLUMNS = {ESTIMATES: ESTIMATE_COLUMNS, SPANS: SPAN_COLUMNS, MAPS: MAP_COLUMNS}


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CellRecord(_Strict):
    """One method of a run: what tables call it, its configuration, and where its results lie."""

    label: str
    role: str
    method: str
    config: dict[str, Any]
    key: str
    folder: str
    fit: str | None = None


class PlaceCounts(_Strict):
    """How a scene's candidates were dealt out: to no class, over the limit of queries, to each class as queries."""

    candidates: int
    no_class: int
    over_limit: int
    queries: tuple[int, ...]


class RunRecord(_Strict):
    """The content of ``run.json``."""

    format: Literal["relocbench-run"] = "relocbench-run"
    version: Literal[1] = 1
    track: str
    track_version: int
    description: str
    size: str
    split: str
    seed: int
    primary: str
    dataset: str
    dataset_sha256: str
    simulator: str = "raycast"  # what earlier versions rendered with, and did not write down
    query_timeout: float
    map_timeout: float
    dataset_differs: str = ""  # in what the dataset is not the track's own
    share: str = ""  # "2/8" where only that share of the units was asked for
    sweeps: tuple[SweepSpec, ...] = ()
    places: dict[str, PlaceCounts] = {}  # by scene, where the protocol has places
    cells: tuple[CellRecord, ...]
    sessions: tuple[dict[str, Any], ...]


class RunStore:
    """The records of one run. Tables are read when asked for, methods in the order of ``labels``."""

    def __init__(self, folder: Path, record: RunRecord) -> None:
        self.folder = folder
        self.record = record

    @classmethod
    def open(cls, folder: str | Path) -> RunStore:
        """Open a results folder; raises ``InputError`` where it is none, or was written by another version."""
        path = Path(folder) / RUN
        try:
            data = json.loads(path.read_text())
        except (FileNotFoundError, NotADirectoryError):
            raise InputError(f"{folder}: no results here ({RUN} is missing); make some with 'relocbench run'") from None
        except (OSError, ValueError) as error:
            raise InputError(f"{path}: cannot be read as JSON: {error}") from error
        try:
            return cls(Path(folder), RunRecord.model_validate(data))
        except ValidationError as error:
            raise InputError(f"{path}: {first_problem(error, known=list(RunRecord.model_fields))}") from error

    @property
    def labels(self) -> list[str]:
        """The display names of the methods whose results are complete."""
        return [cell.label for cell in self._complete()]

    @cached_property
    def dataset(self) -> Dataset:
        """The dataset that was localized in; raises ``InputError`` where it is gone or is another one by now."""
        dataset = Dataset.open(self.folder / self.record.dataset)
        if dataset.sha256 != self.record.dataset_sha256:
            raise InputError(f"{dataset.root}: is not the dataset that {self.folder} was computed on")
        return dataset

    def estimates(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return one row per query, method and density (``ESTIMATE_COLUMNS``, or some of them)."""
        return self._read(ESTIMATES, columns)

    def spans(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return one row per query, method, density and stage (``SPAN_COLUMNS``, or some of them)."""
        return self._read(SPANS, columns)

    def maps(self) -> pd.DataFrame:
        """Return one row per map that was built (``MAP_COLUMNS``)."""
        return self._read(MAPS, None)

    def fit_seconds(self, label: str) -> float | None:
        """Return how long the method's fit took; None for one that learns nothing, or whose fit failed."""
        cell = next(cell for cell in self.record.cells if cell.label == label)
        facts = None if cell.fit is None else self.folder / f"{cell.fit}.json"
        return json.loads(facts.read_text())["seconds"] if facts is not None and facts.exists() else None

    def leaderboard(self) -> pd.DataFrame:
        """Return the leaderboard by the track's primary metric, see :func:`relocbench.bench.scoring.leaderboard`."""
        needed = [name for name in ESTIMATE_COLUMNS if name != "ranking"]  # the one column that is long
        return leaderboard(self.estimates(needed), primary=self.record.primary)

    def write_leaderboard(self) -> Path:
        """Write ``leaderboard.csv`` and return its path."""
        path = self.folder / LEADERBOARD
        write_result(path, self.leaderboard().to_csv(index=False))
        return path

    def _complete(self) -> list[CellRecord]:
        return [cell for cell in self.record.cells if (self.folder / cell.folder / ESTIMATES).exists()]

    def _read(self, name: str, columns: Sequence[str] | None) -> pd.DataFrame:
        chosen = {column: COLUMNS[name][column] for column in (columns or COLUMNS[name])}
        paths = [self.folder / cell.folder / name for cell in self._complete()]
        tables = [pd.read_parquet(path, columns=list(chosen)) for path in paths]
        if not tables:
            return pd.DataFrame({column: pd.Series(dtype=dtype) for column, dtype in chosen.items()})
        return pd.concat(tables, ignore_index=True).astype(chosen)


def write_record(folder: Path, record: RunRecord) -> None:
    """Write ``run.json`` in one step; raises ``RunError`` where that fails."""
    write_result(folder / RUN, json.dumps(record.model_dump(mode="json"), indent=1) + "\n")


def write_result(path: Path, content: str) -> None:
    """Write a text file whole; raises ``RunError`` where the disk does not let it."""
    try:
        write_whole(path, content.encode())
    except OSError as error:
        raise RunError(f"{path}: cannot be written ({error.strerror}); run the same command again") from error
