"""GIST, the spatial envelope of an image: how much it has of each frequency, orientation and colour, and where.

Source: Oliva and Torralba, "Modeling the Shape of the Scene", IJCV 2001: energies of Gabor filters, averaged over a
coarse grid. Mean colours of the same cells stand beside them. Nothing is learned, and no method of the tracks compares
images by it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE = 64  # pixels of the square that an image is reduced to
CELLS = 4  # along each side of the grid
WAVELENGTHS, ORIENTATIONS = (4.0, 8.0, 16.0), 6  # pixels; over half a turn
COLOUR = 0.5  # weight of the colours beside the energies

Array = NDArray[Any]


def gist(image: Array) -> Array:
    """Return the descriptor (1, 336) float32 of an image (H, W, 3) uint8 sRGB.

    Its first 288 numbers are the energies of 18 filters in 16 cells, of unit length; the others the mean colours (L, a,
    b of CIELAB, as shares of their ranges).
    """
    small = cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    lab = cv2.cvtColor(small, cv2.COLOR_RGB2LAB) / np.array([100, 128, 128], dtype=np.float32)
    grey = lab[..., 0] - lab[..., 0].mean()
    energies = np.concatenate([_cell_means(np.hypot(*_responses(grey, *pair))).ravel() for pair in _filters()])
    energies /= max(float(np.linalg.norm(energies)), 1e-6)
    colours = _cell_means(lab).ravel() / CELLS
    return np.concatenate([energies, COLOUR * colours])[None].astype(np.float32)


def _responses(grey: Array, even: Array, odd: Array) -> tuple[Array, Array]:
    border = cv2.BORDER_REFLECT
    return cv2.filter2D(grey, -1, even, borderType=border), cv2.filter2D(grey, -1, odd, borderType=border)


def _cell_means(maps: Array) -> Array:
    """Return the means of maps (SIDE, SIDE, ...) over the cells of the grid."""
    return cv2.resize(maps, (CELLS, CELLS), interpolation=cv2.INTER_AREA)


@lru_cache(maxsize=1)
def _filters() -> list[tuple[Array, Array]]:
    """Return pairs of Gabor filters a quarter of a wave apart.

    They do not respond to plain grey, and all as strongly to their own wave: else the longest waves would drown others.
    """
    pairs = []
    for wavelength in WAVELENGTHS:
        size = 2 * round(wavelength) + 1
        for turn in np.arange(ORIENTATIONS) * np.pi / ORIENTATIONS:
            shape = ((size, size), 0.4 * wavelength, turn, wavelength, 1.0)
            even, odd = (cv2.getGaborKernel(*shape, phase, cv2.CV_32F) for phase in (0.0, np.pi / 2))
            even -= even.mean()
            pairs.append((even / np.abs(even).sum(), odd / np.abs(odd).sum()))
    return pairs
