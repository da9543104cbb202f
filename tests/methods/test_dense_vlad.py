from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from relocbench.datasets.views import ViewSet
from relocbench.errors import InputError
from relocbench.methods.box_room import render_box
from relocbench.methods.dense_vlad.dense_vlad import DenseVlad
from relocbench.methods.dense_vlad.descriptor import DenseVladConfig
from relocbench.methods.method import Query
from relocbench.sim.geometry import Pose

SMALL = DenseVladConfig(words=32)


@pytest.fixture
def retrieval(fitted_folder: Path, box_references: ViewSet) -> DenseVlad:
    method = DenseVlad(SMALL)
    method.load(fitted_folder)
    method.build_map(box_references)
    return method


def test_a_reference_is_most_like_itself(retrieval: DenseVlad, box_references: ViewSet) -> None:
    for view in box_references:
        answer = retrieval.localize(Query(view.image(), view.camera))
        assert answer.ranking[0] == view.id
        assert answer.confidence == pytest.approx(1, abs=1e-5)
        assert sorted(answer.ranking) == sorted(box_references.ids)


def test_a_view_from_nearby_finds_its_reference(retrieval: DenseVlad, box_references: ViewSet) -> None:
    found = []
    for view in box_references:
        nearby = view.pose @ Pose.from_rotation_translation(np.eye(3), [0.05, 0.0, 0.03])
        answer = retrieval.localize(Query(render_box(nearby, view.camera, seed=2), view.camera))
        found.append(answer.ranking[0] == view.id)
        best = box_references.ids.index(answer.ranking[0])
        assert np.array_equal(answer.pose.matrix, box_references.poses[best].matrix)
    assert np.mean(found) > 0.95


def test_fitting_twice_writes_the_same_bytes(box_train: ViewSet, fitted_folder: Path, tmp_path: Path) -> None:
    again = DenseVlad(SMALL)
    again.fit(box_train)
    again.save(tmp_path)
    assert (tmp_path / "dense_vlad.npz").read_bytes() == (fitted_folder / "dense_vlad.npz").read_bytes()


def test_dimensions_are_limited_by_the_training_views(retrieval: DenseVlad, box_train: ViewSet) -> None:
    assert SMALL.dimensions > len(box_train)
    assert retrieval._retrieval.vectors.shape[1] == len(box_train) - 1
    assert np.linalg.norm(retrieval._retrieval.vectors, axis=1) == pytest.approx(1, abs=1e-5)


def test_training_views_are_drawn_evenly(box_train: ViewSet) -> None:
    few = DenseVlad(DenseVladConfig(words=8, training_views=4))
    few.fit(box_train)
    few.build_map(box_train)
    assert few._retrieval.vectors.shape[1] == 3


def test_too_few_training_views_get_one_line(box_train: ViewSet) -> None:
    with pytest.raises(InputError, match=r"1 training views with .* cannot give a vocabulary of 128 words"):
        DenseVlad().fit(box_train[:1])


def test_training_views_that_are_all_the_same_get_one_line(box_train: ViewSet) -> None:
    table = box_train.table.iloc[[0, 0, 0]]
    with pytest.raises(InputError, match="all look the same"):
        DenseVlad(SMALL).fit(ViewSet(table, box_train.root, depth_unit=0.001))


def test_a_missing_or_damaged_file_gets_one_line(fitted_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"dense_vlad.npz: missing or damaged"):
        DenseVlad(SMALL).load(tmp_path)
    whole = (fitted_folder / "dense_vlad.npz").read_bytes()
    for damaged in (whole[: len(whole) // 2], b"", b"not an archive"):
        (tmp_path / "dense_vlad.npz").write_bytes(damaged)
        with pytest.raises(InputError, match="missing or damaged"):
            DenseVlad(SMALL).load(tmp_path)


def test_what_another_configuration_learned_is_refused(fitted_folder: Path) -> None:
    with pytest.raises(InputError, match="other settings"):
        DenseVlad(DenseVladConfig(words=16)).load(fitted_folder)


def test_asking_before_fitting_says_so(box_references: ViewSet) -> None:
    with pytest.raises(RuntimeError, match="call fit or load first"):
        DenseVlad().build_map(box_references)
