"""The simulators by name: `open_simulator` is how everything outside ``sim`` gets one."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from ..errors import InputError
from .simulator import Simulator

Options = Mapping[str, Any]


class RaycastOptions(BaseModel):
    """What can be asked of the ray caster."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    samples_per_pixel: Literal[1, 4] = 1
    """1 or 4; 4 smooths edges in rgb."""


def _raycast(cache_folder: Path | None, options: Options) -> Simulator:
    """The embedded default: rays cast with Embree on the CPU, light baked once, deterministic, no display or GPU."""
    from .raycast import Raycaster

    return Raycaster(cache_folder=cache_folder, **RaycastOptions.model_validate(options).model_dump())


def _blenderproc(cache_folder: Path | None, options: Options) -> Simulator:
    """Path-traced and photorealistic: BlenderProc 2.8 on Blender's Cycles, in an interpreter of its own."""
    from .blenderproc.adapter import BlenderProc

    return BlenderProc(cache_folder=cache_folder, options=options)


def _habitat(cache_folder: Path | None, options: Options) -> Simulator:
    """Rasterised with habitat-sim 0.3, in an interpreter of its own; renders the scanned scenes of its users too."""
    from .habitat.adapter import Habitat

    return Habitat(cache_folder=cache_folder, options=options)


#: Name to a function that opens the simulator, given the folder in which it may keep what is expensive to compute and
#: the options that decide its pixels.
SIMULATORS: dict[str, Callable[[Path | None, Options], Simulator]] = {
    "raycast": _raycast,
    "blenderproc": _blenderproc,
    "habitat": _habitat,
}


def open_simulator(name: str, *, cache_folder: Path | None = None, options: Options | None = None) -> Simulator:
    """Return the simulator called ``name``.

    Raises ``InputError`` where there is none of that name, or an option is unknown or has a value that it cannot have.
    A simulator in another interpreter is started when it first renders, not here.
    """
    if name not in SIMULATORS:
        raise InputError(f"simulator {name!r} is unknown; choose one of: {', '.join(sorted(SIMULATORS))}")
    try:
        return SIMULATORS[name](cache_folder, options or {})
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise InputError(f"simulator {name!r}: option {key!r}: {first['msg']}") from error


def simulator_versions(name: str) -> dict[str, str]:
    """Return the versions of what decides a simulator's pixels, by package.

    Starts the worker of a simulator that lives in another interpreter; raises ``InputError`` where it cannot run.
    """
    if name == "raycast":
        return {"embreex": importlib.metadata.version("embreex")}
    from .remote_simulator import RemoteSimulator

    simulator = open_simulator(name)
    assert isinstance(simulator, RemoteSimulator)
    try:
        return dict(simulator.hello()["versions"])
    finally:
        simulator.close()
