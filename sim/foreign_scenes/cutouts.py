"""Holes where a picture is clear: leaves, fences and curtains are cut out of the triangles that carry them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

_LEVELS = 6  # a triangle becomes at most 4 ** 6
_MOST_PIECES = 300_000
_MIDDLES = np.array(  # the three corner triangles of a triangle and its middle one, as weights of its corners
    [
        [[2, 0, 0], [1, 1, 0], [1, 0, 1]],
        [[1, 1, 0], [0, 2, 0], [0, 1, 1]],
        [[1, 0, 1], [0, 1, 1], [0, 0, 2]],
        [[1, 1, 0], [0, 1, 1], [1, 0, 1]],
    ]
) / 2  # fmt: skip


def cut_out(uvs: Array, opaque: Array) -> tuple[Array, Array]:
    """Return the pieces of triangles that are opaque: the triangle (P,) each is of, and its corners' weights (P, 3, 3).

    ``uvs`` (T, 3, 2) are the triangles' texture coordinates, ``opaque`` (H, W) bool. Triangles are quartered along the
    border of the opaque part until they lie on one side of it or are as small as a texel.
    """
    size = np.array(opaque.shape[::-1])
    counts = np.pad(np.tile(opaque, (2, 2)).cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    owner, weights = np.arange(len(uvs)), np.tile(np.eye(3), (len(uvs), 1, 1))
    done: list[tuple[Array, Array]] = []
    for level in range(_LEVELS + 1):
        at = np.einsum("pij,pjk->pik", weights, uvs[owner]) * size
        share, extent = _opaque_share(at, counts, size)
        last = level == _LEVELS or 4 * len(owner) > _MOST_PIECES
        ended = last | (extent <= 1)
        centre = np.floor(at.mean(axis=1)).astype(int) % size
        keep = (share == 1) | (ended & (share > 0) & opaque[centre[:, 1], centre[:, 0]])
        done.append((owner[keep], weights[keep]))
        split = ~ended & (share > 0) & (share < 1)
        owner = np.repeat(owner[split], 4)
        weights = np.einsum("qij,pjk->pqik", _MIDDLES, weights[split]).reshape(-1, 3, 3)
    return np.concatenate([owner for owner, _ in done]), np.concatenate([weights for _, weights in done])


def _opaque_share(at: Array, counts: Array, size: Array) -> tuple[Array, Array]:
    """Return the opaque share (P,) of the box of texels around triangles (P, 3, 2), and the longer side of that box.

    A box larger than the picture counts as half opaque.
    """
    low, high = np.floor(at.min(axis=1)).astype(int), np.ceil(at.max(axis=1)).astype(int)
    high = np.maximum(high, low + 1)
    extent = (high - low).max(axis=1)
    large = (high - low > size).any(axis=1)
    high = high - low // size * size
    low = low % size
    (x0, y0), (x1, y1) = low.T, np.where(large[:, None], low + 1, high).T
    inside = counts[y1, x1] - counts[y0, x1] - counts[y1, x0] + counts[y0, x0]
    return np.where(large, 0.5, inside / ((x1 - x0) * (y1 - y0))), extent
