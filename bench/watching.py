"""`Watch`: how many answers there are so far, read off the journals that units write, on whatever machine they do."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

_INTERVAL = 1.0  # seconds
_ANSWER = b'{"kind":"answer"'


class Watch:
    """A context manager that calls ``show`` with the number of answers, about once a second, from a thread."""

    def __init__(self, journals: Sequence[Path], show: Callable[[int], None]) -> None:
        self._show = show
        self._read = dict.fromkeys(journals, 0)  # bytes
        self._answers = dict.fromkeys(journals, 0)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._over.set()
        self._thread.join()

    def finish(self, journal: Path, answers: int) -> None:
        """Take in that a journal is complete, before it may disappear."""
        self._read.pop(journal, None)
        self._answers[journal] = answers
        self._show(sum(self._answers.values()))

    def _watch(self) -> None:
        while not self._over.wait(_INTERVAL):
            for journal in list(self._read):
                with contextlib.suppress(OSError, KeyError):  # not begun yet, or finished this moment
                    self._look(journal)
            self._show(sum(self._answers.values()))

    def _look(self, journal: Path) -> None:
        with journal.open("rb") as file:
            file.seek(self._read[journal])
            content = file.read()
        whole = content[: content.rfind(b"\n") + 1]
        self._read[journal] += len(whole)
        self._answers[journal] += whole.count(_ANSWER)
