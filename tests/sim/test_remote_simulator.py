"""Whatever happens to its workers, a remote simulator shows what an undisturbed one shows, or says why it cannot."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from relocbench.errors import InputError, RunError
from relocbench.sim.geometry import Camera, Pose
from relocbench.sim.remote_simulator import RemoteSimulator
from relocbench.sim.scene import Lighting, Scene
from relocbench.sim.simulator import Observation

CAMERA = Camera.from_fov(16, 12, 70.0)
POSES = Pose.from_planar(np.arange(12.0).reshape(6, 2), height=1.5, yaw=np.arange(6.0), pitch=-0.3)
DEPTH = frozenset({"depth"})


class Plane(RemoteSimulator):
    """The adapter of ``plane_worker.py``: an endless floor at the height of the scene's."""

    name = "plane"
    worker_file = Path(__file__).with_name("plane_worker.py")
    module = "numpy"
    advice = "install NumPy"

    def _prepare(self, scene: Scene, condition: str, folder: Path) -> dict[str, Any]:
        return {"height": scene.floor_height}

    def _request(self, world_from_camera: Any, camera: Camera, outputs: frozenset[str]) -> dict[str, Any]:
        return {"world_from_camera": world_from_camera.tolist(), "rays": camera.rays().reshape(-1, 3).tolist()}

    def _observation(self, reply: Any, camera: Camera, outputs: frozenset[str]) -> Observation:
        return Observation(depth=reply["depth"].reshape(camera.height, camera.width))


