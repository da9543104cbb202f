"""Regression parts: from correlation maps to one vector per pair, and from it to a relative pose."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models import resnet18
from torchvision.models.resnet import BasicBlock

from .settings import NetworkSettings

_STEM = 64  # features behind the first layer of every trunk of residual blocks
_LIGHT = (64, 96, 128)  # features of the residual blocks of the light trunk, each at half the side
_ESSNET = 64  # features per cell of EssNet's convolutions


class _Positions(nn.Module):
    """Appends where each cell is: x and y in [-1, 1] (Liu et al., "An intriguing failing of convolutional neural
    networks and the CoordConv solution", NeurIPS 2018)."""

    def forward(self, maps: Tensor) -> Tensor:
        rows, columns = (torch.linspace(-1, 1, size, device=maps.device, dtype=maps.dtype) for size in maps.shape[-2:])
        grid = torch.stack(torch.meshgrid(columns, rows, indexing="xy"))
        return torch.cat([maps, grid.expand(len(maps), -1, -1, -1)], dim=1)


def trunk(settings: NetworkSettings, channels: int, cells: int) -> tuple[nn.Module, int]:
    """Return what turns maps (B, ``channels``, side, side) into vectors (B, F), and F.

    ``cells`` is the side of the maps as they come out of matching; all but EssNet's are enlarged first.
    """
    if settings.matching == "pooled":
        return nn.Identity(), channels
    if settings.regression == "essnet":
        return _essnet(channels), _ESSNET * cells * cells
    if settings.regression == "light":
        return _light(channels), _LIGHT[-1]
    residual = resnet18(weights=None)
    residual.conv1 = nn.Conv2d(channels, _STEM, 7, stride=2, padding=3, bias=False)
    residual.fc = nn.Identity()
    if settings.regression == "resnet18":
        return residual, residual.layer4[-1].conv2.out_channels
    pooling = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return nn.Sequential(residual.conv1, residual.bn1, residual.relu, residual.maxpool, *pooling), _STEM


def _light(channels: int) -> nn.Sequential:
    layers: list[nn.Module] = [
        _Positions(),
        nn.Conv2d(channels + 2, _STEM, 1, bias=False),
        nn.BatchNorm2d(_STEM),
        nn.ReLU(),
    ]
    given = _STEM
    for width in _LIGHT:
        smaller = nn.Sequential(nn.Conv2d(given, width, 1, stride=2, bias=False), nn.BatchNorm2d(width))
        layers.append(BasicBlock(given, width, stride=2, downsample=smaller))
        given = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())


def _essnet(channels: int) -> nn.Sequential:
    """Return the convolutions of what Table II of the paper calls an EssNet-like regression part.

    Source: Zhou et al., "To Learn or Not to Learn: Visual Localization from Essential Matrices", ICRA 2020, after Rocco
    et al., "Convolutional neural network architecture for geometric matching", CVPR 2017: 7 x 7 and 5 x 5 to 128 and 64
    channels. They are padded, as maps of 8 x 8 leave them no room otherwise.
    """
    return nn.Sequential(
        nn.Conv2d(channels, 128, 7, padding=3, bias=False),
        nn.BatchNorm2d(128),
        nn.ReLU(),
        nn.Conv2d(128, _ESSNET, 5, padding=2, bias=False),
        nn.BatchNorm2d(_ESSNET),
        nn.ReLU(),
        nn.Flatten(),
    )


class HiddenLayers(nn.Module):
    """Two hidden layers with dropout between them, then the output (B, outputs)."""

    def __init__(self, features: int, hidden: int, outputs: int, dropout: float) -> None:
        super().__init__()
        self.first = nn.Linear(features, hidden)
        self.second = nn.Linear(hidden, hidden)
        self.output = nn.Linear(hidden, outputs)
        self.dropout = dropout

    def forward(self, vectors: Tensor) -> Tensor:
        """Return one output per vector; units are dropped while training."""
        return self._last(functional.dropout(self.first(vectors).relu(), self.dropout, self.training))

    def sample(self, vectors: Tensor, count: int, generator: torch.Generator) -> Tensor:
        """Return outputs (count, B, outputs) under independent dropout: only the layers behind it are repeated."""
        hidden = self.first(vectors).relu()
        kept = torch.rand((count, *hidden.shape), generator=generator, device=hidden.device) >= self.dropout
        return self._last(hidden * kept / (1 - self.dropout))

    def _last(self, hidden: Tensor) -> Tensor:
        return self.output(self.second(hidden).relu())
