from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from relocbench.methods.solvers.triangulation import triangulate_pose
from relocbench.sim.geometry import Pose, rotation_error, translation_error
from scipy.optimize import nnls
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


@given(seed=st.integers(0, 10**6), count=st.integers(2, 7))
@settings(max_examples=50, deadline=None)
def test_where_a_strict_hypothesis_exists_a_lenient_one_is_not_asked_for(seed: int, count: int) -> None:
    references, _, relative = geometry(seed, count)
    half_wrong = replaced(relative, 0, random_pose(np.random.default_rng(seed + 1)))
    for estimates in (relative, half_wrong):
        strict = triangulate_pose(references, estimates)
        lenient = triangulate_pose(references, estimates, strict=False)
        assert lenient is not None
        if strict is not None:
            assert np.array_equal(lenient.pose.matrix, strict.pose.matrix)
            assert lenient.pair == strict.pair
            assert np.array_equal(lenient.inliers, strict.inliers)


@pytest.mark.parametrize("strict", [True, False])
@given(seed=st.integers(0, 10**6))
@settings(max_examples=50, deadline=None)
def test_a_change_of_world_frame_changes_nothing(strict: bool, seed: int) -> None:
    rng = np.random.default_rng(seed)
    references, _, relative = geometry(seed, 5)
    noise = Pose.from_rotation_translation(
        Rotation.from_rotvec(rng.normal(0, 0.05, (5, 3))).as_matrix(), rng.normal(0, 0.05, (5, 3))
    )
    relative = relative @ noise
    other_from_world = random_pose(rng)
    here = triangulate_pose(references, relative, strict=strict)
    there = triangulate_pose(other_from_world @ references, relative, strict=strict)
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


@pytest.mark.parametrize("strict", [True, False])
def test_what_cannot_be_triangulated_gives_none(strict: bool) -> None:
    assert triangulate_pose(Pose.identity(0), Pose.identity(0), strict=strict) is None
    for why, references, relative in (
        ("one reference", along_y(0), towards((0, 1, 0))),
        ("parallel rays", along_y(0, 1), towards((0, 1, 0), (0, 1, 0))),
        ("opposite rays", along_y(0, 1), towards((0, 1, 0), (0, -1, 0))),
        ("rays on one line", along_y(0, 1), towards((1, 0, 0), (1, 0, 0))),
        ("coincident centres", along_y(0, 0), towards((1, 1, 0), (0, 1, 0))),
        ("no direction", along_y(0, 1), towards((0, 0, 0), (0, 1, 0))),
    ):
        assert triangulate_pose(references, relative, strict=strict) is None, why


@pytest.mark.parametrize(
    ("directions", "expected"),
    [
        (((-1, 1, 0), (1, 1, 0)), (0.5, 0, 0)),  # lines meet behind both, and the half-lines diverge
        (((0, 1, 0), (1, 1, 0)), (0.5, 0, 0)),  # behind the second, at the first
        (((1, 1, 0), (1, 0, 0)), (0.75, 0.25, 0)),  # at the first, behind the second
        (((1, 0, 0), (1, 1, 0)), (1, 0, 0)),  # the second stands on the first's ray
    ],
)
def test_rays_that_meet_behind_a_camera_make_a_lenient_hypothesis_only(directions: Any, expected: Any) -> None:
    references, relative = along_y(0, 1), towards(*directions)
    assert triangulate_pose(references, relative) is None
    found = triangulate_pose(references, relative, strict=False)
    assert found is not None
    assert found.pose.translation == pytest.approx(expected, abs=1e-12)
    assert not found.inliers.all()


@given(seed=st.integers(0, 10**6))
@settings(max_examples=150, deadline=None)
def test_the_lenient_centre_is_where_two_half_lines_pass_closest(seed: int) -> None:
    """Checked against non-negative least squares: the smallest |s u - t v - (b - a)| with s, t >= 0."""
    rng = np.random.default_rng(seed)
    references, relative = random_pose(rng, 2), random_pose(rng, 2)
    found = triangulate_pose(references, relative, strict=False)
    assert found is not None
    a, b = references.translation
    u, v = (references.rotation @ without_scale(relative).translation[..., None])[..., 0]
    (s, t), _ = nnls(np.stack([u, -v], axis=1), b - a)
    assert found.pose.translation == pytest.approx((a + s * u + b + t * v) / 2, abs=1e-6)


