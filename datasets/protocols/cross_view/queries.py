"""Which of the views that belong to places become queries.

Paper 000 takes all of them. There, and wherever views are sampled uniformly, most see a place from nearly the direction
of its training image: who stands where the training camera stood sees the same point as it does, and walls stand behind
the point. "even" draws as many from behind as from the front.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ....errors import InputError
from .parameters import PlaceParameters

#: Degrees of view angle, and metres between query and training image, that are drawn from equally.
ANGLE_BIN, DISTANCE_BIN = 30.0, 1.0
ANGLE_BINS = round(180 / ANGLE_BIN)

Array = NDArray[Any]


def drawn_queries(
    rows: Array, angle: Array, distance: Array, spec: PlaceParameters, rng: np.random.Generator, *, scene: str
) -> Array:
    """Return which of the ``rows`` (N,) of views become queries: at most ``spec.queries_per_scene``, all by default.

    ``angle`` (N,) degrees and ``distance`` (N,) metres are those between each view and the training image of its place.
    Raises `InputError` where queries are to be even and none looks from one of the directions.
    """
    order = rng.permutation(len(rows))
    if spec.query_sampling == "even":
        order = order[_even(angle[order], distance[order], spec.queries_per_scene, scene)]
    return rows[order[: spec.queries_per_scene]]


def angle_histogram(angle: Array) -> Array:
    """Return how many of the view angles (N,), degrees, lie in each bin of `ANGLE_BIN`, (6,)."""
    return np.bincount(_angle_bin(angle), minlength=ANGLE_BINS)


def _angle_bin(angle: Array) -> Array:
    return np.minimum(angle // ANGLE_BIN, ANGLE_BINS - 1).astype(int)


def _even(angle: Array, distance: Array, limit: int | None, scene: str) -> Array:
    """Return as many indices of each bin of angle, the first ones of each bin of distance in turn."""
    bins = pd.DataFrame({"angle": _angle_bin(angle), "distance": distance // DISTANCE_BIN})
    there = np.bincount(bins["angle"], minlength=ANGLE_BINS)
    each = int(there.min()) if limit is None else min(int(there.min()), limit // ANGLE_BINS)
    if not each:
        scarce = int(there.argmin())
        raise InputError(
            f"scene {scene}: {there[scarce]} of {len(bins)} views see their place from {ANGLE_BIN * scarce:g} to "
            f"{ANGLE_BIN * (scarce + 1):g} degrees beside its training image, and queries are to be as many from all "
            "sides; ask for more views or a larger house"
        )
    bins["turn"] = bins.groupby(["angle", "distance"]).cumcount()
    in_turn = bins.sort_values(["angle", "turn", "distance"], kind="stable")
    return np.sort(in_turn.groupby("angle").head(each).index.to_numpy())
