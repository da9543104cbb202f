"""The Pareto front: methods than which no other is both cheaper and more accurate."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def pareto_front(cost: NDArray[Any], error: NDArray[Any]) -> NDArray[Any]:
    """Return the indices, by rising cost, of the points than which none is both cheaper and more accurate."""
    order = np.lexsort([error, cost])
    best = np.inf
    front = []
    for index in order:
        if error[index] < best:
            best = float(error[index])
            front.append(index)
    return np.array(front, dtype=int)
