"""The graph of an image's semantic regions, and the histogram of label paths that describes each of them.

Source: Guo et al., "Semantic Histogram Based Graph Matching for Real-Time Multi-Robot Global Localization in Large
Scale Environment", RA-L 2021. There, regions of registered RGB-D frames become the nodes of a 3-D graph, and those
whose centroids are near each other its edges. Here a graph has a single image to come from, without a depth map on the
query's side, so that the edges join regions that touch in it.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

#: The labels along a path through the graph, from the node that it describes on.
LabelPath = tuple[int, ...]

#: Pixels between two regions that still touch: between them may lie an edge that no category was sure of, or a thin
#: thing too small to be a region.
REACH = 3


def touching(label: Array, count: int) -> Array:
    """Return which regions touch, (R, R) bool, symmetric, without the diagonal.

    ``label`` (H, W) holds 1 + the index of the region of each pixel, 0 where none, as in
    :class:`relocbench.methods.features.regions.Regions`, and ``count`` is R.
    """
    adjacent = np.zeros((count + 1, count + 1), dtype=bool)
    for step in range(1, REACH + 1):
        adjacent[label[:, :-step], label[:, step:]] = True
        adjacent[label[:-step], label[step:]] = True
    adjacent |= adjacent.T
    adjacent[np.diag_indices(count + 1)] = False
    return adjacent[1:, 1:]


def label_histograms(labels: Array, adjacent: Array, length: int) -> list[Counter[LabelPath]]:
    """Return for each node how often each sequence of ``length`` labels occurs on the paths that start at it.

    ``labels`` (R,) and ``adjacent`` (R, R). Paths may turn back, as in the authors' implementation, and nodes without
    neighbours have an empty histogram for a ``length`` above 1. All paths are counted rather than walked at random,
    which is what makes the descriptor the paper's, fast and without luck.

    >>> [dict(h) for h in label_histograms(np.array([7, 8]), np.array([[False, True], [True, False]]), 3)]
    [{(7, 8, 7): 1}, {(8, 7, 8): 1}]
    """
    names = [int(label) for label in labels]
    neighbours = [np.flatnonzero(row).tolist() for row in adjacent]
    paths: list[Counter[LabelPath]] = [Counter({(name,): 1}) for name in names]
    for _ in range(length - 1):
        longer: list[Counter[LabelPath]] = []
        for name, around in zip(names, neighbours, strict=True):
            here: Counter[LabelPath] = Counter()
            for node in around:
                for path, times in paths[node].items():
                    here[(name, *path)] += times
            longer.append(here)
        paths = longer
    return paths
