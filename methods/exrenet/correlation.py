"""Correlation layers, extensive and guided, and the auxiliary loss that teaches them to match.

Source: Winkelbauer, Denninger, Triebel, "Learning to Localize in New Environments from Synthetic Training Data"
(ExReNet), ICRA 2021, section IV-B, equations 1 to 7. A correlation map is (B, W, H, W'), channels first: channel
w = x2 * rows + y2 is the position (y2, x2) that a feature at (y1, x1) is compared with, in the whole second feature map
or in the window that an earlier layer's match opens in it.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

_MARGIN = 1.0  # of equation 6


@dataclass(frozen=True, eq=False)
class Windows:
    """Where a guided layer looks: the top-left corner (B, h, w) of the window of each coarse position, in positions of
    the second fine map (outside it where the border reaches out), and the windows' side d and upscale factor u."""

    top: Tensor
    left: Tensor
    side: int
    upscale: int

    def inside(self, height: int, width: int) -> Tensor:
        """Return (B, d * d, H, W) bool for a second map of that size: which channels lie in it, not beyond its edge."""
        steps = torch.arange(self.side, device=self.top.device)
        rows, columns = (corner[:, None] + steps.view(1, -1, 1, 1) for corner in (self.top, self.left))
        within = ((columns >= 0) & (columns < width))[:, :, None] & ((rows >= 0) & (rows < height))[:, None]
        within = within.flatten(1, 2)
        return within.repeat_interleave(self.upscale, dim=2).repeat_interleave(self.upscale, dim=3)


def extensive_correlation(first: Tensor, second: Tensor) -> Tensor:
    """Return all dot products (B, h * w, h, w) of features (B, C, h, w): equation 1."""
    return torch.einsum("bcyx,bcp->bpyx", first, second.transpose(2, 3).flatten(2))


def matches(correlation: Tensor, rows: int) -> tuple[Tensor, Tensor]:
    """Return the positions y and x (B, h, w) that each position matches best: equations 3 and 4.

    ``rows`` is the height of the map that the channels of ``correlation`` (B, W, h, w) stand for.
    """
    best = correlation.argmax(dim=1)
    return best % rows, best // rows


def open_windows(match_y: Tensor, match_x: Tensor, *, upscale: int, border: float) -> Windows:
    """Return the windows around coarse matches (B, h, w): cells of u x u fine positions, and ``border`` cells more.

    Raises ``ValueError`` where the border is not a whole number of fine positions.
    """
    reach = border * upscale
    if reach != int(reach) or reach < 0:
        raise ValueError(f"a border of {border} cells is not a whole number of positions at upscale {upscale}")
    return Windows(match_y * upscale - int(reach), match_x * upscale - int(reach), upscale + 2 * int(reach), upscale)


def guided_correlation(first: Tensor, second: Tensor, windows: Windows) -> Tensor:
    """Return the dot products (B, d * d, H, W) of features (B, C, H, W) with those of their windows: equation 2.

    Where a window reaches beyond the map they are 0. Raises ``ValueError`` where H and W are not u times those of the
    coarse positions.
    """
    batch, channels, height, width = first.shape
    upscale, side = windows.upscale, windows.side
    rows, columns = height // upscale, width // upscale
    if (rows * upscale, columns * upscale) != (height, width) or windows.top.shape[1:] != (rows, columns):
        raise ValueError(f"features of {height} x {width} do not divide into {tuple(windows.top.shape[1:])} windows")
    border = (side - upscale) // 2
    padded = functional.pad(second, (border,) * 4).permute(0, 2, 3, 1)
    wide = padded.shape[2]
    steps = torch.arange(border, border + side, device=second.device)
    x, y = (corner.flatten(1)[..., None] + steps for corner in (windows.left, windows.top))  # (B, h * w, d)
    start = torch.arange(batch, device=second.device).view(-1, 1, 1, 1) * (padded.shape[1] * wide)
    at = start + y[:, :, None] * wide + x[..., None]  # columns of windows first
    cut = padded.flatten(0, 2).index_select(0, at.flatten()).view(-1, side * side, channels)
    cells = first.view(batch, channels, rows, upscale, columns, upscale).permute(0, 2, 4, 3, 5, 1)
    products = cells.reshape(-1, upscale * upscale, channels) @ cut.transpose(1, 2)
    products = products.view(batch, rows, columns, upscale, upscale, side * side).permute(0, 5, 1, 3, 2, 4)
    return products.reshape(batch, side * side, height, width)


