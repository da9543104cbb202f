"""`FeaturePyramid`: an image's features at a quarter and at an eighth of its resolution, from a MobileNetV3."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import cv2
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models import MobileNet_V3_Small_Weights, mobilenet_v3_small

from .imagenet import fill_from_imagenet

_SIDE = 160  # pixels of the shorter side of what the networks are trained on and asked about
_STRIDE = 32
_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))  # mean and deviation of its colours

#: Last module of `mobilenet_v3_small.features` at 1/4, 1/8, 1/16 and 1/32 of the resolution, and its channels.
_TAPS = {1: 16, 3: 24, 8: 48, 11: 96}


class FeaturePyramid(nn.Module):
    """MobileNetV3-Small (Howard et al., ICCV 2019) with a top-down path (Lin et al., "Feature Pyramid Networks", 2017).

    Takes images (B, 3, H, W) in [0, 1] whose sides are multiples of 32; ``channels`` are those of every output.
    """

    def __init__(self, channels: int = 64) -> None:
        super().__init__()
        self.channels = channels
        self.encoder = mobilenet_v3_small(weights=None).features[: max(_TAPS) + 1]
        self.lateral = nn.ModuleList(nn.Conv2d(width, channels, 1) for width in _TAPS.values())
        self.smooth = nn.ModuleList(_separable(channels) for _ in _TAPS)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return features (B, C, H/4, W/4) and (B, C, H/8, W/8)."""
        quarter, eighth, *_ = self.levels(images)
        return quarter, eighth

    def load_imagenet(self) -> None:
        """Start the encoder from torchvision's weights."""
        fill_from_imagenet(self.encoder, MobileNet_V3_Small_Weights.IMAGENET1K_V1, "features.{}".format)

    def levels(self, images: Tensor) -> list[Tensor]:
        """Return features (B, C, h, w) at 1/4, 1/8, 1/16 and 1/32 of the resolution."""
        tapped = []
        x = standardised(images)
        for index, module in enumerate(self.encoder):
            x = module(x)
            if index in _TAPS:
                tapped.append(x)
        levels = [lateral(level) for lateral, level in zip(self.lateral, tapped, strict=True)]
        levels[-1] = self.smooth[-1](levels[-1])
        for fine, coarse in reversed(list(pairwise(range(len(levels))))):
            above = functional.interpolate(levels[coarse], size=levels[fine].shape[-2:], mode="bilinear")
            levels[fine] = self.smooth[fine](levels[fine] + above)
        return levels


def standardised(images: Tensor) -> Tensor:
    """Return images (B, 3, H, W) in [0, 1] by the mean and the deviation of ImageNet's, as encoders are fed."""
    mean, deviation = images.new_tensor(_IMAGENET)[:, :, None, None]
    return (images - mean) / deviation


def _separable(channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, channels, 5, padding=2, groups=channels, bias=False),
        nn.Conv2d(channels, channels, 1, bias=False),
        nn.BatchNorm2d(channels),
        nn.Hardswish(),
    )


def network_input(image: NDArray[Any]) -> Tensor:
    """Return an image (H, W, 3) uint8 as a batch of one (1, 3, h, w) in [0, 1], its shorter side near 160 pixels.

    Both sides become multiples of 32, each scaled on its own by up to a tenth or so.
    """
    scale = _SIDE / min(image.shape[:2])
    height, width = (max(_STRIDE, round(side * scale / _STRIDE) * _STRIDE) for side in image.shape[:2])
    smaller = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    return torch.from_numpy(smaller).permute(2, 0, 1)[None].float() / 255
