"""`FeaturePyramid`: one neck over any backbone, with features at every stride that are made from all deeper ones."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, TypeVar

import cv2
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from ..configuration import MethodConfig, validated
from .backbone import STRIDES, Backbone, BackboneName
from .checkpoints import about_checkpoint

_SIDE = 160  # pixels of the shorter side of what the networks are trained on and asked about


class PyramidConfig(MethodConfig):
    """What decides a pyramid's architecture; a checkpoint says which it has."""

    backbone: BackboneName = "efficientnet-lite0"
    """The network below."""

    channels: int = Field(default=128, ge=1)
    """Features per position."""

    deepest: Literal[4, 8, 16, 32] = 32
    """The largest stride that features are made from."""


PyramidConfigT = TypeVar("PyramidConfigT", bound=PyramidConfig)


class FeaturePyramid(nn.Module):
    """A `Backbone` with a top-down path (Lin et al., "Feature Pyramid Networks for Object Detection", CVPR 2017).

    Takes images (B, 3, H, W) in [0, 1] whose sides are multiples of the largest stride; ``channels`` are those of every
    output. Its weights are random: training starts the backbone from ImageNet, and a checkpoint has all.
    """

    def __init__(self, config: PyramidConfig) -> None:
        super().__init__()
        self.channels = channels = config.channels
        self.backbone = Backbone(config.backbone, "scratch", deepest=config.deepest)
        self.lateral = nn.ModuleList(nn.Conv2d(width, channels, 1) for width in self.backbone.channels)
        self.smooth = nn.ModuleList(_separable(channels) for _ in self.backbone.channels)

    def forward(self, images: Tensor) -> list[Tensor]:
        """Return features (B, C, H / s, W / s) for each stride s."""
        tapped = self.backbone(images)
        levels = [lateral(level) for lateral, level in zip(self.lateral, tapped, strict=True)]
        levels[-1] = self.smooth[-1](levels[-1])
        for fine, coarse in reversed(list(pairwise(range(len(levels))))):
            above = functional.interpolate(levels[coarse], size=levels[fine].shape[-2:], mode="bilinear")
            levels[fine] = self.smooth[fine](levels[fine] + above)
        return levels


def _separable(channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, channels, 5, padding=2, groups=channels, bias=False),
        nn.Conv2d(channels, channels, 1, bias=False),
        nn.BatchNorm2d(channels),
        nn.Hardswish(),
    )


def pyramid_of(checkpoint: Path, config: type[PyramidConfigT]) -> PyramidConfigT:
    """Return the architecture that a checkpoint says its pyramid has, the usual one where it does not say.

    Raises ``InputError`` where this version knows no such.
    """
    described = about_checkpoint(checkpoint).get("pyramid")
    return validated(config, described, origin=f"{checkpoint}: its pyramid")


def network_input(image: NDArray[Any]) -> Tensor:
    """Return an image (H, W, 3) uint8 as a batch of one (1, 3, h, w) in [0, 1], its shorter side near 160 pixels.

    Both sides become multiples of 32, each scaled on its own by up to a tenth or so.
    """
    scale = _SIDE / min(image.shape[:2])
    stride = STRIDES[-1]
    height, width = (max(stride, round(side * scale / stride) * stride) for side in image.shape[:2])
    smaller = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    return torch.from_numpy(smaller).permute(2, 0, 1)[None].float() / 255
