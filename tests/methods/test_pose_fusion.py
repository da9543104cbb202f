"""What references say most surely together; wrong ones do not count, in whatever order they come."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from relocbench.methods.solvers.pose_fusion import FusedPose, fuse_poses
from relocbench.sim.geometry import Pose, rotation_error, translation_error
from scipy.spatial.transform import Rotation

SEEDS = st.integers(0, 10**6)
OFFSETS = np.arange(0.0, 360.0, 60.0)


class Said:
    """References, the true pose of the query, and what the references say of it: the truth, until it is changed."""

    def __init__(self, seed: int, count: int = 4) -> None:
        self.rng = np.random.default_rng(seed)
        self.references = self._poses(count)
        self.query = self._poses(1)[0]
        relative = self.query.relative_to(self.references)
        self.rotations = relative.rotation[:, None].copy()
        self.scales = np.linalg.norm(relative.translation, axis=1)
        self.directions = relative.translation / self.scales[:, None]
        self.certainties = np.full(count, 0.5)

    def _poses(self, count: int) -> Pose:
        rotation = Rotation.random(count, rng=self.rng).as_matrix()
        return Pose.from_rotation_translation(rotation, self.rng.uniform(-3, 3, (count, 3)))

    def turned(self, index: int, degrees: float) -> None:
        """Let a reference be wrong by a turn about the vertical axis of the query."""
        turn = Rotation.from_rotvec([0, np.radians(degrees), 0]).as_matrix()
        self.rotations[index] = self.rotations[index] @ turn

    def fused(self, order: list[int] | None = None, *, scaled: bool = True) -> FusedPose:
        order = list(range(len(self.scales))) if order is None else order
        return fuse_poses(
            self.references[order],
            self.rotations[order],
            self.directions[order],
            self.certainties[order],
            scales=self.scales[order] if scaled else None,
        )

    def errors(self, found: FusedPose) -> tuple[float, float]:
        return float(rotation_error(found.pose, self.query)), float(translation_error(found.pose, self.query))


@given(seed=SEEDS, count=st.integers(1, 6))
@settings(max_examples=60, deadline=None)
def test_what_all_say_rightly_is_the_answer(seed: int, count: int) -> None:
    said = Said(seed, count)
    rotation, translation = said.errors(said.fused())
    assert rotation < 1e-4
    assert translation < 1e-6


@given(seed=SEEDS)
@settings(max_examples=40, deadline=None)
def test_rays_alone_meet_at_the_query(seed: int) -> None:
    said = Said(seed, 5)
    rotation, translation = said.errors(said.fused(scaled=False))
    assert rotation < 1e-4
    assert translation < 0.02  # metres: what is taken for the unknown lengths pulls a little


@pytest.mark.parametrize("wrong_place", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_three_that_are_right_outweigh_one_that_is_wrong_by_half_a_turn_in_any_order(
    seed: int, wrong_place: bool
) -> None:
    said = Said(seed)
    said.turned(0, 180.0)
    if wrong_place:
        said.directions[0] *= -1
    first = said.fused()
    assert first.agreement[0] < 0.01
    assert (first.agreement[1:] > 0.5).all()
    for order in permutations(range(4)):
        found = said.fused(list(order))
        rotation, translation = said.errors(found)
        assert rotation < 0.5
        assert translation < (0.15 if wrong_place else 1e-6)
        np.testing.assert_allclose(found.agreement, first.agreement[list(order)], atol=1e-9)
        assert found.support == pytest.approx(first.support)


def test_the_surer_of_two_that_contradict_each_other_is_believed() -> None:
    said = Said(1, 2)
    said.turned(1, 120.0)
    said.certainties = np.array([0.6, 0.3])
    assert said.errors(said.fused())[0] < 5
    said.certainties = np.array([0.3, 0.6])
    assert said.errors(said.fused())[0] > 115


def test_two_that_agree_outweigh_a_surer_one() -> None:
    said = Said(2, 3)
    said.turned(2, 150.0)
    said.certainties = np.array([0.4, 0.4, 0.6])
    assert said.errors(said.fused())[0] < 5


@given(seed=SEEDS, scaled=st.booleans())
@settings(max_examples=40, deadline=None)
def test_a_reference_of_no_certainty_counts_for_nothing(seed: int, scaled: bool) -> None:
    said = Said(seed)
    for index, degrees in enumerate(said.rng.uniform(-40, 40, 4)):
        said.turned(index, degrees)
    said.scales *= said.rng.uniform(0.7, 1.4, 4)
    said.certainties = np.array([0.4, 0.0, 0.6, 0.8])
    found = said.fused(scaled=scaled)
    assert found.agreement[1] == 0
    said.rotations[1] = np.eye(3)
    said.directions[1] = [0, 1, 0]
    said.scales[1] = 9.0
    again = said.fused(scaled=scaled)
    np.testing.assert_array_equal(again.pose.matrix, found.pose.matrix)
    assert again.support == found.support


def test_where_none_is_sure_the_first_alone_answers() -> None:
    said = Said(3)
    for index in (1, 2, 3):
        said.turned(index, 90.0 * index)
        said.directions[index] *= -1
    said.certainties = np.zeros(4)
    rotation, translation = said.errors(said.fused())
    assert rotation < 1e-4
    assert translation < 1e-9


@given(seed=SEEDS, scaled=st.booleans())
@settings(max_examples=40, deadline=None)
def test_a_change_of_world_frame_changes_nothing(seed: int, scaled: bool) -> None:
    said = Said(seed)
    for index, degrees in enumerate(said.rng.uniform(-40, 40, 4)):
        said.turned(index, degrees)
    found = said.fused(scaled=scaled)
    other_from_world = said._poses(1)[0]
    said.references = other_from_world @ said.references
    there = said.fused(scaled=scaled)
    assert rotation_error(other_from_world @ found.pose, there.pose) < 1e-3
    assert translation_error(other_from_world @ found.pose, there.pose) < 1e-6
    assert there.support == pytest.approx(found.support, abs=1e-6)


def test_support_grows_with_certainty_and_with_agreement() -> None:
    said = Said(4)
    together = said.fused().support
    said.certainties = np.full(4, 0.2)
    assert 0 < said.fused().support < together
    said.certainties = np.full(4, 0.5)
    said.turned(0, 90.0)
    assert said.fused().support < together
    said.certainties = np.full(4, 1e-9)
    assert said.fused().support == pytest.approx(0, abs=1e-6)


def test_parallel_rays_without_lengths_still_give_a_place_ahead_of_the_references() -> None:
    references = Pose.from_rotation_translation(np.tile(np.eye(3), (2, 1, 1)), [[0, 0, 0], [2, 0, 0]])
    ahead = np.tile([0.0, 0.0, 1.0], (2, 1))
    found = fuse_poses(references, np.tile(np.eye(3), (2, 1, 1, 1)), ahead, np.full(2, 0.5))
    np.testing.assert_allclose(found.pose.translation, [1, 0, 2], atol=1e-6)


def test_of_several_possible_turns_that_counts_on_which_references_agree() -> None:
    """Every reference holds six turns possible, the true one among them, and thinks another one likelier."""
    said = Said(5)
    turns = Rotation.from_rotvec(np.radians(OFFSETS)[:, None] * [0, 1, 0]).as_matrix()
    rotations = said.rotations @ turns  # the first is true
    masses = np.full((4, 6), 0.0)
    for index, likelier in enumerate((1, 2, 4, 5)):
        masses[index, 0], masses[index, likelier] = 0.4, 0.6
    arguments = (said.references, rotations, said.directions, said.certainties)
    found = fuse_poses(*arguments, masses=masses, scales=said.scales, concentration=30.0)
    assert said.errors(found)[0] < 1
    same = fuse_poses(*arguments, masses=np.eye(6)[[3, 3, 3, 3]], scales=said.scales, concentration=30.0)
    assert said.errors(same)[0] == pytest.approx(180, abs=0.01)
