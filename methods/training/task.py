"""`TrainingTask`: what the one training loop needs to know of a network that is to be trained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from .frames import HouseFrames


class TrainingTask(Protocol):
    """One network, how its batches are drawn, its loss, and how good it is on houses that it has not seen."""

    name: str

    @property
    def network(self) -> nn.Module:
        """What is trained; its ``pyramid`` may start from another network's."""

    def draw(self, houses: Sequence[HouseFrames], count: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Return the frames of one batch as (B, 2): indices of the house in ``houses`` and of the frame in it."""

    def loss(self, houses: Sequence[HouseFrames], batch: NDArray[np.int64]) -> tuple[Tensor, dict[str, float]]:
        """Return the loss of a batch that ``draw`` drew, and numbers worth a column in the log."""

    def finish(self, houses: Sequence[HouseFrames]) -> None:
        """Learn, after the last step, what is not learned by gradient (a whitening); the network is in eval mode."""

    def quality(self, houses: Sequence[HouseFrames]) -> dict[str, float]:
        """Return how good the network is on held-out houses, by the field's measures."""
