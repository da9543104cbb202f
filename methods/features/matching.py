"""Nearest-neighbour matching of descriptors with the ratio test."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def match_descriptors(
    query: NDArray[Any], reference: NDArray[Any], *, ratio: float = 0.8, mutual: bool = False
) -> NDArray[Any]:
    """Return matches (M, 2) of row indices (query, reference), in the order of the query's rows.

    Each query descriptor (N, D) is matched to its nearest reference descriptor (K, D) where that is closer than
    ``ratio`` times the second nearest (Lowe 2004); with one reference descriptor there is no second and no match.
    ``mutual`` also asks the query descriptor to be the nearest one of its match. A reference descriptor keeps only its
    closest match: one point of a scene has one image.
    """
    if len(query) == 0 or len(reference) < 2:
        return np.zeros((0, 2), dtype=np.int64)
    # Squared distances less the query's own square, which decides no minimum: three passes over the matrix saved.
    distance = query @ reference.T
    distance *= -2
    distance += np.einsum("kd,kd->k", reference, reference)
    own = np.einsum("nd,nd->n", query, query)
    rows = np.arange(len(query))
    nearest = distance.argmin(axis=1)
    column_nearest = (distance + own[:, None]).argmin(axis=0) if mutual else None
    first = distance[rows, nearest] + own
    distance[rows, nearest] = np.inf
    second = distance.min(axis=1) + own
    accepted = first < ratio**2 * second
    if column_nearest is not None:
        accepted &= column_nearest[nearest] == rows
    return _closest_per_reference(rows[accepted], nearest[accepted], first[accepted])


def _closest_per_reference(rows: NDArray[Any], columns: NDArray[Any], distances: NDArray[Any]) -> NDArray[Any]:
    by_distance = np.argsort(distances, kind="stable")
    _, first = np.unique(columns[by_distance], return_index=True)
    kept = np.sort(by_distance[first])
    return np.stack([rows[kept], columns[kept]], axis=1)
