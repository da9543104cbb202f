"""The tone curve: how linear light is shown as sRGB bytes, whichever simulator computed it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .compiled import compiled
from .srgb import linear_to_srgb

Array = NDArray[Any]

_TONE_STEPS = 8192
_SHOULDER = 0.7  # linear light up to here is shown as it is; beyond, it is compressed towards white


def tone_table() -> Array:
    """Return the sRGB byte (S,) uint8 of linear light ``(i / (S - 1)) ** 2``: even steps of the square root."""
    light = (np.arange(_TONE_STEPS) / (_TONE_STEPS - 1)) ** 2
    return np.round(255 * linear_to_srgb(light)).astype(np.uint8)


@compiled(error_model="numpy")
def to_bytes(shown, samples, table, rgb):  # type: ignore[no-untyped-def]
    """Fill rgb (N, 3) uint8 from the summed light (N, 3) of ``samples`` samples per pixel."""
    top = len(table) - 1
    for i in range(shown.shape[0]):
        for k in range(3):
            rgb[i, k] = table[int(math.sqrt(min(shown[i, k] / samples, np.float32(1.0))) * top + 0.5)]


@compiled(error_model="numpy")
def compress(light):  # type: ignore[no-untyped-def]
    """Replace light (N, 3) float32, after exposure, by what is shown of it: the tone curve's shoulder."""
    for i in range(light.shape[0]):
        for k in range(3):
            light[i, k] = shoulder(light[i, k])


@compiled(error_model="numpy")
def shoulder(light):  # type: ignore[no-untyped-def]
    """Return what is shown of linear light after exposure: itself, or, where it is bright, less."""
    if light <= _SHOULDER:
        return np.float64(light)
    beyond = (light - _SHOULDER) / (1 - _SHOULDER)
    return _SHOULDER + (1 - _SHOULDER) * beyond / (1 + beyond)
