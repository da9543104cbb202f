"""Public models of the Hugging Face hub, loaded by transformers from a folder, its cache or the hub."""

from __future__ import annotations

from typing import Any

import torch
from numpy.typing import NDArray

from ...errors import InputError


class PublicModel:
    """A model and its image processor; called with an image (H, W, 3) uint8, it returns the model's output.

    ``kind`` is the name of one of transformers' automatic classes. Weights are read from safetensors only, and no code
    that comes with a model is run. Raises ``InputError`` where transformers is missing or the model cannot be had.
    """

    def __init__(self, kind: str, weights: str) -> None:
        try:
            import transformers
        except ImportError as error:
            raise InputError(f"{weights}: needs transformers; pip install 'relocbench[public-models]'") from error
        try:
            self._processor = transformers.AutoImageProcessor.from_pretrained(weights)
            self._model = getattr(transformers, kind).from_pretrained(weights, use_safetensors=True)
        except (OSError, ValueError) as error:
            reason = str(error).strip().partition("\n")[0]
            raise InputError(
                f"{weights}: cannot be loaded ({reason}): download the model's folder where there is a network, and "
                "give its path as weights"
            ) from error
        self._model.eval().requires_grad_(False)

    @property
    def labels(self) -> int:
        """How many categories the model tells apart."""
        return int(self._model.config.num_labels)

    def __call__(self, image: NDArray[Any]) -> Any:
        """Return the model's output for one image."""
        with torch.inference_mode():
            return self._model(**self._processor(images=image, return_tensors="pt"))
