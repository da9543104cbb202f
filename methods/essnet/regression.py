"""EssNet's regression part: two convolutions over a correlation map, read out by one layer."""

from __future__ import annotations

from torch import nn

#: Channels of what :func:`essnet_convolutions` returns, per cell.
ESSNET_FEATURES = 64


def essnet_convolutions(channels: int) -> nn.Sequential:
    """Return the convolutions of what Table II of the ExReNet paper calls an EssNet-like regression part.

    Source: Zhou et al., "To Learn or Not to Learn: Visual Localization from Essential Matrices", ICRA 2020, after Rocco
    et al., "Convolutional neural network architecture for geometric matching", CVPR 2017: 7 x 7 and 5 x 5 to 128 and 64
    channels. They are padded, as maps of 8 x 8 leave them no room otherwise. Takes (B, ``channels``, side, side), and
    returns (B, 64 * side * side).
    """
    return nn.Sequential(
        nn.Conv2d(channels, 128, 7, padding=3, bias=False),
        nn.BatchNorm2d(128),
        nn.ReLU(),
        nn.Conv2d(128, ESSNET_FEATURES, 5, padding=2, bias=False),
        nn.BatchNorm2d(ESSNET_FEATURES),
        nn.ReLU(),
        nn.Flatten(),
    )
