"""A diagnosis comes from starting the simulator, and names the setting that it follows."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from relocbench.errors import InputError
from relocbench.sim.diagnosis import diagnose, runnable
from relocbench.sim.processes.settings import COMPLETE, environment_folder
from relocbench.sim.raycast import Raycaster
from relocbench.sim.remote_simulator import RemoteSimulator
from relocbench.sim.simulators import SIMULATORS


class Plane(RemoteSimulator):
    """The adapter of ``plane_worker.py``, as far as it takes to greet."""

    name = "plane"
    worker_file = Path(__file__).with_name("plane_worker.py")
    module = "no_such_module"
    advice = "buy a plane"
    folder: Path

    def __init__(self, *, cache_folder: Path | None, options: Mapping[str, Any]) -> None:
        super().__init__(options={name: str(self.folder / name) for name in ("diary", "trap")})

    def _prepare(self, *_: Any) -> Any:
        raise NotImplementedError

    _request = _observation = _prepare


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, offer: Callable[[str, str, object], None]) -> None:
    """A machine that knows the simulator ``plane``, which a package brought, without an interpreter for it."""
    Plane.folder = tmp_path
    offer("simulators", "plane", Plane)
    monkeypatch.setenv("RELOCBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)


def test_a_simulator_that_starts_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELOCBENCH_PLANE_PYTHON", sys.executable)
    found = diagnose("plane")
    assert found.problem == ""
    assert (found.versions, found.renderer) == ({"plane": "2"}, "NumPy")
    assert (found.interpreter, found.source) == (sys.executable, "RELOCBENCH_PLANE_PYTHON")


def test_what_names_a_broken_interpreter_is_what_to_correct(tmp_path: Path) -> None:
    (tmp_path / "relocbench.toml").write_text("[workers.plane]\ncommand = ['/bin/false', '--quietly']\n")
    found = diagnose("plane")
    assert found.interpreter == "/bin/false --quietly"
    assert found.problem == "does not start: it ended with exit code 1; correct relocbench.toml, or: buy a plane"


def test_a_broken_environment_is_to_be_made_again() -> None:
    folder = environment_folder("plane")
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").symlink_to("/bin/false")
    (folder / COMPLETE).write_text("")
    found = diagnose("plane")
    assert f"remove {folder} and run 'relocbench env create plane' again" in found.problem


def test_only_what_runs_is_chosen_and_what_was_asked_for_must_run(monkeypatch: pytest.MonkeyPatch) -> None:
    for other in ("blenderproc", "habitat"):
        monkeypatch.delitem(SIMULATORS.built_in, other)
    assert runnable(None) == ["raycast"]
    with pytest.raises(InputError, match="plane: no interpreter has it: buy a plane"):
        runnable(["raycast", "plane"])
    monkeypatch.setenv("RELOCBENCH_PLANE_PYTHON", sys.executable)
    assert runnable(None) == ["raycast", "plane"]


def test_a_simulator_in_this_interpreter_that_cannot_run_says_so(offer: Callable[[str, str, object], None]) -> None:
    class Blind(Raycaster):
        def hello(self) -> dict[str, Any]:
            raise InputError("blind: needs eyes")

    offer("simulators", "blind", Blind)
    assert diagnose("blind").problem == "needs eyes"
    assert "blind" not in runnable(None)


def test_what_a_package_calls_a_simulator_must_be_one(offer: Callable[[str, str, object], None]) -> None:
    offer("simulators", "spoon", str)
    said = diagnose("spoon").problem
    assert "simulator 'spoon' (entry point" in said
    assert "is no class with the methods load, render" in said
