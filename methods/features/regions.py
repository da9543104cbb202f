"""The parts of an image: connected regions of one semantic category, with their bounding boxes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Regions:
    """R parts of an image, largest first.

    ``category`` (R,) int64 ids; ``area`` (R,) share of the image; ``centroid`` (R, 2) and ``box`` (R, 4), that is
    x0, y0, x1, y1, in pixels; ``label`` (H, W) int32 holds 1 + the index of the region of each pixel, 0 where none.
    """

    category: Array
    area: Array
    centroid: Array
    box: Array
    label: Array

    def __len__(self) -> int:
        return len(self.category)


def semantic_regions(semantic: Array, *, smallest: float = 0.002, most: int = 24) -> Regions:
    """Return the connected regions of a category map (H, W), 0 for unknown, which belongs to no region.

    Regions below the share ``smallest`` of the image are left out, and only the ``most`` largest are kept.
    """
    found: list[tuple[int, Array, Array, int, Array]] = []
    for category in np.unique(semantic):
        if category == 0:
            continue
        mask = (semantic == category).astype(np.uint8)
        _, labels, stats, centroids = cv2.connectedComponentsWithStats(mask, connectivity=8)
        for index in np.flatnonzero(stats[1:, cv2.CC_STAT_AREA] >= smallest * semantic.size) + 1:
            found.append((int(category), stats[index], centroids[index], int(index), labels))
    found.sort(key=lambda region: -int(region[1][cv2.CC_STAT_AREA]))
    label = np.zeros(semantic.shape, dtype=np.int32)
    for number, (_, _, _, component, labels) in enumerate(found[:most]):
        label[labels == component] = number + 1
    stats = np.array([region[1] for region in found[:most]], dtype=np.float64).reshape(-1, 5)
    corner, extent = stats[:, :2], stats[:, 2:4]
    return Regions(
        category=np.array([region[0] for region in found[:most]], dtype=np.int64),
        area=stats[:, 4] / semantic.size,
        centroid=np.array([region[2] for region in found[:most]]).reshape(-1, 2) + 0.5,
        box=np.concatenate([corner, corner + extent], axis=1),
        label=label,
    )
