"""The last step of a generation: the tables, the checksums, and the manifest that makes the dataset complete."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ..sim.processes.whole_files import disk_errors, whole_file
from .covisibility import covisibility_tasks
from .dataset import CHECKSUMS, VIEWS, file_digest
from .deciding import DecideViews
from .manifest import MANIFEST, Generated, Manifest, SplitCounts
from .rendering import COLUMNS, file_paths, shards
from .rendering_state import read_plan
from .scene_planning import PlannedScene, merged_categories
from .spec import SPLITS, DatasetSpec
from .views import VIEW_COLUMNS
from .writer import WORK, FileRecord, digest, work_in_progress, write_file, write_record

_ARROW = {"string": pa.string(), "int32": pa.int32(), "float64": pa.float64()}
#: Record of the files that were written for views which are not in the dataset, and go when it is complete.
LEFTOVERS = "leftovers.json"
CHECKSUM_SCHEMA = pa.schema([("path", pa.string()), ("size", pa.int64()), ("blake2b", pa.string())])


def seal(spec: DatasetSpec, root: Path, scenes: Sequence[PlannedScene], versions: dict[str, str]) -> None:
    """Write views.parquet and checksums.parquet scene by scene, then ``dataset.json``, which says "complete"."""
    counts = {split: dict.fromkeys(SplitCounts.model_fields, 0) for split in SPLITS}
    views = write_tables(root, VIEWS, view_schema(spec.protocol.columns), _view_tables(spec, root, scenes, counts))
    leftovers: list[str] = []
    checksums = write_tables(root, CHECKSUMS, CHECKSUM_SCHEMA, _checksum_tables(spec, root, scenes, views, leftovers))
    write_record(root, LEFTOVERS, leftovers)
    manifest = Manifest(
        name=f"{spec.protocol.name}-{digest(spec.canonical().encode())[:8]}",
        origin=Generated(spec=spec),
        versions=versions,
        depth_unit=spec.depth_unit,
        categories=merged_categories(scenes),
        scenes=tuple(
            scene.scene.model_copy(update={"places": DecideViews(scene.name).places(root)}) for scene in scenes
        ),
        splits={split: SplitCounts(**count) for split, count in counts.items()},
        views=sum(count[role] for count in counts.values() for role in ("train", "references", "queries")),
        checksums=hashlib.sha256((root / checksums.path).read_bytes()).hexdigest(),
    )
    os.sync()  # once, for all files: after a power cut, a manifest on disk means that the rest is too
    write_file(root, MANIFEST, manifest.sealed().to_json().encode())


def view_schema(columns: Mapping[str, str]) -> pa.Schema:
    """Return the schema of views.parquet, with the ``columns`` that a protocol adds by name and dtype."""
    return pa.schema([(column, _ARROW[dtype]) for column, dtype in {**VIEW_COLUMNS, **columns}.items()])


def write_tables(root: Path, path: str, schema: pa.Schema, tables: Iterator[pd.DataFrame]) -> FileRecord:
    """Write a parquet file of one row group per table, holding one of them in memory at a time."""
    with (
        disk_errors(root / path),
        whole_file(root / path, aside=work_in_progress(root)) as temporary,
        pq.ParquetWriter(temporary, schema) as writer,
    ):
        for table in tables:
            rows = pa.Table.from_pandas(table, schema=schema, preserve_index=False)
            writer.write_table(rows.replace_schema_metadata(None))
    return FileRecord(path, (root / path).stat().st_size, file_digest(root / path))


def finished_views(spec: DatasetSpec, root: Path, scene: str) -> pd.DataFrame:
    """Return the rows of a scene with the paths of their files and the measured covisibility."""
    table = DecideViews(scene).views(root)
    for output in spec.outputs:
        table[COLUMNS[output]] = [file_paths(spec, view)[output] for view in table["view"]]
    measured = [result for task in covisibility_tasks(scene, table) for result in task.result(root)]
    rows, shares, references = zip(*measured, strict=True) if measured else ([], [], [])
    table.loc[list(rows), "covisibility"] = shares
    table.loc[list(rows), "covisible_reference"] = references
    return table


def _view_tables(
    spec: DatasetSpec, root: Path, scenes: Sequence[PlannedScene], counts: dict[str, dict[str, int]]
) -> Iterator[pd.DataFrame]:
    for scene in scenes:
        table = finished_views(spec, root, scene.name)
        count = counts[scene.scene.split]
        count["scenes"] += 1
        for key, number in count_views(table).items():
            count[key] += number
        yield table


def count_views(table: pd.DataFrame) -> dict[str, int]:
    """Return the fields of `SplitCounts` that count views and maps."""
    roles = {"train": "train", "references": "reference", "queries": "query"}
    maps = table.loc[table["role"] == "query", "map"].nunique()
    number = {key: int((table["role"] == role).sum()) for key, role in roles.items()}
    return {"maps": maps, **number}


def _checksum_tables(
    spec: DatasetSpec, root: Path, scenes: Sequence[PlannedScene], views: FileRecord, leftovers: list[str]
) -> Iterator[pd.DataFrame]:
    """Yield the files of each scene; those of views that were dropped are added to ``leftovers`` instead."""
    yield _rows([views])
    for scene in scenes:
        dropped = DecideViews(scene.name).dropped(root)
        unwanted = {path for view in dropped for path in file_paths(spec, view).values()}
        files = list(scene.files)
        for shard in shards(scene.name, scene.file, read_plan(root, scene.name)["condition"], ()):
            files += shard.files(root)
        files = [file for file in files if not file.path.startswith(WORK)]  # which goes as a whole
        leftovers += [file.path for file in files if file.path in unwanted]
        yield _rows([file for file in files if file.path not in unwanted])


def _rows(files: Sequence[FileRecord]) -> pd.DataFrame:
    return pd.DataFrame([vars(file) for file in files], columns=CHECKSUM_SCHEMA.names)
