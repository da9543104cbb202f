"""What can run on this machine: `diagnose` starts a simulator and says what it found, or exactly what to do."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..errors import InputError
from .environments import is_outdated
from .processes.foreign_worker import WorkerLost
from .processes.settings import Interpreter, environment_folder, environment_python, worker_interpreter
from .remote_simulator import RemoteSimulator
from .simulator import Simulator
from .simulators import SIMULATORS, open_simulator


@dataclass(frozen=True)
class Diagnosis:
    """What was found out about one simulator. ``problem`` is "" where it runs, else what is wrong and what to do."""

    simulator: str
    problem: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    renderer: str = ""
    interpreter: str = ""
    source: str = ""
    """Which setting named the interpreter."""
    note: str = ""
    """What to do about a simulator that runs all the same."""


def diagnose(name: str) -> Diagnosis:
    """Start the simulator ``name`` and say what came of it.

    Raises ``InputError`` where there is none of that name, and where ``relocbench.toml`` is wrong.
    """
    try:
        simulator = open_simulator(name)
    except InputError as error:
        if name in SIMULATORS.names() and name not in SIMULATORS.built_in:  # a package's own, which is broken
            return Diagnosis(name, str(error))
        raise
    if not isinstance(simulator, RemoteSimulator):
        return _diagnosed_here(name, simulator)
    found = None
    try:
        found = worker_interpreter(name, module=simulator.module)
        hello = simulator.hello()
    except InputError as error:
        if found is None:
            return Diagnosis(name, str(error).removeprefix(f"{name}: "))
        problem = f"does not start: {_reason(error.__cause__ or error)}; {_repair(simulator, found)}"
        return Diagnosis(name, problem, interpreter=shlex.join(found.command), source=found.source)
    finally:
        simulator.close()
    assert found is not None  # hello() raises without an interpreter
    outdated = is_outdated(name) and found.command == (str(environment_python(name)),)
    note = f"made from older requirements: run 'relocbench env create {name}' again" if outdated else ""
    return Diagnosis(name, "", hello["versions"], hello["renderer"], shlex.join(found.command), found.source, note)


def _diagnosed_here(name: str, simulator: Simulator) -> Diagnosis:
    """Return the diagnosis of a simulator that runs in this interpreter."""
    try:
        hello = simulator.hello()
    except InputError as error:
        return Diagnosis(name, str(error).removeprefix(f"{name}: "), interpreter=sys.executable)
    finally:
        simulator.close()
    return Diagnosis(name, "", hello["versions"], hello["renderer"], sys.executable, "this interpreter")


def runnable(names: Sequence[str] | None) -> list[str]:
    """Return the simulators that run here; given ``names``, these, or raise ``InputError`` where one cannot."""
    found = [diagnose(name) for name in (SIMULATORS.names() if names is None else names)]
    if names is not None:
        for diagnosis in found:
            if diagnosis.problem:
                raise InputError(f"{diagnosis.simulator}: {diagnosis.problem}")
    return [diagnosis.simulator for diagnosis in found if not diagnosis.problem]


def _reason(error: BaseException) -> str:
    """Return what went wrong with the last line that the worker printed: where Python fails, that names the error."""
    if isinstance(error, WorkerLost) and error.log:
        return f"{error.args[0]} ({error.log.rpartition(' | ')[2]})"
    return str(error)


def _repair(simulator: RemoteSimulator, found: Interpreter) -> str:
    """Return what to do about an interpreter that does not run the worker."""
    if found.command == (str(environment_python(simulator.name)),):
        return f"remove {environment_folder(simulator.name)} and run 'relocbench env create {simulator.name}' again"
    if found.command == (sys.executable,):
        return simulator.advice
    return f"correct {found.source}, or: {simulator.advice}"
