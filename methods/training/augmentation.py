"""Images under other light, from the other side of a mirror and through a longer lens than they were rendered with."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


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


def windows(count: int, smallest: float, device: torch.device) -> Tensor:
    """Return windows (B, 3) into square images: the share of a side that each shows, and where its middle lies, x and y
    with the image's sides at -1 and 1. Half of them show all, so that what a lens decides is learned of the real one.
    """
    share = smallest + (1 - smallest) * torch.rand(count, device=device)
    share = torch.where(torch.rand(count, device=device) < 0.5, share, torch.ones_like(share))
    middle = (1 - share)[:, None] * (2 * torch.rand((count, 2), device=device) - 1)
    return torch.cat([share[:, None], middle], dim=1)


def seen_through(values: Tensor, window: Tensor, side: int, *, mirrored: Tensor, exact: bool = False) -> Tensor:
    """Return what ``window`` (B, 3) shows of values (B, C, S, S), at ``side`` pixels, in a mirror where ``mirrored``.

    Between pixels values are interpolated, or, where they must stay ``exact``, those of the nearest pixel.
    """
    share, x, y = window.unbind(dim=1)
    across = torch.where(mirrored, -share, share)
    zero = torch.zeros_like(share)
    affine = torch.stack([torch.stack([across, zero, x], 1), torch.stack([zero, share, y], 1)], 1)
    grid = functional.affine_grid(affine, [len(values), 1, side, side], align_corners=False)
    mode = "nearest" if exact else "bilinear"
    return functional.grid_sample(values, grid, mode=mode, padding_mode="border", align_corners=False)


def _around_one(shape: tuple[int, ...], by: float, device: torch.device) -> Tensor:
    return 1 + (2 * torch.rand(shape, device=device) - 1) * by
