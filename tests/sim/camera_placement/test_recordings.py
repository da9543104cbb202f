"""Recordings of a house: smooth paths through free space, the same for whoever asks."""

from __future__ import annotations

import numpy as np
import pytest
from relocbench.errors import InputError
from relocbench.sim.camera_placement import Clearance, sample_poses_planar
from relocbench.sim.camera_placement.recordings import recorded_poses
from relocbench.sim.geometry import Pose, rotation_error, translation_error
from relocbench.sim.scene import Scene
from relocbench.sim.scenes.houses import generate_house
from scipy.spatial import cKDTree

HEIGHT = (1.0, 1.8)


@pytest.fixture(scope="module")
def house() -> Scene:
    return generate_house(100_003, triangles=20_000)


@pytest.fixture(scope="module")
def recording(house: Scene) -> Pose:
    return recorded_poses(Clearance(house), 192, height=HEIGHT, pitch_std=5.0)


def test_paths_are_smooth_and_leave_much_of_the_house_out(house: Scene, recording: Pose) -> None:
    moved = translation_error(recording[1:], recording[:-1])
    turned = rotation_error(recording[1:], recording[:-1])
    jumps = np.flatnonzero(moved > 0.11)
    assert len(jumps) <= 2  # from path to path
    along = np.delete(turned, jumps)
    assert along.max() < 25
    assert along.mean() > 1
    floor = sample_poses_planar(house, 100, np.random.default_rng(3)).translation
    far = cKDTree(recording.translation[:, :2]).query(floor[:, :2])[0]
    assert (far > 1.0).mean() > 0.25


def test_cameras_keep_clear_and_between_the_heights(house: Scene, recording: Pose) -> None:
    assert Clearance(house).is_clear(recording.translation).all()
    above = recording.translation[:, 2] - house.floor_height
    assert above.min() >= HEIGHT[0]
    assert above.max() <= HEIGHT[1]


def test_a_house_has_one_recording_of_a_length(house: Scene, recording: Pose) -> None:
    again = recorded_poses(Clearance(house), 192, height=HEIGHT, pitch_std=5.0)
    np.testing.assert_array_equal(again.matrix, recording.matrix)
    other = recorded_poses(Clearance(generate_house(100_004, triangles=20_000)), 192, height=HEIGHT, pitch_std=5.0)
    assert not np.allclose(other.matrix, recording.matrix)


def test_a_house_without_space_to_walk_in_is_an_error(house: Scene) -> None:
    with pytest.raises(InputError, match="space to walk in"):
        recorded_poses(Clearance(house), 12, height=(0.01, 0.02), pitch_std=5.0)
