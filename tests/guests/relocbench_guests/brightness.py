"""A network to train: it learns how bright a frame is."""

import torch
from relocbench.methods.training.frames import image_batch
from relocbench.methods.training.task import TrainingTask
from torch import nn


class BrightnessTask(TrainingTask):
    """Grey from colours."""

    name = "brightness"

    def make_network(self):
        """Return a linear map of colours."""
        return nn.Conv2d(3, 1, 1)

    def loss(self, houses, batch):
        """Return the squared error."""
        images = image_batch(houses, batch, self.device)
        return ((self.network(images) - images.mean(dim=1, keepdim=True)) ** 2).mean(), {}

    @torch.no_grad()
    def quality(self, houses):
        """Return the error on the first frames."""
        errors = [self.loss([house], [[0, 0]])[0] for house in houses]
        return {"error": float(torch.stack(errors).mean())}
