"""`held`: one process at a time, on all machines that share the file system."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from ...errors import InputError

FOREVER = -1.0


@contextlib.contextmanager
def held(path: Path, *, busy: Exception, wait: float = 0.0) -> Iterator[int]:
    """Hold the lock file ``path``, which the system drops when this process ends, however it ends.

    Waits ``wait`` seconds for another process to let go of it, then raises ``busy``. Yields the lock's file descriptor:
    a child that inherits it keeps the lock beyond its parent's death. Raises ``InputError`` where the folder, which
    is made where it is missing, cannot be written to.
    """
    lock = FileLock(path, timeout=wait, mode=0o666)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        raise busy from None
    except OSError as error:
        where = f"{path.parent}: cannot be written to ({error.strerror})"
        raise InputError(f"{where}; choose another folder") from error
    try:
        descriptor = lock._context.lock_file_fd  # filelock has no public name for it
        assert descriptor is not None
        yield descriptor
    finally:
        lock.release()
