"""`DatasetSpec`: everything that decides a dataset's bytes, parsed and validated at the door."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Discriminator, Field, SerializeAsAny, Tag, ValidationError, field_validator, model_validator

from ..errors import InputError
from ..sim.geometry import Camera
from .plan import Decision, Plan
from .protocols import PROTOCOLS
from .strict import Strict
from .views import VIEW_COLUMNS


class SceneFile(Strict):
    """A .glb without a sidecar whose unit is not the metre, or whose upward axis is not y."""

    file: str
    """The path of the ``.glb``."""
    scale: float | None = Field(default=None, gt=0)
    """Metres per unit of the file."""
    up: Literal["y", "z"] | None = None
    """The axis of the file that points upwards."""

    def __repr__(self) -> str:
        return repr(self.file)


def _kind_of_entry(value: Any) -> str:
    return "file" if isinstance(value, Mapping | SceneFile) else "path" if isinstance(value, str) else "seed"


if TYPE_CHECKING:  # what reads a dataset needs no scene and starts no work
    from ..sim.processes.executor import Unit
    from ..sim.scene import Scene

#: A scene to generate or load: a house's seed, the path of a ``.glb``, such a path with its unit and its upward axis,
#: or, for the simulator habitat, the path of a scene-dataset config and a scene in it:
#: ``PATH.scene_dataset_config.json#SCENE``.
SceneEntry = Annotated[
    Annotated[int, Field(ge=0), Tag("seed")] | Annotated[str, Tag("path")] | Annotated[SceneFile, Tag("file")],
    Discriminator(_kind_of_entry),  # so that errors are about what was meant
]
Output = Literal["rgb", "depth", "semantic"]

SPLITS = ("train", "val", "test")


class CameraSpec(Strict):
    """The pinhole camera of every view: square pixels, centred principal point."""

    width: int = Field(default=256, ge=8, le=8192)
    """Pixels."""
    height: int = Field(default=256, ge=8, le=8192)
    """Pixels."""
    horizontal_fov: float = Field(default=90.0, gt=0, lt=180)
    """Degrees."""

    @property
    def camera(self) -> Camera:
        """The `Camera` this describes."""
        return Camera.from_fov(self.width, self.height, self.horizontal_fov)


class SimulatorSpec(Strict):
    """Which simulator renders, and the options it is opened with. A bare name stands for no options."""

    name: str = "raycast"
    """See 'relocbench list simulators'."""
    options: dict[str, Any] = Field(default_factory=dict)
    """Keyword options of that simulator."""

    @model_validator(mode="before")
    @classmethod
    def _bare_name(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value

    def __str__(self) -> str:
        return ", ".join([self.name, *(f"{key}={value}" for key, value in self.options.items())])


class ScenesSpec(Strict):
    """Which scenes make up each split. A scene belongs to one split only."""

    train: tuple[SceneEntry, ...] = ()
    """House seeds or paths of .glb files to learn from."""
    val: tuple[SceneEntry, ...] = ()
    """Scenes to tune on."""
    test: tuple[SceneEntry, ...] = ()
    """Scenes to report on."""
    triangles: int = Field(default=100_000, ge=20_000, le=2_000_000)
    """Level of detail of generated houses."""

    @model_validator(mode="after")
    def _disjoint(self) -> ScenesSpec:
        seen: dict[SceneEntry, str] = {}
        for split, entry in self.entries():
            if entry in seen:
                raise ValueError(f"scene {entry!r} is in {seen[entry]} and again in {split}; splits are disjoint")
            seen[entry] = split
        if not seen:
            raise ValueError("no scene is named; give at least one in train, val or test")
        return self

    def entries(self) -> list[tuple[str, SceneEntry]]:
        """Return (split, entry) of every scene: train, then val, then test."""
        return [(split, entry) for split in SPLITS for entry in getattr(self, split)]


class Protocol(Strict):
    """One way to turn scenes into references, queries and views to learn from; its fields are its parameters.

    A newcomer derives a class in a folder of its own under ``datasets/protocols/``, gives ``name`` a ``Literal``, and
    registers it. Everything is deterministic: equal specs give equal views, whoever computes them and in which order.
    """

    name: str
    """Which protocol it is."""

    question: ClassVar[str] = "pose"
    """What its queries ask, see ``bench/questions``."""
    columns: ClassVar[Mapping[str, str]] = {}
    """What its views have beyond `VIEW_COLUMNS`: names and dtypes."""

    @property
    def sweep_axis(self) -> str:
        """What the views' column ``density`` counts, in words that follow a number."""
        return "references per map"

    @abstractmethod
    def plan(self, scene: Scene, split: str, spec: DatasetSpec) -> Plan:
        """Plan one scene of a split, before anything is rendered; raises `InputError` where the scene does not suit.

        The random numbers are those of :func:`relocbench.datasets.planning.generator`.
        """

    def check(self, spec: DatasetSpec) -> None:
        """Raise ``ValueError`` where the rest of the spec does not fit the protocol; anything fits by default."""

    def passes(self, spec: DatasetSpec, root: Path, scenes: Sequence[str]) -> Iterator[tuple[str, Sequence[Unit]]]:
        """Yield the title and the units of each pass over rendered views that decides among them; none by default.

        A pass begins when the one before it is done, and what it found lies in the records of its units.
        """
        return iter(())

    def decide(self, spec: DatasetSpec, root: Path, scene: str) -> Decision | None:
        """Return what becomes of a scene's planned views once all passes are done; None: they stay as planned."""
        return None


