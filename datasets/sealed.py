"""Sealed folders: the files that a process may have, in a place from which nothing leads to the others.

What is laid into one is a hard link wherever the file system allows: a symbolic link, or a path, would tell where the
dataset lies that it came from. Names are numbers, so that they say nothing either.

Who makes such folders supervises other processes, and loads nothing large: views come as plain values
(:mod:`relocbench.datasets.handing_over` makes them, and reads what lies in the folder).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import uuid
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError
from ..sim.processes.executor import check_shared
from ..sim.processes.locks import FOREVER, held
from ..sim.processes.settings import cache_folder
from ..sim.processes.whole_files import disk_errors

#: The table of the views in a folder.
TABLE = "sealed.parquet"

_FOLDER = "relocbench-sealed"


@dataclass(frozen=True)
class SealedViews:
    """Views that lie in a folder of their own; ``withheld`` names what of "depth" and "semantic" does not."""

    folder: str
    depth_unit: float
    withheld: frozenset[str] = frozenset()


@dataclass(frozen=True)
class SealedQuery:
    """One query without its name: its files in a folder, by kind, its camera (width, height, fx, fy, cx, cy), and its
    pose (qw, qx, qy, qz, tx, ty, tz; world_from_camera) where that is handed over."""

    folder: str
    files: Mapping[str, str]
    depth_unit: float
    camera: tuple[float, ...]
    seed: int
    pose: tuple[float, ...] | None

    def remove(self) -> None:
        """Remove its files: what was read is not to be found again."""
        for name in self.files.values():
            (Path(self.folder) / name).unlink(missing_ok=True)


@dataclass(frozen=True, eq=False)
class ViewsToSeal:
    """Views of the dataset ``root``: their ``files`` there, by kind, and the parquet ``table`` that is laid beside
    them, in which these have the names that they get."""

    root: str
    depth_unit: float
    files: Mapping[str, tuple[str, ...]]
    table: bytes

    def seal(self, folder: Path, *, withheld: Collection[str] = ()) -> SealedViews:
        """Lay them into a new folder, but for the files of a kind that is ``withheld``.

        Raises ``InputError`` where a file is missing.
        """
        with disk_errors(folder):
            folder.mkdir()
            for kind in self.files.keys() - withheld:
                for number, path in enumerate(self.files[kind]):
                    _lay(self.root, path, folder / opaque(number, kind, path))
            (folder / TABLE).write_bytes(self.table)
        return SealedViews(str(folder), self.depth_unit, frozenset(withheld))

    def unsealed(self, message: str, folder: Path) -> str:
        """Return a message about a file in the folder that they were laid into as one about that in the dataset."""
        for kind, paths in self.files.items():
            for number, path in enumerate(paths):
                message = _renamed(message, folder / opaque(number, kind, path), self.root, path)
        return message.replace(str(folder), self.root)


@dataclass(frozen=True, eq=False)
class QueryToSeal:
    """One query of the dataset ``root``, with its name and all that is true of it; see `SealedQuery`."""

    id: str
    root: str
    files: Mapping[str, str]
    depth_unit: float
    camera: tuple[float, ...]
    seed: int
    pose: tuple[float, ...]

    def seal(self, folder: Path, *, number: int, granted: Collection[str]) -> SealedQuery:
        """Lay its image into a folder, and what of "depth" and "semantic" is ``granted``, as "pose" may be.

        Raises ``InputError`` where a file is missing.
        """
        files = {kind: opaque(number, kind, path) for kind, path in self.files.items() if kind in ("image", *granted)}
        with disk_errors(folder):
            for kind, name in files.items():
                if name:
                    (folder / name).unlink(missing_ok=True)  # of a worker that died before it had read it
                    _lay(self.root, self.files[kind], folder / name)
        pose = self.pose if "pose" in granted else None
        return SealedQuery(str(folder), files, self.depth_unit, self.camera, self.seed, pose)

    def unsealed(self, message: str, folder: Path, *, number: int) -> str:
        """Return a message about one of its files in a folder as one about that in the dataset."""
        for kind, path in self.files.items():
            message = _renamed(message, folder / opaque(number, kind, path), self.root, path)
        return message.replace(str(folder), self.root)


def opaque(number: int, kind: str, path: str) -> str:
    """Return the name that the ``number``-th file of a kind gets, "" for none."""
    return f"{number:06d}-{kind}{Path(path).suffix}" if path else ""


@contextlib.contextmanager
def sealed_folder(near: Path) -> Iterator[Path]:
    """Yield an empty folder, on the file system of ``near`` where there is a place for one; it is removed at the end.

    Those of processes that were killed are removed first. Raises ``InputError`` and ``RunError`` as writing does.
    """
    check_shared(near)
    place = sealing_place(near)
    remove_leftovers(place)
    there = False
    while not there:
        folder = place / uuid.uuid4().hex
        with _new_lock(_lock(folder)) as there:
            if there:
                try:
                    with disk_errors(folder):
                        folder.mkdir(mode=0o700)
                    yield folder
                finally:
                    shutil.rmtree(folder, ignore_errors=True)
                    _lock(folder).unlink(missing_ok=True)


def sealing_place(near: Path) -> Path:
    """Return where sealed folders lie of what lies ``near``: the first usable of a few places on its file system.

    The farthest folder above it comes last, since it says something of where to search. Without any, files are copied
    to where temporary files are.
    """
    device = near.stat().st_dev
    above = [folder for folder in reversed(near.resolve().parents) if _writable(folder)]
    temporary = Path(tempfile.gettempdir())
    for folder in (temporary, cache_folder(), *above):
        if folder.is_dir() and folder.stat().st_dev == device and _writable(folder):
            return folder / f"{_FOLDER}-{os.getuid()}"
    return temporary / f"{_FOLDER}-{os.getuid()}"


def remove_leftovers(place: Path) -> None:
    """Remove the sealed folders in ``place`` whose makers ended without doing so."""
    for lock in place.glob("*.lock"):
        with contextlib.suppress(_Busy), held(lock, busy=_Busy()):
            shutil.rmtree(lock.with_suffix(""), ignore_errors=True)
            lock.unlink(missing_ok=True)


def lay_folder(source: Path, target: Path) -> None:
    """Lay all that is in the folder ``source`` into the folder ``target``, which is made."""
    with disk_errors(target):
        shutil.copytree(source, target, copy_function=link_or_copy, symlinks=True)


def link_or_copy(source: str | Path, target: str | Path) -> None:
    """Make ``target`` the same file as ``source``, or a copy where the system does not allow that.

    Raises ``OSError`` where there is no such file, or no space for a copy.
    """
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:  # another file system, or somebody else's file
        shutil.copyfile(source, target)


def _lay(root: str, path: str, target: Path) -> None:
    if not path:
        return
    try:
        link_or_copy(f"{root}/{path}", target)
    except FileNotFoundError:
        raise InputError(f"{root}/{path}: missing or not an image; run 'relocbench check {root}'") from None


def _renamed(message: str, laid: Path, root: str, path: str) -> str:
    return message.replace(str(laid), f"{root}/{path}") if path else message


def _writable(folder: Path) -> bool:
    return os.access(folder, os.W_OK | os.X_OK)


def _lock(folder: Path) -> Path:
    return folder.with_suffix(".lock")


class _Busy(Exception):
    """A folder is still in use."""


@contextlib.contextmanager
def _new_lock(lock: Path) -> Iterator[bool]:
    """Hold a new lock; yield whether it is there, for another process may have taken it for a left-over meanwhile."""
    with held(lock, busy=_Busy(), wait=FOREVER) as descriptor:
        try:
            there = os.stat(lock).st_ino == os.fstat(descriptor).st_ino
        except FileNotFoundError:
            there = False
        yield there
