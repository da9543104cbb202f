"""Images under other light and cameras than they were rendered with."""

from __future__ import annotations

import torch
from torch import Tensor


def jittered(images: Tensor) -> Tensor:
    """Return images (B, 3, H, W) in [0, 1] with other brightness, contrast, saturation and white balance each."""
    shape = (len(images), 1, 1, 1)
    brightness, contrast, saturation = (_around_one(shape, by, images.device) for by in (0.35, 0.3, 0.3))
    tint = _around_one((len(images), 3, 1, 1), 0.1, images.device)
    images = images * brightness * tint
    middle = images.mean(dim=(1, 2, 3), keepdim=True)
    images = middle + (images - middle) * contrast
    grey = images.mean(dim=1, keepdim=True)
    return (grey + (images - grey) * saturation).clamp(0, 1)


def _around_one(shape: tuple[int, ...], by: float, device: torch.device) -> Tensor:
    return 1 + (2 * torch.rand(shape, device=device) - 1) * by
