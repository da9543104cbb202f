from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from relocbench.datasets.views import ViewSet
from relocbench.methods.baselines.blind_place import BlindPlace
from relocbench.methods.baselines.blind_pose import AheadConfig, BlindAhead, BlindMean, BlindMiddle
from relocbench.methods.baselines.oracle_nearest import OracleNearest
from relocbench.methods.baselines.random import RandomReference
from relocbench.methods.box_room import write_views
from relocbench.methods.method import Method, PrivilegedQuery, Query
from relocbench.sim.geometry import Camera, Pose, translation_error

IMAGE = np.zeros((8, 8, 3), dtype=np.uint8)
CAMERA = Camera.from_fov(8, 8, 90.0)


def test_the_oracle_is_as_near_as_any_reference(box_references: ViewSet, box_queries: ViewSet) -> None:
    oracle = OracleNearest()
    oracle.build_map(box_references)
    for pose in box_queries.poses:
        answer = oracle.localize(PrivilegedQuery(IMAGE, CAMERA, 0, pose))
        distances = translation_error(box_references.poses, pose)
        ranked = distances[[box_references.ids.index(item) for item in answer.ranking]]
        assert translation_error(answer.pose, pose) == distances.min()
        assert (np.diff(ranked) >= 0).all()
        assert sorted(answer.ranking) == sorted(box_references.ids)


def test_the_oracle_refuses_a_query_without_truth(box_references: ViewSet) -> None:
    oracle = OracleNearest()
    oracle.build_map(box_references)
    for query in (Query(IMAGE, CAMERA), PrivilegedQuery(IMAGE, CAMERA, 0)):
        with pytest.raises(TypeError, match="PrivilegedQuery with its pose"):
            oracle.localize(query)


def test_a_guess_ranks_every_reference_first_equally_often(box_references: ViewSet) -> None:
    guess = RandomReference()
    guess.build_map(box_references)
    answers = [guess.localize(Query(IMAGE, CAMERA, seed)) for seed in range(4800)]
    firsts = np.array([box_references.ids.index(answer.ranking[0]) for answer in answers])
    expected = len(answers) / len(box_references)
    chi_squared = ((np.bincount(firsts, minlength=len(box_references)) - expected) ** 2 / expected).sum()
    assert chi_squared < 49.7, "beyond the 99.9th percentile of chi squared with 23 degrees of freedom"
    assert all(sorted(answer.ranking) == box_references.ids for answer in answers[:10])


def test_a_guess_answers_with_the_pose_that_it_ranks_first(box_references: ViewSet) -> None:
    guess = RandomReference()
    guess.build_map(box_references)
    answer = guess.localize(Query(IMAGE, CAMERA, 3))
    first = box_references.ids.index(answer.ranking[0])
    assert np.array_equal(answer.pose.matrix, box_references.poses[first].matrix)


def corners(folder: Path) -> ViewSet:
    """Return four cameras in the corners of a square of 3 m that face the point (2.5, 2, 1.4) in its middle."""
    eyes = [[1, 0.5, 1.6], [4, 0.5, 1.6], [4, 3.5, 1.6], [1, 3.5, 1.6]]
    return write_views(folder, Pose.look_at(eyes, [2.5, 2, 1.4]), seed=1, role="reference", name="corners")


def answer(method: Method, references: ViewSet, seed: int = 0) -> Pose:
    method.build_map(references)
    return method.localize(Query(IMAGE, CAMERA, seed)).pose


@pytest.mark.parametrize("cls", [BlindAhead, BlindMean, BlindMiddle])
def test_a_blind_camera_is_level(cls: type[Method], box_references: ViewSet) -> None:
    rotation = answer(cls(), box_references, seed=5).rotation
    assert rotation[2, 2] == pytest.approx(0, abs=1e-12), "the optical axis meets the horizon"
    assert rotation[:, 1] == pytest.approx([0, 0, -1], abs=1e-12), "the image's y axis points down"


def test_blind_answers_move_with_the_world(tmp_path: Path) -> None:
    """A world that is shifted and turned about the vertical has answers that are shifted and turned as it is."""
    references = corners(tmp_path)[:3]
    moved_from_world = Pose.from_rotation_translation([[0, -1, 0], [1, 0, 0], [0, 0, 1]], [7, -2, 1])
    poses = moved_from_world @ references.poses
    moved = write_views(tmp_path / "moved", poses, seed=1, role="reference", name="corners")
    for cls in (BlindAhead, BlindMean, BlindMiddle):
        expected = moved_from_world @ answer(cls(), references, seed=3)
        assert answer(cls(), moved, seed=3).matrix == pytest.approx(expected.matrix, abs=1e-9), cls.name


def test_ahead_of_a_camera_stands_ahead_of_each_of_them_equally_often(tmp_path: Path) -> None:
    references = corners(tmp_path)
    ahead = BlindAhead(AheadConfig(distance=1.5))
    ahead.build_map(references)
    poses = Pose.stack(ahead.localize(Query(IMAGE, CAMERA, seed)).pose for seed in range(1000))
    relative = references.poses.inverse().matrix[:, None] @ poses.matrix[None]
    stands = np.linalg.norm(relative[..., :3, 3] - [0, 0, 1.5], axis=-1) < 1e-9
    assert (stands.sum(axis=0) == 1).all()
    assert stands.sum(axis=1) == pytest.approx(250, abs=50), "3.6 standard deviations"


def test_the_mean_query_and_the_middle_are_where_the_corners_meet(tmp_path: Path) -> None:
    references = corners(tmp_path)
    middle = answer(BlindMiddle(), references).translation
    assert middle == pytest.approx([2.5, 2, 1.6]), "as high as the references"
    mean = answer(BlindMean(), references).translation
    assert mean[:2] == pytest.approx([2.5, 2])
    assert 1.2 < mean[2] < 1.6, "between the heights of which corner cameras look down"
    alone = answer(BlindMean(), references[:1])
    assert alone.relative_to(references.poses[0]).translation == pytest.approx([0, 0, 2.3], abs=1e-9)


def test_a_place_behind_another_is_named_after_it(tmp_path: Path) -> None:
    """Of two points on one line of sight, nearly all cameras between the references and the points see one first."""
    poses = Pose.from_planar([[1.3, 1.0], [1.0, 1.0]], height=1.4, yaw=0.0)
    references = write_views(tmp_path, poses, seed=1, role="reference", name="places")
    place = BlindPlace()
    place.build_map(references)
    assert place.localize(Query(IMAGE, CAMERA, 0)).ranking == tuple(references.ids[::-1])


def test_two_places_back_to_back_share_the_views(tmp_path: Path) -> None:
    poses = Pose.from_planar([[2.0, 2.0], [3.0, 2.0]], height=1.4, yaw=[np.pi, 0.0])
    references = write_views(tmp_path, poses, seed=1, role="reference", name="places")
    place = BlindPlace()
    place.build_map(references)
    assert place.localize(Query(IMAGE, CAMERA, 0)).confidence == pytest.approx(0.5, abs=0.01)
