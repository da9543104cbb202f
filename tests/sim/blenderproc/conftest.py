from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from relocbench.errors import InputError
from relocbench.sim.blenderproc.adapter import BlenderProc
from relocbench.sim.camera_placement import sample_poses_6dof
from relocbench.sim.geometry import Camera, Pose
from relocbench.sim.processes.settings import worker_command
from relocbench.sim.scene import Instance, Lamp, Lighting, Material, Scene, Sun
from relocbench.sim.scenes.houses import generate_house

GREY = 186  # sRGB, about half of the light in linear terms
EMISSION = (0.3, 0.2, 0.1)


@pytest.fixture(scope="session")
def plane() -> Scene:
    """A grey plane at z = 0, facing up, that shines where a condition says so; one kind of light per condition."""
    corners = np.array([[-50, -50, 0], [50, -50, 0], [50, 50, 0], [-50, 50, 0]], np.float32)
    return Scene(
        name="plane",
        vertices=corners,
        normals=np.tile(np.float32([0, 0, 1]), (4, 1)),
        uvs=np.zeros((4, 2), np.float32),
        triangles=np.array([[0, 1, 2], [0, 2, 3]], np.int32),
        triangle_material=np.zeros(2, np.int32),
        triangle_instance=np.zeros(2, np.int32),
        materials=(Material("grey", np.full((2, 2, 3), GREY, np.uint8), EMISSION),),
        instances=(Instance(70_000, 300, "plane"),),
        categories=("unknown", *(f"category {number}" for number in range(1, 301))),
        conditions={
            "sun above": Lighting(sun=Sun((0, 0, -1), (2.0, 1.0, 0.5)), emission_scale=0),
            "sun aslant": Lighting(sun=Sun((0, 0.75**0.5, -0.5), (2.0, 1.0, 0.5)), emission_scale=0),
            "sky": Lighting(sky=(1.0, 0.5, 0.25), emission_scale=0),
            "lamp": Lighting(lamps=(Lamp((0, 0, 2.0), (8.0, 4.0, 2.0)),), exposure=0.5, emission_scale=0),
            "ambient": Lighting(ambient=(1.0, 0.5, 0.25), emission_scale=0),
            "own light": Lighting(emission_scale=2.0),
        },
    )


@pytest.fixture(scope="session")
def house() -> Scene:
    return generate_house(1, triangles=20_000)


@pytest.fixture(scope="session")
def camera() -> Camera:
    """Neither square, nor with square pixels, nor centred."""
    return Camera(96, 72, 56.0, 52.0, 50.0, 33.5)


@pytest.fixture(scope="session")
def poses(house: Scene) -> Pose:
    return sample_poses_6dof(house, 3, np.random.default_rng(5))


@pytest.fixture(scope="session")
def installed() -> None:
    """Skip where no interpreter has BlenderProc."""
    try:
        worker_command(BlenderProc.name, module=BlenderProc.module, advice=BlenderProc.advice)
    except InputError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="package")
def simulator(installed: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BlenderProc]:
    """Coarse pictures, one worker for all tests."""
    simulator = BlenderProc(cache_folder=tmp_path_factory.mktemp("cache"), options={"samples": 4})
    yield simulator
    simulator.close()
