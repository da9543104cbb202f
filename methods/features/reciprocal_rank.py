"""Reciprocal ranks: distances to K prototypes as a vector that says only in which order the prototypes come."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def reciprocal_ranks(distances: NDArray[Any]) -> NDArray[np.float32]:
    """Return the reciprocal rank vectors (..., K) float32 of ``distances`` (..., K): 1 for the nearest, then 1/2, ...

    Equal distances keep their order; a prototype at an infinite distance gets 0, so a row without any finite distance
    is zero. Source: paper 000, section II-B, after Cormack et al., "Reciprocal rank fusion outperforms Condorcet and
    individual rank learning methods", SIGIR 2009, whose constant k is 0 here.

    >>> reciprocal_ranks(np.array([0.7, 0.2, np.inf, 0.5]))
    array([0.33333334, 1.        , 0.        , 0.5       ], dtype=float32)
    """
    distances = np.asarray(distances)
    order = np.argsort(distances, axis=-1, kind="stable")
    ranks = np.empty(distances.shape, dtype=np.float32)
    places = np.arange(1, distances.shape[-1] + 1, dtype=np.float32)
    np.put_along_axis(ranks, order, np.broadcast_to(1 / places, distances.shape), axis=-1)
    ranks[np.isinf(distances)] = 0
    return ranks
