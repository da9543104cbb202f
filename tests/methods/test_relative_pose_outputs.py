"""What a relative-pose network answers, in each form: the truth said in it comes back as the truth, and costs least."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from relocbench.methods.exrenet import angles
from relocbench.methods.exrenet.outputs import pose_loss, possible_rotations, relative_poses, rotation_lengths, targets
from relocbench.methods.exrenet.settings import FULL, NetworkSettings
from relocbench.sim.geometry import Pose, rotation_error
from scipy.spatial.transform import Rotation

FORMS = [
    replace(FULL, rotation=rotation, direction=direction, scale=scale)
    for rotation, direction, scale in product(("quaternion", "yaw"), ("vector", "azimuth"), (True, False))
]
BINNED = replace(FULL, rotation="yaw", direction="azimuth")


def random_poses(seed: int, count: int = 50) -> Pose:
    rng = np.random.default_rng(seed)
    return Pose.from_rotation_translation(Rotation.random(count, rng=rng).as_matrix(), rng.normal(0, 2, (count, 3)))


def upright_poses(seed: int, count: int = 40) -> Pose:
    rng = np.random.default_rng(seed)
    return Pose.from_planar(
        rng.uniform(-3, 3, (count, 2)),
        height=1.5,
        yaw=rng.uniform(-np.pi, np.pi, count),
        pitch=rng.normal(0, 0.1, count),
    )


def said(truth: Pose, form: NetworkSettings) -> torch.Tensor:
    """Return outputs that say the truth and are as sure of it as they can be."""
    plain = targets(truth).double()
    direction, rotation, scale = plain[:, :3], plain[:, 3:7], plain[:, 7:]
    if form.direction == "azimuth":
        azimuth = torch.atan2(direction[:, 0], direction[:, 2])
        direction = torch.cat([logits(azimuth), torch.asin(direction[:, 1:2])], dim=1)
    if form.rotation == "yaw":
        twist, swing = (torch.from_numpy(part) for part in angles.twist_and_swing(truth.rotation))
        rotation = torch.cat([logits(twist), swing], dim=1)
    return torch.cat([direction, rotation, scale] if form.scale else [direction, rotation], dim=1)


def logits(of: torch.Tensor) -> torch.Tensor:
    return angles.soft_labels(of).clamp(min=1e-12).log()


@pytest.mark.parametrize("form", FORMS)
def test_the_truth_comes_back_from_every_form(form):
    truth = random_poses(0)
    outputs = said(truth, form)
    assert outputs.shape[1] == form.outputs
    poses, scales = relative_poses(outputs.numpy(), form)
    length = np.linalg.norm(truth.translation, axis=1)
    assert rotation_error(poses, truth).max() < 1e-3
    np.testing.assert_allclose(poses.translation * length[:, None], truth.translation, atol=1e-4)
    if form.scale:
        np.testing.assert_allclose(scales, length, rtol=1e-6)
    else:
        assert scales is None


@pytest.mark.parametrize("form", FORMS)
def test_the_truth_costs_least(form):
    truth = random_poses(1)
    outputs = said(truth, form)
    best = float(pose_loss(outputs, truth, form))
    rng = torch.Generator().manual_seed(0)
    for size in (0.02, 0.3, 3.0):
        noise = size * torch.randn(outputs.shape, generator=rng, dtype=torch.float64)
        assert float(pose_loss(outputs + noise, truth, form)) > best
    if form.rotation == "quaternion" and form.direction == "vector":
        assert best == 0


@given(seed=st.integers(0, 10**6))
@settings(max_examples=50, deadline=None)
def test_any_rotation_is_a_twist_and_then_a_swing_about_a_horizontal_axis(seed: int) -> None:
    rotations = random_poses(seed, 20).rotation
    twist, swing = angles.twist_and_swing(rotations)
    np.testing.assert_allclose(angles.twisted(twist, swing), rotations, atol=1e-9)


def test_a_turn_of_an_upright_camera_is_all_twist():
    turn = np.radians([-170.0, -20.0, 0.0, 90.0, 179.0])
    twist, swing = angles.twist_and_swing(Rotation.from_rotvec(turn[:, None] * [0, 1, 0]).as_matrix())
    np.testing.assert_allclose(np.exp(1j * twist), np.exp(1j * turn), atol=1e-12)
    np.testing.assert_allclose(swing, 0, atol=1e-12)


def test_half_a_turn_about_a_horizontal_axis_comes_back_too():
    rotations = Rotation.from_rotvec(np.pi * np.array([[1, 0, 0], [0, 0, 1], [0.6, 0, 0.8]])).as_matrix()
    np.testing.assert_allclose(angles.twisted(*angles.twist_and_swing(rotations)), rotations, atol=1e-9)


def test_soft_labels_are_shared_by_the_two_nearest_bins():
    width = 2 * np.pi / angles.BINS
    labels = angles.soft_labels(torch.tensor([0.0, 0.25 * width, -0.25 * width, 2 * np.pi - 0.25 * width, 3.5 * width]))
    torch.testing.assert_close(labels.sum(dim=1), torch.ones(5))
    assert labels[0, 0] == 1
    torch.testing.assert_close(labels[1, :2], torch.tensor([0.75, 0.25]))
    torch.testing.assert_close(labels[2, [0, -1]], torch.tensor([0.75, 0.25]))
    torch.testing.assert_close(labels[3], labels[2], atol=1e-5, rtol=0)
    torch.testing.assert_close(labels[4, 3:5], torch.tensor([0.5, 0.5]))


def test_of_two_bins_far_apart_the_likelier_is_answered_and_not_what_lies_between():
    shares = np.zeros((1, angles.BINS))
    shares[0, [3, 21]] = 0.4, 0.6
    np.testing.assert_allclose(angles.likeliest(shares), angles.CENTRES[21])


def test_a_distribution_is_the_longer_the_surer_it_is():
    sure, between, none = np.zeros(angles.BINS), np.zeros(angles.BINS), np.full(angles.BINS, 1 / angles.BINS)
    sure[7], between[[0, 6]] = 1, 0.5  # 60 degrees apart
    np.testing.assert_allclose(
        angles.mean_length(np.stack([sure, between, none])), [1, np.cos(np.pi / 6), 0], atol=1e-12
    )
    outputs = said(random_poses(2), BINNED).numpy()
    assert rotation_lengths(outputs, BINNED).min() > 0.99
    outputs[:, angles.BINS + 1 : 2 * angles.BINS + 1] = 0
    np.testing.assert_allclose(rotation_lengths(outputs, BINNED), 0, atol=1e-12)
    quaternions = said(random_poses(2), FULL).numpy()
    quaternions[:, 3:7] *= 0.7
    np.testing.assert_allclose(rotation_lengths(quaternions), 0.7, rtol=1e-5)


@pytest.mark.parametrize("form", [FULL, BINNED])
def test_what_is_held_possible_surrounds_the_truth(form):
    truth = upright_poses(3)
    rotations, masses = possible_rotations(said(truth, form).numpy(), form)
    np.testing.assert_allclose(masses.sum(axis=1), 1)
    for index, pose in enumerate(truth):
        likely = masses[index] > 0.01
        count = int(likely.sum())
        assert 1 <= count <= 2
        every = Pose.from_rotation_translation(rotations[index][likely], np.zeros((count, 3)))
        assert rotation_error(every, pose).max() <= 360 / angles.BINS
        mean = Rotation.from_matrix(rotations[index]).mean(masses[index] + 1e-300)
        assert rotation_error(Pose.from_rotation_translation(mean.as_matrix(), np.zeros(3)), pose) < 0.05
