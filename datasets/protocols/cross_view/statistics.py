"""What a scene's places are like, in numbers for the manifest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from ....sim.scene import Room
from .visibility import VisibilityCone

#: Share of an image's columns that must end in a room for it to be in sight.
LEAST_COLUMNS = 0.05

Array = NDArray[Any]


def rooms_in_sight(cone: VisibilityCone, rooms: Sequence[Room]) -> int:
    """Return how many of the rooms a view shows: that in which it was taken, and those where its columns end."""
    x, y = cone.ends.T
    shown = [shapely.contains_xy(room.polygon, x, y).mean() >= LEAST_COLUMNS for room in rooms]
    within = [bool(shapely.contains_xy(room.polygon, *cone.eye)) for room in rooms]
    return int(np.logical_or(shown, within).sum())


def deciles(values: Array) -> tuple[float, float, float]:
    """Return the first decile, the median and the last decile of values (N,), with three digits."""
    low, middle, high = np.round(np.percentile(values, [10, 50, 90]), 3).tolist()
    return low, middle, high
