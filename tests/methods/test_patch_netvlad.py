from __future__ import annotations

from collections.abc import Callable

import faiss
import numpy as np
import pytest
import torch
from relocbench.datasets.protocols.cross_view.appearance import nbnn_distance
from relocbench.datasets.views import ViewSet
from relocbench.errors import InputError
from relocbench.methods.conformance import check_method
from relocbench.methods.features.nbnn import Prototypes
from relocbench.methods.features.reciprocal_rank import reciprocal_ranks
from relocbench.methods.method import Estimate, Method, Query
from relocbench.methods.netvlad.descriptor import NetVladConfig, NetVladDescriptor
from relocbench.methods.netvlad.netvlad import NetVlad
from relocbench.methods.netvlad.network import PlaceConfig, PlaceNetwork, patch_positions
from relocbench.methods.networks.checkpoints import load_network
from relocbench.methods.patch_netvlad.patch_netvlad import PatchNetVladConfig, PatchNetVladNbnn
from relocbench.methods.patch_netvlad.patches import PatchNetVlad


@pytest.fixture(scope="session")
def describe(place_checkpoint: str) -> PatchNetVlad:
    return PatchNetVlad(place_checkpoint)


@pytest.fixture
def network() -> PlaceNetwork:
    torch.manual_seed(0)
    network = PlaceNetwork(PlaceConfig(), words=4).eval().requires_grad_(False)
    network.initialise(network.features(torch.rand(4, 3, 96, 96)))
    return network


def unit(*shape: int, seed: int = 0) -> np.ndarray:
    vectors = np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def test_a_patch_is_the_vlad_of_its_own_positions(network: PlaceNetwork) -> None:
    features = network.features(torch.rand(2, 3, 96, 128))
    patches = network.pool_patches(features)
    positions = patch_positions(*features.shape[2:])
    assert patches.shape[:2] == (2, len(positions))
    for index, (x0, y0, x1, y1) in enumerate(positions):
        alone = network.pool(features[:, :, y0:y1, x0:x1])
        assert torch.allclose(patches[:, index], alone, atol=1e-4)


def test_vlad_sums_the_weighted_residuals_of_every_position(network: PlaceNetwork) -> None:
    features = network.features(torch.rand(1, 3, 64, 96))
    logits = network.assign(features)[0].flatten(1).T.numpy()
    weights = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    residuals = features[0].flatten(1).T.numpy()[:, None] - network.centroids.numpy()
    sums = (weights[:, :, None] * residuals).sum(axis=0)
    sums /= np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 0.1)  # faint words stay faint
    expected = sums.ravel() / np.linalg.norm(sums)
    assert network.pool(features)[0].numpy() == pytest.approx(expected, abs=1e-5)


def test_before_training_a_position_belongs_to_the_nearest_cluster(network: PlaceNetwork) -> None:
    features = network.features(torch.rand(2, 3, 96, 96))
    points = features.permute(0, 2, 3, 1).flatten(0, 2)
    nearest = torch.cdist(points, network.centroids).argmin(dim=1)
    chosen = network.assign(features).argmax(dim=1).flatten()
    assert (chosen == nearest).float().mean() > 0.999


def test_patches_lie_in_the_grid_and_none_twice() -> None:
    for rows, columns in ((20, 20), (20, 28), (12, 8)):
        positions = patch_positions(rows, columns)
        assert len(np.unique(positions, axis=0)) == len(positions)
        assert positions.min() == 0
        assert positions[:, 2].max() <= columns
        assert positions[:, 3].max() <= rows


