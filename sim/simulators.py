"""The simulators by name: `open_simulator` is how everything outside ``sim`` gets one."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ..errors import InputError
from ..registry import Registry
from .simulator import Simulator


def _checked(candidate: Any, origin: str) -> type[Simulator]:
    lacks = [name for name in ("load", "render", "close", "hello") if not hasattr(candidate, name)]
    if lacks or not isinstance(candidate, type):
        raise InputError(f"{origin} is no class with the methods load, render, close and hello of a simulator")
    return candidate


#: A package offers a simulator by an entry point of the group ``relocbench.simulators``, to a class that keeps
#: `Simulator` and is made with the arguments ``cache_folder`` and ``options``.
SIMULATORS: Registry[type[Simulator]] = Registry(
    "simulator",
    "simulators",
    {
        "raycast": ".sim.raycast:Raycaster",
        "blenderproc": ".sim.blenderproc.adapter:BlenderProc",
        "habitat": ".sim.habitat.adapter:Habitat",
    },
    check=_checked,
)


def open_simulator(
    name: str, *, cache_folder: Path | None = None, options: Mapping[str, Any] | None = None
) -> Simulator:
    """Return the simulator called ``name``.

    ``cache_folder`` is where it may keep what is expensive to compute, ``options`` decide its pixels. Raises
    ``InputError`` where there is none of that name, or an option is unknown or has a value that it cannot have. A
    simulator in another interpreter is started when it first renders, not here.
    """
    simulator = SIMULATORS.load(name)
    try:
        return simulator(cache_folder=cache_folder, options=options or {})
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise InputError(f"simulator {name!r}: option {key!r}: {first['msg']}") from error


def simulator_versions(name: str) -> dict[str, str]:
    """Return the versions of what decides a simulator's pixels, by package.

    Starts the worker of a simulator that lives in another interpreter; raises ``InputError`` where it cannot run.
    """
    with closing(open_simulator(name)) as simulator:
        return dict(simulator.hello()["versions"])
