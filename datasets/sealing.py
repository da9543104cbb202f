"""The last step of a generation: the tables, the checksums, and the manifest that makes the dataset complete."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ..errors import RunError
from .covisibility import covisibility_tasks
from .dataset import CHECKSUMS, VIEWS, file_digest
from .manifest import MANIFEST, Manifest, SplitCounts
from .pool import Task
from .rendering import COLUMNS, file_paths, shard_files, shards
from .scene_planning import PlannedScene, merged_categories, read_plan
from .spec import SPLITS, DatasetSpec
from .views import VIEW_COLUMNS
from .writer import WORK, FileRecord, digest, disk_errors, read_record, temporary_path, write_file

_ARROW = {"string": pa.string(), "int32": pa.int32(), "float64": pa.float64()}
VIEW_SCHEMA = pa.schema([(column, _ARROW[dtype]) for column, dtype in VIEW_COLUMNS.items()])
CHECKSUM_SCHEMA = pa.schema([("path", pa.string()), ("size", pa.int64()), ("blake2b", pa.string())])


def seal(spec: DatasetSpec, root: Path, scenes: Sequence[PlannedScene], versions: dict[str, str]) -> None:
    """Write views.parquet and checksums.parquet scene by scene, then ``dataset.json``, which says "complete"."""
    counts = {split: dict.fromkeys(SplitCounts.model_fields, 0) for split in SPLITS}
    views = write_tables(root, VIEWS, VIEW_SCHEMA, _view_tables(spec, root, scenes, counts))
    checksums = write_tables(root, CHECKSUMS, CHECKSUM_SCHEMA, _checksum_tables(root, scenes, views))
    manifest = Manifest(
        name=f"{spec.protocol}-{digest(spec.canonical().encode())[:8]}",
        spec=spec,
        versions=versions,
        categories=merged_categories(scenes),
        scenes=tuple(scene.scene for scene in scenes),
        splits={split: SplitCounts(**count) for split, count in counts.items()},
        views=sum(count[role] for count in counts.values() for role in ("train", "references", "queries")),
        checksums=hashlib.sha256((root / checksums.path).read_bytes()).hexdigest(),
    )
    os.sync()  # once, for all files: after a power cut, a manifest on disk means that the rest is too
    write_file(root, MANIFEST, manifest.sealed().to_json().encode())


def write_tables(root: Path, path: str, schema: pa.Schema, tables: Iterator[pd.DataFrame]) -> FileRecord:
    """Write a parquet file of one row group per table, holding one of them in memory at a time."""
    with disk_errors(root / path):
        temporary = temporary_path(root)
        with pq.ParquetWriter(temporary, schema) as writer:
            for table in tables:
                rows = pa.Table.from_pandas(table, schema=schema, preserve_index=False)
                writer.write_table(rows.replace_schema_metadata(None))
        os.replace(temporary, root / path)
    return FileRecord(path, (root / path).stat().st_size, file_digest(root / path))


def finished_views(spec: DatasetSpec, root: Path, scene: str) -> pd.DataFrame:
    """Return the rows of a scene with the paths of their files and the measured covisibility."""
    table = read_plan(root, scene)
    for output in spec.outputs:
        table[COLUMNS[output]] = [file_paths(spec, view)[output] for view in table["view"]]
    for task in covisibility_tasks(scene, table):
        for row, share, reference in _finished(read_record(root, task.record), task):
            table.loc[row, ["covisibility", "covisible_reference"]] = share, reference
    return table


def _view_tables(
    spec: DatasetSpec, root: Path, scenes: Sequence[PlannedScene], counts: dict[str, dict[str, int]]
) -> Iterator[pd.DataFrame]:
    for scene in scenes:
        table = finished_views(spec, root, scene.name)
        count = counts[scene.scene.split]
        count["scenes"] += 1
        count["maps"] += table.loc[table["role"] == "query", "map"].nunique()
        for role, key in (("train", "train"), ("reference", "references"), ("query", "queries")):
            count[key] += int((table["role"] == role).sum())
        yield table


def _checksum_tables(root: Path, scenes: Sequence[PlannedScene], views: FileRecord) -> Iterator[pd.DataFrame]:
    yield _rows([views])
    for scene in scenes:
        files = list(scene.files)
        for shard in shards(scene.name, scene.file, read_plan(root, scene.name)["condition"], ()):
            files += [
                file for file in _finished(shard_files(root, shard.record), shard) if not file.path.startswith(WORK)
            ]
        yield _rows([file for file in files if not file.path.startswith(WORK)])


def _finished(record: Any, task: Task) -> Any:
    if record is None:
        raise RunError(f"{task.name}: its record disappeared during the generation; run the same command again")
    return record


def _rows(files: Sequence[FileRecord]) -> pd.DataFrame:
    return pd.DataFrame([vars(file) for file in files], columns=CHECKSUM_SCHEMA.names)
