"""Between sRGB values and linear light."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def srgb_to_linear(srgb: Array) -> Array:
    """Return linear light in [0, 1] of sRGB values in [0, 1], any shape, float64 (IEC 61966-2-1)."""
    srgb = np.asarray(srgb, dtype=np.float64)
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def linear_to_srgb(linear: Array) -> Array:
    """Return sRGB values in [0, 1] of linear light, any shape, float64; input is clipped to [0, 1]."""
    linear = np.clip(np.asarray(linear, dtype=np.float64), 0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


#: Linear light (256,) float32 of each sRGB byte.
LINEAR_OF_BYTE = srgb_to_linear(np.arange(256) / 255).astype(np.float32)
