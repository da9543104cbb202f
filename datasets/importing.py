"""`import_dataset`: from a data set in another format to one in ours, images and poses being all that it must have."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .. import __version__
from ..errors import InputError
from ..sim.geometry import Pose
from ..sim.processes.whole_files import disk_errors
from .dataset import CHECKSUMS, VIEWS, Dataset
from .formats.format import Format, Import, ImportedView
from .manifest import MANIFEST, Imported, Manifest, SceneRecord, SplitCounts
from .sealing import CHECKSUM_SCHEMA, count_views, view_schema, write_tables
from .spec import SPLITS
from .views import CAMERA_COLUMNS, STORED, VIEW_COLUMNS, pose_columns
from .writer import WORK, FileRecord, encode_depth, encode_image, encode_semantic, write_file

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*")
_COPIED = {".png", ".jpg", ".jpeg"}


def import_dataset(form: Format, source: str | Path, out: str | Path) -> Dataset:
    """Read ``source`` by a format and write it as a dataset into the new folder ``out``, which appears when complete.

    Scene geometry, depth, semantics and covisibility may be missing; what would need them is then not asked. Raises
    `InputError` where the source is malformed (file or view named) or ``out`` exists.
    """
    source, out = Path(source), Path(out)
    if not source.exists():
        raise InputError(f"{source}: no such file or folder; name what is to be imported")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out}: exists already; name a new folder for the imported dataset")
    partial = out.with_name(f".{out.name}.{os.getpid()}.partial")
    with disk_errors(out):
        partial.mkdir(parents=True)
    try:
        _write(form, source, partial)
        shutil.rmtree(partial / WORK)
        partial.replace(out)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return Dataset.open(out)


def _write(form: Format, source: Path, root: Path) -> None:
    found = form.read(source)
    rows: list[dict[str, Any]] = []
    files: list[FileRecord] = []
    for view in found.views:
        rows.append(_row(view, found, root, files))
    table = pd.DataFrame(rows, columns=list(VIEW_COLUMNS)).astype(VIEW_COLUMNS)
    _check(table, source)
    table["density"] = _densities(table)
    views = write_tables(root, VIEWS, view_schema({}), iter([table]))
    listed = pd.DataFrame([vars(file) for file in (views, *files)], columns=CHECKSUM_SCHEMA.names)
    checksums = write_tables(root, CHECKSUMS, CHECKSUM_SCHEMA, iter([listed]))
    splits = dict(zip(table["scene"], table["split"], strict=True))
    manifest = Manifest(
        name=re.sub(r"[^A-Za-z0-9._-]+", "-", source.resolve().name),
        origin=Imported(format=form.name, source=source.resolve().name, notes=found.notes, question=found.question),
        versions={"relocbench": __version__},
        depth_unit=found.depth_unit,
        categories=found.categories,
        scenes=tuple(SceneRecord(name=scene, split=split) for scene, split in splits.items()),
        splits={split: _counts(table[table["split"] == split]) for split in SPLITS},
        views=len(table),
        checksums=hashlib.sha256((root / checksums.path).read_bytes()).hexdigest(),
    )
    write_file(root, MANIFEST, manifest.sealed().to_json().encode())


def _counts(table: pd.DataFrame) -> SplitCounts:
    return SplitCounts(scenes=table["scene"].nunique(), **count_views(table))


def _row(view: ImportedView, found: Import, root: Path, files: list[FileRecord]) -> dict[str, Any]:
    """Write the files of a view, and return its row."""
    name = f"{view.scene}/{view.name}"
    for part in (view.scene, view.name):
        if not _NAME.fullmatch(part):
            raise InputError(f"view {name!r}: {part!r} is no file name; use letters, digits, '.', '_', '-' and '/'")
    image = _write_image(view, name, root)
    maps = {"depth": view.depth, "semantic": view.semantic}
    written = {"image": image}
    for kind, array in maps.items():
        if array is not None:
            _check_size(name, kind, array.shape, view)
            data = encode_depth(array, found.depth_unit) if kind == "depth" else encode_semantic(array)
            written[kind] = write_file(root, f"{kind}/{name}.png", data)
    files += written.values()
    camera = {column: getattr(view.camera, column) for column in CAMERA_COLUMNS}
    pose = {column: float(values[0]) for column, values in pose_columns(Pose.stack([view.pose])).items()}
    return {
        "view": name,
        "scene": view.scene,
        "split": "train" if view.role == "train" else "test",
        "role": view.role,
        "map": "" if view.role == "train" else f"{view.scene}/{view.map}" if view.map else view.scene,
        "room": "",
        "condition": view.condition,
        "simulator": "",
        **camera,
        **pose,
        "place": -1,
        "density": 0,
        "covisibility": np.nan,
        "covisible_reference": "",
        **{kind: written[kind].path if kind in written else "" for kind in ("image", "depth", "semantic")},
    }


def _write_image(view: ImportedView, name: str, root: Path) -> FileRecord:
    """Copy the file of an image, or write its pixels."""
    if not isinstance(view.image, Path):
        _check_size(name, "image", view.image.shape, view)
        return write_file(root, f"images/{name}.png", encode_image(view.image, "png"))
    suffix = view.image.suffix.lower()
    if suffix not in _COPIED:
        raise InputError(f"{view.image}: images are .png or .jpg files; convert it, or have its format read its pixels")
    try:
        data = view.image.read_bytes()
    except OSError as error:
        raise InputError(f"{view.image}: cannot be read ({error.strerror})") from error
    pixels: NDArray[Any] | None = cv2.imdecode(np.frombuffer(data, np.uint8), STORED)
    if pixels is None:
        raise InputError(f"{view.image}: is not an image")
    _check_size(name, str(view.image), pixels.shape, view)
    return write_file(root, f"images/{name}{suffix}", data)


def _check_size(name: str, what: str, shape: Sequence[int], view: ImportedView) -> None:
    if tuple(shape[:2]) != (view.camera.height, view.camera.width):
        raise InputError(
            f"view {name}: {what} is {shape[1]} x {shape[0]}, its camera {view.camera.width} x {view.camera.height}"
        )


def _check(table: pd.DataFrame, source: Path) -> None:
    if table.empty:
        raise InputError(f"{source}: holds no views")
    twice = table["view"][table["view"].duplicated()]
    if len(twice):
        raise InputError(f"{source}: holds two views called {twice.iloc[0]}")
    splits = table.groupby("scene")["split"].nunique()
    if (splits > 1).any():
        scene = splits.index[splits > 1][0]
        raise InputError(
            f"{source}: scene {scene} is learned from and localized in; what is learned is learned elsewhere"
        )


def _densities(table: pd.DataFrame) -> NDArray[np.int32]:
    """Return, for each reference, the number of references of its map; 0 for other views."""
    references = table["role"] == "reference"
    counts = references.groupby(table["map"]).transform("sum")
    return np.where(references, counts, 0).astype(np.int32)
