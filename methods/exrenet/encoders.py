"""Encoders: features of an image at 1/16 and at 1/4 of its resolution."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models import ResNet50_Weights, resnet50

from ..networks.feature_pyramid import FeaturePyramid, standardised
from ..networks.imagenet import fill_from_imagenet
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


class ResNetEncoder(nn.Module):
    """ResNet-50 up to its third stack, then two U-Net steps up (Ronneberger et al. 2015): the paper's Figure 2."""

    coarse_channels = 1024

    def __init__(self, fine_channels: int) -> None:
        super().__init__()
        resnet = resnet50(weights=None)
        self.stem = nn.Sequential(resnet.conv1, resnet.bn1, resnet.relu, resnet.maxpool)
        self.layer1, self.layer2, self.layer3 = resnet.layer1, resnet.layer2, resnet.layer3
        self.up2 = _upwards(1024 + 512, 512)
        self.up1 = _upwards(512 + 256, fine_channels)

    def forward(self, images: Tensor) -> Features:
        """Return the features of images (B, 3, S, S) in [0, 1]."""
        quarter = self.layer1(self.stem(standardised(images)))
        eighth = self.layer2(quarter)
        coarse = self.layer3(eighth)
        middle = self.up2(torch.cat([_doubled(coarse), eighth], dim=1))
        return Features(coarse, self.up1(torch.cat([_doubled(middle), quarter], dim=1)))

    def load_imagenet(self) -> None:
        """Start all but the steps up from torchvision's weights."""
        weights = ResNet50_Weights.IMAGENET1K_V2
        fill_from_imagenet(self, weights, lambda own: own.replace("stem.0", "conv1").replace("stem.1", "bn1"))


class PyramidEncoder(nn.Module):
    """The package's feature pyramid, which steps upwards too, and a projection of two of its levels."""

    def __init__(self, fine_channels: int) -> None:
        super().__init__()
        self.pyramid = FeaturePyramid()
        self.coarse_channels = fine_channels
        self.coarse = nn.Conv2d(self.pyramid.channels, fine_channels, 1)
        self.fine = nn.Conv2d(self.pyramid.channels, fine_channels, 1)

    def forward(self, images: Tensor) -> Features:
        """Return the features of images (B, 3, S, S) in [0, 1]."""
        quarter, _, sixteenth, _ = self.pyramid.levels(images)
        return Features(self.coarse(sixteenth), self.fine(quarter))


def encoder(settings: NetworkSettings) -> ResNetEncoder | PyramidEncoder:
    """Return the encoder that the settings name, not trained."""
    kind = ResNetEncoder if settings.encoder == "resnet50" else PyramidEncoder
    return kind(settings.fine_channels)


def _upwards(given: int, kept: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(given, kept, 3, padding=1, bias=False),
        nn.BatchNorm2d(kept),
        nn.ReLU(),
        nn.Conv2d(kept, kept, 3, padding=1),
    )


def _doubled(features: Tensor) -> Tensor:
    return functional.interpolate(features, scale_factor=2.0, mode="nearest")
