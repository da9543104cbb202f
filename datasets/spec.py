"""`DatasetSpec`: everything that decides a dataset's bytes, parsed and validated at the door."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from ..errors import InputError
from ..sim.geometry import Camera

#: A scene to generate or load: a house's seed, the path of a ``.glb``, or, for the simulator habitat, the path of a
#: scene-dataset config and a scene in it: ``PATH.scene_dataset_config.json#SCENE``.
SceneEntry = Annotated[int, Field(ge=0)] | str
Output = Literal["rgb", "depth", "semantic"]
ProtocolName = Literal["sparse-reference", "cross-view", "recorded-path"]
Range = tuple[float, float]

SPLITS = ("train", "val", "test")
CORNERS = 4


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class CameraSpec(_Strict):
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


class SimulatorSpec(_Strict):
    """Which simulator renders, and the options it is opened with. A bare name stands for no options."""

    name: str = "raycast"
    """See 'relocbench list simulators'."""
    options: dict[str, Any] = {}
    """Keyword options of that simulator."""

    @model_validator(mode="before")
    @classmethod
    def _bare_name(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value

    def __str__(self) -> str:
        return ", ".join([self.name, *(f"{key}={value}" for key, value in self.options.items())])


class ScenesSpec(_Strict):
    """Which scenes make up each split. A scene belongs to one split only."""

    train: tuple[SceneEntry, ...] = ()
    """House seeds or paths of .glb files to learn from."""
    val: tuple[SceneEntry, ...] = ()
    """Scenes to tune on."""
    test: tuple[SceneEntry, ...] = ()
    """Scenes to report on."""
    triangles: int = Field(default=100_000, ge=10_000)
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


class CrossViewSpec(_Strict):
    """The parameters of the protocol cross-view: its candidates, the place classes among them, who belongs to which."""

    views_per_scene: int = Field(default=5000, ge=2)
    """Candidate views sampled over the whole of every val or test scene; those of no class are dropped."""
    places: int = Field(default=100, ge=2)
    """Place classes per scene, each with one training image."""
    queries_per_scene: int | None = Field(default=None, ge=1)
    """At most so many of the views that belong to classes become queries, drawn at random; by default all of them."""
    training_images: Literal["similar", "random"] = "similar"
    """Whether the training images are chosen to look alike, as in the paper, or at random."""
    max_range: float = Field(default=5.0, gt=0)
    """Metres from which a view still sees a place's representative point."""
    occlusion: bool = True
    """Whether a point behind a wall is out of sight."""
    cell_size: float = Field(default=2.0, gt=0)
    """Metres; no two training images are taken in the same cell of this grid over x and y, and over yaw."""
    cell_angle: float = Field(default=30.0, gt=0, le=360)
    """Degrees; the same grid's resolution in yaw."""


