"""`Manifest`: the model of ``dataset.json``, whose presence says that a dataset is complete."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, ValidationError, model_serializer

from ..errors import InputError
from .plan import PlacesRecord, SkippedRoom
from .protocols import PROTOCOLS
from .spec import DatasetSpec, SceneEntry, first_problem
from .strict import Strict

MANIFEST = "dataset.json"
FORMAT: Literal["relocbench-dataset"] = "relocbench-dataset"
VERSION: Literal[3] = 3

CONVENTIONS = {
    "world": "right-handed, metres, z up",
    "camera": "OpenCV axes: x right, y down, z forward",
    "pose": "world_from_camera; quaternion (w, x, y, z), normalised, w >= 0; translation in metres",
    "pixels": "continuous coordinates, the centre of the top-left pixel is (0.5, 0.5)",
    "depth": "z-depth; stored as 16-bit steps of depth_unit metres; 0 where nothing was hit or beyond 65535 steps",
    "semantic": "16-bit index into categories; 0 is unknown",
}


class Generated(Strict):
    """Where a dataset came from: it was generated, and ``spec`` makes the same bytes again."""

    kind: Literal["generated"] = "generated"
    spec: DatasetSpec

    @property
    def question(self) -> str:
        """What its queries ask: what the protocol says."""
        return self.spec.protocol.question

    @property
    def sweep_axis(self) -> str:
        """What the views' column ``density`` counts."""
        return self.spec.protocol.sweep_axis

    def __str__(self) -> str:
        return str(self.spec.simulator)


class Imported(Strict):
    """Where a dataset came from: ``source``, the name of a folder or file in another ``format``; ``notes`` say what was
    decided. What was imported from another place is the same dataset."""

    kind: Literal["imported"] = "imported"
    format: str
    source: str
    notes: tuple[str, ...] = ()
    question: str = "pose"

    @property
    def sweep_axis(self) -> str:
        """What the views' column ``density`` counts."""
        return "references per map"

    def __str__(self) -> str:
        return f"{self.format}: {self.source}"


