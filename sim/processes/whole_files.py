"""Files that appear under their names when they are whole: others find the old one, the new one, or none."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from pathlib import Path


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
