"""`TrackSpec`: one benchmark as a YAML file, parsed and validated at the door."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, Field, ValidationError, field_validator, model_validator

from ...datasets.spec import DatasetSpec, Protocol, SimulatorSpec, first_problem, parse_spec, with_protocol
from ...datasets.strict import Strict
from ...errors import InputError
from ..questions import Question, question
from .reading import read_yaml

SIZES = ("mini", "small", "full")
Size = Literal["mini", "small", "full"]

_FOLDER = Path(__file__).resolve().parent


class MethodEntry(Strict):
    """One method of a track. A bare name stands for that method with its default configuration."""

    model_config = ConfigDict(populate_by_name=True)

    name: str
    """A registered name, or path/to/file.py:ClassName."""
    display: str = Field("", alias="as", pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]*$|^$")
    """What tables call it, and its folder; the method's own name by default. Unique in the track."""
    config: dict[str, Any] = Field(default_factory=dict)
    """Values of its typed configuration that differ from the defaults."""
    replicates: tuple[dict[str, Any], ...] = ()
    """Values laid over ``config``, by key, one mapping for each time that the method was trained: each replicate
    answers all queries, and tables have one row for them together."""

    @field_validator("replicates")
    @classmethod
    def _several_and_different(cls, value: tuple[dict[str, Any], ...]) -> tuple[dict[str, Any], ...]:
        if len(value) == 1:
            raise ValueError("one replicate is none: name at least two, or put its values under config")
        for number, replicate in enumerate(value):
            if replicate in value[:number]:
                raise ValueError(f"{replicate} is named twice; replicates differ, in their weights mostly")
        return value

    @model_validator(mode="before")
    @classmethod
    def _bare_name(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value

    @property
    def label(self) -> str:
        """The display name, or else the name."""
        return self.display or self.name

    @property
    def configs(self) -> list[dict[str, Any]]:
        """The configuration of each replicate, in order; of a method without any, its own."""
        return [_laid_over(self.config, replicate) for replicate in self.replicates or ({},)]


class SizeSpec(Strict):
    """One size of a track."""

    dataset: DatasetSpec
    """The dataset, complete: what the file says for all sizes, with what it says for this one laid over it."""
    methods: tuple[str, ...] | None = None
    """Display names of the methods that this size runs; all of the track's by default."""


class SweepSpec(Strict):
    """Methods of a track that differ in one number: the report draws the primary metric against it."""

    name: str = Field(min_length=1)
    """What the legend calls the line."""
    axis: str = Field(min_length=1)
    """What varies, as the label of the axis: "Synthesized views per place"."""
    values: dict[str, float] = Field(min_length=2)
    """The number behind each method, by display name."""

    @field_validator("values")
    @classmethod
    def _each_once(cls, value: dict[str, float]) -> dict[str, float]:
        if len(set(value.values())) < len(value):
            raise ValueError("two methods of a sweep stand at the same number")
        return value


class TrackSpec(Strict):
    """A frozen benchmark: what is generated, and which methods run on it.

    In the file, a top-level ``protocol`` and ``dataset`` hold what all sizes share; each size lays its own over
    them, by key.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")
    """The name that users type; a published track's content never changes, a new version gets a new name."""
    version: int = Field(ge=1)
    """Counts changes before publication."""
    description: str
    """One line for 'relocbench list tracks'."""
    seed: int = Field(0, ge=0)
    """Decides the seed of every query, together with its id."""
    primary: str | None = None
    """The question's own metric that ranks methods, where a track says it; a question has one."""
    query_timeout: float = Field(60.0, gt=0)
    """Seconds after which a query counts as failed."""
    map_timeout: float = Field(600.0, gt=0)
    """Seconds after which building a map, and so all of its queries, counts as failed."""
    methods: tuple[MethodEntry, ...] = Field(min_length=1)
    """Who runs, in the order of tables that are not sorted otherwise."""
    sweeps: tuple[SweepSpec, ...] = ()
    """Which of them differ in one number, for a plot against it; several on one axis share a plot."""
    sizes: dict[Size, SizeSpec] = Field(min_length=1)
    """mini: seconds; small: minutes on two cores; full: the scale of the paper."""

    @model_validator(mode="after")
    def _one_ranking(self) -> TrackSpec:
        one = self.question.primary
        if self.primary not in (None, one):
            raise ValueError(
                f"primary: the question {self.question.name!r} is ranked by {one} in every track, not by "
                f"{self.primary}; leave the key out"
            )
        return self

    @model_validator(mode="after")
    def _consistent(self) -> TrackSpec:
        labels = [entry.label for entry in self.methods]
        for label in labels:
            if labels.count(label) > 1:
                raise ValueError(f"two methods are called {label!r}; tell them apart with 'as'")
        for sweep in self.sweeps:
            for name in sweep.values:
                if name not in labels:
                    raise ValueError(
                        f"sweep {sweep.name!r} names the method {name!r}; the track has {', '.join(labels)}"
                    )
        for size, spec in self.sizes.items():
            for name in spec.methods or ():
                if name not in labels:
                    raise ValueError(f"size {size} names the method {name!r}; the track has {', '.join(labels)}")
        if len({type(spec.dataset.protocol) for spec in self.sizes.values()}) > 1:
            raise ValueError("the sizes follow different protocols; a track has one")
        return self

    @property
    def protocol(self) -> Protocol:
        """What the dataset of every size follows, with the parameters of one of them."""
        return next(iter(self.sizes.values())).dataset.protocol

    @property
    def question(self) -> Question:
        """What the queries ask of a method: what the protocol says."""
        return question(self.protocol.question)

    @property
    def default_size(self) -> str:
        """The size for those who name none: the only one, or small."""
        return next(iter(self.sizes)) if len(self.sizes) == 1 else "small"

    def size(self, name: str) -> SizeSpec:
        """Return one size; raises `InputError` where the track does not have it."""
        if name not in self.sizes:
            raise InputError(f"track {self.name} has no size {name!r}; it has {', '.join(self.sizes)}")
        return self.sizes[name]

    def rendered_by(self, simulator: SimulatorSpec | None) -> TrackSpec:
        """Return the track with its datasets rendered by another simulator; as it is where that is None."""
        if simulator is None:
            return self
        sizes = {
            name: size.model_copy(update={"dataset": size.dataset.model_copy(update={"simulator": simulator})})
            for name, size in self.sizes.items()
        }
        return self.model_copy(update={"sizes": sizes})

    def entries(self, size: str) -> list[MethodEntry]:
        """Return the methods of one size, in the track's order."""
        chosen = self.size(size).methods
        return [entry for entry in self.methods if chosen is None or entry.label in chosen]


def list_tracks() -> list[TrackSpec]:
    """Return the tracks that come with the package, by name."""
    return [load_track(path) for path in sorted(_FOLDER.glob("*.yaml"))]


def load_track(track: str | Path) -> TrackSpec:
    """Read a track by its name, or from a YAML file of yours.

    Its relative paths of scenes and of files of methods start at the file's folder; those inside a method's
    configuration start at the working folder, as everywhere.

    Raises `InputError` where there is no such track, or the file holds an unknown key or a value out of range.
    """
    path = _find(track)
    data = read_yaml(path)
    if not isinstance(data, Mapping):
        raise InputError(f"{path}: a track is a mapping of keys to values; see those in {_FOLDER}")
    try:
        spec = TrackSpec.model_validate(_with_sizes(data, path))
    except ValidationError as error:
        raise InputError(
            f"{path}: {first_problem(error, known=[*TrackSpec.model_fields, 'protocol', 'dataset'])}"
        ) from error
    entries = tuple(entry.model_copy(update={"name": _rooted(entry.name, path)}) for entry in spec.methods)
    return spec.model_copy(update={"methods": entries})


def _find(track: str | Path) -> Path:
    if Path(track).suffix in (".yaml", ".yml"):
        path = Path(track)
        if not path.is_file():
            raise InputError(f"{path}: no such track file")
        return path
    path = _FOLDER / f"{track}.yaml"
    if path.parent != _FOLDER or not path.is_file():
        names = ", ".join(sorted(known.stem for known in _FOLDER.glob("*.yaml")))
        raise InputError(f"unknown track {str(track)!r}; known: {names}, or the path of a track .yaml")
    return path


def _with_sizes(data: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """Lay every size's protocol and dataset over the shared ones, and parse them with their own messages."""
    name = _name(data.get("protocol"))
    shared = _dataset(data, name, path, "the track")
    sizes = data.get("sizes") or {}
    if not isinstance(sizes, Mapping):
        raise InputError(f"{path}: sizes is a mapping of {', '.join(SIZES)} to what each has of its own, not {sizes!r}")
    resolved = {}
    for size, own in sizes.items():
        if not isinstance(own, Mapping):
            raise InputError(f"{path}: sizes.{size} is a mapping with a dataset, not {own!r}")
        merged = _laid_over(shared, _dataset(own, name, path, f"sizes.{size}"))
        spec = parse_spec(merged, where=f"{path}: sizes.{size}.dataset", folder=path.resolve().parent)
        resolved[size] = {**{key: value for key, value in own.items() if key != "protocol"}, "dataset": spec}
    return {**{key: value for key, value in data.items() if key not in ("dataset", "protocol")}, "sizes": resolved}


def _dataset(data: Mapping[str, Any], name: Any, path: Path, what: str) -> dict[str, Any]:
    """Return the spec that stands under ``dataset``, with the protocol that stands beside it inside."""
    dataset, given = data.get("dataset") or {}, data.get("protocol") or {}
    if not isinstance(dataset, Mapping):
        raise InputError(f"{path}: {what}: dataset is a mapping of keys to values, not {dataset!r}")
    try:
        return with_protocol({**dataset, "protocol": {"name": name, **(given if isinstance(given, Mapping) else {})}})
    except ValueError as error:
        raise InputError(f"{path}: {what}: {error}") from error


def _name(protocol: Any) -> Any:
    return protocol.get("name") if isinstance(protocol, Mapping) else protocol


def _laid_over(base: Any, top: Any) -> Any:
    if not (isinstance(base, Mapping) and isinstance(top, Mapping)):
        return top
    return {**base, **{key: _laid_over(base.get(key), value) for key, value in top.items()}}


def _rooted(name: str, path: Path) -> str:
    return str(path.resolve().parent / name) if ".py:" in name and not Path(name).is_absolute() else name
