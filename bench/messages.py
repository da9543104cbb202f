"""What the runner and a worker say to each other over their pipe."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from ..datasets.sealed import SealedQuery, SealedViews
from ..errors import writable
from ..methods.privileges import Privilege

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{6,}")
_LONGEST_REASON = 200


@dataclass(frozen=True)
class Assignment:
    """What a worker is for, told once: one method with its configuration, and the ground truth that it is given.

    ``shipped`` is where what came learned with the package is read from, None for methods that learn here or nothing.
    ``hidden`` are folders that an isolated method must not see, which nobody else is told of. ``launched`` is
    ``time.monotonic()`` just before the process was started.
    """

    method: str
    config: dict[str, Any]
    privileges: tuple[Privilege, ...]
    shipped: str | None = None
    hidden: tuple[str, ...] = ()
    launched: float = 0.0


@dataclass(frozen=True)
class Fit:
    """To a worker: fit on the views ``train`` and save into ``folder``; the global generators start from ``seed``."""

    train: SealedViews
    folder: str
    seed: int


@dataclass(frozen=True)
class Unit:
    """To a worker: build the map of ``references`` and localize so many ``queries`` in it, which follow one by one.

    The global generators start from ``seed``. What the method learned here lies in ``learned``, if it did.
    """

    references: SealedViews
    learned: str | None
    seed: int
    queries: int


@dataclass(frozen=True)
class Ask:
    """To a worker, where its map is built and the query before is answered: localize this one."""

    number: int
    query: SealedQuery


@dataclass(frozen=True)
class Begun:
    """From a worker: the process is up; from here on a loss is the method's."""


@dataclass(frozen=True)
class Ready:
    """From a worker: the method is loaded; ``seconds`` since the worker's process was launched."""

    seconds: float


@dataclass(frozen=True)
class Fitted:
    """From a worker: what was learned lies in the folder."""

    seconds: float
    peak_memory_bytes: int


@dataclass(frozen=True)
class Built:
    """From a worker: the map is built."""

    references: int
    seconds: float
    map_bytes: int
    peak_memory_bytes: int


@dataclass(frozen=True)
class Localizing:
    """From a worker: the image is loaded, the clock of this query starts."""

    number: int


@dataclass(frozen=True)
class Answered:
    """From a worker: one query's plain answer with its times."""

    number: int
    answer: dict[str, Any]


@dataclass(frozen=True)
class Failed:
    """From a worker: the method could not be loaded, fitted, or could not build this map; ``reason`` says why."""

    reason: str


@dataclass(frozen=True)
class Unusable:
    """From a worker: what it was handed cannot be used, which is not the method's fault; ``message`` says why."""

    message: str


@dataclass(frozen=True)
class Lost:
    """From a worker, its last words: the process that it had the method in is gone, and so is the map."""

    reason: str


Command = Fit | Unit
Message = Begun | Ready | Fitted | Built | Localizing | Answered | Failed | Unusable | Lost


def failure(reason: str) -> dict[str, Any]:
    """Return the plain values of a failure; the reason is cut to one line that is the same in every process."""
    line = " ".join(_ADDRESS.sub("0x...", writable(reason)).split())[:_LONGEST_REASON]
    return {"status": "failure", "reason": line, "flags": "", "confidence": float("nan"), "pose": None, "ranking": []}
