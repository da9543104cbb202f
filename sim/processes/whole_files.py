"""Files that appear under their names when they are whole: others find the old one, the new one, or none."""

from __future__ import annotations

import contextlib
import errno
import uuid
from collections.abc import Iterator
from pathlib import Path

from ...errors import InputError, RunError


@contextlib.contextmanager
def whole_file(path: Path, *, aside: Path | None = None) -> Iterator[Path]:
    """Yield a path to write to; it is renamed to ``path`` at the end, and removed where writing raises.

    It lies beside ``path``, or in the folder ``aside`` on the same file system: what a kill leaves there can be removed
    as a whole. Its name is used by no other process, of no other machine. Folders are made where they are missing.
    """
    folder = path.parent if aside is None else aside
    for needed in {folder, path.parent}:
        needed.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".{path.name}.{uuid.uuid4().hex}.tmp"
    try:
        yield temporary
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_whole(path: Path, content: bytes, *, aside: Path | None = None) -> None:
    """Write ``content`` as a :func:`whole_file`."""
    with whole_file(path, aside=aside) as temporary:
        temporary.write_bytes(content)


@contextlib.contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn what a file system refuses into one line: `RunError` for a full disk, `InputError` for a bad place."""
    try:
        yield
    except OSError as error:
        where = error.filename or path
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise RunError(
                f"{path}: no space left on the disk; what was written is kept, free some space and run the same "
                "command again to resume"
            ) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.ENAMETOOLONG, errno.EEXIST):
            raise InputError(f"{where}: cannot be written ({error.strerror}); choose another folder") from error
        raise RunError(f"{where}: writing failed ({error.strerror})") from error
