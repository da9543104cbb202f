"""A scene's textures with their mip chains, packed into one array that a compiled kernel can read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from ..scene import Material
from ..srgb import LINEAR_OF_BYTE, linear_to_srgb

Array = NDArray[Any]


class TextureAtlas(NamedTuple):
    """All materials' looks. ``texels`` (N, 3) uint8 sRGB, level after level, row after row.

    For M materials and up to L levels: ``start`` (M, L) int64 index of a level's first texel; ``size`` (M, L, 2) int32
    its width and height; ``levels`` (M,) int32; ``emission`` (M, 3) float32; ``albedo`` (M, 3) float32 mean linear
    colour.
    """

    texels: Array
    start: Array
    size: Array
    levels: Array
    emission: Array
    albedo: Array


def build_atlas(materials: Sequence[Material]) -> TextureAtlas:
    """Pack the textures of ``materials`` with mip chains that are averaged in linear light."""
    chains = [_mip_chain(material.texture) for material in materials]
    depth = max((len(chain) for chain in chains), default=1)
    start = np.zeros((len(chains), depth), dtype=np.int64)
    size = np.ones((len(chains), depth, 2), dtype=np.int32)
    total = 0
    for m, chain in enumerate(chains):
        for k, level in enumerate(chain):
            start[m, k], size[m, k] = total, (level.shape[1], level.shape[0])
            total += level.shape[0] * level.shape[1]
    texels = np.empty((total, 3), dtype=np.uint8)
    for m, chain in enumerate(chains):
        for k, level in enumerate(chain):
            texels[start[m, k] : start[m, k] + level.shape[0] * level.shape[1]] = level.reshape(-1, 3)
    return TextureAtlas(
        texels=texels,
        start=start,
        size=size,
        levels=np.array([len(chain) for chain in chains], dtype=np.int32),
        emission=np.array([material.emission for material in materials], dtype=np.float32).reshape(-1, 3),
        albedo=np.array([LINEAR_OF_BYTE[chain[-1][0, 0]] for chain in chains], dtype=np.float32).reshape(-1, 3),
    )


def _mip_chain(texture: Array) -> list[Array]:
    """Return the texture and its halvings down to one texel, each (h, w, 3) uint8 sRGB."""
    chain = [np.ascontiguousarray(texture)]
    linear: Array = LINEAR_OF_BYTE[texture]
    while linear.shape[0] > 1 or linear.shape[1] > 1:
        height, width = max(1, linear.shape[0] // 2), max(1, linear.shape[1] // 2)
        linear = cv2.resize(linear, (width, height), interpolation=cv2.INTER_AREA)
        chain.append(np.round(_srgb_of_linear(linear)).astype(np.uint8))
    return chain


_SRGB_STEPS = 255 * linear_to_srgb((np.arange(4097) / 4096) ** 2)  # even steps of the square root: fine in the dark


def _srgb_of_linear(linear: Array) -> Array:
    """Return sRGB in [0, 255] from a table, which is ten times as fast as the power."""
    return _SRGB_STEPS[np.round(np.sqrt(np.clip(linear, 0, 1)) * 4096).astype(np.int32)]
