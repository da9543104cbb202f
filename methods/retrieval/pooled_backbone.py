"""One vector per image from a network that knows ImageNet and nothing of places: its last features, averaged."""

from __future__ import annotations

from typing import Any

import torch
from numpy.typing import NDArray

from ..configuration import MethodConfig
from ..networks.backbone import Backbone, BackboneName
from ..networks.feature_pyramid import network_input
from .descriptor import Descriptor

Array = NDArray[Any]


class PooledBackboneConfig(MethodConfig):
    """Settings of the descriptor `backbone`."""

    backbone: BackboneName = "efficientnet-lite0"
    """Which network."""

    weights: str = "imagenet"
    """"imagenet", or the path of a state dict."""


class PooledBackbone(Descriptor[PooledBackboneConfig]):
    """Vectors (D,) float32 of unit length: the features at stride 32, averaged over the image; nothing is learned.

    What fine-tuned place descriptors are to be compared with: Razavian et al., "CNN Features off-the-shelf", CVPRW
    2014.
    """

    name = "backbone"

    def __init__(self, config: PooledBackboneConfig | None = None) -> None:
        super().__init__(config)
        self._network = Backbone(self.config.backbone, self.config.weights)

    def __call__(self, image: Array) -> Array:
        """Return the vector (D,) of an image (H, W, 3) uint8 sRGB of any size."""
        with torch.inference_mode():
            vector = self._network(network_input(image))[-1].mean(dim=(2, 3))[0]
            return torch.nn.functional.normalize(vector, dim=0).numpy()