class DatasetSpec(Strict):
    """One dataset to generate: the protocol with its parameters, the scenes, the camera, the simulator, the seed.

    Equal specs make equal bytes, whatever the machine's number of cores.
    """

    protocol: SerializeAsAny[Protocol]
    """Which protocol turns scenes into views, with its parameters; a bare name stands for their defaults. Parameters
    beside it, as earlier versions had them, are read too."""
    seed: int = Field(default=0, ge=0)
    """Decides every sampled pose, together with the scene's name."""
    simulator: SimulatorSpec = SimulatorSpec()
    """The renderer; a name, or a name with options."""
    scenes: ScenesSpec
    """Houses and files per split."""
    camera: CameraSpec = CameraSpec()
    """One camera for all views."""
    condition: str = "day"
    """Lighting of references and of training views."""
    query_condition: str | None = None
    """Lighting of queries; the same as the references' by default."""
    outputs: tuple[Output, ...] = ("rgb", "depth", "semantic")
    """What is written for each view."""
    image_format: Literal["png", "jpg"] = "png"
    """jpg is smaller and lossy; depth and semantic maps are always png."""
    depth_unit: float = Field(default=0.0005, gt=0, le=0.1)
    """Metres per step of a stored depth map. Sixteen bits then reach 65535 steps; half a step is the rounding error."""

    @model_validator(mode="before")
    @classmethod
    def _parameters_of_the_protocol(cls, value: Any) -> Any:
        return with_protocol(value) if isinstance(value, Mapping) else value

    @field_validator("protocol", mode="before")
    @classmethod
    def _known_protocol(cls, value: Any) -> Any:
        if isinstance(value, Protocol):
            return value
        if not isinstance(value, Mapping) or not isinstance(value.get("name"), str):
            raise ValueError("a protocol is its name, or a mapping with its name and its parameters")
        own = _protocol_class(value["name"])
        try:
            return own.model_validate(value)
        except ValidationError as error:
            raise ValueError(first_problem(error, known=list(own.model_fields))) from error

    @field_validator("outputs")
    @classmethod
    def _known_once(cls, value: tuple[Output, ...]) -> tuple[Output, ...]:
        if not value or len(set(value)) != len(value):
            raise ValueError("name at least one output, each once")
        return value

    @model_validator(mode="after")
    def _fits_the_protocol(self) -> DatasetSpec:
        self.protocol.check(self)
        return self

    def condition_of(self, role: str) -> str:
        """Return the lighting under which views of ``role`` are rendered."""
        return (self.query_condition or self.condition) if role == "query" else self.condition

    def canonical(self) -> str:
        """Return the one JSON text that equal specs share."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True)


def parse_spec(data: Mapping[str, Any], *, where: str, folder: Path | None = None) -> DatasetSpec:
    """Validate a spec; ``where`` names its file in errors, ``folder`` is where relative scene paths start.

    Raises `InputError` that names the file and the key.
    """
    try:
        data = with_protocol(data)
        spec = DatasetSpec.model_validate(data)
    except ValidationError as error:
        raise InputError(f"{where}: {first_problem(error, known=_known_keys(data))}") from error
    except ValueError as error:
        raise InputError(f"{where}: {error}") from error
    if folder is None:
        return spec
    paths = {split: tuple(_rooted(entry, folder) for entry in getattr(spec.scenes, split)) for split in SPLITS}
    return spec.model_copy(update={"scenes": spec.scenes.model_copy(update=paths)})


def first_problem(error: ValidationError, *, known: list[str]) -> str:
    """Return one line about the first thing a pydantic model disliked: the key, what is wrong, what is allowed."""
    problem = error.errors()[0]
    key = ".".join(str(part) for part in problem["loc"])
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    if problem["type"] == "extra_forbidden":
        allowed = f"; known keys are {', '.join(known)}" if len(problem["loc"]) == 1 else ""
        return f"unknown key {key!r}{allowed}{more}"
    said = problem["msg"].removeprefix("Value error, ")
    said = said.replace("valid tuple", "list").replace("valid dictionary", "mapping")  # as YAML calls them
    return f"{key}{': ' if key else ''}{said}{more}"


def _known_keys(data: Mapping[str, Any]) -> list[str]:
    """Return the keys of a spec, and the parameters of its protocol, which may stand beside them."""
    protocol = data.get("protocol")
    own = _protocol_class(protocol["name"]).model_fields if isinstance(protocol, Mapping) else {}
    return [*DatasetSpec.model_fields, *(name for name in own if name != "name")]


def with_protocol(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return a spec's plain values with the protocol as a mapping that holds all of its parameters.

    In earlier versions the protocol was a name, and its parameters stood beside it or under its name.
    """
    given = data.get("protocol")
    name = given.get("name") if isinstance(given, Mapping) else given
    if not isinstance(name, str):
        return dict(data)
    own = _protocol_class(name).model_fields
    beside = {key: value for key, value in data.items() if key in own and key not in DatasetSpec.model_fields}
    under = data.get(name.replace("-", "_")) or {}
    if not isinstance(under, Mapping):
        raise ValueError(f"{name.replace('-', '_')}: holds the parameters of the protocol, by name")
    moved = {*beside, name.replace("-", "_")}
    parameters = {**beside, **under, **(given if isinstance(given, Mapping) else {"name": name})}
    return {**{key: value for key, value in data.items() if key not in moved}, "protocol": parameters}


def _protocol_class(name: str) -> type[Protocol]:
    try:
        own = PROTOCOLS.load(name)
    except InputError as error:
        raise ValueError(f"protocol: {error}") from error
    if not (isinstance(own, type) and issubclass(own, Protocol)):
        raise ValueError(f"protocol: {name!r} is registered as {own!r}, which is not derived from Protocol")
    taken = sorted(set(own.columns) & set(VIEW_COLUMNS))
    if taken:
        raise ValueError(f"protocol: {name!r} has columns that every view has: {', '.join(taken)}; rename its own")
    return own


def _rooted(entry: SceneEntry, folder: Path) -> SceneEntry:
    if isinstance(entry, SceneFile):
        return entry.model_copy(update={"file": str(folder / entry.file)})
    return str(folder / entry) if isinstance(entry, str) else entry
