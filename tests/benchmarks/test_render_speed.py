"""Frames per second on one core at 256 x 256 with all four outputs, beside the bare ray intersection under them.

Run with ``pytest tests/benchmarks/test_render_speed.py --benchmark-enable -m slow -o addopts=--import-mode=importlib``.
Rendering is single-threaded, so a frame's processor time is its time on one core, whatever else the machine does.
"""

from __future__ import annotations

import time

import numpy as np
import pytest
from relocbench.sim.camera_placement import sample_poses_planar
from relocbench.sim.geometry import Camera, Pose
from relocbench.sim.projection import Projection, primary_rays
from relocbench.sim.raycast import Raycaster
from relocbench.sim.scene import Scene
from relocbench.sim.scenes.houses import generate_house
from relocbench.sim.simulator import OUTPUTS

CAMERA = Camera.from_fov(256, 256, 90)
FRAMES = 40


@pytest.fixture(scope="module", params=[(100_000, 30), (600_000, 20)], ids=["100k", "600k"])
def loaded(request: pytest.FixtureRequest) -> tuple[Raycaster, Scene, Pose, float]:
    triangles, target = request.param
    house = generate_house(1, triangles=triangles)
    simulator = Raycaster()
    simulator.load(house, "day")
    poses = sample_poses_planar(house, FRAMES, np.random.default_rng(0))
    next(simulator.render(poses, CAMERA, OUTPUTS))  # compiles, and bakes the light
    return simulator, house, poses, target


@pytest.mark.slow
@pytest.mark.benchmark(timer=time.process_time)
def test_frames_with_all_outputs(benchmark, loaded):
    simulator, house, poses, target = loaded
    benchmark.pedantic(lambda: list(simulator.render(poses, CAMERA, OUTPUTS)), rounds=5)
    rate = len(poses) / benchmark.stats.stats.min
    benchmark.extra_info.update(fps=rate, target=target, triangles=len(house.triangles))
    assert rate > target


@pytest.mark.slow
@pytest.mark.benchmark(timer=time.process_time)
def test_bare_intersection_of_the_same_rays(benchmark, loaded):
    simulator, house, poses, _ = loaded
    origins, directions = (np.empty((CAMERA.width * CAMERA.height, 3), np.float32) for _ in range(2))
    rays = []
    for pose in poses:
        primary_rays(Projection.of(pose.matrix, CAMERA), origins, directions)
        rays.append((origins.copy(), directions.copy()))
    scene = simulator._loaded.rays
    benchmark.pedantic(lambda: [scene.intersect(*pair) for pair in rays], rounds=5)
    benchmark.extra_info.update(fps=len(rays) / benchmark.stats.stats.min, triangles=len(house.triangles))