@pytest.mark.parametrize("size", [(160, 160), (256, 256), (150, 200), (480, 640), (90, 60)])
def test_boxes_and_centres_are_in_the_given_image(describe: PatchNetVlad, size: tuple[int, int]) -> None:
    height, width = size
    found = describe(np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8))
    assert found.boxes.shape == (len(found.patches), 4)
    assert found.centres == pytest.approx((found.boxes[:, :2] + found.boxes[:, 2:]) / 2)
    assert found.boxes[:, 0].min() == 0
    assert found.boxes[:, 1].min() == 0
    assert found.boxes[:, 2].max() == pytest.approx(width)
    assert found.boxes[:, 3].max() == pytest.approx(height)
    assert (found.boxes[:, 2:] > found.boxes[:, :2]).all()
    for vectors in (found.vector[None], found.patches):
        assert vectors.dtype == np.float32
        assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("corner", [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_what_changes_in_one_corner_changes_the_patches_there_most(
    describe: PatchNetVlad, box_references: ViewSet, corner: tuple[int, int]
) -> None:
    image = box_references[0].image()  # 150 x 200
    changed = image.copy()
    region = (slice(75 * corner[0], 75 * corner[0] + 75), slice(100 * corner[1], 100 * corner[1] + 100))
    changed[region] = 255 - changed[region]
    before, after = describe(image), describe(changed)
    similarity = (before.patches * after.patches).sum(axis=1)
    small = before.boxes[:, 2] - before.boxes[:, 0] < 30
    quarter = (before.centres > np.array([100, 75])).astype(int)[:, ::-1]  # row, column
    means = {
        place: similarity[small & (quarter == place).all(axis=1)].mean() for place in [(0, 0), (0, 1), (1, 0), (1, 1)]
    }
    assert min(means, key=means.__getitem__) == corner


def test_the_vector_alone_is_the_vector_of_the_descriptors(
    describe: PatchNetVlad, place_checkpoint: str, box_references: ViewSet
) -> None:
    image = box_references[0].image()
    alone = NetVladDescriptor(NetVladConfig(weights=place_checkpoint))
    assert alone(image) == pytest.approx(describe(image).vector, abs=1e-6)


def test_half_precision_keeps_what_was_learned(
    place_network: PlaceNetwork, place_checkpoint: str, box_references: ViewSet
) -> None:
    stored = PlaceNetwork(PlaceConfig())
    load_network(stored, place_checkpoint, task="netvlad")
    images = torch.from_numpy(box_references[0].image()[:128, :192]).permute(2, 0, 1)[None].float() / 255
    with torch.inference_mode():
        features = place_network.features(images)
        vector, patches = place_network.pool(features), place_network.pool_patches(features)
        for exact, rounded in (
            (place_network.whiten(vector), stored.whiten(vector)),
            (place_network.whiten_patches(patches), stored.whiten_patches(patches)),
        ):
            assert (exact * rounded).sum(dim=-1).min() > 0.999


def test_a_missing_checkpoint_gets_one_line() -> None:
    with pytest.raises(InputError, match=r"no such checkpoint; 'relocbench train netvlad'"):
        NetVlad(NetVladConfig(weights="/nowhere/netvlad.safetensors"))


def test_nbnn_finds_the_nearest_of_each_prototype() -> None:
    sizes = [1, 300, 2, 7, 1100, 3, 40]
    sets = [unit(size, 16, seed=seed) for seed, size in enumerate(sizes)]
    patches = unit(130, 16, seed=99)
    distances = Prototypes(sets).distances(patches)
    assert distances.shape == (130, len(sizes))
    for column, vectors in zip(distances.T, sets, strict=True):
        squared, _ = faiss.knn(patches, vectors, 1)
        assert column == pytest.approx(np.sqrt(squared[:, 0]), abs=1e-3)
        assert column.mean() == pytest.approx(nbnn_distance(patches, vectors), abs=1e-4)


def test_nbnn_of_what_a_prototype_holds_is_zero() -> None:
    sets = [unit(20, 8, seed=seed) for seed in range(5)]
    distances = Prototypes(sets).distances(sets[3][::-1]).mean(axis=0)
    assert distances[3] == pytest.approx(0, abs=1e-3)
    assert np.delete(distances, 3).min() > 0.1


@pytest.mark.parametrize("sets", [[], [unit(2, 4), unit(0, 4)]])
def test_nbnn_refuses_prototypes_without_anything(sets: list[np.ndarray]) -> None:
    with pytest.raises(ValueError, match="none of them empty"):
        Prototypes(sets)


def test_reciprocal_ranks_follow_the_order_alone() -> None:
    distances = np.random.default_rng(0).random((3, 4, 10))
    ranks = reciprocal_ranks(distances)
    assert ranks.dtype == np.float32
    assert np.sort(ranks, axis=-1)[..., ::-1] == pytest.approx(np.broadcast_to(1 / np.arange(1, 11), ranks.shape))
    assert np.array_equal(ranks.argmax(axis=-1), distances.argmin(axis=-1))
    assert np.array_equal(ranks, reciprocal_ranks(np.exp(3 * distances) + 7))
    shuffle = np.random.default_rng(1).permutation(10)
    assert np.array_equal(ranks[..., shuffle], reciprocal_ranks(distances[..., shuffle]))


def test_equal_distances_keep_their_order_and_infinite_ones_get_nothing() -> None:
    assert reciprocal_ranks(np.array([2.0, 1.0, 1.0])) == pytest.approx([1 / 3, 1, 1 / 2])
    assert reciprocal_ranks(np.array([np.inf, 1.0])) == pytest.approx([0, 1])
    assert not reciprocal_ranks(np.full((2, 5), np.inf)).any()


@pytest.fixture(params=["netvlad", "patch-netvlad"])
def make(request: pytest.FixtureRequest, place_checkpoint: str) -> Callable[[], Method]:
    if request.param == "netvlad":
        return lambda: NetVlad(NetVladConfig(weights=place_checkpoint))
    return lambda: PatchNetVladNbnn(PatchNetVladConfig(weights=place_checkpoint))


def test_a_reference_is_nearest_to_itself(make: Callable[[], Method], box_references: ViewSet) -> None:
    method = make()
    method.build_map(box_references)
    for view in box_references[:5]:
        answer = method.localize(Query(view.image(), view.camera))
        assert isinstance(answer, Estimate)
        assert answer.ranking[0] == view.id
        assert sorted(answer.ranking) == sorted(box_references.ids)
        assert np.array_equal(answer.pose.matrix, view.pose.matrix)
        assert answer.confidence == pytest.approx(0, abs=2e-3)


def test_the_map_is_counted(make: Callable[[], Method], box_references: ViewSet) -> None:
    method = make()
    method.build_map(box_references[:1])
    one = method.map_bytes()
    method.build_map(box_references[:4])
    assert method.map_bytes() == 4 * one
    assert one >= 256 * 4


@pytest.mark.slow
@pytest.mark.parametrize(("method", "config"), [(NetVlad, NetVladConfig), (PatchNetVladNbnn, PatchNetVladConfig)])
def test_the_contract_is_kept(method: type[Method], config: type, place_checkpoint: str) -> None:
    check_method(method, config(weights=place_checkpoint))
