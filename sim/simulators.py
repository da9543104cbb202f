"""The simulators by name: `open_simulator` is how everything outside ``sim`` gets one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..errors import InputError
from .simulator import Simulator


def _raycast(cache_folder: Path | None) -> Simulator:
    """The embedded default: rays cast with Embree on the CPU, light baked once, deterministic, no display or GPU."""
    from .raycast import Raycaster

    return Raycaster(cache_folder=cache_folder)


#: Name to a function that opens the simulator, given the folder in which it may keep what is expensive to compute.
SIMULATORS: dict[str, Callable[[Path | None], Simulator]] = {"raycast": _raycast}


def open_simulator(name: str, *, cache_folder: Path | None = None) -> Simulator:
    """Return the simulator called ``name``; raises ``InputError`` where there is none of that name."""
    if name not in SIMULATORS:
        raise InputError(f"simulator {name!r} is unknown; choose one of: {', '.join(sorted(SIMULATORS))}")
    return SIMULATORS[name](cache_folder)
