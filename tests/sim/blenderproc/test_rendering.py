"""Frames from Blender: the geometry and labels of the ray caster, light in the scene's units, the same bytes twice."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import psutil
import pytest
from relocbench.sim.agreement import compare_views
from relocbench.sim.blenderproc.adapter import BlenderProc
from relocbench.sim.geometry import Camera, Pose
from relocbench.sim.raycast import Raycaster
from relocbench.sim.scene import Scene
from relocbench.sim.simulator import OUTPUTS, Observation
from relocbench.sim.srgb import linear_to_srgb, srgb_to_linear

from .conftest import EMISSION, GREY

GEOMETRY = frozenset({"depth", "semantic", "instance"})
ALBEDO = float(srgb_to_linear(GREY / 255))


def assert_same_bytes(one: Observation, other: Observation) -> None:
    for name in OUTPUTS:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)


def worker_processes() -> list[psutil.Process]:
    children = psutil.Process().children(recursive=True)
    return [child for child in children if str(BlenderProc.worker_file) in child.cmdline()]


@pytest.mark.parametrize(
    ("condition", "radiance"),
    [
        ("sun above", ALBEDO / np.pi * np.array([2.0, 1.0, 0.5])),
        ("sun aslant", ALBEDO / np.pi * np.array([1.0, 0.5, 0.25])),
        ("sky", ALBEDO * np.array([1.0, 0.5, 0.25])),
        ("lamp", ALBEDO / np.pi * np.array([8.0, 4.0, 2.0]) / 2**2 * 0.5),
        ("ambient", ALBEDO * np.array([1.0, 0.5, 0.25])),
        ("own light", 2 * np.array(EMISSION)),
    ],
)
def test_a_matt_plane_reflects_as_much_light_as_physics_says(
    simulator: BlenderProc, plane: Scene, condition: str, radiance: Sequence[float]
) -> None:
    simulator.load(plane, condition)
    narrow = Camera.from_fov(32, 32, 2.0)
    (seen,) = simulator.render(Pose.look_at([0, -1, 5], [0, 0, 0]), narrow, OUTPUTS)
    assert (seen.instance == 70_000).all()
    assert (seen.semantic == 300).all()
    expected = 255 * linear_to_srgb(np.asarray(radiance))
    np.testing.assert_allclose(seen.rgb.mean(axis=(0, 1)), expected, atol=2)


def test_the_sky_is_the_ray_caster_s(simulator: BlenderProc, plane: Scene, tmp_path: Path) -> None:
    camera, pose = Camera.from_fov(40, 30, 70.0), Pose.look_at([0, 0, 2.0], [9.0, 1.0, 3.0])
    shown = {}
    for renderer in (simulator, Raycaster()):
        renderer.load(plane, "sky")
        (shown[renderer.name],) = renderer.render(pose, camera, OUTPUTS)
    missed = shown["blenderproc"].depth == 0
    np.testing.assert_array_equal(missed, shown["raycast"].depth == 0)
    assert 0.3 < missed.mean() < 0.9
    assert (shown["blenderproc"].instance[missed] == 0).all()
    above = shown["blenderproc"].rgb[:8].astype(int)
    np.testing.assert_allclose(above, shown["raycast"].rgb[:8], atol=1)


def test_depth_and_labels_are_the_ray_caster_s(
    simulator: BlenderProc, house: Scene, poses: Pose, camera: Camera
) -> None:
    views = []
    for renderer in (simulator, Raycaster()):
        renderer.load(house, "day")
        views.append(list(renderer.render(poses, camera, GEOMETRY)))
    pair = compare_views("blenderproc", "raycast", *views)
    assert pair.complaints == []
    assert pair.depth_p99 < 1e-3
    assert pair.compared > 0.5
    assert all(view.rgb is None for view in views[0])


def test_only_what_was_asked_for_is_returned(simulator: BlenderProc, plane: Scene, camera: Camera) -> None:
    simulator.load(plane, "sky")
    (seen,) = simulator.render(Pose.look_at([0, 0, 2.0], [9.0, 1.0, 0.0]), camera, frozenset({"instance"}))
    assert seen.rgb is None
    assert seen.depth is None
    assert seen.semantic is None
    assert seen.instance.dtype == np.uint32


def test_frames_are_the_same_bytes_from_any_worker(
    simulator: BlenderProc, house: Scene, poses: Pose, camera: Camera, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulator.load(house, "evening")
    first, _, third = simulator.render(poses, camera, OUTPUTS)
    (again,) = simulator.render(poses[0], camera, OUTPUTS)
    assert_same_bytes(first, again)

    (before,) = worker_processes()
    threading.Timer(0.3, before.kill).start()  # in the middle of a frame
    (replaced,) = simulator.render(poses[2], camera, OUTPUTS)
    time.sleep(0.3)
    (third_again,) = simulator.render(poses[2], camera, OUTPUTS)
    (after,) = worker_processes()
    assert after.pid != before.pid
    assert_same_bytes(third, replaced)
    assert_same_bytes(third, third_again)

    (tmp_path / "relocbench.toml").write_text("[workers.blenderproc]\nthreads = 2\n")
    monkeypatch.setenv("RELOCBENCH_CONFIG", str(tmp_path / "relocbench.toml"))
    two_threads = BlenderProc(options={"samples": 4})
    two_threads.load(house, "evening")
    (seen,) = two_threads.render(poses[2], camera, OUTPUTS)
    two_threads.close()
    assert_same_bytes(third, seen)


def test_dim_light_is_darker_than_the_evening(
    simulator: BlenderProc, house: Scene, poses: Pose, camera: Camera
) -> None:
    brightness = []
    for condition in ("dim", "evening"):
        simulator.load(house, condition)
        brightness.append(np.mean([view.rgb.mean() for view in simulator.render(poses, camera, frozenset({"rgb"}))]))
    assert brightness[0] < 0.8 * brightness[1]
    assert brightness[0] > 2
