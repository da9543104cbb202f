"""SIFT keypoints and (Root)SIFT descriptors of one image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ..method import MethodConfig


class SiftConfig(MethodConfig):
    """Detection and description of SIFT features."""

    contrast_threshold: float = Field(default=0.0025, gt=0)
    """Keypoints whose difference of Gaussians is weaker are dropped. OpenCV's own default of 0.04 is meant for noisy
    photographs; on noise-free renderings of 256 x 256 every halving from there found more queries (validation houses,
    four references: 4 % of them to within 0.5 m and 5 deg with 0.04, 11 % with 0.02, 25 % with 0.005, 28 % with
    0.0025). Raise it for images with sensor noise."""

    edge_threshold: float = Field(default=15.0, gt=0)
    """Keypoints on edges whose ratio of curvatures is larger are dropped; OpenCV's own default is 10."""

    max_keypoints: int = Field(default=2000, ge=1)
    """Only the strongest keypoints are kept."""

    root: bool = True
    """Compare square roots of L1-normalised descriptors (RootSIFT) instead of the descriptors themselves."""

    pixels: int | None = Field(default=None, ge=1)
    """Images with more pixels are reduced to about so many before features are extracted (149 x 110 in the ExReNet
    paper: 16390); by default none is. Nothing but feature extraction sees the reduced image: retrieval, cameras and
    error thresholds keep the pixels of the given one."""


@dataclass(frozen=True, eq=False)
class SiftFeatures:
    """Keypoints (N, 2) float64 in continuous pixels, strongest first, and descriptors (N, 128) float32.

    Descriptor values are whole numbers in [0, 255], so that dot products of two are exact in float32: matches do not
    depend on the order in which a linear-algebra library happens to add.
    """

    keypoints: NDArray[Any]
    descriptors: NDArray[Any]

    def __len__(self) -> int:
        return len(self.keypoints)

    @property
    def nbytes(self) -> int:
        """Size in memory, bytes."""
        return self.keypoints.nbytes + self.descriptors.nbytes


def extract_sift(image: NDArray[Any], config: SiftConfig) -> SiftFeatures:
    """Detect and describe SIFT features (Lowe 2004) of an image (H, W, 3) uint8 sRGB.

    Keypoints are in pixels of the given image, also where it is reduced (``config.pixels``) before they are detected.
    """
    reduced = image if config.pixels is None else _reduced(image, config.pixels)
    grey = cv2.cvtColor(reduced, cv2.COLOR_RGB2GRAY)
    # Without its precise upscaling, OpenCV's keypoints lie a quarter of a pixel too far to the right and down.
    sift = cv2.SIFT.create(
        contrastThreshold=config.contrast_threshold, edgeThreshold=config.edge_threshold, enable_precise_upscale=True
    )
    keypoints, descriptors = sift.detectAndCompute(grey, None)
    if descriptors is None or len(keypoints) == 0:
        return SiftFeatures(np.zeros((0, 2)), np.zeros((0, 128), dtype=np.float32))
    response = np.array([keypoint.response for keypoint in keypoints])
    strongest = np.argsort(-response, kind="stable")[: config.max_keypoints]
    # OpenCV puts pixel centres at whole coordinates, this package at halves.
    positions = np.array([keypoint.pt for keypoint in keypoints], dtype=np.float64)[strongest] + 0.5
    positions *= np.divide(image.shape[1::-1], reduced.shape[1::-1])
    descriptors = np.asarray(descriptors, dtype=np.float32)[strongest]
    return SiftFeatures(positions, rootsift(descriptors) if config.root else descriptors)


def _reduced(image: NDArray[Any], pixels: int) -> NDArray[Any]:
    """Return an image (H, W, 3) of the same aspect with about so many pixels, or the given one if it has no more."""
    height, width = image.shape[:2]
    scale = np.sqrt(pixels / (height * width))
    if scale >= 1:
        return image
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def rootsift(descriptors: NDArray[Any]) -> NDArray[Any]:
    """Return RootSIFT (Arandjelovic and Zisserman 2012) of descriptors (N, 128), as whole numbers in [0, 255].

    Euclidean distance between the results is, up to rounding, 512 times the Hellinger distance between the inputs.
    """
    total = np.maximum(descriptors.sum(axis=1, keepdims=True), np.float32(1e-6))
    return np.minimum(np.rint(512 * np.sqrt(descriptors / total)), 255).astype(np.float32)
