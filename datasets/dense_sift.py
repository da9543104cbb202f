"""Dense RootSIFT: SIFT descriptors on a regular grid at several scales, without detection and without rotation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

_ORIENTATIONS = 8
_CELLS = 4  # a descriptor's region has 4 x 4 cells
_CLAMP = np.float32(0.2)  # Lowe 2004, section 6.1


def dense_rootsift(image: NDArray[Any], *, widths: Sequence[int], step: int, min_contrast: float) -> NDArray[Any]:
    """Return upright RootSIFT descriptors (N, 128) float32, unit length, of an image (H, W, 3) uint8 sRGB.

    Descriptors sit every ``step`` pixels wherever their square region, ``widths`` pixels wide (multiples of 8), fits
    into the image. Because position and orientation are given, the histograms of all descriptors of one scale are the
    same few images: gradient magnitude shared out to 8 orientations, each pooled by the triangle that bilinear
    interpolation between cells amounts to, and read off at 4 x 4 shifts (the scheme of Vedaldi and Fulkerson's dense
    SIFT). Regions whose mean gradient is below ``min_contrast`` (grey levels in [0, 1] per pixel) are left out: their
    descriptors would be noise blown up to unit length.
    """
    grey = cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2GRAY)  # 8 bits of grey would cost contrast
    parts = [_one_scale(grey, width, step, min_contrast) for width in widths]
    return np.concatenate([np.zeros((0, _CELLS * _CELLS * _ORIENTATIONS), dtype=np.float32), *parts])


def _one_scale(grey: NDArray[Any], width: int, step: int, min_contrast: float) -> NDArray[Any]:
    if min(grey.shape) <= width:
        return np.zeros((0, _CELLS * _CELLS * _ORIENTATIONS), dtype=np.float32)
    cell = width // _CELLS
    # A cell of c pixels belongs to a keypoint of scale c / 3; half of that is smoothed away before taking gradients.
    smooth = cv2.GaussianBlur(grey, (0, 0), cell / 6)
    triangle = np.bartlett(2 * cell + 1)[1:-1].astype(np.float32)
    pooled = cv2.sepFilter2D(_orientation_maps(smooth), -1, triangle, triangle)
    histograms = _read_cells(pooled, cell, step)
    contrast = histograms.sum(axis=1) / width**2
    return _normalised(histograms[contrast >= min_contrast])


def _orientation_maps(grey: NDArray[Any]) -> NDArray[Any]:
    """Share each pixel's gradient magnitude out to the two nearest of 8 orientations: (H, W, 8) float32."""
    gx = cv2.Sobel(grey, cv2.CV_32F, 1, 0, ksize=1, scale=0.5)
    gy = cv2.Sobel(grey, cv2.CV_32F, 0, 1, ksize=1, scale=0.5)
    magnitude, angle = cv2.cartToPolar(gx, gy)
    position = angle.ravel() * np.float32(_ORIENTATIONS / (2 * np.pi))
    lower = np.floor(position).astype(np.int64)
    upper_share = (position - lower) * magnitude.ravel()
    maps = np.zeros((grey.size, _ORIENTATIONS), dtype=np.float32)
    pixel = np.arange(grey.size)
    maps[pixel, lower % _ORIENTATIONS] = magnitude.ravel() - upper_share
    maps[pixel, (lower + 1) % _ORIENTATIONS] = upper_share
    return maps.reshape(*grey.shape, _ORIENTATIONS)


def _read_cells(pooled: NDArray[Any], cell: int, step: int) -> NDArray[Any]:
    """Read the 4 x 4 cells of every region off the pooled maps and weigh them: (N, 128) float32."""
    height, width = pooled.shape[:2]
    first, rows, columns = cell // 2, height - _CELLS * cell, width - _CELLS * cell
    offsets = np.arange(_CELLS) - (_CELLS - 1) / 2
    weight = np.exp(-0.5 * (offsets / (_CELLS / 2)) ** 2).astype(np.float32)  # Lowe's window, one value per cell
    cells = []
    for i in range(_CELLS):
        for j in range(_CELLS):
            top, left = first + i * cell, first + j * cell
            cells.append(pooled[top : top + rows : step, left : left + columns : step] * (weight[i] * weight[j]))
    return np.stack(cells, axis=2).reshape(-1, _CELLS * _CELLS * _ORIENTATIONS)


def _normalised(histograms: NDArray[Any]) -> NDArray[Any]:
    """Normalise, clamp and normalise as SIFT does, then take RootSIFT's square root; rows get unit length."""
    norm = np.linalg.norm(histograms, axis=1, keepdims=True)
    clamped = np.minimum(histograms / np.maximum(norm, np.float32(1e-12)), _CLAMP)
    return np.sqrt(clamped / np.maximum(clamped.sum(axis=1, keepdims=True), np.float32(1e-12)))
