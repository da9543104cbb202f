"""What the nodes of a scene graph look like: dissimilarities to the K training images, ranked (paper 000, II-B)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from ..features.nbnn import Prototypes
from ..features.reciprocal_rank import reciprocal_ranks
from ..features.regions import Regions
from ..patch_netvlad.patches import ImageDescriptors
from .graph import Layout, layout_of_image

Array = NDArray[Any]

Descriptor = Literal["pnv-rrv", "netvlad", "semantic"]


@dataclass(frozen=True, eq=False)
class SegmentedImage:
    """A real image: its regions, its descriptors, and how its nodes lie."""

    regions: Regions
    features: ImageDescriptors
    layout: Layout

    @classmethod
    def of(cls, regions: Regions, features: ImageDescriptors) -> SegmentedImage:
        """Join regions and descriptors of one image."""
        return cls(regions, features, layout_of_image(regions, features.centres))


class Vocabulary(Protocol):
    """K prototypes, one per training image, and how parts of images are compared with them."""

    def measure(self, image: SegmentedImage) -> Array:
        """Return what is needed of an image whatever parts and patches of it a view shows."""

    def dissimilarities(self, image: SegmentedImage, layout: Layout, measured: Array) -> Array:
        """Return (R + 1, K): how little each node of a layout of the image is like each prototype."""

    @property
    def nbytes(self) -> int:
        """Bytes of the prototypes."""


def node_descriptors(vocabulary: Vocabulary, image: SegmentedImage, layout: Layout, measured: Array) -> Array:
    """Return the reciprocal rank vectors (R + 1, K) of the nodes of a layout of an image."""
    return reciprocal_ranks(vocabulary.dissimilarities(image, layout, measured))


def make_vocabulary(descriptor: Descriptor, images: Sequence[SegmentedImage]) -> Vocabulary:
    """Return the vocabulary of K training images for a configuration's ``descriptor``."""
    kinds: dict[str, Callable[[Sequence[SegmentedImage]], Vocabulary]] = {
        "pnv-rrv": PatchVocabulary,
        "netvlad": VectorVocabulary,
        "semantic": CategoryVocabulary,
    }
    return kinds[descriptor](images)


class PatchVocabulary:
    """Sets of patches, compared by NBNN: the distances of a node's patches to their nearest, averaged."""

    def __init__(self, images: Sequence[SegmentedImage]) -> None:
        self._prototypes = Prototypes([image.features.patches for image in images])

    def measure(self, image: SegmentedImage) -> Array:
        """Return the distance (P, K) of each patch to each prototype: all that NBNN needs, whatever the parts."""
        return self._prototypes.distances(image.features.patches)

    def dissimilarities(self, image: SegmentedImage, layout: Layout, measured: Array) -> Array:
        """Return (R + 1, K) mean distances over each node's patches."""
        return layout.membership @ measured

    @property
    def nbytes(self) -> int:
        """Bytes of the patches of all training images."""
        return self._prototypes.vectors.nbytes


class VectorVocabulary:
    """One NetVLAD vector per node, compared by L2: wholes with wholes, a part with the likest part of an image.

    A part's vector is the sum of its patches', which are NetVLAD vectors of windows and add up to that of their union.
    """

    def __init__(self, images: Sequence[SegmentedImage]) -> None:
        self._wholes = Prototypes([image.features.vector[None] for image in images])
        self._parts = Prototypes([_part_vectors(image, image.layout) for image in images])

    def measure(self, image: SegmentedImage) -> Array:
        """Return the distance (1, K) of the whole image to each other whole."""
        return self._wholes.distances(image.features.vector[None])

    def dissimilarities(self, image: SegmentedImage, layout: Layout, measured: Array) -> Array:
        """Return (R + 1, K) distances between vectors."""
        return np.concatenate([measured, self._parts.distances(_part_vectors(image, layout)[1:])])

    @property
    def nbytes(self) -> int:
        """Bytes of the vectors of all training images."""
        return self._wholes.vectors.nbytes + self._parts.vectors.nbytes


class CategoryVocabulary:
    """Categories alone: a part is the less like an image, the less of it has the part's category."""

    def __init__(self, images: Sequence[SegmentedImage]) -> None:
        self._last = max((int(image.regions.category.max(initial=0)) for image in images), default=0) + 1
        self._shares = np.stack([self._shares_of(image) for image in images])

    def measure(self, image: SegmentedImage) -> Array:
        """Return half the L1 distance (1, K) between the shares that all categories have of two images."""
        return np.abs(self._shares - self._shares_of(image)).sum(axis=1)[None] / 2

    def dissimilarities(self, image: SegmentedImage, layout: Layout, measured: Array) -> Array:
        """Return (R + 1, K): the share of each prototype that does not have a part's category."""
        category = np.minimum(image.regions.category[layout.part], self._last)
        return np.concatenate([measured, 1 - self._shares.T[category]])

    @property
    def nbytes(self) -> int:
        """Bytes of the shares of all training images."""
        return self._shares.nbytes

    def _shares_of(self, image: SegmentedImage) -> Array:
        """Return the share (C,) of each category in an image; the last is that of all which no prototype has."""
        category = np.minimum(image.regions.category, self._last)
        return np.bincount(category, weights=image.regions.area, minlength=self._last + 1)


def _part_vectors(image: SegmentedImage, layout: Layout) -> Array:
    """Return the vectors (R + 1, d), unit length, of a layout's nodes; the first is made of all patches."""
    sums = layout.membership @ image.features.patches
    return sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-12)
