"""Which of the references that retrieval ranks are taken: those that lie apart."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ..configuration import MethodConfig


class SpreadConfig(MethodConfig):
    """How far apart retrieved references are taken (ExReNet paper, section IV-A)."""

    min_distance: float = Field(default=0.05, ge=0)
    """A retrieved reference keeps at least this distance, in metres, from those already selected."""

    max_distance: float = Field(default=10.0, gt=0)
    """A retrieved reference keeps at most this distance, in metres, from those already selected."""

    def select(self, order: NDArray[Any], centres: NDArray[Any], count: int) -> list[int]:
        """Return up to ``count`` references in the ``order`` (N,) of retrieval, whose centres (N, 3) lie apart."""
        selected: list[int] = []
        for index in order:
            apart = np.linalg.norm(centres[selected] - centres[index], axis=-1)
            if ((apart >= self.min_distance) & (apart <= self.max_distance)).all():
                selected.append(int(index))
            if len(selected) == count:
                break
        return selected
