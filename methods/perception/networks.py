"""Networks that answer for every pixel: a category, or a depth. Both are a feature pyramid with one layer on top."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor, nn
from torch.nn import functional

from ...sim.scenes.categories import CATEGORIES
from ..networks.feature_pyramid import FeaturePyramid, PyramidConfig

NEAREST, FARTHEST = 0.1, 30.0  # metres that the depth network can say


class SegmentationNetwork(nn.Module):
    """The scores of ``categories``, by default those of generated houses, at a quarter of the resolution.

    A checkpoint says which they are: category names mean the same in another version, numbers may not.
    """

    def __init__(self, pyramid: PyramidConfig, categories: Sequence[str] = CATEGORIES) -> None:
        super().__init__()
        self.categories = tuple(categories)
        self.pyramid = FeaturePyramid(pyramid)
        self.head = nn.Conv2d(self.pyramid.channels, len(self.categories), 1)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (B, categories, H/4, W/4) of images (B, 3, H, W) in [0, 1]."""
        return self.head(self.pyramid(images)[0])


class DepthNetwork(nn.Module):
    """The logarithm of z-depth in metres at a quarter of the resolution, for a camera of 90 degrees.

    Of another camera the result is to be multiplied by its focal length in units of half its width: a longer lens shows
    the same picture of a scene that is farther away.
    """

    def __init__(self, pyramid: PyramidConfig) -> None:
        super().__init__()
        self.pyramid = FeaturePyramid(pyramid)
        self.head = nn.Conv2d(self.pyramid.channels, 1, 1)
        nn.init.constant_(self.head.bias, float(np.log(2.5)))  # type: ignore[arg-type]  # a room's typical depth

    def forward(self, images: Tensor) -> Tensor:
        """Return log depth (B, H/4, W/4) of images (B, 3, H, W) in [0, 1]."""
        return self.head(self.pyramid(images)[0]).squeeze(1).clamp(float(np.log(NEAREST)), float(np.log(FARTHEST)))


def enlarged(values: Tensor, height: int, width: int) -> Tensor:
    """Return (C, height, width) values of (1, C, h, w) that were predicted at a lower resolution."""
    return functional.interpolate(values, size=(height, width), mode="bilinear", align_corners=False)[0]