def test_a_lenient_hypothesis_ranks_below_every_strict_one_then_by_inliers_and_their_angles() -> None:
    """Rays 0 to 2 run along x; 3 and 4 turn away from each other around (10, 0, 0); 5 and 6 meet at (0, 0, 101).

    With three inliers, the best lenient hypothesis has more than the only strict one.
    """
    centres = [[0, 0, 0], [1, 0, 0], [2, 0, 0], [10, 1, 0], [10, -1, 0], [-1, 0, 100], [1, 0, 100]]
    references = Pose.from_rotation_translation(np.tile(np.eye(3), (7, 1, 1)), np.array(centres, dtype=float))
    relative = towards((1, 0, 0), (1, 0, 0), (1, 0, 0), (0, 1, 0.2), (0, -1, 0.2), (1, 0, 1), (-1, 0, 1))
    with_strict = triangulate_pose(references, relative, strict=False)
    assert with_strict is not None
    assert with_strict.pose.translation == pytest.approx([0, 0, 101], abs=1e-9)
    assert list(np.flatnonzero(with_strict.inliers)) == [5, 6]

    assert triangulate_pose(references[:5], relative[:5]) is None
    lenient = triangulate_pose(references[:5], relative[:5], strict=False)
    assert lenient is not None
    assert lenient.pose.translation == pytest.approx([10, 0, 0], abs=1e-9)
    assert list(np.flatnonzero(lenient.inliers)) == [0, 1, 2]
    sure_of_1_and_3 = np.array([1, 0, 1, 0, 1.0])
    lenient = triangulate_pose(references[:5], relative[:5], uncertainties=sure_of_1_and_3, strict=False)
    assert lenient is not None
    assert lenient.pair == (1, 3)
    assert lenient.pose.translation == pytest.approx([10, 0.5, 0], abs=1e-9)


def test_a_pair_whose_rays_pass_far_from_each_other_is_not_consistent() -> None:
    references = Pose.from_rotation_translation(np.tile(np.eye(3), (2, 1, 1)), [[0, 0, 0], [1, 0, 2.0]])
    skew = towards((1, 1, 0), (-1, 1, 0))
    assert triangulate_pose(references, skew, max_angle=15) is None
    wide = triangulate_pose(references, skew, max_angle=80)
    lenient = triangulate_pose(references, skew, max_angle=15, strict=False)
    assert wide is not None
    assert lenient is not None
    assert np.array_equal(lenient.pose.matrix, wide.pose.matrix)
    assert not lenient.inliers.any()


def test_a_rank_of_hypotheses_by_inliers_then_uncertainty() -> None:
    """References 0, 1 see the query at (0, 1), references 2, 3 at (5, 1); with equal counts, uncertainty decides."""
    references = along_y(-1, 1, 4, 6)
    relative = towards((1, 1, 0), (-1, 1, 0), (1, 1, 0), (-1, 1, 0))
    for sure, expected in (([0.1, 0.1, 0.9, 0.9], 0.0), ([0.9, 0.9, 0.1, 0.1], 5.0)):
        found = triangulate_pose(references, relative, uncertainties=np.array(sure))
        assert found is not None
        assert found.pose.translation == pytest.approx([expected, 1, 0], abs=1e-9)


@pytest.mark.parametrize(
    ("uncertainties", "expected"), [([0.0, 0.5, 0.3, 0.3], 0.0), ([0.1, 0.6, 0.3, 0.3], 5.0), ([0.3] * 4, 0.0)]
)
def test_equal_counts_are_decided_by_the_mean_of_both_uncertainties(uncertainties: Any, expected: float) -> None:
    """Not by the smaller or the larger of the two; scales keep references of different pairs apart."""
    relative = towards((1, 1, 0), (-1, 1, 0), (1, 1, 0), (-1, 1, 0))
    found = triangulate_pose(
        along_y(-1, 1, 4, 6), relative, scales=np.full(4, np.sqrt(2)), uncertainties=np.array(uncertainties)
    )
    assert found is not None
    assert found.pose.translation == pytest.approx([expected, 1, 0], abs=1e-9)


@pytest.mark.parametrize("factor", [0.51, 1.0, 1.99])
@pytest.mark.parametrize("bounds", [(0.5, 2.0), (0.1, 10.0)])
def test_scales_within_their_bounds_are_consistent(factor: float, bounds: tuple[float, float]) -> None:
    """``factor`` is the ratio of the hypothesis' distance, which is sqrt(2), to the scale of the first reference."""
    references, relative = along_y(-1, 1), towards((1, 1, 0), (-1, 1, 0))
    scales = np.sqrt(2) / np.array([factor, 1.0])
    for given_scales, bounds_given in ((scales, bounds), (scales * 0.05, (bounds[0] * 20, bounds[1] * 20))):
        found = triangulate_pose(references, relative, scales=given_scales, scale_ratio=bounds_given)
        assert found is not None
        assert found.inliers.all()


@pytest.mark.parametrize("factor", [0.49, 2.01])
def test_scales_outside_their_bounds_leave_a_lenient_hypothesis(factor: float) -> None:
    references, relative = along_y(-1, 1), towards((1, 1, 0), (-1, 1, 0))
    scales = np.sqrt(2) / np.array([factor, 1.0])
    assert triangulate_pose(references, relative, scales=scales) is None
    found = triangulate_pose(references, relative, scales=scales, strict=False)
    assert found is not None
    assert found.pose.translation == pytest.approx([0, 1, 0], abs=1e-9)
    assert list(found.inliers) == [False, True]


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
