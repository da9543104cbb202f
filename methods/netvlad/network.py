"""`PlaceNetwork`: NetVLAD over a feature pyramid, of a whole image and of its patches.

The global descriptor follows Arandjelovic et al., "NetVLAD", CVPR 2016, the patches Hausler et al., "Patch-NetVLAD",
CVPR 2021: the same clusters and soft assignment, pooled over squares of several sizes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from ..features.vlad import Whitening, learn_vocabulary
from ..networks.checkpoints import checkpoint_path, load_network
from ..networks.feature_pyramid import FeaturePyramid, PyramidConfig, pyramid_of

#: Pixels of the network's image between neighbouring positions of the features that are pooled.
POSITION_STEP = 8
#: The patches: their sides and the distance between neighbours, in positions. Hausler et al. pool 2, 5 and 8 positions
#: of a 40 x 30 grid at every position; so many would make the comparison with 100 images too slow for a query.
PATCH_SIZES = ((2, 2), (5, 2), (8, 2))

#: How much more the nearest cluster weighs than the second nearest, on average, before training. It is 100 in
#: Arandjelovic's code; so sharp an assignment hardly lets gradients through to features that start from another task.
_FIRST_TO_SECOND = 5.0

#: Length of a word's sum, in unit residuals, below which intra-normalisation does not make it as long as the others: a
#: patch that hardly has the word says nothing by its direction, and rounding would decide it.
_FAINTEST_WORD = 0.1


class PlaceConfig(PyramidConfig):
    """What decides the network's architecture; a checkpoint says which it has."""

    channels: int = Field(default=64, ge=1)
    """Features per position: the vector of an image has 32 times as many numbers before it is whitened."""

    deepest: Literal[8, 16, 32] = 32
    """The largest stride that features are made from."""


