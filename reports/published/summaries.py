"""`RunSummary` and `TableSummary`: what is kept of a measurement that a page quotes, in one small JSON file.

A run's summary holds its scores and what decided its answers, so that pages can be written, and staleness be told,
without its records and its dataset. What no run of a track measured is kept as the table that it became.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from ...bench.questions import Question, question
from ...bench.store import PlaceCounts
from ...bench.tracks import SweepSpec
from ...datasets.spec import first_problem
from ...errors import InputError
from ...sim.processes.whole_files import write_whole
from ..terms import Terms

DIGITS, FEW_DIGITS = 6, 4  # significant ones of scores, and of what there are many of: more than a table shows
_LINE = 110  # characters: what is shorter stands on one line
_WHOLE = ("config", "types", "versions", "libraries")  # and so does what nobody reads line by line


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Frame(_Strict):
    """A table of numbers and words: the type and the values of each column by its name; null is "not known"."""

    types: dict[str, str]
    values: dict[str, tuple[Any, ...]]

    @classmethod
    def of(cls, table: pd.DataFrame, *, digits: int = DIGITS) -> Frame:
        """Return a table as it is kept: numbers with so many significant ``digits``, infinity as a word."""
        return cls(
            types={str(name): str(dtype) for name, dtype in table.dtypes.items()},
            values={str(name): tuple(_plain(value, digits) for value in table[name]) for name in table},
        )

    @property
    def table(self) -> pd.DataFrame:
        """The table that was kept."""
        return pd.DataFrame({name: _typed(list(self.values[name]), dtype) for name, dtype in self.types.items()})


def _plain(value: Any, digits: int) -> Any:
    if value is None or value is pd.NA:
        return None
    if isinstance(value, float | np.floating):
        if math.isnan(value):
            return None
        return str(float(value)) if math.isinf(value) else float(f"{value:.{digits}g}")
    return value.item() if isinstance(value, np.generic) else value


def _typed(values: list[Any], dtype: str) -> pd.Series:
    if dtype.startswith("float"):
        return pd.Series([math.nan if value is None else float(value) for value in values], dtype=dtype)
    return pd.Series(values, dtype="Int64" if None in values and dtype.startswith(("int", "Int")) else dtype)


class Session(_Strict):
    """One call that computed: when, at which commit, with what, and on which machines."""

    started: str
    command: str
    commit: str | None
    executor: str = "local"
    jobs: int | None = None
    versions: dict[str, str] = {}
    hardware: dict[str, dict[str, Any]] = {}  # by the fingerprint of a machine


class Made(_Strict):
    """What decided the answers of a method, or of one training of it, besides the dataset.

    ``code`` is the digest of its modules, which the summary lists for all methods together, and ``files`` has the
    digests of the checkpoints and other files that it reads; both are empty where nobody wrote them down.
    """

    config: dict[str, Any]
    key: str = ""
    code: str = ""
    files: dict[str, str] = {}


class MethodRecord(_Strict):
    """One method of a run: its name, what it is to the others, where it learned, and each of its trainings."""

    method: str
    role: str
    learned: str = ""
    made: tuple[Made, ...]


class Step(_Strict):
    """The scores of one step of the sweep.

    ``references`` counts the queries by the number of references of their map. ``pairs`` are every two methods by their
    places in the board, ``differences`` by metric what ``bench.scoring.paired_all`` says of them, and ``curves`` the
    bins of ``bench.curves.accuracy_curve`` of the metric that ranks.
    """

    sweep: float
    references: dict[int, int]
    queries: int
    maps: int
    scenes: int
    board: Frame
    pairs: tuple[tuple[int, int], ...] = ()
    differences: dict[str, Frame]
    curves: dict[str, Frame] = {}


class Scored(_Strict):
    """When and by which code records became scores."""

    date: str
    commit: str | None
    modules: dict[str, str]


class RunSummary(_Strict):
    """One run of a track, or several of one that localized the same queries.

    ``modules`` are the digests of all code that decides any method's answers, ``libraries`` the versions that do;
    ``chance`` is what the method that answers without looking scored in each scene with places.
    """

    format: Literal["relocbench-summary"] = "relocbench-summary"
    version: Literal[1] = 1
    kind: Literal["run"] = "run"
    track: str
    track_version: int
    description: str
    size: str
    split: str
    seed: int
    question: str
    primary: str
    simulator: str
    dataset_sha256: str
    dataset_differs: str = ""
    sweep_axis: str
    sweeps: tuple[SweepSpec, ...] = ()
    places: dict[str, PlaceCounts] = {}
    chance: dict[str, float] = {}
    sessions: tuple[Session, ...]
    scored: Scored
    methods: dict[str, MethodRecord]
    modules: dict[str, str] = {}
    libraries: dict[str, str | None] = {}
    steps: tuple[Step, ...]

    @property
    def asked(self) -> Question:
        """The question that was asked."""
        return question(self.question)

    @property
    def terms(self) -> Terms:
        """In which words it is spoken of."""
        return Terms(self.asked, self.sweep_axis, {step.sweep: step.references for step in self.steps})

    @property
    def roles(self) -> dict[str, str]:
        """What each method is to the others."""
        return {name: method.role for name, method in self.methods.items()}

    @property
    def origin(self) -> str:
        """When and at which commit it was computed."""
        if not self.sessions:
            return "when, nobody wrote down"
        last = self.sessions[-1]
        return f"{last.started[:10]}, {_commit(last.commit)}"


class TableColumn(_Strict):
    """A column of a table that is kept as it is."""

    header: str
    numeric: bool = True


class TableSummary(_Strict):
    """What a named command measured that is no run of a track, as the table that it became.

    ``records`` are the files that it was read from, by their paths in the checkout, with the digests that they had;
    none where they were not kept. ``pictures`` are those drawn from the records, with their SHA-256: the table alone
    cannot draw them again.
    """

    format: Literal["relocbench-summary"] = "relocbench-summary"
    version: Literal[1] = 1
    kind: Literal["table"] = "table"
    title: str
    command: str
    date: str
    commit: str
    records: dict[str, str] = {}
    notes: tuple[str, ...] = ()
    columns: tuple[TableColumn, ...]
    rows: tuple[tuple[str, ...], ...]
    pictures: dict[str, str] = {}

    @property
    def origin(self) -> str:
        """When and at which commit it was measured."""
        return f"{self.date}, {_commit(self.commit)}"


def _commit(commit: str | None) -> str:
    return "outside of a checkout" if commit is None else f"commit {commit[:7]}{'+' if commit.endswith('+') else ''}"


AnySummary = RunSummary | TableSummary
_SUMMARY: TypeAdapter[AnySummary] = TypeAdapter(Annotated[AnySummary, Field(discriminator="kind")])


def read_summary(path: Path) -> AnySummary:
    """Read a summary; raises ``InputError`` where the file is none."""
    try:
        return _SUMMARY.validate_python(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise InputError(f"{path}: is not there; 'relocbench report RUN_DIR --summary {path}' writes it") from None
    except (OSError, ValueError) as error:
        problem = first_problem(error, known=[]) if isinstance(error, ValidationError) else str(error)
        raise InputError(f"{path}: is no summary of results: {problem}") from error


def write_summary(path: Path, summary: AnySummary) -> None:
    """Write a summary whole; raises ``InputError`` where the path does not let it."""
    content = to_json(summary)
    try:
        write_whole(path, content.encode())
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror})") from error


def to_json(summary: AnySummary) -> str:
    """Return a summary as JSON with a column of a table, or what is short, on one line: so that a diff can be read."""
    data = summary.model_dump(mode="json", exclude_defaults=True)
    head = {"format": summary.format, "version": summary.version, "kind": summary.kind}
    return f"{_lines({**head, **data}, '')}\n"


def _lines(value: Any, indent: str, *, whole: bool = False) -> str:
    short = json.dumps(value, ensure_ascii=False, allow_nan=False)
    if len(short) + len(indent) <= _LINE or not isinstance(value, list | dict):
        return short
    if whole or (isinstance(value, list) and all(_is_plain(item) for item in value)):
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    inner = indent + " "
    if isinstance(value, list):
        return "[\n" + ",\n".join(f"{inner}{_lines(item, inner)}" for item in value) + f"\n{indent}]"
    items = (f"{inner}{json.dumps(key)}: {_lines(item, inner, whole=key in _WHOLE)}" for key, item in value.items())
    return "{\n" + ",\n".join(items) + f"\n{indent}}}"


def _is_plain(item: Any) -> bool:
    """Whether an item of a list is a value of a column or a pair, and not a row of a table or a record."""
    return not isinstance(item, list | dict) or (isinstance(item, list) and all(isinstance(i, int) for i in item))