def extensive_counts(source: Tensor, target: Tensor, valid: Tensor, height: int, width: int) -> Tensor:
    """Return n (B, h * w, h, w): the pixels of position (y1, x1) whose match lies in the position of channel w.

    ``source`` and ``target`` (B, P, 2) are matching places x, y in units of the image's sides, in [0, 1).
    """
    x1, y1 = _cells(source, height, width)
    x2, y2 = _cells(target, height, width)
    return _counts(x2 * height + y2, y1, x1, valid, height * width, height, width)


def guided_counts(source: Tensor, target: Tensor, valid: Tensor, height: int, width: int, windows: Windows) -> Tensor:
    """Return n (B, d * d, H, W) for a guided layer; a match outside the window is not counted.

    The arguments are those of :func:`extensive_counts`.
    """
    x1, y1 = _cells(source, height, width)
    x2, y2 = _cells(target, height, width)
    coarse = (y1 // windows.upscale) * windows.left.shape[2] + x1 // windows.upscale
    x2 = x2 - windows.left.flatten(1).gather(1, coarse)
    y2 = y2 - windows.top.flatten(1).gather(1, coarse)
    side = windows.side
    found = valid & (x2 >= 0) & (x2 < side) & (y2 >= 0) & (y2 < side)
    return _counts(x2 * side + y2, y1, x1, found, side * side, height, width)


def triplet_loss(correlation: Tensor, counts: Tensor, inside: Tensor | None = None) -> Tensor:
    """Return the mean of equation 5 over all feature combinations that correspond, for either kind of layer.

    ``correlation`` and ``counts`` are (B, W, H, W'); combinations without ``inside`` (the same shape, bool) do not
    exist. Combinations for which equation 5 divides by zero (not a match, or without a negative) are left out of the
    mean; without any other the loss is 0.
    """
    negative = counts == 0
    if inside is not None:
        negative = negative & inside
    scores, negative = correlation.movedim(1, -1), negative.movedim(1, -1)
    at, channel = _split(torch.nonzero(counts.movedim(1, -1)))
    others, negative = scores[at], negative[at].to(scores.dtype)
    hinge = (others - others.gather(1, channel[:, None]) + _MARGIN).clamp(min=0)
    number = negative.sum(dim=1)
    each = (hinge * negative).sum(dim=1) / number.clamp(min=1)
    return each.sum() / (number > 0).sum().clamp(min=1)


def cross_entropy(scores: Tensor, counts: Tensor, inside: Tensor | None = None) -> Tensor:
    """Return how improbable the true matches are, in nats: the mean over positions that have any.

    The arguments are those of :func:`triplet_loss`; a position's probabilities are the softmax of its ``scores`` over
    the channels that exist, and where its pixels match several, each counts by how many do.
    """
    if inside is not None:
        scores = scores.masked_fill(~inside, -torch.inf)
    scores, counts = scores.movedim(1, -1).flatten(0, 2), counts.movedim(1, -1).flatten(0, 2)
    known = counts.sum(dim=1) > 0
    scores, counts = scores[known], counts[known].to(scores.dtype)
    matched = scores.log_softmax(dim=1).masked_fill(counts == 0, 0.0)  # what does not exist has no finite logarithm
    return -((matched * counts).sum(dim=1) / counts.sum(dim=1)).sum() / max(len(counts), 1)


def correct_share(correlation: Tensor, counts: Tensor) -> float:
    """Return the share of the positions with a true match whose best match is one; 0 where there are none."""
    best = correlation.argmax(dim=1, keepdim=True)
    known = counts.sum(dim=1, keepdim=True) > 0
    return float((counts.gather(1, best) > 0)[known].float().mean()) if bool(known.any()) else 0.0


def _split(index: Tensor) -> tuple[tuple[Tensor, ...], Tensor]:
    """Return the position and the channel of indices (P, 4)."""
    return (index[:, 0], index[:, 1], index[:, 2]), index[:, 3]


def _cells(places: Tensor, height: int, width: int) -> tuple[Tensor, Tensor]:
    """Return the columns and rows (B, P) of places (B, P, 2) in [0, 1)."""
    x = (places[..., 0] * width).long().clamp(0, width - 1)
    y = (places[..., 1] * height).long().clamp(0, height - 1)
    return x, y


def _counts(channel: Tensor, y: Tensor, x: Tensor, found: Tensor, channels: int, height: int, width: int) -> Tensor:
    batch = torch.arange(len(channel), device=channel.device)[:, None]
    index = ((batch * channels + channel) * height + y) * width + x
    counts = torch.bincount(index[found], minlength=len(channel) * channels * height * width)
    return counts.view(len(channel), channels, height, width)
