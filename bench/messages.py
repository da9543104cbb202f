"""What the runner and a worker say to each other over their pipe."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from ..errors import writable

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{6,}")
_LONGEST_REASON = 200


@dataclass(frozen=True)
class Assignment:
    """What a worker is for, told once: one method with its configuration, on one dataset.

    ``launched`` is ``time.monotonic()`` just before the process was started; ``fit_folder`` is where what the method
    learned is read from, None for methods that learn nothing and for the worker that fits.
    """

    method: str
    config: dict[str, Any]
    dataset: str
    split: str
    seed: int
    fit_folder: str | None
    launched: float = 0.0


@dataclass(frozen=True)
class Fit:
    """To a worker: fit on the training split and save into ``folder``."""

    folder: str


@dataclass(frozen=True)
class Unit:
    """To a worker: build the map of ``map`` at ``density`` and localize ``queries`` (view ids) in it, in order."""

    map: str
    density: int
    queries: tuple[str, ...]


@dataclass(frozen=True)
class Begun:
    """From a worker: the process is up and has opened the dataset; from here on a loss is the method's."""


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

    query: str


@dataclass(frozen=True)
class Answered:
    """From a worker: one query's plain answer with its times."""

    query: str
    answer: dict[str, Any]


@dataclass(frozen=True)
class Finished:
    """From a worker: all queries of the unit were answered."""


@dataclass(frozen=True)
class Failed:
    """From a worker: the method could not be loaded, fitted, or could not build this map; ``reason`` says why."""

    reason: str


@dataclass(frozen=True)
class Unusable:
    """From a worker: the dataset is at fault, not the method; ``message`` goes to the user."""

    message: str


@dataclass(frozen=True)
class Lost:
    """From a worker, its last words: the process that it had the method in is gone, and so is the map."""

    reason: str


Command = Fit | Unit
Message = Begun | Ready | Fitted | Built | Localizing | Answered | Finished | Failed | Unusable | Lost


def failure(reason: str) -> dict[str, Any]:
    """Return the plain values of a failure; the reason is cut to one line that is the same in every process."""
    line = " ".join(_ADDRESS.sub("0x...", writable(reason)).split())[:_LONGEST_REASON]
    return {"status": "failure", "reason": line, "flags": "", "confidence": float("nan"), "pose": None, "ranking": []}
