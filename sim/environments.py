"""`create_environment`: the interpreter of a simulator, made from the pinned requirements that lie in its folder."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError, RunError
from .processes.foreign_worker import ForeignWorker, WorkerLost
from .processes.locks import held
from .processes.settings import COMPLETE, environment_folder, interpreter_variable, worker_interpreter
from .remote_simulator import RemoteSimulator
from .simulators import open_simulator

Progress = Callable[[str], None]

#: The Python that an environment needs. Blender's wheels exist for the one Python that Blender has built in.
PYTHONS = {"blenderproc": (3, 11)}

_START_TIMEOUT = 600.0  # seconds: the first start also compiles what was installed


@dataclass(frozen=True)
class Environment:
    """An environment that works: its worker started and said its versions and its renderer."""

    folder: Path
    new: bool
    """Whether it was made just now; otherwise it was there already, from the same requirements."""
    versions: Mapping[str, str]
    renderer: str
    overridden_by: str
    """The setting that names another interpreter, which is used instead; "" where there is none."""


def create_environment(name: str, *, progress: Progress) -> Environment:
    """Make the environment of the simulator ``name`` where it is not there yet, and start its worker as the proof.

    ``progress`` is told line by line what happens. Raises ``InputError`` where ``name`` has no requirements to install
    or their Python is missing, ``RunError`` where the installation or the proof fails; the next call begins again where
    this one failed.
    """
    simulator = open_simulator(name)
    if not isinstance(simulator, RemoteSimulator):
        raise InputError(f"{name}: runs in this interpreter, there is nothing to make for it")
    requirements = requirements_of(name)
    if requirements is None:
        raise InputError(
            f"{name}: pip cannot install it: {simulator.advice}; then name its interpreter in "
            f"{interpreter_variable(name)} or in relocbench.toml"
        )
    folder = environment_folder(name)
    new = install(requirements, folder, python=_python(name), progress=progress)
    progress("starting its worker")
    command = (str(folder / "bin" / "python"),)
    try:
        worker = ForeignWorker(command, simulator.worker_file, start_timeout=_START_TIMEOUT)
    except WorkerLost as lost:
        raise RunError(f"{name}: everything is installed in {folder}, but its worker does not start: {lost}") from lost
    worker.close()
    used = worker_interpreter(name, module=simulator.module)
    overridden_by = used.source if used is not None and used.command != command else ""
    return Environment(folder, new, worker.hello["versions"], worker.hello["renderer"], overridden_by)


def requirements_of(name: str) -> Path | None:
    """Return the pinned requirements of the simulator ``name``; None where pip cannot install it, or need not."""
    path = Path(__file__).parent / name / "requirements.txt"
    return path if path.is_file() else None


def is_outdated(name: str) -> bool:
    """Return whether there is an environment that was made from other requirements than those of this relocbench."""
    requirements, marker = requirements_of(name), environment_folder(name) / COMPLETE
    return requirements is not None and marker.is_file() and marker.read_text() != _sha256(requirements)


def install(requirements: Path, folder: Path, *, python: str, progress: Progress) -> bool:
    """Make ``folder`` a virtual environment of ``python`` with ``requirements``; return False where it is that already.

    ``COMPLETE`` is removed first and written last: an environment that has it is whole. What pip said is kept beside
    the folder, in ``<name>.log``.
    """
    wanted = _sha256(requirements)
    try:
        busy = InputError(f"{folder}: another process is making this environment; wait for it")
        with held(folder.with_name(f"{folder.name}.lock"), busy=busy) as lock:
            if _is_whole(folder, wanted):
                return False
            progress(f"making {folder}")
            (folder / COMPLETE).unlink(missing_ok=True)
            if folder.exists():
                shutil.rmtree(folder)
            steps = _Steps(folder.with_name(f"{folder.name}.log"), lock, progress)
            # -I: neither PYTHONPATH nor a user's site-packages may decide what is installed already.
            steps.run("venv", [python, "-I", "-m", "venv", str(folder)])
            pip = [str(folder / "bin" / "python"), "-I", "-m", "pip", "install", "--disable-pip-version-check"]
            steps.run("pip", [*pip, "--no-input", "--requirement", str(requirements)])
            (folder / COMPLETE).write_text(wanted)
            return True
    except OSError as error:
        raise RunError(f"{error.filename or folder}: {error.strerror}; the same command begins again") from error


def _python(name: str) -> str:
    """Return an interpreter of the version that ``name`` needs; raises ``InputError`` where there is none."""
    version = PYTHONS.get(name, sys.version_info[:2])
    if version == sys.version_info[:2]:
        return sys.executable
    program = "python{}.{}".format(*version)
    found = shutil.which(program)
    if found is None:
        raise InputError(f"{name}: needs Python {version[0]}.{version[1]}: install it so that {program} is on the PATH")
    return found


def _is_whole(folder: Path, wanted: str) -> bool:
    """Return whether the environment is complete, of the requirements ``wanted``, and its base Python still exists."""
    marker = folder / COMPLETE
    return marker.is_file() and marker.read_text() == wanted and (folder / "bin" / "python").exists()


class _Steps:
    """Runs programs one after the other, with what they print in one log file."""

    def __init__(self, log: Path, lock: int, progress: Progress) -> None:
        self._log, self._lock, self._progress = log, lock, progress
        log.write_text("")

    def run(self, title: str, command: list[str]) -> None:
        """Run ``command`` to its end; raises ``RunError`` with its last error where it fails."""
        said = ""
        with (
            self._log.open("a") as log,
            subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                pass_fds=[self._lock],  # the lock is held as long as anything still writes to the folder
            ) as process,
        ):
            assert process.stdout is not None
            try:
                for line in process.stdout:
                    log.write(line)
                    if line.strip():
                        self._progress(line.strip())
                    if line.strip() and not said.startswith("ERROR"):  # pip's hints follow its error
                        said = line.strip()
            except BaseException:
                process.kill()
                raise
        if process.returncode:
            raise RunError(
                f"{title} failed: {said or f'exit code {process.returncode}'}; all it said is in {self._log}"
            )


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
