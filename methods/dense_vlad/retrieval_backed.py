"""What methods share that retrieve references with DenseVLAD before they compute a pose."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ...datasets.views import ViewSet
from ..method import Method, MethodConfig
from .dense_vlad import DenseVlad
from .encoder import DenseVladConfig


class SpreadConfig(MethodConfig):
    """How far apart retrieved references are taken (ExReNet paper, section IV-A)."""

    min_distance: float = Field(default=0.05, ge=0)
    """A retrieved reference keeps at least this distance, in metres, from those already selected."""

    max_distance: float = Field(default=10.0, gt=0)
    """A retrieved reference keeps at most this distance, in metres, from those already selected."""


class RetrievalBacked(Method):
    """A method that learns nothing in ``fit`` but what its retrieval needs, and shares that with ``dense-vlad``."""

    needs_fit = True

    def __init__(self, config: MethodConfig | None, retrieval: DenseVladConfig) -> None:
        super().__init__(config)
        self._retrieval = DenseVlad(retrieval)

    def fit(self, train: ViewSet) -> None:
        """Learn what retrieval needs."""
        self._retrieval.fit(train)

    def fit_identity(self) -> tuple[str, dict[str, Any]]:
        """Return that of the retrieval: nothing else is learned."""
        return self._retrieval.fit_identity()

    def save(self, folder: Path) -> None:
        """Write what retrieval learned."""
        self._retrieval.save(folder)

    def load(self, folder: Path) -> None:
        """Read what :meth:`save`, or that of a method with the same fit, wrote."""
        self._retrieval.load(folder)

    def _select(self, order: NDArray[Any], count: int, config: SpreadConfig) -> list[int]:
        """Return the indices of up to ``count`` references in the ``order`` (N,) of retrieval that lie apart."""
        distances = (config.min_distance, config.max_distance)
        return spread_references(order, self._retrieval.poses.translation, count=count, distances=distances)


def spread_references(
    order: NDArray[Any], centres: NDArray[Any], *, count: int, distances: tuple[float, float]
) -> list[int]:
    """Select up to ``count`` references in the ``order`` (N,) of retrieval, whose centres (N, 3) lie apart.

    A reference is skipped where its distance to one already selected lies outside ``distances`` (from, to), metres
    (ExReNet paper, section IV-A).
    """
    selected: list[int] = []
    for index in order:
        apart = np.linalg.norm(centres[selected] - centres[index], axis=-1)
        if ((apart >= distances[0]) & (apart <= distances[1])).all():
            selected.append(int(index))
        if len(selected) == count:
            break
    return selected
