"""`Manifest`: the model of ``dataset.json``, whose presence says that a dataset is complete."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from ..errors import InputError
from .spec import DatasetSpec, SceneEntry, first_problem

MANIFEST = "dataset.json"
FORMAT: Literal["relocbench-dataset"] = "relocbench-dataset"
VERSION: Literal[2] = 2

#: Metres per step of a stored depth map. Sixteen bits then reach 32.7675 m; half a step is the rounding error.
DEPTH_UNIT = 0.0005

CONVENTIONS = {
    "world": "right-handed, metres, z up",
    "camera": "OpenCV axes: x right, y down, z forward",
    "pose": "world_from_camera; quaternion (w, x, y, z), normalised, w >= 0; translation in metres",
    "pixels": "continuous coordinates, the centre of the top-left pixel is (0.5, 0.5)",
    "depth": "z-depth; stored as 16-bit steps of depth_unit metres; 0 where nothing was hit or farther than depth_max",
    "semantic": "16-bit index into categories; 0 is unknown",
}


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SkippedRoom(_Strict):
    """A room that the protocol left out, and why."""

    room: str
    reason: str


class PlacesRecord(_Strict):
    """The place classes of one scene: how they were made, where they lie, and how evenly views belong to them.

    ``points`` are the classes' representative points in world x, y, and ``views`` the queries of each, by class. Of the
    ``candidates``, ``dropped`` belong to no class and ``over_limit`` were more queries than asked for; neither are in
    the dataset. ``centre`` is the view that the training images were to look like, None where they were chosen at
    random.
    """

    rule: str
    centre: str | None
    points: tuple[tuple[float, float], ...]
    candidates: int
    dropped: int
    over_limit: int = 0
    views: tuple[int, ...]


class SceneRecord(_Strict):
    """One scene of a dataset: where it came from, its file, what was left out of it, and its place classes."""

    name: str
    split: str
    source: SceneEntry
    file: str
    sha256: str
    triangles: int
    rooms: int
    skipped_rooms: tuple[SkippedRoom, ...] = ()
    places: PlacesRecord | None = None


class SplitCounts(_Strict):
    """How much one split holds."""

    scenes: int
    maps: int
    train: int
    references: int
    queries: int


class Manifest(_Strict):
    """Everything about a dataset but its rows and pixels. ``sha256`` covers this file, and through it all others.

    ``checksums`` is the SHA-256 of checksums.parquet, which holds the digest of every other file; so two datasets
    with the same ``sha256`` hold the same bytes.
    """

    format: Literal["relocbench-dataset"] = FORMAT
    version: Literal[2] = VERSION
    name: str
    spec: DatasetSpec
    versions: dict[str, str]
    conventions: dict[str, str] = CONVENTIONS
    depth_unit: float = DEPTH_UNIT
    depth_max: float = DEPTH_UNIT * 65535
    categories: tuple[str, ...]
    scenes: tuple[SceneRecord, ...]
    splits: dict[str, SplitCounts]
    views: int
    checksums: str
    sha256: str = ""

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
    if data.get("version") != VERSION:
        raise InputError(
            f"{path}: the dataset has format version {data.get('version')}, this relocbench reads version {VERSION}; "
            "generate it again, or install the relocbench that wrote it"
        )
    try:
        manifest = Manifest.model_validate(data)
    except ValidationError as error:
        raise InputError(f"{path}: {first_problem(error, known=list(Manifest.model_fields))}") from error
    if manifest.sha256 != _digest(data):  # of what was written: fields that came since have defaults, and no digest
        raise InputError(f"{path}: was changed after it was written (its sha256 does not match); restore or regenerate")
    return manifest


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
