"""One learned vector per image: NetVLAD, compared by L2 distance."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..configuration import MethodConfig
from ..networks.feature_pyramid import network_input
from ..retrieval.descriptor import Descriptor
from .network import open_place_network

Array = NDArray[Any]


class NetVladConfig(MethodConfig):
    """Settings of NetVLAD."""

    weights: str = "synthetic"
    """"synthetic": trained on generated houses, comes with the package; or the path of a .safetensors file."""


class NetVladDescriptor(Descriptor[NetVladConfig]):
    """Vectors (D,) float32 of unit length, of a network of ``relocbench train netvlad``."""

    name = "netvlad"

    def __init__(self, config: NetVladConfig | None = None) -> None:
        super().__init__(config)
        self._network = open_place_network(self.config.weights)

    def __call__(self, image: Array) -> Array:
        """Return the vector (D,) of an image (H, W, 3) uint8 sRGB of any size."""
        with torch.inference_mode():
            return self._network.encode(network_input(image))[0].numpy()

    def similarity(self, vectors: Array, others: Array) -> Array:
        """Return negative L2 distances, (N,) to one other (D,), (N, M) to others (M, D)."""
        return -np.linalg.norm(np.expand_dims(vectors, tuple(range(1, others.ndim))) - others, axis=-1)
