from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from relocbench.methods.solvers.triangulation import triangulate_pose
from relocbench.sim.geometry import Pose, rotation_error, translation_error
from scipy.spatial.transform import Rotation


def random_pose(rng: np.random.Generator, count: int | None = None, *, spread: float = 3.0) -> Pose:
    shape = () if count is None else (count,)
    rotation = Rotation.random(count, rng=rng).as_matrix()
    return Pose.from_rotation_translation(rotation, rng.uniform(-spread, spread, (*shape, 3)))


def without_scale(poses: Pose) -> Pose:
    norm = np.linalg.norm(poses.translation, axis=-1, keepdims=True)
    return Pose.from_rotation_translation(poses.rotation, poses.translation / norm)


def geometry(seed: int, count: int) -> tuple[Pose, Pose, Pose]:
    """Return references, a query, and the exact relative poses with unit translations."""
    rng = np.random.default_rng(seed)
    references, query = random_pose(rng, count), random_pose(rng)
    return references, query, without_scale(query.relative_to(references))


def replaced(poses: Pose, index: int, pose: Pose) -> Pose:
    matrices = poses.matrix.copy()
    matrices[index] = pose.matrix
    return Pose(matrices)


@given(seed=st.integers(0, 10**6), count=st.integers(2, 7))
@settings(max_examples=150, deadline=None)
def test_exact_relative_poses_give_the_exact_pose(seed: int, count: int) -> None:
    references, query, relative = geometry(seed, count)
    found = triangulate_pose(references, relative)
    assert found is not None
    assert translation_error(found.pose, query) < 1e-6
    assert rotation_error(found.pose, query) < 1e-6
    assert found.inliers.all()


@given(seed=st.integers(0, 10**6))
@settings(max_examples=50, deadline=None)
def test_a_change_of_world_frame_changes_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    references, _, relative = geometry(seed, 5)
    noise = Pose.from_rotation_translation(
        Rotation.from_rotvec(rng.normal(0, 0.05, (5, 3))).as_matrix(), rng.normal(0, 0.05, (5, 3))
    )
    relative = relative @ noise
    other_from_world = random_pose(rng)
    here = triangulate_pose(references, relative)
    there = triangulate_pose(other_from_world @ references, relative)
    assert (here is None) == (there is None)
    if here is not None and there is not None:
        assert here.pair == there.pair
        assert translation_error(other_from_world @ here.pose, there.pose) < 1e-6
        assert rotation_error(other_from_world @ here.pose, there.pose) < 1e-5


@pytest.mark.parametrize("outlier", range(5))
def test_an_outlier_is_found_and_left_out(outlier: int) -> None:
    references, query, relative = geometry(11, 5)
    backwards = relative[outlier].matrix.copy()
    backwards[:3, 3] *= -1
    found = triangulate_pose(references, replaced(relative, outlier, Pose(backwards)))
    assert found is not None
    assert translation_error(found.pose, query) < 1e-6
    assert list(np.flatnonzero(~found.inliers)) == [outlier]


def along_y(*xs: float) -> Pose:
    return Pose.from_rotation_translation(np.tile(np.eye(3), (len(xs), 1, 1)), np.array([[x, 0.0, 0.0] for x in xs]))


def towards(*directions: Any) -> Pose:
    vectors = np.array(directions, dtype=float)
    return Pose.from_rotation_translation(np.tile(np.eye(3), (len(vectors), 1, 1)), vectors)


def test_what_cannot_be_triangulated_gives_none() -> None:
    assert triangulate_pose(Pose.identity(0), Pose.identity(0)) is None
    assert triangulate_pose(along_y(0), towards((0, 1, 0))) is None, "one reference"
    assert triangulate_pose(along_y(0, 1), towards((0, 1, 0), (0, 1, 0))) is None, "parallel rays"
    assert triangulate_pose(along_y(0, 1), towards((1, 0, 0), (1, 0, 0))) is None, "rays on one line"
    assert triangulate_pose(along_y(0, 0), towards((1, 1, 0), (0, 1, 0))) is None, "coincident centres"
    assert triangulate_pose(along_y(0, 1), towards((0, 0, 0), (0, 1, 0))) is None, "no direction"
    assert triangulate_pose(along_y(0, 1), towards((-1, 1, 0), (1, 1, 0))) is None, "rays meet behind both"
    assert triangulate_pose(along_y(0, 1), towards((0, 1, 0), (1, 1, 0))) is None, "rays meet behind one"


def test_a_pair_whose_rays_pass_far_from_each_other_is_not_consistent() -> None:
    references = Pose.from_rotation_translation(np.tile(np.eye(3), (2, 1, 1)), [[0, 0, 0], [1, 0, 2.0]])
    skew = towards((1, 1, 0), (-1, 1, 0))
    assert triangulate_pose(references, skew, max_angle=15) is None
    assert triangulate_pose(references, skew, max_angle=80) is not None


def test_a_rank_of_hypotheses_by_inliers_then_uncertainty() -> None:
    """References 0, 1 see the query at (0, 1), references 2, 3 at (5, 1); with equal counts, uncertainty decides."""
    references = along_y(-1, 1, 4, 6)
    relative = towards((1, 1, 0), (-1, 1, 0), (1, 1, 0), (-1, 1, 0))
    for sure, expected in (([0.1, 0.1, 0.9, 0.9], 0.0), ([0.9, 0.9, 0.1, 0.1], 5.0)):
        found = triangulate_pose(references, relative, uncertainties=np.array(sure))
        assert found is not None
        assert found.pose.translation == pytest.approx([expected, 1, 0], abs=1e-9)


def test_a_scale_that_contradicts_the_hypothesis_is_no_inlier() -> None:
    references = along_y(-1, 1, 4, 6)
    relative = towards((1, 1, 0), (-1, 1, 0), (1, 1, 0), (-1, 1, 0))
    true_scale = np.sqrt(2)
    scales = np.array([true_scale, 2.1 * true_scale, true_scale, 1.9 * true_scale])
    found = triangulate_pose(references, relative, scales=scales)
    assert found is not None
    assert found.pose.translation == pytest.approx([5, 1, 0], abs=1e-9)
    assert triangulate_pose(references, relative, scales=np.full(4, 10.0)) is None


@pytest.mark.parametrize("sign", [1, -1])
def test_the_rotation_is_half_way_between_the_pair(sign: int) -> None:
    turn = Rotation.from_rotvec([0, 0, np.radians(10)]).as_matrix()
    relative = Pose.from_rotation_translation(
        np.stack([turn if sign > 0 else turn.T, np.eye(3)]), [[1, 1, 0], [-1, 1, 0]]
    )
    found = triangulate_pose(along_y(-1, 1), relative)
    assert found is not None
    assert found.pose.quaternion == pytest.approx(
        Rotation.from_rotvec([0, 0, sign * np.radians(5)]).as_quat(scalar_first=True), abs=1e-12
    )
