"""`Dataset`: a complete dataset on disk, opened for reading."""

from __future__ import annotations

import hashlib
from functools import cached_property
from pathlib import Path

import pandas as pd

from ..errors import InputError
from .manifest import MANIFEST, Manifest, SceneRecord, read_manifest
from .views import VIEW_COLUMNS, ViewSet

VIEWS = "views.parquet"
CHECKSUMS = "checksums.parquet"
OVERVIEW = "overview.png"  # a picture of the dataset, which may lie beside its files


class Dataset:
    """A dataset's manifest, its views, and its scenes. Nothing is read before it is asked for but the manifest."""

    def __init__(self, root: Path, manifest: Manifest) -> None:
        self.root = root
        self.manifest = manifest

    @classmethod
    def open(cls, folder: str | Path) -> Dataset:
        """Open a complete dataset; its tables are verified against the manifest, its images by ``relocbench check``.

        Raises `InputError` where the folder is no dataset, is unfinished, is of another version, or its manifest or
        one of its tables was changed.
        """
        root = Path(folder)
        dataset = cls(root, read_manifest(root))
        dataset._verify_tables()
        return dataset

    @property
    def sha256(self) -> str:
        """The identity of the dataset: equal if and only if all bytes are equal."""
        return self.manifest.sha256

    @cached_property
    def views(self) -> ViewSet:
        """All views, in the order of the table: by scene, maps together."""
        table = pd.read_parquet(self.root / VIEWS)
        missing = [column for column in VIEW_COLUMNS if column not in table]
        if missing:
            raise InputError(f"{self.root / VIEWS}: has no column {', '.join(missing)}")
        return ViewSet(table, self.root, depth_unit=self.manifest.depth_unit)

    def checksums(self) -> pd.DataFrame:
        """Return one row per file: ``path``, ``size`` in bytes and ``blake2b`` (16-byte digest in hexadecimal)."""
        return pd.read_parquet(self.root / CHECKSUMS)

    def record(self, scene: str) -> SceneRecord:
        """Return what the manifest says of a scene; raises ``KeyError`` for a name it does not hold."""
        for record in self.manifest.scenes:
            if record.name == scene:
                return record
        raise KeyError(f"the dataset {self.root} has no scene {scene!r}")

    def _verify_tables(self) -> None:
        path = self.root / CHECKSUMS
        if _sha256(path) != self.manifest.checksums:
            raise InputError(f"{path}: does not match {MANIFEST} (a byte changed); restore it or regenerate")
        expected = self.checksums().set_index("path")["blake2b"][VIEWS]
        if file_digest(self.root / VIEWS) != expected:
            raise InputError(f"{self.root / VIEWS}: a byte changed since it was written; restore or regenerate it")


def file_digest(path: Path) -> str:
    """Return the BLAKE2b digest (16 bytes, hexadecimal) of a file; raises `InputError` where it is missing."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
    except OSError as error:
        raise InputError(f"{path}: missing or unreadable ({error.strerror}); run 'relocbench check'") from error


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path}: missing or unreadable ({error.strerror}); regenerate the dataset") from error
