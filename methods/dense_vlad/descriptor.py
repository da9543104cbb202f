"""One vector per image: dense RootSIFT, VLAD, PCA whitening; with its vocabulary learned, saved and loaded."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from ...datasets.dense_sift import dense_rootsift
from ...datasets.views import ViewSet
from ...errors import InputError
from ..configuration import MethodConfig
from ..features.vlad import Whitening, learn_vocabulary, vlad
from ..retrieval.descriptor import Descriptor
from ..weights import PACKAGED

_FILE = "dense_vlad.npz"
_DESCRIPTORS_PER_WORD = 256  # more change k-means little (it is faiss's own limit) and cost time in proportion


class DenseVladConfig(MethodConfig):
    """DenseVLAD's parameters; every one of them decides what ``fit`` learns."""

    widths: tuple[int, ...] = (16, 24, 32, 40)
    """Widths of the descriptors' regions in pixels, multiples of 8 (the four scales of the paper)."""

    step: int = Field(default=4, ge=1)
    """Grid spacing in pixels. The paper's 2 quadruples the time for images of 640 x 480."""

    min_contrast: float = Field(default=0.002, ge=0)
    """Regions whose mean gradient is weaker (grey levels in [0, 1] per pixel) are left out."""

    words: int = Field(default=128, ge=2)
    """Words of the vocabulary."""

    dimensions: int = Field(default=512, ge=1)
    """Dimensions after PCA; fewer where there are fewer training views."""

    shrinkage: float = Field(default=1.0, ge=0)
    """Added to each variance before whitening, as a multiple of their mean; 0 is plain whitening."""

    training_views: int = Field(default=1000, ge=2)
    """At most so many training views are used, evenly spread over those given."""

    seed: int = 0
    """Seed of the sample of descriptors and of k-means."""

    @field_validator("widths")
    @classmethod
    def _widths_fit_the_grid(cls, widths: tuple[int, ...]) -> tuple[int, ...]:
        if not widths or any(width < 8 or width % 8 for width in widths):
            raise ValueError("widths are positive multiples of 8")
        return widths


class DenseVladDescriptor(Descriptor[DenseVladConfig]):
    """Turns images into unit vectors whose dot product tells how alike two images are."""

    name = "dense-vlad"
    needs_fit = True

    def __init__(self, config: DenseVladConfig | None = None) -> None:
        super().__init__(config)
        self._vocabulary: NDArray[Any] | None = None
        self._whitening: Whitening | None = None

    def fit(self, train: ViewSet) -> None:
        """Learn the vocabulary and the whitening from training views.

        Raises ``InputError`` where the views have too little texture for the number of words, or all look the same.
        """
        views = [train[i] for i in _evenly_spread(len(train), self.config.training_views)]
        self._vocabulary = self._learn_vocabulary(views)
        vectors = np.stack([vlad(self._local(view.image()), self._vocabulary) for view in views])
        self._whitening = Whitening.learn(vectors, self.config.dimensions, shrinkage=self.config.shrinkage)
        if len(self._whitening.projection) == 0:
            raise InputError(f"dense-vlad: the {len(views)} training views all look the same; give other views")

    def _learn_vocabulary(self, views: list[Any]) -> NDArray[Any]:
        rng = np.random.default_rng(self.config.seed)
        share = -(-self.config.words * _DESCRIPTORS_PER_WORD // max(len(views), 1))
        samples = [np.zeros((0, 128), dtype=np.float32)]
        for view in views:
            descriptors = self._local(view.image())
            chosen = rng.permutation(len(descriptors))[:share]
            samples.append(descriptors[np.sort(chosen)])
        sample = np.concatenate(samples)
        if len(sample) < self.config.words or len(views) < 2:
            raise InputError(
                f"dense-vlad: {len(views)} training views with {len(sample)} descriptors cannot give a vocabulary of "
                f"{self.config.words} words; give more views or set words lower"
            )
        return learn_vocabulary(sample, self.config.words, seed=self.config.seed)

    def _local(self, image: NDArray[Any]) -> NDArray[Any]:
        config = self.config
        return dense_rootsift(image, widths=config.widths, step=config.step, min_contrast=config.min_contrast)

    def pretrained(self) -> Path | None:
        """Return what was learned on generated houses, for the default configuration; see methods/weights/README.md."""
        return PACKAGED / "dense-vlad" if self.config == DenseVladConfig() else None

    def __call__(self, image: NDArray[Any]) -> NDArray[Any]:
        """Return the vector (d,) float32 of an image (H, W, 3) uint8; raises ``RuntimeError`` before fit or load."""
        if self._vocabulary is None or self._whitening is None:
            raise RuntimeError("dense-vlad has no vocabulary yet: call fit or load first")
        return self._whitening(vlad(self._local(image), self._vocabulary))

    def save(self, folder: Path) -> None:
        """Write what was learned to ``folder``/dense_vlad.npz."""
        if self._vocabulary is None or self._whitening is None:
            raise RuntimeError("dense-vlad has nothing to save: call fit first")
        folder.mkdir(parents=True, exist_ok=True)
        mean, projection = self._whitening.mean, self._whitening.projection
        np.savez(folder / _FILE, vocabulary=self._vocabulary, mean=mean, projection=projection)

    def load(self, folder: Path) -> None:
        """Read what :meth:`save` wrote; raises ``InputError`` where the file is missing, damaged or does not fit."""
        path = folder / _FILE
        try:
            with np.load(path, allow_pickle=False) as arrays:
                vocabulary = arrays["vocabulary"]
                whitening = Whitening(arrays["mean"], arrays["projection"])
        except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise InputError(f"{path}: missing or damaged; delete the folder and fit dense-vlad again") from error
        if vocabulary.shape != (self.config.words, 128) or whitening.projection.shape[1:] != (vocabulary.size,):
            raise InputError(f"{path}: learned with other settings than the present ones; fit dense-vlad again")
        self._vocabulary, self._whitening = vocabulary, whitening


def _evenly_spread(count: int, at_most: int) -> list[int]:
    """Return up to ``at_most`` indices spread evenly over ``range(count)``."""
    return [int(i) for i in np.unique(np.linspace(0, count - 1, min(count, at_most)).astype(int))] if count else []
