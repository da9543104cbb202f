"""`Descriptor`: one vector per image, and how alike two are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from numpy.typing import NDArray

from ...registry import Registry, complete_class
from ..configuration import ConfigT
from ..learner import Learner

Array = NDArray[Any]


class Descriptor(Learner[ConfigT], ABC):
    """Turns images into vectors. Subclass it, name it, and implement ``__call__``::

        class Thumbnail(Descriptor):
            name = "thumbnail"

            def __call__(self, image):
                return cv2.resize(image, (16, 16)).astype(np.float32).ravel()

    An installed package offers it by an entry point of the group ``relocbench.descriptors``, and a method that
    retrieves takes it by configuration: ``{name: retrieval, config: {descriptor: thumbnail}}`` answers with the most
    similar reference's pose, ``{name: sift-5pt, config: {retrieval: {descriptor: thumbnail}}}`` computes one. Settings
    (``Descriptor[MyConfig]``) stand beside ``descriptor`` there; what it learns (``fit``, ``save``, ``load``) is
    learned once for all methods that retrieve with it.
    """

    @abstractmethod
    def __call__(self, image: Array) -> Array:
        """Return the vector (d,) of an image (H, W, 3) uint8 sRGB of any size."""

    def similarity(self, vectors: Array, others: Array) -> Array:
        """Return how alike vectors (N, d) are to one other (d,), as (N,), or to M others (M, d), as (N, M).

        Larger is more alike, in whatever unit; by default the dot product, the cosine of vectors of unit length.
        """
        return vectors @ others.T


DESCRIPTORS: Registry[type[Descriptor[Any]]] = Registry(
    "descriptor",
    "descriptors",
    {
        "backbone": ".methods.retrieval.pooled_backbone:PooledBackbone",
        "dense-vlad": ".methods.dense_vlad.descriptor:DenseVladDescriptor",
        "netvlad": ".methods.netvlad.descriptor:NetVladDescriptor",
    },
    check=complete_class(Descriptor),
)