class PlaceNetwork(nn.Module):
    """Turns images (B, 3, H, W) in [0, 1], sides multiples of 32, into vectors that tell how alike places are.

    ``words`` clusters; ``dimensions`` and ``patch_dimensions`` are those of the whitened vectors of images and patches.
    """

    initialised: Tensor

    def __init__(
        self, pyramid: PlaceConfig, words: int = 32, dimensions: int = 256, patch_dimensions: int = 64
    ) -> None:
        super().__init__()
        self.pyramid = FeaturePyramid(pyramid)
        channels = self.pyramid.channels
        # What all positions have in common would be most of every residual: it goes before lengths are normalised.
        self.centre = nn.BatchNorm2d(channels, affine=False)
        self.assign = nn.Conv2d(channels, words, 1)
        self.centroids = nn.Parameter(functional.normalize(torch.randn(words, channels), dim=1))
        self.whiten = _Whiten(words * channels, dimensions)
        self.whiten_patches = _Whiten(words * channels, patch_dimensions)
        self.register_buffer("initialised", torch.zeros((), dtype=torch.bool))

    def features(self, images: Tensor) -> Tensor:
        """Return the descriptors (B, C, H/8, W/8) of all positions, unit length."""
        return functional.normalize(self.centre(self.pyramid(images)[1]), dim=1)

    def forward(self, images: Tensor) -> Tensor:
        """Return the VLAD vectors (B, words * C), unit length, not whitened: what training compares."""
        return self.pool(self.features(images))

    def encode(self, images: Tensor) -> Tensor:
        """Return the vectors (B, D) that images are compared by: whitened, once the whitening is learned."""
        vectors = self(images)
        return self.whiten(vectors) if self.whiten.learned else vectors

    def describe(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return vectors (B, dimensions) and patches (B, P, patch_dimensions), whitened, of unit length."""
        features = self.features(images)
        return self.whiten(self.pool(features)), self.whiten_patches(self.pool_patches(features))

    def pool(self, features: Tensor) -> Tensor:
        """Return VLAD vectors (B, words * C) of all positions: equation 4 of NetVLAD."""
        assignment = self.assign(features).softmax(dim=1).flatten(2)  # (B, words, positions)
        sums = assignment @ features.flatten(2).transpose(1, 2)
        return _normalised(sums - assignment.sum(dim=2, keepdim=True) * self.centroids)

    def pool_patches(self, features: Tensor) -> Tensor:
        """Return VLAD vectors (B, P, words * C) of the patches whose positions are `patch_positions` of the grid.

        Residuals are summed over the grid once, and each patch is four look-ups in the sums: "IntegralVLAD", section
        3.4 of Patch-NetVLAD.
        """
        assignment = self.assign(features).softmax(dim=1).permute(0, 2, 3, 1)  # (B, h, w, words)
        residuals = features.permute(0, 2, 3, 1).unsqueeze(3) - self.centroids  # (B, h, w, words, C)
        sums = _integral((residuals * assignment.unsqueeze(4)).flatten(3))
        patches = []
        for side, step in PATCH_SIZES:
            first, last = slice(None, -side, step), slice(side, None, step)
            inside = sums[:, last, last] - sums[:, first, last] - sums[:, last, first] + sums[:, first, first]
            patches.append(inside.flatten(1, 2))
        return _normalised(torch.cat(patches, dim=1).unflatten(2, self.centroids.shape))

    @torch.no_grad()
    def initialise(self, features: Tensor) -> None:
        """Set the clusters by k-means of features (B, C, h, w), and an assignment that all but picks the nearest."""
        points = features.permute(0, 2, 3, 1).flatten(0, 2).float().cpu().numpy()
        centroids = learn_vocabulary(points, len(self.centroids), seed=0)
        squared = (points**2).sum(axis=1)[:, None] - 2 * points @ centroids.T + (centroids**2).sum(axis=1)
        nearest = np.partition(squared, 1, axis=1)[:, :2]
        sharpness = float(np.log(_FIRST_TO_SECOND) / np.maximum((nearest[:, 1] - nearest[:, 0]).mean(), 1e-6))
        self.centroids.copy_(torch.from_numpy(centroids))
        self.assign.weight.copy_(2 * sharpness * self.centroids[:, :, None, None])
        assert self.assign.bias is not None
        self.assign.bias.copy_(-sharpness * (self.centroids**2).sum(dim=1))
        self.initialised.fill_(True)


def open_place_network(weights: str) -> PlaceNetwork:
    """Return a trained network, ready to infer: ``weights`` is "synthetic" or the path of a checkpoint of ``relocbench
    train netvlad``. Raises ``InputError`` where there is no such checkpoint, or it is of another network."""
    network = PlaceNetwork(pyramid_of(checkpoint_path(weights, task="netvlad"), PlaceConfig))
    load_network(network, weights, task="netvlad")
    return network


def patch_positions(rows: int, columns: int, sizes: Sequence[tuple[int, int]] = PATCH_SIZES) -> NDArray[np.int64]:
    """Return the patches (P, 4) of a grid of positions as x0, y0, x1, y1, the last two exclusive.

    ``sizes`` are pairs of a side and a step, in positions.
    """
    patches = []
    for side, step in sizes:
        y, x = np.mgrid[0 : rows - side + 1 : step, 0 : columns - side + 1 : step]
        corner = np.stack([x.ravel(), y.ravel()], axis=1)
        patches.append(np.concatenate([corner, corner + side], axis=1))
    return np.concatenate(patches).astype(np.int64)


def _integral(values: Tensor) -> Tensor:
    """Return the sums (B, h + 1, w + 1, D) of values (B, h, w, D) above and to the left of each corner."""
    sums = functional.pad(values, (0, 0, 1, 0, 1, 0))
    # Row by row and column by column: `torch.cumsum` goes through them one number at a time, and takes five times as
    # long.
    for row in range(1, sums.shape[1]):
        sums[:, row] += sums[:, row - 1]
    for column in range(1, sums.shape[2]):
        sums[:, :, column] += sums[:, :, column - 1]
    return sums


def _normalised(sums: Tensor) -> Tensor:
    """Return vectors (..., words * C) of sums (..., words, C): each word of unit length at most, then the whole."""
    return functional.normalize(functional.normalize(sums, dim=-1, eps=_FAINTEST_WORD).flatten(-2), dim=-1)


class _Whiten(nn.Module):
    """A `Whitening` that is kept in the network's checkpoint: takes (..., D), returns (..., d) of unit length."""

    mean: Tensor
    projection: Tensor
    learned: Tensor

    def __init__(self, given: int, kept: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(given))
        self.register_buffer("projection", torch.zeros(kept, given))
        self.register_buffer("learned", torch.zeros((), dtype=torch.bool))

    def forward(self, vectors: Tensor) -> Tensor:
        return functional.normalize((vectors - self.mean) @ self.projection.T, dim=-1)

    def learn(self, vectors: NDArray[Any], *, shrinkage: float) -> None:
        """Learn from vectors (N, D); where they span fewer than d directions, the others stay zero."""
        learned = Whitening.learn(vectors, len(self.projection), shrinkage=shrinkage)
        self.mean.copy_(torch.from_numpy(learned.mean))
        # Lengths are normalised away, and checkpoints are float16: entries of at most one keep all of its precision.
        scale = max(float(np.abs(learned.projection).max(initial=0)), 1e-12)
        self.projection.zero_()
        self.projection[: len(learned.projection)] = torch.from_numpy(learned.projection / scale)
        self.learned.fill_(True)
