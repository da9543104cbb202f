from __future__ import annotations

import pytest
from relocbench.errors import InputError
from relocbench.sim.camera_placement import sample_poses_6dof
from relocbench.sim.geometry import Camera, Pose
from relocbench.sim.processes.settings import worker_command
from relocbench.sim.scene import Scene
from relocbench.sim.scenes.houses import generate_house


@pytest.fixture(scope="session")
def house() -> Scene:
    return generate_house(3, triangles=20_000)


@pytest.fixture(scope="session")
def camera() -> Camera:
    return Camera.from_fov(256, 256, 90.0)


@pytest.fixture(scope="session")
def poses(house: Scene) -> Pose:
    import numpy as np

    return sample_poses_6dof(house, 6, np.random.default_rng(5))


@pytest.fixture(scope="session")
def habitat_installed() -> None:
    """Skip where no interpreter has habitat-sim."""
    try:
        worker_command("habitat", module="habitat_sim", advice="")
    except InputError as error:
        pytest.skip(f"habitat-sim is not installed: {error}")
