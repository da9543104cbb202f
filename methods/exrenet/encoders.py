"""Encoders: features of an image at 1/16 and at 1/4 of its resolution."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..networks.backbone import STRIDES, Backbone
from ..networks.feature_pyramid import FeaturePyramid, PyramidConfig
from .settings import NetworkSettings

COARSE, FINE = 16, 4  # strides of the two maps


@dataclass(frozen=True, eq=False)
class Features:
    """What images become: features (B, C, h, w) at 1/16 and (B, C', 4 h, 4 w) at 1/4 of their resolution."""

    coarse: Tensor
    fine: Tensor

    def __getitem__(self, index: slice | Tensor) -> Features:
        return Features(self.coarse[index], self.fine[index])

    @property
    def nbytes(self) -> int:
        """Size in memory, bytes."""
        return self.coarse.nbytes + self.fine.nbytes

    @classmethod
    def cat(cls, parts: list[Features]) -> Features:
        """Return those of several batches as one."""
        return cls(torch.cat([part.coarse for part in parts]), torch.cat([part.fine for part in parts]))


class UNetEncoder(nn.Module):
    """A backbone up to stride 16, then two U-Net steps up (Ronneberger et al. 2015): with ResNet-50 Figure 2 of the
    paper. The coarse features are the backbone's own."""

    def __init__(self, settings: NetworkSettings) -> None:
        super().__init__()
        self.backbone = Backbone(settings.encoder, "scratch", deepest=COARSE)
        quarter, eighth, sixteenth = self.backbone.channels
        self.coarse_channels = sixteenth
        self.up2 = _upwards(sixteenth + eighth, eighth)
        self.up1 = _upwards(eighth + quarter, settings.fine_channels)

    def forward(self, images: Tensor) -> Features:
        """Return the features of images (B, 3, S, S) in [0, 1]."""
        quarter, eighth, coarse = self.backbone(images)
        middle = self.up2(torch.cat([_doubled(coarse), eighth], dim=1))
        return Features(coarse, self.up1(torch.cat([_doubled(middle), quarter], dim=1)))


class PyramidEncoder(nn.Module):
    """The package's feature pyramid, which steps upwards too, and a projection of two of its levels."""

    def __init__(self, settings: NetworkSettings) -> None:
        super().__init__()
        self.pyramid = FeaturePyramid(
            PyramidConfig(backbone=settings.encoder, channels=settings.pyramid_channels, deepest=settings.deepest)
        )
        self.coarse_channels = self.pyramid.channels
        self.coarse = nn.Conv2d(self.pyramid.channels, self.coarse_channels, 1)
        self.fine = nn.Conv2d(self.pyramid.channels, settings.fine_channels, 1)

    def forward(self, images: Tensor) -> Features:
        """Return the features of images (B, 3, S, S) in [0, 1]."""
        levels = self.pyramid(images)
        return Features(self.coarse(levels[STRIDES.index(COARSE)]), self.fine(levels[STRIDES.index(FINE)]))


def encoder(settings: NetworkSettings) -> UNetEncoder | PyramidEncoder:
    """Return the encoder that the settings name, not trained."""
    return UNetEncoder(settings) if settings.neck == "unet" else PyramidEncoder(settings)


def _upwards(given: int, kept: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(given, kept, 3, padding=1, bias=False),
        nn.BatchNorm2d(kept),
        nn.ReLU(),
        nn.Conv2d(kept, kept, 3, padding=1),
    )


def _doubled(features: Tensor) -> Tensor:
    return functional.interpolate(features, scale_factor=2.0, mode="nearest")
