from __future__ import annotations

import numpy as np
import pytest
from relocbench.datasets.views import ViewSet
from relocbench.methods.baselines.oracle_nearest import OracleNearest
from relocbench.methods.baselines.random import RandomReference
from relocbench.methods.method import PrivilegedQuery, Query
from relocbench.sim.geometry import Camera, translation_error

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
