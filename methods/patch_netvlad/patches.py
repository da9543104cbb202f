"""Images as Patch-NetVLAD patches, from a trained `PlaceNetwork`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..netvlad.network import POSITION_STEP, open_place_network, patch_positions
from ..networks.feature_pyramid import network_input

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class ImageDescriptors:
    """What an image looks like: ``vector`` (D,) of the whole, ``patches`` (P, d), both float32, of unit length.

    ``centres`` (P, 2) are x, y and ``boxes`` (P, 4) x0, y0, x1, y1 of the patches, float32, pixels of the image.
    """

    vector: Array
    patches: Array
    centres: Array
    boxes: Array


class PatchNetVlad:
    """Describes images; ``weights`` is "synthetic" or the path of a checkpoint of ``relocbench train netvlad``.

    Raises ``InputError`` where there is no such checkpoint, or it is of another network.
    """

    def __init__(self, weights: str = "synthetic") -> None:
        self._network = open_place_network(weights)

    def __call__(self, image: Array) -> ImageDescriptors:
        """Return the descriptors of an image (H, W, 3) uint8 sRGB of any size."""
        given = network_input(image)
        with torch.inference_mode():
            vectors, patches = self._network.describe(given)
        boxes = self._boxes(given, image)
        centres = (boxes[:, :2] + boxes[:, 2:]) / 2
        return ImageDescriptors(vectors[0].numpy(), patches[0].numpy(), centres, boxes)

    @staticmethod
    def _boxes(given: torch.Tensor, image: Array) -> Array:
        rows, columns = (side // POSITION_STEP for side in given.shape[-2:])
        scale = np.array([image.shape[1] / columns, image.shape[0] / rows], dtype=np.float32)
        return patch_positions(rows, columns).astype(np.float32) * np.tile(scale, 2)
