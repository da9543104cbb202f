from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from relocbench.datasets.views import ViewSet
from relocbench.errors import InputError
from relocbench.methods.conformance import check_method
from relocbench.methods.features.reciprocal_rank import reciprocal_ranks
from relocbench.methods.features.regions import semantic_regions
from relocbench.methods.method import PrivilegedQuery
from relocbench.methods.patch_netvlad.patches import ImageDescriptors
from relocbench.methods.registry import make_method, method_class
from relocbench.methods.scene_graph.classifier import GraphBatch, GraphClassifier, train_classifier, without_some_parts
from relocbench.methods.scene_graph.graph import (
    EDGE_FEATURES,
    SceneGraph,
    edge_description,
    graph_edges,
    labels_at,
    layout_of_image,
    scene_graph,
    stacked_regions,
)
from relocbench.methods.scene_graph.nodes import SegmentedImage, make_vocabulary, node_descriptors

ORACLE = {"segmentation": "oracle", "depth": "oracle"}
SEMANTICS = {"semantic", "reference semantic"}
NAMES = ["scene-graph", "scene-graph-vs", "image-synthesis"]


def random_boxes(count: int, seed: int = 0) -> np.ndarray:
    corners = np.sort(np.random.default_rng(seed).random((count, 2, 2)), axis=1)
    return np.concatenate([[[0.0, 0.0, 1.0, 1.0]], corners.reshape(-1, 4)])


def random_graph(rng: np.random.Generator, places: int, best: int | None = None) -> SceneGraph:
    boxes = random_boxes(int(rng.integers(0, 9)), seed=int(rng.integers(1 << 30)))
    distances = rng.random((len(boxes), places))
    if best is not None:
        distances[:, best] -= 1
    edges = graph_edges(boxes)
    return SceneGraph(reciprocal_ranks(distances), edges, edge_description(boxes, edges))


