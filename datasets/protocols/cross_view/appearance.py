"""How alike two images look: the NBNN distance between their sets of dense local descriptors.

Paper 000 (section III) chooses training images that look alike by the NBNN distance over Patch-NetVLAD features. Here
the features are dense RootSIFT of the image reduced to 128 pixels, or GIST: nothing to learn or to load, the same on
every machine, and cheap enough for the hundred thousand images of a scene. What looks alike to a method is hard for it:
RootSIFT is what `dense-vlad` sees, GIST is nobody's.
"""

from __future__ import annotations

from typing import Any

import cv2
import faiss
import numpy as np
from numpy.typing import NDArray

from ...dense_sift import dense_rootsift
from .gist import gist
from .parameters import AppearanceSpace

SIDE = 128  # pixels of the shorter side to which larger images are reduced
WIDTHS, STEP = (16, 32), 8  # of the descriptors' regions and of their grid, in pixels of the reduced image
MIN_CONTRAST = 0.005  # mean gradient of a region that has texture, in grey levels (0 to 1) per pixel
LEAST_TEXTURE = 0.4  # share of the regions; with less, a few edges of a bare wall would resemble everything

Array = NDArray[Any]


def describe(image: Array, space: AppearanceSpace) -> Array:
    """Return the descriptors (N, D) float32 that stand for an image (H, W, 3) uint8 sRGB in a space.

    What has too little texture (`local_descriptors`) has none in any space: a bare wall looks like every other.
    """
    local = local_descriptors(image)
    return gist(image) if space == "gist" and len(local) else local


def local_descriptors(image: Array) -> Array:
    """Return the descriptors (N, 128) float32, unit length, that stand for an image (H, W, 3) uint8 sRGB.

    There are none where less than `LEAST_TEXTURE` of the image has any.
    """
    scale = SIDE / min(image.shape[:2])
    if scale < 1:
        image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    descriptors = dense_rootsift(image, widths=WIDTHS, step=STEP, min_contrast=MIN_CONTRAST)
    return descriptors if len(descriptors) >= LEAST_TEXTURE * _regions(*image.shape[:2]) else descriptors[:0]


def nbnn_distance(descriptors: Array, prototype: Array) -> float:
    """Return the mean distance of ``descriptors`` (N, D) to their nearest neighbours in ``prototype`` (M, D).

    The direction matters: every part of the image must find its like in the prototype, not the reverse, as in paper
    000 (section II-B: "averaged over all scene parts"). Infinite where either set is empty. Source: Tommasi and Caputo,
    "Frustratingly Easy NBNN Domain Adaptation", ICCV 2013.
    """
    if not len(descriptors) or not len(prototype):
        return float("inf")
    squared, _ = faiss.knn(np.ascontiguousarray(descriptors), np.ascontiguousarray(prototype), 1)
    return float(np.sqrt(np.maximum(squared, 0)).mean(dtype=np.float64))


def _regions(height: int, width: int) -> int:
    """Return how many descriptors an image would have if all of it had texture."""
    sides = [(height - region, width - region) for region in WIDTHS if min(height, width) > region]
    return sum(-(-rows // STEP) * -(-columns // STEP) for rows, columns in sides)
