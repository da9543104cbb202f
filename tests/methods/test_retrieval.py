from __future__ import annotations

from importlib.metadata import EntryPoint

import numpy as np
import pytest
from relocbench import registry
from relocbench.errors import InputError
from relocbench.methods.method import Estimate, Query
from relocbench.methods.registry import make_method
from relocbench.methods.retrieval.descriptor import Descriptor
from relocbench.methods.retrieval.spread import SpreadConfig
from relocbench.sim.geometry import Pose


class Brightness(Descriptor):
    """What a package might bring: nothing to learn, nothing to configure."""

    name = "brightness"

    def __call__(self, image):
        return np.array([image.mean()])

    def similarity(self, vectors, others):
        return -np.abs(vectors - others.T).squeeze()


@pytest.fixture
def brightness(monkeypatch):
    point = EntryPoint("brightness", f"{__name__}:Brightness", "relocbench.descriptors")
    monkeypatch.setattr(EntryPoint, "load", lambda self: Brightness)
    monkeypatch.setattr(registry, "entry_points", lambda group: [point] if group == point.group else [])


def test_a_descriptor_of_a_package_is_chosen_by_configuration(brightness, box_references):
    retrieving = make_method("retrieval", {"descriptor": "brightness"})
    assert not retrieving.needs_fit
    retrieving.build_map(box_references)
    view = box_references[3]
    answer = retrieving.localize(Query(view.image(), view.camera))
    assert answer.ranking[0] == view.id
    posing = make_method("sift-5pt", {"retrieval": {"descriptor": "brightness"}, "fallback": "retrieval"})
    posing.build_map(box_references)
    assert posing.localize(Query(view.image(), view.camera)).ranking == answer.ranking
    with pytest.raises(InputError, match=r"unknown configuration key 'retrieval.words'; allowed: descriptor"):
        make_method("sift-5pt", {"retrieval": {"descriptor": "brightness", "words": 16}})


def test_whatever_retrieves_with_a_descriptor_ranks_as_the_method_of_its_name(place_checkpoint, box_references):
    weights = {"weights": place_checkpoint}
    chosen = {"descriptor": "netvlad", **weights}
    methods = [
        make_method("netvlad", weights),
        make_method("retrieval", chosen),
        make_method("sift-pnp", {"retrieval": chosen, "fallback": "retrieval"}),
    ]
    rankings = set()
    for method in methods:
        assert not method.needs_fit
        method.build_map(box_references)
        rankings.add(method.localize(Query(box_references[3].image(), box_references[3].camera)).ranking)
    assert len(rankings) == 1


def test_the_descriptors_settings_are_part_of_what_is_recorded():
    config = make_method("sift-5pt", {"retrieval": {"words": 16}}).config.model_dump(mode="json")["retrieval"]
    assert (config["descriptor"], config["words"], config["dimensions"]) == ("dense-vlad", 16, 512)
    assert (
        make_method("sift-5pt", {"retrieval": config}).fit_identity()
        == make_method("dense-vlad", {"words": 16}).fit_identity()
    )


def test_a_ranking_is_by_score_and_equal_scores_keep_their_order():
    poses = Pose.from_rotation_translation(np.stack([np.eye(3)] * 4), np.arange(12.0).reshape(4, 3))
    answer = Estimate.ranked(["a", "b", "c", "d"], poses, np.array([0.5, 2.0, 0.5, 2.0]))
    assert answer.ranking == ("b", "d", "a", "c")
    assert np.array_equal(answer.pose.matrix, poses[1].matrix)
    assert answer.confidence == 2.0


def test_selected_references_stand_apart():
    centres = np.array([[0, 0, 0], [0.04, 0, 0], [1, 0, 0], [10.5, 0, 0], [1.02, 0, 0], [2, 0, 0], [3, 0, 0.0]])
    order = np.arange(len(centres))
    assert SpreadConfig().select(order, centres, 5) == [0, 2, 5, 6]
    assert SpreadConfig().select(order, centres, 2) == [0, 2]
    assert SpreadConfig(min_distance=0, max_distance=100).select(order[::-1], centres, 9) == list(order[::-1])


def test_what_ships_learned_serves_the_default_settings_alone(box_references):
    retrieving = make_method("dense-vlad")
    folder = retrieving.pretrained()
    retrieving.load(folder)
    retrieving.build_map(box_references)
    for view in box_references[:4]:
        assert retrieving.localize(Query(view.image(), view.camera)).ranking[0] == view.id
    assert all(make_method(name).pretrained() == folder for name in ("retrieval", "sift-5pt", "sift-pnp", "exrenet"))
    others = [("dense-vlad", {"words": 16}), ("sift-5pt", {"retrieval": {"step": 8}}), ("netvlad", {}), ("random", {})]
    assert [make_method(name, config).pretrained() for name, config in others] == [None] * 4
