"""`held`: one process at a time, on all machines that share the file system."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

FOREVER = -1.0


@contextlib.contextmanager
def held(path: Path, *, busy: Exception, wait: float = 0.0) -> Iterator[int | None]:
    """Hold the lock file ``path``, which the system drops when this process ends, however it ends.

    Waits ``wait`` seconds for another process to let go of it, then raises ``busy``. Yields the lock's file descriptor:
    a child that inherits it keeps the lock beyond the death of its parent. Raises ``OSError`` where no file can be.
    """
    lock = FileLock(path, timeout=wait, mode=0o666)
    try:
        lock.acquire()
    except Timeout:
        raise busy from None
    try:
        yield lock._context.lock_file_fd  # filelock has no public name for it
    finally:
        lock.release()