def features_of(seed: int, patches: int = 20) -> ImageDescriptors:
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((patches + 1, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    centres = rng.uniform(0, (40, 30), (patches, 2)).astype(np.float32)
    return ImageDescriptors(vectors[0], vectors[1:], centres, np.concatenate([centres - 4, centres + 4], axis=1))


def segmented(seed: int) -> SegmentedImage:
    semantic = np.random.default_rng(seed).integers(1, 5, (3, 4)).repeat(10, axis=0).repeat(10, axis=1)
    return SegmentedImage.of(semantic_regions(semantic.astype(np.uint16)), features_of(seed))


def test_parts_are_joined_where_their_boxes_overlap_and_all_with_the_whole() -> None:
    boxes = random_boxes(14)
    joined = set(map(tuple, graph_edges(boxes).T.tolist()))
    for i, a in enumerate(boxes):
        for j, b in enumerate(boxes):
            apart = a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
            assert ((i, j) in joined) == (i != j and (i == 0 or j == 0 or not apart))
    assert 2 * 14 < len(joined) < 15 * 14  # some overlap, some do not


def test_boxes_that_only_touch_do_not_overlap() -> None:
    boxes = np.array([[0, 0, 1, 1], [0, 0, 0.5, 1], [0.5, 0, 1, 1]])
    assert graph_edges(boxes).shape == (2, 4)


def test_an_edge_tells_how_its_ends_lie() -> None:
    boxes = np.array([[0, 0, 1, 1], [0.2, 0.1, 0.4, 0.5]])
    edges = graph_edges(boxes)
    forth = edge_description(boxes, edges)[(edges[0] == 1).argmax()]
    assert forth.shape == (EDGE_FEATURES,)
    assert forth[:6] == pytest.approx([-0.2, -0.2, 0.2, 0.4, -0.2, -0.2])
    assert forth[6] == pytest.approx(np.log(0.08) / 5)
    assert forth[7] == pytest.approx(0.08)
    both = edge_description(boxes, edges)
    assert both[0, 4:7] == pytest.approx(-both[1, 4:7])


def test_without_spatial_edges_only_what_is_joined_is_left() -> None:
    image = segmented(0)
    nodes = np.zeros((len(image.layout.boxes), 3))
    plain, spatial = (scene_graph(image.layout, nodes, spatial=flag) for flag in (False, True))
    assert np.array_equal(plain.edges, spatial.edges)
    assert not plain.description.any()
    assert spatial.description.any()


def test_a_patch_belongs_to_the_region_at_its_centre() -> None:
    semantic = np.repeat([[1, 2]], 20, axis=0).repeat(20, axis=1).astype(np.uint16)
    centres = np.array([[3.0, 5.0], [12.0, 15.0], [30.0, 5.0]])
    layout = layout_of_image(semantic_regions(semantic), centres)
    left = int(layout.boxes[2, 0] == 0)  # which of the two equal regions comes first is open
    assert layout.membership[0] == pytest.approx([1 / 3] * 3)
    assert layout.membership[1 + left] == pytest.approx([0.5, 0.5, 0])
    assert layout.membership[2 - left] == pytest.approx([0, 0, 1])


def test_a_part_without_a_patch_looks_like_the_nearest() -> None:
    semantic = np.ones((20, 40), dtype=np.uint16)
    semantic[2:6, 30:36] = 2
    layout = layout_of_image(semantic_regions(semantic), np.array([[5.0, 5.0], [25.0, 10.0], [38.0, 18.0]]))
    assert layout.membership[2].tolist() == [0, 1, 0]


def test_nodes_rank_prototypes_by_the_mean_distance_of_their_patches() -> None:
    images = [segmented(seed) for seed in range(6)]
    vocabulary, image = make_vocabulary("pnv-rrv", images), images[2]
    nodes = node_descriptors(vocabulary, image, image.layout, vocabulary.measure(image))
    label = image.regions.label[image.features.centres.astype(int).T[1], image.features.centres.astype(int).T[0]]
    for node in range(len(nodes)):
        mine = image.features.patches[label == node] if node else image.features.patches
        if len(mine) == 0:
            continue
        away = [
            np.linalg.norm(mine[:, None] - other.features.patches[None], axis=2).min(axis=1).mean() for other in images
        ]
        assert nodes[node] == pytest.approx(1 / (1 + np.argsort(np.argsort(away))))
    assert nodes[:, 2] == pytest.approx(1)  # its own prototype


@pytest.mark.parametrize("descriptor", ["pnv-rrv", "netvlad", "semantic"])
def test_an_image_is_likest_to_its_own_prototype(descriptor: Any) -> None:
    images = [segmented(seed) for seed in range(6)]
    vocabulary = make_vocabulary(descriptor, images)
    assert vocabulary.nbytes > 0
    for own, image in enumerate(images):
        away = vocabulary.dissimilarities(image, image.layout, vocabulary.measure(image))
        assert away.shape == (len(image.regions) + 1, 6)
        assert away[0].argmin() == own
        assert away[0, own] == pytest.approx(0, abs=1e-3)


def test_a_category_that_no_prototype_has_is_unlike_all_of_them() -> None:
    vocabulary = make_vocabulary("semantic", [segmented(seed) for seed in range(3)])
    strange = SegmentedImage.of(semantic_regions(np.full((30, 40), 150, dtype=np.uint16)), features_of(9))
    assert vocabulary.dissimilarities(strange, strange.layout, vocabulary.measure(strange))[1].tolist() == [1, 1, 1]


Trained = tuple[GraphClassifier, list[SceneGraph], np.ndarray]


@pytest.fixture(scope="module")
def trained() -> Trained:
    rng, places = np.random.default_rng(0), 5
    labels = np.arange(500) % places
    graphs = [random_graph(rng, places, best=(int(label) + 1) % places) for label in labels]
    return train_classifier(graphs, labels, places, synthesized=True, seed=0), graphs, labels


def test_the_classifier_learns_which_place_looks_like_another(trained: Trained) -> None:
    """The likest prototype is always the next class's: ranks alone would never be right, what was learned is."""
    network, _, _ = trained
    rng = np.random.default_rng(1)
    labels = np.arange(50) % 5
    answers = [network.probabilities(random_graph(rng, 5, best=(label + 1) % 5)).argmax() for label in labels]
    assert np.mean(answers == labels) > 0.7


def test_the_same_graphs_make_the_same_classifier_and_leave_others_alone(trained: Trained) -> None:
    state = torch.random.get_rng_state()
    _, graphs, labels = trained
    first = train_classifier(graphs[:70], labels[:70], 5, synthesized=True, seed=0)
    assert torch.equal(torch.random.get_rng_state(), state)
    torch.rand(7)
    second = train_classifier(graphs[:70], labels[:70], 5, synthesized=True, seed=0)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


def test_the_order_of_parts_does_not_matter(trained: Trained) -> None:
    network, graphs, _ = trained
    graph = max(graphs, key=lambda graph: len(graph.nodes))
    order = np.concatenate([[0], 1 + np.random.default_rng(0).permutation(len(graph.nodes) - 1)])
    number = np.argsort(order)
    shuffled = SceneGraph(graph.nodes[order], number[graph.edges][:, ::-1].copy(), graph.description[::-1].copy())
    assert network.probabilities(shuffled) == pytest.approx(network.probabilities(graph), abs=1e-5)


def test_graphs_do_not_see_each_other(trained: Trained) -> None:
    network, graphs, _ = trained
    with torch.no_grad():
        together = network(GraphBatch.of(graphs[:7])).softmax(dim=1).numpy()
    assert together == pytest.approx(np.stack([network.probabilities(graph) for graph in graphs[:7]]), abs=1e-5)


def test_where_a_part_lies_can_decide() -> None:
    """Ranks that say nothing: one place shows its part at the left of the image, the other at the right."""
    rng, labels = np.random.default_rng(0), np.arange(200) % 2
    ranks = reciprocal_ranks(np.zeros((2, 2)))
    graphs = [one_part(x, ranks) for x in 0.5 * labels + rng.uniform(0, 0.2, len(labels))]
    network = train_classifier(graphs, labels, 2, synthesized=True, seed=0)
    assert network.probabilities(one_part(0.1, ranks)).argmax() == 0
    assert network.probabilities(one_part(0.6, ranks)).argmax() == 1


def one_part(x: float, ranks: np.ndarray) -> SceneGraph:
    boxes = np.array([[0, 0, 1, 1], [x, 0.4, x + 0.2, 0.6]])
    edges = graph_edges(boxes)
    return SceneGraph(ranks, edges, edge_description(boxes, edges))


def test_before_it_has_learned_the_classifier_ranks_as_the_whole_image_does() -> None:
    torch.manual_seed(0)
    network = GraphClassifier(6).eval()
    ranks = reciprocal_ranks(np.random.default_rng(0).random((1, 6)))
    alone = SceneGraph(ranks, np.zeros((2, 0), dtype=np.int64), np.zeros((0, EDGE_FEATURES), dtype=np.float32))
    assert np.array_equal(np.argsort(-network.probabilities(alone)), np.argsort(-ranks[0]))


def test_dropping_parts_keeps_the_whole_and_the_edges_between_what_stays() -> None:
    graph = random_graph(np.random.default_rng(3), 4)
    rng = np.random.default_rng(0)
    for _ in range(5):
        fewer = without_some_parts(graph, rng)
        assert np.array_equal(fewer.nodes[0], graph.nodes[0])
        kept = [int(np.flatnonzero((graph.nodes == node).all(axis=1))[0]) for node in fewer.nodes]
        stays = np.isin(graph.edges, kept).all(axis=0)
        assert np.array_equal(np.array(kept)[fewer.edges], graph.edges[:, stays])
        assert np.array_equal(fewer.description, graph.description[stays])


def config_of(name: str, weights: str, **more: Any) -> dict[str, Any]:
    return {"weights": weights, **ORACLE, **({} if name == "scene-graph" else {"views": 3}), **more}


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_it_keeps_the_contract(name: str, place_checkpoint: str) -> None:
    method = method_class(name)
    check_method(method, method.Config.model_validate(config_of(name, place_checkpoint)))


@pytest.mark.parametrize(
    ("name", "descriptor"),
    [*((name, "pnv-rrv") for name in NAMES), ("scene-graph-vs", "netvlad"), ("scene-graph-vs", "semantic")],
)
def test_references_are_recognized(name: str, descriptor: str, place_checkpoint: str, box_references: ViewSet) -> None:
    references = box_references[:5]
    method = make_method(name, config_of(name, place_checkpoint, descriptor=descriptor))
    method.build_map(references)
    assert method.map_bytes() > 5 * len(references)
    first = []
    for view in references:
        answer = method.localize(PrivilegedQuery(view.image(), view.camera, semantic=view.semantic()))
        assert sorted(answer.ranking) == sorted(references.ids)
        assert 0 < answer.confidence <= 1
        first.append(answer.ranking[0] == view.id)
    assert np.mean(first) >= 0.6


def test_references_are_recognized_by_views_of_all_their_surfaces(
    place_checkpoint: str, box_references: ViewSet
) -> None:
    references = box_references[:5]
    answers = []
    for surfaces in ("own", "all"):
        method = make_method(
            "scene-graph-vs", config_of("scene-graph-vs", place_checkpoint, surfaces=surfaces, views=8)
        )
        method.build_map(references)
        asked = [PrivilegedQuery(view.image(), view.camera, semantic=view.semantic()) for view in references]
        answers.append([method.localize(query) for query in asked])
    own, everything = ([answer.confidence for answer in rows] for rows in answers)
    assert own != everything, "it learned from other views"
    first = [answer.ranking[0] == view.id for answer, view in zip(answers[1], references, strict=True)]
    assert np.mean(first) >= 0.6


@pytest.mark.parametrize(
    ("name", "config"),
    [
        ("image-synthesis", {}),
        ("scene-graph-vs", {"descriptor": "netvlad"}),
        ("scene-graph", {"descriptor": "semantic"}),
    ],
)
def test_surfaces_of_all_images_are_refused_where_they_cannot_be_seen_together(
    name: str, config: dict[str, Any], place_checkpoint: str
) -> None:
    with pytest.raises(InputError, match="surfaces"):
        make_method(name, config_of(name, place_checkpoint, surfaces="all", **config))


def test_regions_of_images_stand_below_each_other() -> None:
    images = [segmented(seed) for seed in range(3)]
    stack = stacked_regions([image.regions for image in images])
    height = images[0].regions.label.shape[0]
    before = 0
    for number, image in enumerate(images):
        centres = image.features.centres
        own = labels_at(image.regions.label, centres)
        below = labels_at(stack.label, centres + np.array([0, number * height]))
        assert np.array_equal(below, np.where(own > 0, own + before, 0))
        before += len(image.regions)
    assert len(stack) == before
    assert np.array_equal(stack.category, np.concatenate([image.regions.category for image in images]))
    for index, (x0, y0, x1, y1) in enumerate(stack.box.astype(int)):
        assert (stack.label == index + 1).sum() == (stack.label[y0:y1, x0:x1] == index + 1).sum() > 0


def test_a_query_takes_the_same_way_whether_views_were_synthesized_or_not() -> None:
    plain, synthesized, rendered = (method_class(name) for name in NAMES)
    assert plain.localize is synthesized.localize is rendered.localize
    assert plain.map_bytes is synthesized.map_bytes
    fields = [cls.Config.model_fields for cls in (plain, synthesized, rendered)]
    assert [set(field) for field in fields] == [set(fields[0])] * 3
    assert [field["views"].default > 0 for field in fields] == [False, True, True]


def test_the_map_grows_no_larger_with_more_views(place_checkpoint: str, box_references: ViewSet) -> None:
    sizes = []
    for views in (0, 2):
        method = make_method("scene-graph-vs", config_of("scene-graph-vs", place_checkpoint, views=views))
        method.build_map(box_references[:3])
        sizes.append(method.map_bytes())
    assert sizes[0] == sizes[1]


@pytest.mark.parametrize(
    ("name", "config", "privileges"),
    [
        ("scene-graph", {"segmentation": "oracle", "depth": "oracle"}, SEMANTICS),
        ("scene-graph-vs", {"segmentation": "oracle", "depth": "oracle"}, {*SEMANTICS, "reference depth"}),
        ("scene-graph-vs", {"segmentation": "oracle", "depth": "oracle", "views": 0}, SEMANTICS),
    ],
)
def test_what_it_is_given_of_the_truth_is_declared(
    name: str, config: dict[str, Any], privileges: set[str], place_checkpoint: str
) -> None:
    assert make_method(name, {**config, "weights": place_checkpoint}).privileges == privileges


def test_missing_weights_get_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nothing.safetensors: no such checkpoint") as caught:
        make_method("scene-graph", {**ORACLE, "weights": str(tmp_path / "nothing.safetensors")})
    assert "\n" not in str(caught.value)


def test_more_than_two_hundred_views_are_refused() -> None:
    with pytest.raises(InputError, match="views"):
        make_method("scene-graph-vs", {"views": 201})