class DatasetSpec(_Strict):
    """One dataset to generate: the protocol with its parameters, the scenes, the camera, the simulator, the seed.

    Equal specs make equal bytes, whatever the machine's number of cores.
    """

    protocol: ProtocolName = "sparse-reference"
    """Which protocol turns scenes into views; ``cross_view`` holds the parameters of one, those from
    ``queries_per_room`` on are of the sparse references, and recorded paths know the first of these."""
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

    train_views_per_scene: int = Field(default=0, ge=0)
    """Views sampled over the whole of every train scene."""
    camera_height: Range = (1.2, 1.6)
    """Metres above the floor between which the height of cameras varies, except of corner references."""
    pitch_std: float = Field(default=3.0, ge=0, le=30)
    """Standard deviation, in degrees, of the pitch of cameras, except of corner references."""
    cross_view: CrossViewSpec = CrossViewSpec()
    """Parameters of the protocol cross-view."""

    queries_per_room: int = Field(default=50, ge=0)
    """Queries sampled in every room of a val or test scene."""
    references_per_room: tuple[int, ...] = (CORNERS,)
    """Densities of the sweep; the first is 4, one reference in each corner, and later ones only add."""
    reference_height: float = Field(default=1.6, gt=0)
    """Metres above the floor of the four corner references: standing height."""
    map: Literal["room", "scene"] = "room"
    """Whether each room is a map of its own, as in the paper, or a scene's rooms share one map."""
    min_room_area: float = Field(default=5.0, ge=0)
    """Square metres; smaller rooms are skipped, and the manifest says so."""
    min_room_width: float = Field(default=2.0, ge=0)
    """Metres; rooms that are narrower, such as corridors, are skipped, and the manifest says so."""

    @field_validator("outputs")
    @classmethod
    def _known_once(cls, value: tuple[Output, ...]) -> tuple[Output, ...]:
        if not value or len(set(value)) != len(value):
            raise ValueError("name at least one output, each once")
        return value

    @field_validator("references_per_room", mode="before")
    @classmethod
    def _bare_number(cls, value: Any) -> Any:
        return [value] if isinstance(value, int) else value

    @field_validator("references_per_room")
    @classmethod
    def _sweep(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if not value or value[0] != CORNERS or any(b <= a for a, b in pairwise(value)):
            raise ValueError(f"densities start with {CORNERS} (one reference per corner) and grow, not {list(value)}")
        return value

    @field_validator("camera_height")
    @classmethod
    def _interval(cls, value: Range) -> Range:
        if not 0 < value[0] <= value[1]:
            raise ValueError(f"a range is [low, high] with 0 < low <= high, not {list(value)}")
        return value

    @model_validator(mode="after")
    def _fits_the_protocol(self) -> DatasetSpec:
        if self.protocol != "cross-view":
            if self.cross_view != CrossViewSpec():
                raise ValueError(f"cross_view holds parameters of another protocol than {self.protocol}")
            return self
        if self.query_condition not in (None, self.condition):
            raise ValueError("query_condition: cross-view chooses references among views that are rendered already")
        if self.cross_view.training_images == "similar" and "rgb" not in self.outputs:
            raise ValueError("outputs: without rgb nothing looks alike; add it, or set training_images to random")
        return self

    def condition_of(self, role: str) -> str:
        """Return the lighting under which views of ``role`` are rendered."""
        return (self.query_condition or self.condition) if role == "query" else self.condition

    def canonical(self) -> str:
        """Return the one JSON text that equal specs share."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True)


def load_spec(path: Path) -> DatasetSpec:
    """Read a spec from a YAML file; relative paths of scenes are taken from the file's folder.

    Raises `InputError` where the file is missing, is not YAML, or a key is unknown or has a value out of range.
    """
    try:
        data = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise InputError(f"{path}: cannot be read as YAML: {' '.join(str(error).split())}") from error
    if not isinstance(data, Mapping):
        raise InputError(f"{path}: a dataset spec is a mapping of keys to values; see 'relocbench list tracks'")
    return parse_spec(data, where=str(path), folder=path.parent)


def parse_spec(data: Mapping[str, Any], *, where: str, folder: Path | None = None) -> DatasetSpec:
    """Validate a spec; ``where`` names its file in errors, ``folder`` is where relative scene paths start.

    Raises `InputError` that names the file and the key.
    """
    try:
        spec = DatasetSpec.model_validate(data)
    except ValidationError as error:
        raise InputError(f"{where}: {first_problem(error, known=_keys(DatasetSpec))}") from error
    if folder is None:
        return spec
    paths = {split: tuple(_rooted(entry, folder) for entry in getattr(spec.scenes, split)) for split in SPLITS}
    return spec.model_copy(update={"scenes": spec.scenes.model_copy(update=paths)})


def first_problem(error: ValidationError, *, known: list[str]) -> str:
    """Return one line about the first thing a pydantic model disliked: the key, what is wrong, what is allowed."""
    problem = error.errors()[0]
    key = ".".join(str(part) for part in problem["loc"]) or "the whole"
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    if problem["type"] == "extra_forbidden":
        allowed = f"; known keys are {', '.join(known)}" if len(problem["loc"]) == 1 else ""
        return f"unknown key {key!r}{allowed}{more}"
    return f"{key}: {problem['msg'].removeprefix('Value error, ')}{more}"


def _keys(model: type[BaseModel]) -> list[str]:
    return list(model.model_fields)


def _rooted(entry: SceneEntry, folder: Path) -> SceneEntry:
    return str(folder / entry) if isinstance(entry, str) else entry
