"""An environment is whole or it is made again; what fails says why. Nothing here needs a network."""

from __future__ import annotations

import base64
import fcntl
import hashlib
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
from relocbench.errors import InputError, RunError
from relocbench.sim import environments
from relocbench.sim.environments import create_environment, install, requirements_of
from relocbench.sim.processes.settings import COMPLETE, environment_folder, environment_python


def wheel(folder: Path, version: str) -> Path:
    """Build the wheel of a package ``brick`` that knows its version."""
    info = f"brick-{version}.dist-info"
    files = {
        "brick.py": f"version = {version!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: brick\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    digests = {
        name: base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        for name, text in files.items()
    }
    record = "".join(f"{name},sha256={digests[name]},{len(text)}\n" for name, text in files.items())
    path = folder / f"brick-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in {**files, f"{info}/RECORD": record + f"{info}/RECORD,,\n"}.items():
            archive.writestr(name, text)
    return path


class Workplace:
    """A folder for an environment, and its requirements: a version of ``brick``."""

    def __init__(self, folder: Path) -> None:
        self.root = folder
        self.folder = folder / "cache" / "environments" / "brick"
        self.requirements = folder / "requirements.txt"
        self.require("1.0")

    def require(self, version: str) -> None:
        self.requirements.write_text(f"{wheel(self.root, version)}\n")

    def install(self) -> bool:
        return install(self.requirements, self.folder, python=sys.executable, progress=print)

    def brick(self) -> str:
        program = "import brick; print(brick.version)"
        return subprocess.check_output([self.folder / "bin" / "python", "-c", program], text=True).strip()


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workplace:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    return Workplace(tmp_path)


def test_an_environment_is_made_once_and_made_again_for_other_requirements(workplace: Workplace) -> None:
    assert workplace.install()
    assert workplace.brick() == "1.0"
    (workplace.folder / "mark").touch()
    assert not workplace.install()
    assert (workplace.folder / "mark").exists()
    workplace.require("2.0")
    assert workplace.install()
    assert workplace.brick() == "2.0"
    assert not (workplace.folder / "mark").exists()


@pytest.mark.slow
@pytest.mark.parametrize("step", ["bin/python", "lib/python*/site-packages/pip"])
def test_after_a_kill_the_next_call_makes_it_whole(workplace: Workplace, step: str) -> None:
    script = (
        "import sys; from pathlib import Path\n"
        "from relocbench.sim.environments import install\n"
        "requirements, folder = map(Path, sys.argv[1:])\n"
        "install(requirements, folder, python=sys.executable, progress=print)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(workplace.requirements), str(workplace.folder)],
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    while not list(workplace.folder.glob(step)):
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (workplace.folder / COMPLETE).exists()
    workplace.install()
    assert workplace.brick() == "1.0"


def test_what_pip_says_last_is_in_the_error_and_the_rest_in_the_log(workplace: Workplace) -> None:
    workplace.requirements.write_text("no-such-brick==1.0\n")
    with pytest.raises(RunError, match=r"pip failed: ERROR: .*no-such-brick.*brick\.log") as caught:
        workplace.install()
    assert "\n" not in str(caught.value)
    assert "no-such-brick" in workplace.folder.with_name("brick.log").read_text()
    assert not (workplace.folder / COMPLETE).exists()


def test_an_interpreter_that_makes_no_environment_is_reported(workplace: Workplace) -> None:
    with pytest.raises(RunError, match="venv failed: exit code 1"):
        install(workplace.requirements, workplace.folder, python="/bin/false", progress=print)
    with pytest.raises(RunError, match="/no/such/python: No such file"):
        install(workplace.requirements, workplace.folder, python="/no/such/python", progress=print)


def test_two_processes_do_not_make_one_environment(workplace: Workplace) -> None:
    workplace.folder.parent.mkdir(parents=True)
    with workplace.folder.with_name("brick.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(InputError, match="another process"):
            workplace.install()


def test_an_environment_without_its_mark_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELOCBENCH_CACHE", str(tmp_path))
    folder = environment_folder("blenderproc")
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").symlink_to(sys.executable)
    assert environment_python("blenderproc") is None
    (folder / COMPLETE).write_text("made from older requirements")
    assert environment_python("blenderproc") == folder / "bin" / "python"
    assert environments.is_outdated("blenderproc")


def test_the_python_that_a_simulator_needs_is_found_or_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RELOCBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(environments.PYTHONS, "blenderproc", (3, 4))
    with pytest.raises(InputError, match=r"needs Python 3\.4: install it so that python3\.4 is on the PATH"):
        create_environment("blenderproc", progress=print)
    (tmp_path / "python3.4").symlink_to("/bin/false")
    with pytest.raises(RunError, match="venv failed"):
        create_environment("blenderproc", progress=print)


def test_requirements_are_pinned() -> None:
    requirements = requirements_of("blenderproc")
    assert requirements is not None
    lines = [line.split("#")[0].strip() for line in requirements.read_text().splitlines()]
    assert all("==" in line for line in lines if line and not line.startswith("-"))


@pytest.mark.parametrize(
    ("name", "answer"),
    [("habitat", "conda create .* RELOCBENCH_HABITAT_PYTHON"), ("raycast", "nothing to make"), ("no-such", "unknown")],
)
def test_names_without_an_environment_are_told_what_to_do(name: str, answer: str) -> None:
    with pytest.raises(InputError, match=answer):
        create_environment(name, progress=print)
