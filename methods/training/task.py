"""`TrainingTask`: what the one training loop needs to know of a network that is to be trained."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ..configuration import ConfigT, Configured
from .frames import HouseFrames
from .initialisation import Start
from .sampling import FrameSettings


class TrainingTask(Configured[ConfigT], ABC):
    """One network, its loss, and how good it is on houses that it has not seen. Subclass it, name it, and implement
    ``make_network``, ``loss`` and ``quality``::

        class Brightness(TrainingTask):
            name = "brightness"

            def make_network(self):
                return nn.Conv2d(3, 1, 1)

            def loss(self, houses, batch):
                images = image_batch(houses, batch, self.device)
                return ((self.network(images) - images.mean(1, keepdim=True)) ** 2).mean(), {}

            def quality(self, houses):
                return {}

    An installed package offers it by an entry point of the group ``relocbench.networks``; ``relocbench train
    brightness`` then trains it. Settings of its own (``TrainingTask[MyConfig]``) become options of that command.
    The network may have parts that other checkpoints can start it from: an ``encoder``, or a `FeaturePyramid` called
    ``pyramid``. ``frames`` says what the houses' frames are.
    """

    network: nn.Module

    def __init__(self, config: ConfigT | None = None, frames: FrameSettings | None = None) -> None:
        super().__init__(config)
        self.frames = FrameSettings() if frames is None else frames
        self.network = self.make_network()

    @abstractmethod
    def make_network(self) -> nn.Module:
        """Return what is trained, with its first random weights."""

    @property
    def label(self) -> str:
        """What the files of a training are called."""
        return self.name

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return next(self.network.parameters()).device

    def about(self) -> dict[str, Any]:
        """Return what a checkpoint should say of its network, as JSON-able values."""
        return self.config.model_dump(mode="json")

    def starts_from(self, start: Start) -> None:
        """Take note of how much of the network was filled before training; raises ``InputError`` where that will not
        do."""

    def draw(self, houses: Sequence[HouseFrames], count: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Return the frames of one batch as (B, 2), indices of the house in ``houses`` and of the frame in it; by
        default drawn uniformly."""
        house = rng.integers(len(houses), size=count)
        frame = rng.integers([len(houses[index]) for index in house])
        return np.stack([house, frame], axis=1)

    @abstractmethod
    def loss(self, houses: Sequence[HouseFrames], batch: NDArray[np.int64]) -> tuple[Tensor, dict[str, float]]:
        """Return the loss of a batch that ``draw`` drew, and numbers worth a column in the log."""

    def finish(self, houses: Sequence[HouseFrames]) -> None:
        """Learn, after the last step, what is not learned by gradient (a whitening); the network is in eval mode."""

    @abstractmethod
    def quality(self, houses: Sequence[HouseFrames]) -> dict[str, float]:
        """Return how good the network is on held-out houses, by the field's measures."""