class SceneRecord(Strict):
    """One scene of a dataset: where it came from, its file, what was left out of it, and its place classes.

    A scene of an imported dataset has no file: there are views of it only. ``origin`` (x, y, z) metres is where the
    scene's zero lies in the world of the file that somebody brought, where it was moved at all.
    """

    name: str
    split: str
    source: SceneEntry | None = None
    file: str | None = None
    sha256: str | None = None
    triangles: int | None = None
    rooms: int | None = None
    skipped_rooms: tuple[SkippedRoom, ...] = ()
    places: PlacesRecord | None = None
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0)

    @model_serializer(mode="wrap")
    def _without_zero(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        content: dict[str, Any] = dump(self)
        return content if any(self.origin) else {key: value for key, value in content.items() if key != "origin"}


class SplitCounts(Strict):
    """How much one split holds."""

    scenes: int
    maps: int
    train: int
    references: int
    queries: int


class Manifest(Strict):
    """Everything about a dataset but its rows and pixels. ``sha256`` covers this file, and through it all others.

    ``checksums`` is the SHA-256 of checksums.parquet, which holds the digest of every other file; so two datasets
    with the same ``sha256`` hold the same bytes.
    """

    format: Literal["relocbench-dataset"] = FORMAT
    version: Literal[3] = VERSION
    name: str
    origin: Annotated[Generated | Imported, Field(discriminator="kind")]
    versions: dict[str, str]
    conventions: dict[str, str] = CONVENTIONS
    depth_unit: float
    categories: tuple[str, ...]
    scenes: tuple[SceneRecord, ...]
    splits: dict[str, SplitCounts]
    views: int
    checksums: str
    sha256: str = ""

    @property
    def spec(self) -> DatasetSpec | None:
        """The spec of a generated dataset, None of an imported one."""
        return self.origin.spec if isinstance(self.origin, Generated) else None

    def difference_from(self, spec: DatasetSpec) -> str:
        """Return in what this is not the dataset of ``spec``: the first key with both values, "" where it is."""
        if self.spec is None:
            return f"it was imported from {self.origin}"
        return first_difference(json.loads(self.spec.canonical()), json.loads(spec.canonical()))

    def sealed(self) -> Manifest:
        """Return the manifest with its own digest filled in."""
        return self.model_copy(update={"sha256": self.digest()})

    def digest(self) -> str:
        """Return the SHA-256 over all fields but ``sha256`` itself."""
        return _digest(self.model_dump(mode="json"))

    def to_json(self) -> str:
        """Return the text of ``dataset.json``."""
        return json.dumps(self.model_dump(mode="json"), indent=1) + "\n"


def read_manifest(folder: Path) -> Manifest:
    """Read and verify ``dataset.json``.

    Raises `InputError` where the folder is no dataset, the generation is unfinished, the version is another one, or
    the file was changed after it was written.
    """
    path = folder / MANIFEST
    data = _read_json(path)
    if data.get("format") != FORMAT:
        raise InputError(f"{path}: not the manifest of a relocbench dataset (no format: {FORMAT!r})")
    if data.get("version") not in (2, VERSION):
        raise InputError(
            f"{path}: the dataset has format version {data.get('version')}, this relocbench reads versions 2 and "
            f"{VERSION}; generate it again, or install the relocbench that wrote it"
        )
    try:
        manifest = Manifest.model_validate(_of_version_2(data) if data["version"] == 2 else data)
    except ValidationError as error:
        raise InputError(f"{path}: {first_problem(error, known=list(Manifest.model_fields))}") from error
    if manifest.sha256 != _digest(data):  # of what was written: fields that came since have defaults, and no digest
        raise InputError(f"{path}: was changed after it was written (its sha256 does not match); restore or regenerate")
    return manifest


def first_difference(there: Mapping[str, Any], asked: Mapping[str, Any], within: str = "") -> str:
    """Return the first key in which two nested mappings differ, with both values; "" where they are equal."""
    for key in sorted({*there, *asked}):
        one, other = there.get(key), asked.get(key)
        if one != other:
            if isinstance(one, Mapping) and isinstance(other, Mapping):
                return first_difference(one, other, f"{within}{key}.")
            return f"{within}{key} is {_short(one)} there, {_short(other)} is asked for"
    return ""


def _short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _of_version_2(data: dict[str, Any]) -> dict[str, Any]:
    """Return a manifest of the earlier version in the form of this one: all datasets were generated, every protocol's
    parameters stood beside each other, and what was left out of the spec had one value."""
    spec = {key: value for key, value in data["spec"].items() if key in DatasetSpec.model_fields}
    own = PROTOCOLS.load(spec["protocol"]).model_fields
    under = data["spec"].get(spec["protocol"].replace("-", "_"), {})
    parameters = {key: value for key, value in {**data["spec"], **under}.items() if key in own}
    spec["protocol"] = {**parameters, "name": spec["protocol"]}
    rest = {key: value for key, value in data.items() if key not in ("spec", "depth_max")}
    return {**rest, "version": VERSION, "origin": {"kind": "generated", "spec": spec}}


def _digest(content: dict[str, Any]) -> str:
    own = {key: value for key, value in content.items() if key != "sha256"}
    return hashlib.sha256(json.dumps(own, sort_keys=True).encode()).hexdigest()


def _read_json(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text())
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"{path.parent}: not a complete dataset, it has no {MANIFEST}; {_hint(path.parent)}") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as JSON: {error}") from error
    if not isinstance(data, dict):
        raise InputError(f"{path}: not the manifest of a relocbench dataset")
    return data


def _hint(folder: Path) -> str:
    if (folder / ".work").is_dir():
        return "its generation was interrupted: run the same 'relocbench generate' again to finish it"
    return "make one with 'relocbench generate'" if folder.is_dir() else "the folder does not exist"
