"""What this machine says about its workers: which interpreters they run under, and what they may take.

Nothing here decides a pixel: what does is an option of the simulator, and part of a dataset's spec.
"""

from __future__ import annotations

import importlib.util
import os
import shlex
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ...errors import InputError

#: The file that names interpreters, in the working folder; another one can be named by ``RELOCBENCH_CONFIG``.
CONFIG_FILE = "relocbench.toml"
CONFIG_VARIABLE = "RELOCBENCH_CONFIG"


class WorkerSettings(BaseModel):
    """One table ``[workers.<name>]`` of ``relocbench.toml``."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    command: str | tuple[str, ...] = ()
    """What runs a Python file: an interpreter's path, or a launcher with its arguments in a list."""
    start_timeout: float = Field(default=180.0, gt=0)
    """Seconds until the worker has greeted."""
    load_timeout: float = Field(default=900.0, gt=0)
    """Seconds to load a scene."""
    frame_timeout: float = Field(default=300.0, gt=0)
    """Seconds per rendered frame."""
    recycle_after: int = Field(default=1000, ge=1)
    """Frames after which the worker is replaced by a fresh one, against leaks."""
    threads: int = Field(default=1, ge=0)
    """Threads of one worker, 0 for all cores. Frames are spread over workers, so that one is enough."""


class _Config(BaseModel):
    model_config = ConfigDict(extra="forbid")
    workers: dict[str, WorkerSettings] = {}


def worker_settings(name: str) -> WorkerSettings:
    """Return the settings of the worker ``name``; raises ``InputError`` where the file is wrong."""
    path = config_file()
    if not path.is_file():
        if CONFIG_VARIABLE in os.environ:
            raise InputError(f"{path}: no such file; {CONFIG_VARIABLE} names a relocbench.toml")
        return WorkerSettings()
    try:
        return _Config.model_validate(tomllib.loads(path.read_text())).workers.get(name, WorkerSettings())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{path}: {where}: {first['msg']}") from error
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as TOML: {error}") from error


class Interpreter(NamedTuple):
    """What runs a worker file (a program and its first arguments), and which setting said so."""

    command: tuple[str, ...]
    source: str


def worker_interpreter(name: str, *, module: str) -> Interpreter | None:
    """Return what runs the worker file of ``name``, None where nothing on this machine is known to.

    In this order: the environment variable ``RELOCBENCH_<NAME>_PYTHON``, ``relocbench.toml``, the environment that
    ``relocbench env create`` made, and this interpreter where it has ``module``.
    """
    variable = interpreter_variable(name)
    if os.environ.get(variable):
        return Interpreter(tuple(shlex.split(os.environ[variable])), variable)
    configured = worker_settings(name).command
    if configured:
        return Interpreter((configured,) if isinstance(configured, str) else configured, str(config_file()))
    made = environment_python(name)
    if made is not None:
        return Interpreter((str(made),), f"relocbench env create {name}")
    if importlib.util.find_spec(module) is not None:
        return Interpreter((sys.executable,), "this interpreter")
    return None


def worker_command(name: str, *, module: str, advice: str) -> tuple[str, ...]:
    """Return the command of :func:`worker_interpreter`; raises ``InputError``, ending in ``advice``, without one."""
    found = worker_interpreter(name, module=module)
    if found is None:
        raise InputError(
            f"{name}: no interpreter has it: {advice} (or name one in {interpreter_variable(name)} or in "
            f"{CONFIG_FILE}: [workers.{name}] command = ...)"
        )
    return found.command


def interpreter_variable(name: str) -> str:
    """Return the environment variable that names the interpreter of ``name``."""
    return f"RELOCBENCH_{name.upper()}_PYTHON"


def config_file() -> Path:
    """Return where the settings are read from; the file need not exist."""
    return Path(os.environ.get(CONFIG_VARIABLE, CONFIG_FILE))


def cache_folder() -> Path:
    """Return the user's cache folder for relocbench; ``RELOCBENCH_CACHE`` names another."""
    return Path(os.environ.get("RELOCBENCH_CACHE") or platformdirs.user_cache_dir("relocbench"))


def environment_folder(name: str) -> Path:
    """Return where ``relocbench env create NAME`` puts its environment."""
    return cache_folder() / "environments" / name


#: Written into an environment when everything is installed: the SHA-256 of the requirements it was made from.
COMPLETE = "relocbench-requirements.sha256"


def environment_python(name: str) -> Path | None:
    """Return the interpreter of the environment that ``env create`` made, None where there is no complete one."""
    folder = environment_folder(name)
    return folder / "bin" / "python" if (folder / COMPLETE).is_file() else None
