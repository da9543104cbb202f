"""Semantic histograms: paths are all counted, regions touch where they do, and the same surroundings match."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
from relocbench.datasets.views import ViewSet
from relocbench.methods.conformance import check_method
from relocbench.methods.features.regions import semantic_regions
from relocbench.methods.method import Estimate, Failure, PrivilegedQuery, Query
from relocbench.methods.semantic_histogram.label_graph import REACH, label_histograms, touching
from relocbench.methods.semantic_histogram.semantic_histogram import SemanticHistogram, SemanticHistogramConfig
from relocbench.sim.geometry import Camera

CAMERA = Camera.from_fov(64, 64, 90.0)
ORACLE = SemanticHistogramConfig(segmentation="oracle")


def random_graph(seed: int, nodes: int = 9) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    upper = np.triu(rng.random((nodes, nodes)) < 0.4, 1)
    return rng.integers(1, 4, nodes), upper | upper.T


@pytest.mark.parametrize("seed", range(4))
def test_a_histogram_counts_every_path_of_labels(seed: int) -> None:
    """How many paths there are, and between which ends, is what powers of the adjacency matrix say."""
    labels, adjacent = random_graph(seed)
    powers = np.linalg.matrix_power(adjacent.astype(int), 2)
    for node, histogram in enumerate(label_histograms(labels, adjacent, 3)):
        assert sum(histogram.values()) == powers[node].sum()
        for last in set(labels.tolist()):
            ending = sum(times for path, times in histogram.items() if path[-1] == last)
            assert ending == powers[node][labels == last].sum()
        assert all(len(path) == 3 and path[0] == labels[node] for path in histogram)
        middle = sum(times for path, times in histogram.items() if path[1] == labels[0])
        degree = adjacent.sum(axis=1)
        assert middle == sum(degree[n] for n in np.flatnonzero(adjacent[node]) if labels[n] == labels[0])


def test_the_order_of_nodes_changes_no_histogram() -> None:
    labels, adjacent = random_graph(7)
    order = np.random.default_rng(0).permutation(len(labels))
    shuffled = label_histograms(labels[order], adjacent[np.ix_(order, order)], 3)
    original = label_histograms(labels, adjacent, 3)
    assert [original[i] for i in order] == shuffled


def test_regions_touch_across_a_seam_and_no_wider_gap() -> None:
    semantic = np.zeros((60, 90), dtype=np.uint16)
    semantic[:, :30], semantic[:30, 30 + REACH - 1 : 60], semantic[:30, 60 + REACH :] = 1, 2, 3
    regions = semantic_regions(semantic)
    names = regions.category.tolist()
    adjacent = touching(regions.label, len(regions))
    joined = {frozenset((names[i], names[j])) for i, j in np.argwhere(adjacent)}
    assert joined == {frozenset({1, 2})}
    assert np.array_equal(adjacent, adjacent.T)
    assert not adjacent.diagonal().any()
    assert touching(np.zeros((4, 4), dtype=np.int32), 0).shape == (0, 0)


def room(*furniture: int) -> np.ndarray:
    """Return a semantic map: a wall over a floor, furniture in a row between them."""
    semantic = np.full((64, 64), 1, dtype=np.uint16)
    semantic[40:] = 2
    for place, category in enumerate(furniture):
        semantic[28:52, 4 + 20 * place : 18 + 20 * place] = category
    return semantic


ROOMS = {"kitchen": room(10, 11, 12), "bath": room(20, 21), "office": room(30, 31, 10)}


@pytest.fixture(scope="module")
def references(tmp_path_factory: pytest.TempPathFactory, box_references: ViewSet) -> ViewSet:
    """Three views that differ in their semantic maps."""
    folder: Path = tmp_path_factory.mktemp("rooms")
    for name, semantic in ROOMS.items():
        cv2.imwrite(str(folder / f"{name}.png"), semantic)
    table: pd.DataFrame = box_references.table.iloc[:3].assign(view=list(ROOMS))
    return ViewSet(table.assign(semantic=[f"{name}.png" for name in ROOMS]), folder, depth_unit=0.001)


def ask(references: ViewSet, semantic: np.ndarray, config: SemanticHistogramConfig = ORACLE) -> Estimate | Failure:
    method = SemanticHistogram(config)
    method.build_map(references)
    return method.localize(PrivilegedQuery(np.zeros((64, 64, 3), np.uint8), CAMERA, 0, semantic=semantic))


@pytest.mark.parametrize("name", ROOMS)
@pytest.mark.parametrize("length", [1, 2, 3, 4])
def test_a_view_matches_itself_perfectly_and_mirrored(references: ViewSet, name: str, length: int) -> None:
    config = SemanticHistogramConfig(segmentation="oracle", path_length=length)
    for semantic in (ROOMS[name], ROOMS[name][:, ::-1]):
        answer = ask(references, semantic, config)
        assert answer.ranking[0] == name
        assert sorted(answer.ranking) == sorted(ROOMS)
        assert answer.confidence == pytest.approx(1)
        assert np.array_equal(answer.pose.matrix, references.poses[list(ROOMS).index(name)].matrix)


def test_what_is_around_a_thing_decides_and_not_only_that_it_is_there(references: ViewSet) -> None:
    """Both the kitchen and the office have a 10; what stands beside it tells them apart."""
    answer = ask(references, room(10, 31))
    assert answer.ranking[0] == "office"
    assert answer.confidence < 1


def test_a_thing_unknown_to_the_map_costs_its_share(references: ViewSet) -> None:
    known, more = ask(references, room(20, 21)), ask(references, room(20, 21, 99))
    assert more.ranking[0] == "bath"
    assert more.confidence < known.confidence - 0.1


def test_without_a_region_it_fails_and_says_why(references: ViewSet) -> None:
    answer = ask(references, np.zeros((64, 64), np.uint16))
    assert answer == Failure("no region of a known category")


def test_the_simulators_map_is_a_privilege_and_is_asked_for() -> None:
    assert SemanticHistogram(ORACLE).privileges == {"semantic", "reference semantic"}
    method = SemanticHistogram(ORACLE)
    with pytest.raises(TypeError, match="semantic map"):
        method.localize(Query(np.zeros((64, 64, 3), np.uint8), CAMERA))


def test_it_keeps_the_contract() -> None:
    check_method(SemanticHistogram, ORACLE)
