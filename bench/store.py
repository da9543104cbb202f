"""`RunStore`: a results folder, opened for reading.

<run>/
  run.json              what was run: track, dataset, seeds, cells with their keys, and a record of every session
  dataset/              unless another one was named
  fits/<name>-<key>/    what methods learned
  methods/<label>-<key>/    estimates.parquet, spans.parquet, maps.parquet; journal/ while it is under way;
                        decides.json, of which <key> is the digest
  leaderboard.csv
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, ValidationError

from ..datasets.dataset import Dataset
from ..datasets.spec import first_problem
from ..errors import InputError, RunError
from ..sim.processes.whole_files import write_whole
from .journal import OF_FIT
from .provenance import digest
from .questions import Question, question
from .questions.metric import OF_RANKINGS
from .records import ESTIMATE_COLUMNS, MAP_COLUMNS, SPAN_COLUMNS
from .scoring import leaderboard
from .tracks import SweepSpec

RUN = "run.json"
LEADERBOARD = "leaderboard.csv"
ESTIMATES, SPANS, MAPS = "estimates.parquet", "spans.parquet", "maps.parquet"
DECIDES = "decides.json"

REFERENCES_PER_MAP = "references per map"

#: What each table of a method holds.
COLUMNS = {ESTIMATES: ESTIMATE_COLUMNS, SPANS: SPAN_COLUMNS, MAPS: MAP_COLUMNS}


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CellRecord(_Strict):
    """One method of a run, or one replicate of it: what tables call it, its configuration, where its results lie."""

    label: str
    replicate: int = 0
    role: str
    method: str
    config: dict[str, Any]
    key: str
    folder: str
    fit: str | None = None
    learned: str = ""  # where, if not on the training views of the run's dataset


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
    question: str
    primary: str
    dataset: str
    dataset_sha256: str
    simulator: str = "raycast"  # what earlier versions rendered with, and did not write down
    query_timeout: float
    map_timeout: float
    dataset_differs: str = ""  # in what the dataset is not the track's own
    share: str = ""  # "2/8" where only that share of the units was asked for
    sweep_axis: str = REFERENCES_PER_MAP  # what the records' column "sweep" counts, in words that follow a number
    sweeps: tuple[SweepSpec, ...] = ()
    places: dict[str, PlaceCounts] = {}  # by scene, where the protocol has places
    cells: tuple[CellRecord, ...]
    sessions: tuple[dict[str, Any], ...]

    @property
    def identity(self) -> dict[str, Any]:
        """What two records share that are of one run: the same queries, asked of methods with the same seed."""
        names = ("track", "track_version", "size", "split", "seed", "dataset_sha256")
        return {name: getattr(self, name) for name in names}


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
            return cls(Path(folder), RunRecord.model_validate(_with_question(data)))
        except ValidationError as error:
            raise InputError(f"{path}: {first_problem(error, known=list(RunRecord.model_fields))}") from error

    @property
    def labels(self) -> list[str]:
        """The display names of the methods whose results are complete."""
        return list(dict.fromkeys(cell.label for cell in self._complete()))

    @cached_property
    def question(self) -> Question:
        """What the queries ask; raises ``InputError`` where the package that brought the question is gone."""
        return question(self.record.question)

    @cached_property
    def dataset(self) -> Dataset:
        """The dataset that was localized in; raises ``InputError`` where it is gone or is another one by now."""
        dataset = Dataset.open(self.folder / self.record.dataset)
        if dataset.sha256 != self.record.dataset_sha256:
            raise InputError(f"{dataset.root}: is not the dataset that {self.folder} was computed on")
        return dataset

    def estimates(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return one row per query, method, replicate and step of the sweep: some of its columns, or all."""
        return self._read(ESTIMATES, columns)

    def spans(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return one row per query, method, step of the sweep and stage: some of its columns, or all."""
        return self._read(SPANS, columns)

    def maps(self) -> pd.DataFrame:
        """Return one row per map that was built (``MAP_COLUMNS``)."""
        return self._read(MAPS, None)

    def decides(self, cell: CellRecord) -> dict[str, Any]:
        """Return all that decided what a method answered (:attr:`relocbench.bench.cell.Cell.decides`).

        Raises ``InputError`` where an earlier version, which did not write it down, left the results.
        """
        path = self.folder / cell.folder / DECIDES
        try:
            decides: dict[str, Any] = json.loads(path.read_text())
        except (OSError, ValueError) as error:
            raise InputError(
                f"{path}: cannot be read ({type(error).__name__}), so nobody can tell what {cell.label} was made with; "
                "run the same 'relocbench run' again"
            ) from error
        if digest(decides) != cell.key:
            raise InputError(f"{path}: is not what the results beside it were made with; run {cell.label} again")
        return decides

    def fit_seconds(self, label: str) -> float | None:
        """Return how long the method's fit took; None for one that learns nothing, or whose record is not there."""
        cell = next(cell for cell in self.record.cells if cell.label == label)
        facts = None if cell.fit is None else self.folder / f"{cell.fit}.json"
        return json.loads(facts.read_text())["seconds"] if facts is not None and facts.exists() else None

    def failed_fits(self) -> dict[str, str]:
        """Return why, by label, of the methods that could not learn what they answer with."""
        failed = [cell for cell in self._complete() if cell.fit and fit_failed(self.folder / cell.folder)]
        return {cell.label: self._read_cell(cell, ESTIMATES, ["reason"])["reason"].iloc[0] for cell in failed}

    def leaderboard(self) -> pd.DataFrame:
        """Return the leaderboard, see :func:`relocbench.bench.scoring.leaderboard`."""
        needed = [name for name in ESTIMATE_COLUMNS if name != "ranking"]  # the one column that is long
        needed += [name for metric in self.question.metrics for name in metric.reads if name not in needed]
        return leaderboard(self.estimates(needed), self.question)

    def write_leaderboard(self) -> Path:
        """Write ``leaderboard.csv`` and return its path."""
        path = self.folder / LEADERBOARD
        write_result(path, self.leaderboard().to_csv(index=False))
        return path

    def _complete(self) -> list[CellRecord]:
        """Return the cells of the methods that have answered everything, all of their replicates included."""
        cells = self.record.cells
        under_way = {cell.label for cell in cells if not (self.folder / cell.folder / ESTIMATES).exists()}
        return [cell for cell in cells if cell.label not in under_way]

    def _read_cell(self, cell: CellRecord, name: str, columns: Sequence[str] | None) -> pd.DataFrame:
        """Read one table of one cell; which replicate it is, its record decides: a track may list them anew."""
        wanted = None if columns is None else [column for column in columns if column != "replicate"]
        table = _read_table(self.folder / cell.folder / name, wanted).assign(replicate=np.int32(cell.replicate))
        return table if columns is None else table[list(columns)]

    def _read(self, name: str, columns: Sequence[str] | None) -> pd.DataFrame:
        tables = [self._read_cell(cell, name, columns) for cell in self._complete()]
        if not tables:
            return pd.DataFrame({column: pd.Series(dtype=COLUMNS[name][column]) for column in columns or COLUMNS[name]})
        table = pd.concat(tables, ignore_index=True)
        return table.astype({column: dtype for column, dtype in COLUMNS[name].items() if column in table})


def fit_failed(folder: Path) -> bool:
    """Return whether a method has a table of answers, all of which failed because its fit did."""
    table = folder / ESTIMATES
    return table.exists() and bool(pd.read_parquet(table, columns=["reason"])["reason"].str.startswith(OF_FIT).all())


def _read_table(path: Path, columns: Sequence[str] | None) -> pd.DataFrame:
    """Read one table of one method, and turn one of an earlier version into what this one would have written.

    ``sweep`` was called "density" then; and where there was no covisible reference, its rank was infinite.
    """
    if "density" not in pq.read_schema(path).names:
        return pd.read_parquet(path, columns=None if columns is None else list(columns))
    table = pd.read_parquet(path).rename(columns={"density": "sweep"})
    if "relevant_rank" in table:
        table.loc[table["covisibility"].isna(), "relevant_rank"] = np.nan
    return table if columns is None else table[list(columns)]


def _with_question(data: Any) -> Any:
    """Give the ``run.json`` of an earlier version its question: that of the metric that ranked."""
    if not isinstance(data, dict) or "question" in data:
        return data
    of_places = data.get("primary") in [metric.name for metric in OF_RANKINGS]
    return {**data, "question": "place" if of_places else "pose"}


def write_record(folder: Path, record: RunRecord) -> None:
    """Write ``run.json`` in one step; raises ``RunError`` where that fails."""
    write_result(folder / RUN, json.dumps(record.model_dump(mode="json"), indent=1) + "\n")


def write_result(path: Path, content: str) -> None:
    """Write a text file whole; raises ``RunError`` where the disk does not let it."""
    try:
        write_whole(path, content.encode())
    except OSError as error:
        raise RunError(f"{path}: cannot be written ({error.strerror}); run the same command again") from error
