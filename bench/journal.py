"""`Journal`: an append-only file of JSON lines that survives ``kill -9`` at any byte."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ..errors import RunError

#: How the reasons of failures begin that stand for a fit that failed: what was raised, or how the worker was lost.
OF_FIT = ("fit ", "fit:")


class Journal:
    """Entries of one unit of work, in the order in which they happened.

    Only lines that are complete and parse are trusted; what follows them is cut off when the journal is opened, so that
    the next entry never joins half of a dead one. One entry is one ``write``, which the system keeps even where the
    process dies right after.
    """

    def __init__(self, path: Path) -> None:
        """Open, or start, the journal at ``path``; raises ``RunError`` where it cannot be written."""
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _, trusted = read_entries(path)
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT, 0o666)
            os.ftruncate(self._file, trusted)
            os.lseek(self._file, trusted, os.SEEK_SET)
        except OSError as error:
            raise RunError(f"{path}: cannot be written ({error.strerror})") from error

    def append(self, entry: dict[str, Any]) -> None:
        """Add one JSON-able entry; raises ``RunError`` where it cannot be written (a full disk)."""
        line = json.dumps(entry, separators=(",", ":")).encode() + b"\n"
        try:
            while line:
                line = line[os.write(self._file, line) :]
        except OSError as error:
            raise RunError(
                f"{self.path}: cannot be written ({error.strerror}); what was answered so far is kept, "
                "make room and run the same command again"
            ) from error

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


def answers(path: Path) -> dict[str, dict[str, Any]]:
    """Return the trusted answers of a journal by query: the last one, where one was given again."""
    return {entry["query"]: entry for entry in read_entries(path)[0] if entry["kind"] == "answer"}


def read_entries(path: Path) -> tuple[list[dict[str, Any]], int]:
    """Return the trusted entries of a journal and the number of bytes they take; none where there is no file."""
    content = path.read_bytes() if path.exists() else b""
    entries, trusted = [], 0
    for line in content.splitlines(keepends=True):
        if not line.endswith(b"\n"):
            break
        try:
            entry = json.loads(line)
        except ValueError:
            break
        if not isinstance(entry, dict):
            break
        entries.append(entry)
        trusted += len(line)
    return entries, trusted
