"""Naive Bayes nearest neighbour distances to many images at once.

`nbnn_distance` of the protocol cross-view is the same distance between two sets of descriptors, for choosing the places
of a dataset; this is the batched form that answers a query: one multiplication for all K prototypes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

#: Similarities that are held at once: half a megabyte, which stays in a core's cache until it is reduced.
_BLOCK = 1 << 17


class Prototypes:
    """K sets of unit vectors, such as the patches of K references, each of which stands for a place.

    ``sets`` are K arrays (P_k, d), none of them empty. Source: Boiman et al., "In defense of nearest-neighbor based
    image classification", CVPR 2008; between domains: Tommasi and Caputo, "Frustratingly easy NBNN domain adaptation",
    ICCV 2013, which paper 000 cites.
    """

    def __init__(self, sets: Sequence[Array]) -> None:
        sizes = np.array([len(vectors) for vectors in sets])
        if not len(sizes) or not sizes.all():
            raise ValueError("NBNN needs at least one prototype, and none of them empty")
        self.vectors = np.ascontiguousarray(np.concatenate(sets), dtype=np.float32)
        self._starts = np.concatenate([[0], np.cumsum(sizes)])

    def __len__(self) -> int:
        return len(self._starts) - 1

    @property
    def nbytes(self) -> int:
        """Size in memory, bytes."""
        return self.vectors.nbytes

    def distances(self, patches: Array) -> NDArray[np.float32]:
        """Return (P, K): the L2 distance of each patch (P, d), unit length, to the nearest vector of each prototype.

        Their mean over all patches is the NBNN distance of the image, over some patches that of a part of it.
        """
        patches = np.ascontiguousarray(patches, dtype=np.float32)
        nearest = np.empty((len(patches), len(self)), dtype=np.float32)
        blocks = self._blocks(len(patches))
        rows = max(self._starts[last] - self._starts[first] for first, last in blocks)
        memory = np.empty((rows, len(patches)), dtype=np.float32)
        for first, last in blocks:
            start, stop = self._starts[first], self._starts[last]
            similarity = np.matmul(self.vectors[start:stop], patches.T, out=memory[: stop - start])
            np.maximum.reduceat(similarity, self._starts[first:last] - start, axis=0, out=nearest.T[first:last])
        return np.sqrt(np.maximum(2 - 2 * nearest, 0))

    def _blocks(self, patches: int) -> list[tuple[int, int]]:
        """Return ranges of prototypes whose similarities to so many patches fit into one block, or of one."""
        rows = max(_BLOCK // max(patches, 1), 1)
        ranges, first = [], 0
        while first < len(self):
            last = int(np.searchsorted(self._starts, self._starts[first] + rows, side="right")) - 1
            last = max(last, first + 1)
            ranges.append((first, last))
            first = last
        return ranges
