from __future__ import annotations

import numpy as np
import pytest
import torch
from relocbench.methods.netvlad.network import PlaceConfig, PlaceNetwork
from relocbench.methods.netvlad.training import PlaceTask, _negatives
from relocbench.methods.training.frames import HouseFrames

_SIDE = 64
_PLACES = 6
_FRAMES = 18  # three of each place, each under its own lights


def house(seed: int, *, overlap: float = 0.5) -> HouseFrames:
    """Return frames of places that stand 10 m apart, each with its own pattern, seen by three frames 1 m apart."""
    rng = np.random.default_rng(seed)
    patterns = rng.integers(0, 255, (_PLACES, _SIDE // 8, _SIDE // 8, 3)).repeat(8, axis=1).repeat(8, axis=2)
    place, condition = np.divmod(np.arange(_FRAMES), 3)
    brightness = np.array([1.0, 0.7, 0.5])[condition]
    noise = rng.normal(0, 5, (_FRAMES, _SIDE, _SIDE, 3))
    rgb = np.clip(patterns[place] * brightness[:, None, None, None] + noise, 0, 255).astype(np.uint8)
    poses = np.tile(np.eye(4), (_FRAMES, 1, 1))
    poses[:, 0, 3] = 10 * place + condition - 1
    seen = np.where(place[:, None] == place, overlap, 0).astype(np.float16)
    none = np.zeros((_FRAMES, 0, 0))
    return HouseFrames(rgb, none, none, poses, seen, condition)


def teaching(network: torch.nn.Module) -> PlaceTask:
    task = PlaceTask()
    task.network = network
    return task


@pytest.fixture(scope="module")
def houses() -> list[HouseFrames]:
    return [house(seed) for seed in range(6)]


@pytest.fixture
def task() -> PlaceTask:
    torch.manual_seed(0)
    return teaching(PlaceNetwork(PlaceConfig(), words=8, dimensions=16, patch_dimensions=8))


def test_pairs_overlap_and_most_are_relit(task: PlaceTask, houses: list[HouseFrames]) -> None:
    batch = task.draw(houses, 32, np.random.default_rng(0))
    assert batch.shape == (32, 2)
    assert len(np.unique(batch[:, 0])) == 4
    relit = 0
    for (house_index, first), (other, second) in zip(batch[::2], batch[1::2], strict=True):
        frames = houses[house_index]
        assert other == house_index
        assert frames.overlap[first, second] > 0
        assert first != second
        relit += frames.condition[first] != frames.condition[second]
    assert relit > 8


def test_a_house_without_overlapping_frames_still_gives_pairs(task: PlaceTask) -> None:
    batch = task.draw([house(0, overlap=0.0)], 8, np.random.default_rng(0))
    assert batch.shape == (8, 2)


def test_negatives_never_show_the_place_of_the_anchor(houses: list[HouseFrames], task: PlaceTask) -> None:
    batch = task.draw(houses, 32, np.random.default_rng(1))
    within, across = _negatives(houses, batch)
    same_house = batch[:, 0][:, None] == batch[:, 0]
    same_place = same_house & (batch[:, 1][:, None] // 3 == batch[:, 1] // 3)
    assert np.array_equal(within, same_house & ~same_place)
    assert np.array_equal(across, ~same_house)


def test_training_tells_places_apart(task: PlaceTask, houses: list[HouseFrames]) -> None:
    torch.manual_seed(0)
    optimizer = torch.optim.AdamW(task.network.parameters(), lr=1e-3)
    batch = task.draw(houses, 16, np.random.default_rng(0))
    losses = []
    for _ in range(12):
        loss, _ = task.loss(houses, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert task.network.initialised
    assert losses[-1] < losses[0] / 4


def test_the_clusters_are_set_once_and_that_survives_a_resume(task: PlaceTask, houses: list[HouseFrames]) -> None:
    batch = task.draw(houses, 16, np.random.default_rng(0))
    before = task.network.centroids.clone()
    task.loss(houses, batch)
    first = task.network.centroids.clone()
    assert not torch.equal(before, first)
    resumed = teaching(PlaceNetwork(PlaceConfig(), words=8, dimensions=16, patch_dimensions=8))
    resumed.network.load_state_dict(task.network.state_dict())
    resumed.loss(houses, task.draw(houses, 16, np.random.default_rng(5)))
    assert torch.equal(resumed.network.centroids, first)


def test_quality_counts_what_a_perfect_or_blind_network_finds(task: PlaceTask, houses: list[HouseFrames]) -> None:
    # of three frames in a row every other one is a query: each place has one or two of them, and finds the rest
    place, query = np.divmod(np.arange(_FRAMES), 3)[0], np.arange(_FRAMES) % 2 == 0
    right = place[query][:, None] == place[~query]
    mean = houses[0].rgb.astype(float).mean(axis=(1, 2))

    class Perfect(PlaceNetwork):
        def encode(self, images: torch.Tensor) -> torch.Tensor:
            found = np.rint(images.mean(dim=(2, 3)).numpy() * 255)
            known = np.stack([np.linalg.norm(mean - row, axis=1).argmin() for row in found]) // 3
            return torch.eye(_PLACES)[known]

    class Blind(PlaceNetwork):
        def encode(self, images: torch.Tensor) -> torch.Tensor:
            return torch.ones(len(images), 1)

    perfect = teaching(Perfect(PlaceConfig())).quality([houses[0]])
    assert perfect["recall"] == 1
    assert perfect["recall_possible"] == 1
    assert perfect["chance"] == pytest.approx(right.mean())
    blind = teaching(Blind(PlaceConfig())).quality([houses[0]])
    assert blind["recall"] == pytest.approx(right[:, 0].mean())


def test_whitening_spreads_what_was_alike(task: PlaceTask, houses: list[HouseFrames]) -> None:
    batch = task.draw(houses, 16, np.random.default_rng(0))
    task.loss(houses, batch)
    task.network.eval().requires_grad_(False)
    images = torch.from_numpy(houses[0].rgb).permute(0, 3, 1, 2).float() / 255
    before = task.network.encode(images)
    task.finish(houses)
    after = task.network.encode(images)
    assert after.shape == (_FRAMES, 16)
    assert (after @ after.T).mean() < (before @ before.T).mean() / 2
    assert torch.isfinite(task.network.describe(images)[1]).all()
