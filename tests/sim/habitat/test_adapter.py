"""Conversions at habitat-sim's door, and what its adapter refuses, without habitat-sim."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from relocbench.errors import InputError
from relocbench.sim.geometry import Camera, Pose
from relocbench.sim.gltf import to_y_up
from relocbench.sim.habitat.adapter import agent_pose, sampled_view
from relocbench.sim.habitat.scene_dataset import load_dataset_scene
from relocbench.sim.raycast import Raycaster
from relocbench.sim.scene import Scene
from relocbench.sim.simulators import open_simulator
from scipy.spatial.transform import Rotation


def drawn_rays(camera: Camera) -> np.ndarray:
    """The directions (H, W, 3), scaled to z = 1 in our camera's axes, of the drawn pixels that are kept.

    Written from what habitat-sim documents: ``hfov`` spans the width, pixels are square, centres lie at + 0.5.
    """
    view = sampled_view(camera)
    focal = view.width / 2 / np.tan(np.radians(view.hfov) / 2)
    x = (view.columns + 0.5 - view.width / 2) / focal
    y = (view.rows + 0.5 - view.height / 2) / focal
    x, y = np.meshgrid(x, y)
    return np.stack([x, y, np.ones_like(x)], axis=-1)


def test_a_level_camera_that_looks_north() -> None:
    position, (w, x, y, z) = agent_pose(Pose.look_at((1.0, 2.0, 3.0), (1.0, 5.0, 3.0)).matrix)
    assert position == [1.0, 3.0, -2.0]  # up is y there, our north is its -z, where an agent looks anyway
    np.testing.assert_allclose(np.abs([w, x, y, z]), [1, 0, 0, 0], atol=1e-12)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_a_point_before_our_camera_lies_in_the_same_place_before_that_one(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pose = Pose.from_rotation_translation(Rotation.random(rng=rng).as_matrix(), rng.normal(size=3))
    point = rng.normal(size=3)
    position, (w, x, y, z) = agent_pose(pose.matrix)
    there = Rotation.from_quat([x, y, z, w]).apply(point * (1, -1, -1)) + position  # x right, y up, z backwards
    np.testing.assert_allclose(there, to_y_up(pose.transform_points(point)), atol=1e-9)


@pytest.mark.parametrize(
    "camera",
    [
        Camera.from_fov(256, 256, 90.0),
        Camera.from_fov(641, 480, 70.0),
        Camera(640, 480, 500.0, 500.0, 300.0, 250.5),
        Camera(64, 48, 50.0, 50.0, 90.0, -3.0),  # an axis that does not meet the picture
    ],
)
def test_a_camera_of_square_pixels_on_a_half_pixel_grid_is_drawn_exactly(camera: Camera) -> None:
    np.testing.assert_allclose(drawn_rays(camera), camera.rays(), atol=1e-9)


def test_a_centred_camera_is_drawn_without_a_margin() -> None:
    view = sampled_view(Camera.from_fov(320, 240, 60.0))
    assert (view.width, view.height) == (320, 240)
    assert view.hfov == pytest.approx(60.0)
    assert view.rows.tolist() == list(range(240))


@pytest.mark.parametrize("camera", [Camera(320, 240, 200.0, 210.0, 160, 120), Camera(320, 240, 200, 200, 151.3, 120.8)])
def test_any_other_camera_is_drawn_to_an_eighth_of_a_pixel(camera: Camera) -> None:
    off = np.abs(drawn_rays(camera) - camera.rays())[..., :2] * (camera.fx, camera.fy)
    assert 1e-3 < off.max() <= 0.13


def test_a_camera_that_would_be_cut_out_of_a_huge_picture_is_refused() -> None:
    with pytest.raises(InputError, match=r"picture of 20\d\d\d x 480 pixels"):
        sampled_view(Camera(640, 480, 500.0, 500.0, 10_000.0, 240.0))


def test_unknown_options_are_refused_by_name() -> None:
    with pytest.raises(InputError, match="option 'samples'"):
        open_simulator("habitat", options={"samples": 4})
    with pytest.raises(InputError, match="option 'near'"):
        open_simulator("habitat", options={"near": 0.0})


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ("x.scene_dataset_config.json", "does not name a scene"),
        ("x.scene_dataset_config.json#", "does not name a scene"),
        ("nowhere/x.scene_dataset_config.json#room", "no such file"),
    ],
)
def test_an_entry_that_names_no_scene_is_said_before_anything_starts(entry: str, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        load_dataset_scene(entry)


def test_where_habitat_is_missing_the_error_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "x.scene_dataset_config.json"
    config.write_text(json.dumps({}))
    monkeypatch.setenv("RELOCBENCH_CACHE", str(tmp_path))
    monkeypatch.delenv("RELOCBENCH_HABITAT_PYTHON", raising=False)
    monkeypatch.delenv("RELOCBENCH_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"conda create .* -c aihabitat .*RELOCBENCH_HABITAT_PYTHON"):
        load_dataset_scene(f"{config}#room")


def test_a_stand_in_is_refused_by_every_other_simulator(house: Scene) -> None:
    from dataclasses import replace

    stand_in = replace(house, generator={"only_in": "habitat"})
    with pytest.raises(InputError, match="choose simulator habitat"):
        Raycaster().load(stand_in, "day")