class World:
    """A folder in which workers note that they started, and where a trap can be laid for them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.diary, self.trap = folder / "diary", folder / "trap"
        self.diary.touch()

    def open(self) -> Plane:
        return Plane(options={"diary": str(self.diary), "trap": str(self.trap)})

    def workers(self) -> list[int]:
        return [int(pid) for pid in self.diary.read_text().split()]


def floor(height: float) -> Scene:
    return Scene(
        name="floor",
        vertices=np.zeros((3, 3), np.float32),
        normals=np.zeros((3, 3), np.float32),
        uvs=np.zeros((3, 2), np.float32),
        triangles=np.array([[0, 1, 2]], np.int32),
        triangle_material=np.zeros(1, np.int32),
        triangle_instance=np.zeros(1, np.int32),
        materials=(),
        instances=(),
        categories=("unknown",),
        conditions={"day": Lighting()},
        floor_height=height,
    )


def expected(height: float) -> np.ndarray:
    """The depth of the floor where rays fall, in closed form."""
    falling = CAMERA.rays().reshape(-1, 3) @ np.swapaxes(POSES.rotation, 1, 2)
    with np.errstate(divide="ignore"):
        depth = (height - POSES.translation[:, 2:]) / falling[..., 2]
    return np.where(depth > 0, depth, 0).reshape(6, 12, 16)


def configure(folder: Path, monkeypatch: pytest.MonkeyPatch, **settings: object) -> None:
    lines = "".join(f"{key} = {value!r}\n" for key, value in settings.items())
    (folder / "relocbench.toml").write_text(f"[workers.plane]\n{lines}")
    monkeypatch.setenv("RELOCBENCH_CONFIG", str(folder / "relocbench.toml"))


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("RELOCBENCH_PLANE_PYTHON", sys.executable)
    return World(tmp_path)


@pytest.fixture
def plane(world: World) -> Iterator[Plane]:
    simulator = world.open()
    yield simulator
    simulator.close()


def depths(simulator: Plane) -> np.ndarray:
    return np.stack([observation.depth for observation in simulator.render(POSES, CAMERA, DEPTH)])


def test_one_worker_renders_one_scene_after_another(plane: Plane, world: World) -> None:
    for height in (0.0, 0.5):
        plane.load(floor(height), "day")
        np.testing.assert_allclose(depths(plane), expected(height), rtol=1e-5)
    assert len(world.workers()) == 1


def test_nothing_runs_before_a_frame_is_wanted_nor_after_close(plane: Plane, world: World) -> None:
    plane.load(floor(0), "day")
    assert not world.workers()
    depths(plane)
    plane.close()
    with pytest.raises(ProcessLookupError):
        os.kill(world.workers()[0], 0)
    plane.load(floor(0.5), "day")
    np.testing.assert_allclose(depths(plane), expected(0.5), rtol=1e-5)


def test_a_worker_that_was_killed_costs_no_frame(plane: Plane, world: World) -> None:
    plane.load(floor(0.2), "day")
    seen = []
    for observation in plane.render(POSES, CAMERA, DEPTH):
        seen.append(observation.depth)
        os.kill(world.workers()[-1], signal.SIGKILL)
    np.testing.assert_allclose(np.stack(seen), expected(0.2), rtol=1e-5)
    assert len(world.workers()) == len(POSES)


@pytest.mark.parametrize("kind", ["die", "hang"])
def test_a_frame_is_tried_three_times(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    configure(tmp_path, monkeypatch, frame_timeout=1.0)
    plane = world.open()
    plane.load(floor(0.0), "day")
    world.trap.write_text(f"{kind} 2")
    np.testing.assert_allclose(depths(plane), expected(0.0), rtol=1e-5)
    assert len(world.workers()) == 3
    world.trap.write_text(f"{kind} 99")
    with pytest.raises(RunError, match=r"plane: a frame was lost 3 times: it .*stepped into the trap.*run the same"):
        depths(plane)
    assert len(world.workers()) == 5
    plane.close()


def test_workers_are_replaced_after_so_many_frames(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(tmp_path, monkeypatch, recycle_after=2)
    plane = world.open()
    plane.load(floor(0.0), "day")
    np.testing.assert_allclose(depths(plane), expected(0.0), rtol=1e-5)
    assert len(set(world.workers())) == 3
    plane.close()


def test_what_the_simulator_refuses_is_not_tried_again(plane: Plane, world: World) -> None:
    plane.load(floor(-1000), "day")
    with pytest.raises(RunError, match="plane: there is no floor that deep"):
        depths(plane)
    assert len(world.workers()) == 1


def test_an_interpreter_that_does_not_work_is_named(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELOCBENCH_PLANE_PYTHON", "/bin/false")
    with pytest.raises(InputError, match=r"plane: it ended with exit code 1.*doctor"):
        world.open().hello()
    monkeypatch.setenv("RELOCBENCH_PLANE_PYTHON", "/no/such/python")
    with pytest.raises(InputError, match="/no/such/python cannot be started"):
        world.open().hello()


def test_the_interpreter_may_be_a_launcher_with_arguments(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELOCBENCH_PLANE_PYTHON", f"/usr/bin/env GREETING='two words' {sys.executable} -B")
    simulator = world.open()
    assert simulator.hello()["versions"] == {"plane": "2"}
    simulator.close()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("[workers.plane]\nframe_timeout = -1\n", r"relocbench.toml: workers\.plane\.frame_timeout: .*greater than 0"),
        ("[workers.plane]\npace = 3\n", r"workers\.plane\.pace"),
        ("[workers", "cannot be read as TOML"),
    ],
)
def test_a_wrong_configuration_is_said_in_a_line(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, problem: str
) -> None:
    (tmp_path / "relocbench.toml").write_text(content)
    monkeypatch.setenv("RELOCBENCH_CONFIG", str(tmp_path / "relocbench.toml"))
    with pytest.raises(InputError, match=problem):
        world.open()


def test_what_no_simulator_knows_is_refused(plane: Plane) -> None:
    with pytest.raises(ValueError, match="load a scene first"):
        plane.render(POSES, CAMERA, DEPTH)
    with pytest.raises(KeyError, match="no condition 'night'"):
        plane.load(floor(0), "night")
    plane.load(floor(0), "day")
    with pytest.raises(ValueError, match="thermal"):
        plane.render(POSES, CAMERA, frozenset({"thermal"}))
