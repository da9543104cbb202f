"""What ``relocbench doctor`` says about interpreters that are missing or broken, and about simulators that differ."""

from __future__ import annotations

import importlib.util
import io
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from relocbench.errors import InputError, RunError
from relocbench.reports.agreement_picture import draw_picture, length, percent
from relocbench.reports.doctor import print_comparison, print_diagnoses
from relocbench.sim.agreement import compare
from relocbench.sim.geometry import Camera, Pose
from relocbench.sim.raycast import Raycaster
from relocbench.sim.scene import Scene
from relocbench.sim.scene_files import save_scene
from relocbench.sim.simulator import Observation
from rich.console import Console


class Shifted(Raycaster):
    """A ray caster whose camera is one centimetre too far to the right."""

    def render(self, poses: Pose, camera: Camera, outputs: frozenset[str]) -> Iterator[Observation]:
        offset = np.eye(4)
        offset[0, 3] = 0.01
        return super().render(poses @ Pose(offset), camera, outputs)


@pytest.fixture
def registered(offer: Callable[[str, str, object], None]) -> None:
    """Two more simulators by name: ``same``, which is right, and ``shifted``."""
    offer("simulators", "same", Raycaster)
    offer("simulators", "shifted", Shifted)


@pytest.fixture(scope="module")
def scene_file(box_room: Scene, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_scene(box_room, tmp_path_factory.mktemp("scene"))


def compared(scene: Path, names: list[str], out: Path | None = None) -> str:
    console = Console(file=io.StringIO(), width=80)
    try:
        print_comparison(str(scene), names, condition="day", count=3, seed=0, out=out, console=console)
    finally:
        compared.printed = console.file.getvalue()
    return compared.printed


@pytest.fixture
def doctor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Return what doctor prints in an empty folder, given variables, on a machine that was told nothing else."""

    def printed(**variables: str) -> str:
        for name in ("RELOCBENCH_BLENDERPROC_PYTHON", "RELOCBENCH_HABITAT_PYTHON", "RELOCBENCH_CONFIG"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.chdir(tmp_path)
        for name, value in {"RELOCBENCH_CACHE": str(tmp_path / "cache"), **variables}.items():
            monkeypatch.setenv(name, value)
        console = Console(file=io.StringIO(), width=80)
        print_diagnoses(console)
        return console.file.getvalue()

    return printed


def blocks(printed: str) -> dict[str, str]:
    """Return what is said about each simulator, by its heading."""
    found: dict[str, str] = {}
    for line in printed.splitlines():
        if not line.startswith(" "):
            heading = line
        found[heading] = found.get(heading, "") + line + "\n"
    return found


def test_missing_and_broken_interpreters_are_told_apart_and_each_gets_its_remedy(
    doctor: Callable[..., str], tmp_path: Path
) -> None:
    said = blocks(
        doctor(RELOCBENCH_BLENDERPROC_PYTHON="/no/such/python", RELOCBENCH_HABITAT_PYTHON=f"{sys.executable} -S")
    )
    assert f"{tmp_path}/cache" in said["this machine"]
    assert "embreex" in said["raycast: runs"]
    assert "/no/such/python cannot be started" in said["blenderproc: cannot run"]
    assert "correct RELOCBENCH_BLENDERPROC_PYTHON" in said["blenderproc: cannot run"]
    assert "relocbench env create blenderproc" in said["blenderproc: cannot run"]
    assert "ModuleNotFoundError" in said["habitat: cannot run"]
    assert "conda create" in said["habitat: cannot run"]


@pytest.mark.skipif(
    bool(importlib.util.find_spec("bpy") or importlib.util.find_spec("habitat_sim")), reason="this interpreter has one"
)
def test_without_an_interpreter_it_says_how_to_get_one(doctor: Callable[..., str]) -> None:
    said = blocks(doctor())
    assert "no interpreter has it: run 'relocbench env create blenderproc'" in said["blenderproc: cannot run"]
    assert "RELOCBENCH_HABITAT_PYTHON" in said["habitat: cannot run"]


def test_a_wrong_settings_file_is_named(doctor: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "relocbench.toml").write_text("[workers.habitat]\ncomand = '/usr/bin/python'\n")
    with pytest.raises(InputError, match=r"relocbench\.toml: workers\.habitat\.comand"):
        doctor()


@pytest.mark.usefixtures("registered")
def test_simulators_that_agree_are_drawn_side_by_side(scene_file: Path, tmp_path: Path) -> None:
    printed = compared(scene_file, ["raycast", "same"], tmp_path / "both.jpg")
    assert "verdict" in printed
    assert "agree" in printed
    assert "100 %" in printed
    picture = cv2.imread(str(tmp_path / "both.jpg"))
    assert picture.shape[1] > picture.shape[0]


@pytest.mark.usefixtures("registered")
def test_simulators_that_differ_are_an_error_after_the_table_and_the_picture(scene_file: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"raycast and shifted: median depth difference .* mm \(below 1\)"):
        compared(scene_file, ["raycast", "shifted"], tmp_path / "both.png")
    assert "differ" in compared.printed
    assert (tmp_path / "both.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.usefixtures("registered")
def test_what_cannot_be_compared_is_said_before_anything_is_rendered(scene_file: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"name a \.jpg or \.png"):
        compared(scene_file, ["raycast", "same"], tmp_path / "picture.gif")
    with pytest.raises(InputError, match="unknown simulator 'no-such'"):
        compared(scene_file, ["raycast", "no-such"])
    with pytest.raises(InputError, match="takes two simulators"):
        compared(scene_file, ["raycast"])


def reddish(picture: np.ndarray) -> float:
    red, green, blue = picture.reshape(-1, 3).astype(int).T
    return float(((red > 180) & (green < 60) & (blue < 80)).mean())


class Relabelled(Raycaster):
    """A ray caster that takes every object for the next one."""

    def render(self, poses: Pose, camera: Camera, outputs: frozenset[str]) -> Iterator[Observation]:
        for observation in super().render(poses, camera, outputs):
            yield replace(observation, instance=observation.instance + 1)


def test_where_labels_differ_the_picture_is_red(box_room: Scene) -> None:
    simulators = {"right": Raycaster(), "same": Raycaster(), "wrong": Relabelled()}
    agreement = compare(box_room, simulators, condition="day", count=2)
    picture = draw_picture(agreement)
    width = picture.shape[1]
    # three columns of colour, then depth and labels of each pair
    same, wrong = picture[:, width * 4 // 7 : width * 5 // 7], picture[:, width * 6 // 7 :]
    assert reddish(wrong) > 0.5
    assert reddish(same) < 0.05


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (length(1.4e-6), "1.4 µm"),
        (length(0.9996e-3), "1 mm"),
        (length(0.0123), "12.3 mm"),
        (length(float("nan")), "–"),
        (percent(1.0), "100 %"),
        (percent(0.99999), "99.99 %"),
        (percent(float("nan")), "–"),
    ],
)
def test_numbers_are_short_and_never_flatter(shown: str, expected: str) -> None:
    assert shown == expected
