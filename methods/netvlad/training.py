"""Teach a `PlaceNetwork` which views show the same place, whatever the lights and from whichever side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from ..training.augmentation import jittered, seen_through, windows
from ..training.frames import HouseFrames, image_batch
from ..training.task import TrainingTask
from .network import PlaceConfig, PlaceNetwork

Array = NDArray[Any]

_HOUSES = 4  # in a batch: other houses are where half of the hard negatives come from
_OVERLAP = (0.25, 0.9)  # of two views of one place: they share enough to be told, and differ enough to teach something
_TEMPERATURE = 0.2  # of similarities: the smaller, the more the hardest negatives decide; 0.1 taught nothing at first
_SMALLEST_WINDOW = 0.75  # share of a frame's side that is seen, as through a longer lens
_WITHIN = 2.0  # metres: a view from further away is not the same place
_LEARNING_FRAMES = 3000  # from which the whitenings are learned
_PATCHES_PER_FRAME = 2  # of them
_SHRINKAGE = 0.1  # of the whitenings, see `Whitening.learn`
_TOGETHER = 32  # images that are encoded at once


class PlaceTask(TrainingTask[PlaceConfig]):
    """NetVLAD, from triplets: a view, another that overlaps it, and the most alike of those that show other places."""

    name = "netvlad"
    network: PlaceNetwork

    def make_network(self) -> PlaceNetwork:
        """Return the network, whose clusters the first batch decides."""
        return PlaceNetwork(self.config)

    def about(self) -> dict[str, Any]:
        """Return the pyramid's architecture."""
        return {"pyramid": self.config.model_dump()}

    def draw(self, houses: Sequence[HouseFrames], count: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Return ``count`` frames (B, 2), house and frame: pairs of neighbours in the list overlap.

        The lights of the two are any of the house's, so that most pairs are relit, and some easy enough to begin with.
        """
        chosen = rng.permutation(len(houses))[:_HOUSES]
        pairs: list[tuple[int, int]] = []
        for index in range(count // 2):
            house = int(chosen[index % len(chosen)])
            first, second = _overlapping_pair(houses[house], rng)
            pairs += [(house, first), (house, second)]
        return np.array(pairs, dtype=np.int64).reshape(-1, 2)

    def loss(self, houses: Sequence[HouseFrames], batch: NDArray[np.int64]) -> tuple[Tensor, dict[str, float]]:
        """Return the triplet loss with a soft margin (Hermans et al. 2017), negatives in the same house and in others.

        The hardest negative alone makes all vectors collapse into one; here each negative counts by how hard it is
        (Sohn, "Improved deep metric learning with multi-class N-pair loss objective", NIPS 2016). The log has the mean
        similarities of positives and of the hardest negatives.
        """
        images = self._images(houses, batch)
        if not self.network.initialised:
            self.network.initialise(self.network.features(images))
        vectors = self.network(images).float()
        # What all vectors share is taken away, as the whitening will: else it grows until it hides what they tell.
        vectors = functional.normalize(vectors - vectors.mean(dim=0), dim=1)
        with torch.autocast(self.device.type, enabled=False):  # half precision cannot tell vectors so much alike apart
            similarity = vectors @ vectors.T
        partner = torch.arange(len(batch), device=self.device) ^ 1  # the other one of a pair
        positive = similarity.gather(1, partner[:, None])
        losses, log = [], {"positive": float(positive.detach().mean())}
        for name, mask in zip(("within", "across"), _negatives(houses, batch), strict=True):
            negatives = torch.from_numpy(mask).to(self.device)
            found = negatives.any(dim=1)
            differences = (similarity - positive).masked_fill(~negatives, -torch.inf)[found]
            losses.append(functional.softplus(torch.logsumexp(differences / _TEMPERATURE, dim=1)))
            log[name] = float((similarity.detach().masked_fill(~negatives, -1).max(dim=1).values[found]).mean())
        return torch.cat(losses).mean(), log

    def _images(self, houses: Sequence[HouseFrames], batch: NDArray[np.int64]) -> Tensor:
        """Return a batch's images (B, 3, S, S) under other light and through windows; some houses are in a mirror."""
        images = image_batch(houses, batch, self.device)
        mirrored = torch.rand(len(houses), device=self.device)[torch.from_numpy(batch[:, 0])] < 0.5
        window = windows(len(batch), _SMALLEST_WINDOW, self.device)
        return jittered(seen_through(images, window, images.shape[-1], mirrored=mirrored))

    @torch.no_grad()
    def finish(self, houses: Sequence[HouseFrames]) -> None:
        """Learn the whitenings of images and of patches from frames drawn evenly from the houses."""
        rng = np.random.default_rng(0)
        frames = np.concatenate([_all_frames(index, house) for index, house in enumerate(houses)])
        frames = frames[np.sort(rng.permutation(len(frames))[:_LEARNING_FRAMES])]
        vectors, patches = [], []
        for images in self._batches(houses, frames):
            features = self.network.features(images)
            vectors.append(self.network.pool(features).cpu().numpy())
            of_patches = self.network.pool_patches(features).cpu().numpy()
            patches += [own[rng.permutation(len(own))[:_PATCHES_PER_FRAME]] for own in of_patches]
        self.network.whiten.learn(np.concatenate(vectors), shrinkage=_SHRINKAGE)
        self.network.whiten_patches.learn(np.concatenate(patches), shrinkage=_SHRINKAGE)

    @torch.no_grad()
    def quality(self, houses: Sequence[HouseFrames]) -> dict[str, float]:
        """Return recall@1: every other frame of a house is looked for among the others of the house.

        Found means that the nearest by L2 stands within 2 m and sees something in common. ``recall`` is over all
        queries, ``recall_possible`` over those that have such a frame at all, ``chance`` that of a blind guess.
        """
        found, possible, chance = [], [], []
        for house in houses:
            queries, database = np.arange(0, len(house), 2), np.arange(1, len(house), 2)
            right = _same_place(house)[np.ix_(queries, database)]
            batches = self._batches([house], _all_frames(0, house))
            vectors = torch.cat([self.network.encode(images) for images in batches]).cpu().numpy()
            nearest = (vectors[queries] @ vectors[database].T).argmax(axis=1)
            found.append(right[np.arange(len(queries)), nearest])
            possible.append(right.any(axis=1))
            chance.append(right.mean(axis=1))
        recall, share = np.concatenate(found).mean(), np.concatenate(possible).mean()
        return {
            "recall": float(recall),
            "recall_possible": float(recall / max(share, 1e-12)),
            "chance": float(np.concatenate(chance).mean()),
        }

    def _batches(self, houses: Sequence[HouseFrames], frames: Array) -> Iterator[Tensor]:
        for start in range(0, len(frames), _TOGETHER):
            yield image_batch(houses, frames[start : start + _TOGETHER], self.device)


def _all_frames(index: int, house: HouseFrames) -> Array:
    """Return (N, 2): the house and the number of each of its frames."""
    return np.stack([np.full(len(house), index), np.arange(len(house))], axis=1)


def _mutual_overlap(house: HouseFrames) -> Array:
    """Return (N, N): the mean of the share of each view that the other sees; 0 on the diagonal."""
    overlap = house.overlap.astype(np.float32)
    mutual = (overlap + overlap.T) / 2
    np.fill_diagonal(mutual, 0)
    return mutual


def _overlapping_pair(house: HouseFrames, rng: np.random.Generator) -> tuple[int, int]:
    """Return two frames of a house that overlap; any two where none do."""
    mutual = _mutual_overlap(house)
    overlapping = (mutual >= _OVERLAP[0]) & (mutual <= _OVERLAP[1])
    for candidates in (overlapping, mutual >= 0):
        first, second = np.nonzero(candidates)
        if len(first):
            break
    one = int(rng.choice(np.unique(first)))
    return one, int(rng.choice(second[first == one]))


def _negatives(houses: Sequence[HouseFrames], batch: Array) -> tuple[Array, Array]:
    """Return (B, B) twice: what shows another part of the same house, and what shows another house."""
    same_house = batch[:, 0][:, None] == batch[:, 0]
    unseen = np.zeros_like(same_house)
    for house in np.unique(batch[:, 0]):
        at = np.flatnonzero(batch[:, 0] == house)
        frames = batch[at, 1]
        overlap = houses[house].overlap[np.ix_(frames, frames)]
        unseen[np.ix_(at, at)] = (overlap == 0) & (overlap.T == 0) & (frames[:, None] != frames)
    return unseen, ~same_house


def _same_place(house: HouseFrames) -> Array:
    """Return (N, N): frames that stand within 2 m of each other and see something in common."""
    position = house.poses[:, :3, 3]
    near = np.linalg.norm(position[:, None] - position, axis=-1) <= _WITHIN
    return near & (_mutual_overlap(house) > 0)
