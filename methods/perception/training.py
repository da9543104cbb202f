"""Training the networks that answer for every pixel: segmentation and depth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from ..networks.feature_pyramid import PyramidConfig
from ..training.augmentation import jittered, seen_through, windows
from ..training.frames import HouseFrames, image_batch
from ..training.task import TrainingTask
from .networks import FARTHEST, NEAREST, DepthNetwork, SegmentationNetwork, enlarged

_MAP_STRIDE = 4  # pixels, between what the networks answer for
_SMALLEST_WINDOW = 0.6  # share of a frame's side that is seen, as through a longer lens
_EVALUATED = 32  # frames of every held-out house


class SegmentationTask(TrainingTask[PyramidConfig]):
    """Cross-entropy of the category of every fourth pixel; unknown pixels teach nothing."""

    name = "segmentation"
    network: SegmentationNetwork

    def make_network(self) -> SegmentationNetwork:
        """Return the network for the categories of generated houses."""
        return SegmentationNetwork(self.config)

    def about(self) -> dict[str, Any]:
        """Return the pyramid's architecture, and the names of the categories in the order of the network's scores."""
        return {"pyramid": self.config.model_dump(), "categories": list(self.network.categories)}

    def loss(self, houses: Sequence[HouseFrames], batch: NDArray[np.int64]) -> tuple[Tensor, dict[str, float]]:
        """Return the mean cross-entropy, and the share of pixels that are right."""
        images, truth, _ = _seen(houses, batch, self.network, "semantic")
        scores = self.network(images).float()
        loss = functional.cross_entropy(scores, truth.long(), ignore_index=0)
        right = (scores.argmax(dim=1) == truth)[truth > 0].float().mean()
        return loss, {"pixel_accuracy": right.item()}

    def quality(self, houses: Sequence[HouseFrames]) -> dict[str, float]:
        """Return mIoU and pixel accuracy at full resolution.

        mIoU is the mean over the categories that are present in the frames; ``miou_frequent`` that over those that
        cover at least 0.1 % of the pixels, which the regions of scene graphs are made of.
        """
        counts: NDArray[np.int64] = np.zeros((0, 0), dtype=np.int64)
        for house in houses:
            for frame in range(0, len(house), max(1, len(house) // _EVALUATED)):
                scores = self.network(_one(house, frame, self.network))
                answer = enlarged(scores, *house.semantic.shape[1:]).argmax(dim=0).cpu().numpy()
                size = scores.shape[1]
                known = house.semantic[frame] > 0
                pairs = house.semantic[frame][known].astype(np.int64) * size + answer[known]
                found = np.bincount(pairs, minlength=size * size).reshape(size, size)
                counts = found if counts.size == 0 else counts + found
        return _segmentation_quality(counts)


def _segmentation_quality(counts: NDArray[np.int64]) -> dict[str, float]:
    """Return the measures of a confusion matrix (C, C): true category, predicted category."""
    true, hit = counts.sum(axis=1), np.diag(counts)
    present = true > 0
    overlap = hit[present] / (true + counts.sum(axis=0) - hit)[present]
    frequent = true[present] >= 0.001 * true.sum()
    return {
        "miou": float(overlap.mean()),
        "miou_frequent": float(overlap[frequent].mean()),
        "pixel_accuracy": float(hit.sum() / true.sum()),
        "categories": float(present.sum()),
    }


class DepthTask(TrainingTask[PyramidConfig]):
    """The mean absolute error of log depth, and the scale-invariant error (Eigen et al. 2014, eq. 4, lambda 0.5)."""

    name = "depth"

    def make_network(self) -> DepthNetwork:
        """Return the network."""
        return DepthNetwork(self.config)

    def about(self) -> dict[str, Any]:
        """Return the pyramid's architecture."""
        return {"pyramid": self.config.model_dump()}

    def loss(self, houses: Sequence[HouseFrames], batch: NDArray[np.int64]) -> tuple[Tensor, dict[str, float]]:
        """Return the loss, and delta < 1.25 of the pixels that hit something."""
        images, truth, share = _seen(houses, batch, self.network, "depth")
        known = truth > 0
        # a window is the picture of a longer lens, and to the network, which knows one lens, of what is nearer
        error = self.network(images).float() - (truth * share).clamp(NEAREST, FARTHEST).log()
        error = torch.where(known, error, torch.zeros_like(error))
        pixels = known.sum(dim=(1, 2)).clamp(min=1)
        absolute = error.abs().sum(dim=(1, 2)) / pixels
        scale_invariant = (error**2).sum(dim=(1, 2)) / pixels - 0.5 * (error.sum(dim=(1, 2)) / pixels) ** 2
        close = (error[known].abs() < np.log(1.25)).float().mean()
        return (absolute + 0.5 * scale_invariant).mean(), {"delta_1_25": close.item()}

    def quality(self, houses: Sequence[HouseFrames]) -> dict[str, float]:
        """Return the absolute relative error and delta < 1.25, as predicted, and with scale and shift fitted.

        Scale and shift are those of least squares, one pair per image, as MiDaS is evaluated (Ranftl et al. 2020,
        section 6), but between depths and not disparities: these depths are metric.
        """
        rows = []
        for house in houses:
            for frame in range(0, len(house), max(1, len(house) // _EVALUATED)):
                truth = house.depth[frame].astype(np.float64)
                answer = enlarged(self.network(_one(house, frame, self.network))[:, None], *truth.shape).exp()[0]
                known = truth > 0
                if known.sum() >= 2:
                    rows.append(_depth_quality(answer.double().cpu().numpy()[known], truth[known]))
        names = ("absolute_relative", "delta_1_25", "aligned_absolute_relative", "aligned_delta_1_25")
        return dict(zip(names, np.mean(rows, axis=0).tolist(), strict=True))


def _depth_quality(answer: NDArray[np.float64], truth: NDArray[np.float64]) -> list[float]:
    scale, shift = np.linalg.lstsq(np.stack([answer, np.ones_like(answer)], axis=1), truth, rcond=None)[0]
    measures: list[float] = []
    for depth in (answer, np.maximum(scale * answer + shift, NEAREST)):
        ratio = np.maximum(depth / truth, truth / depth)
        measures += [float(np.mean(np.abs(depth - truth) / truth)), float(np.mean(ratio < 1.25))]
    return measures


def _seen(
    houses: Sequence[HouseFrames], batch: NDArray[np.int64], network: nn.Module, kind: str
) -> tuple[Tensor, Tensor, Tensor]:
    """Return images (B, 3, S, S) and maps (B, S/4, S/4) of windows into a batch's frames, half of them mirrored, and
    the share (B, 1, 1) of a frame's side that each window shows."""
    device = next(network.parameters()).device
    maps = np.stack([getattr(houses[house], kind)[frame].astype(np.float32) for house, frame in batch])
    images, truth = image_batch(houses, batch, device), torch.from_numpy(maps).to(device)[:, None]
    window, mirrored = windows(len(batch), _SMALLEST_WINDOW, device), torch.rand(len(batch), device=device) < 0.5
    side = images.shape[-1]
    images = seen_through(images, window, side, mirrored=mirrored)
    truth = seen_through(truth, window, side // _MAP_STRIDE, mirrored=mirrored, exact=True)[:, 0]
    return jittered(images), truth, window[:, 0, None, None]


def _one(house: HouseFrames, frame: int, network: nn.Module) -> Tensor:
    return image_batch([house], np.array([[0, frame]]), next(network.parameters()).device)
