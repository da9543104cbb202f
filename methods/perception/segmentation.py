"""An image's categories, pixel by pixel: the simulator's, our small network's, or those of a public model."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Literal, Protocol, get_args

import numpy as np
import torch
from numpy.typing import NDArray

from ...datasets.views import View
from ...errors import InputError
from ...sim.scenes.categories import CATEGORIES
from ..method import PrivilegedQuery, Query
from ..networks.checkpoints import about_checkpoint, checkpoint_path, load_network
from ..networks.feature_pyramid import PyramidConfig, network_input, pyramid_of
from .networks import SegmentationNetwork, enlarged
from .public_models import PublicModel

Array = NDArray[Any]

SegmentationChoice = Literal["oracle", "learned", "ade20k"]

#: What ``ade20k`` loads unless told otherwise: Xie et al., "SegFormer", NeurIPS 2021, on the categories of ADE20K.
ADE20K = "nvidia/segformer-b0-finetuned-ade-512-512"


class Segmenter(Protocol):
    """Says what every pixel of an image shows: category ids (H, W) uint16, 0 for unknown."""

    def of_view(self, view: View) -> Array:
        """Return the categories of a reference."""

    def of_query(self, query: Query) -> Array:
        """Return the categories of a query."""


class OracleSegmentation:
    """The simulator's own semantic maps: for methods whose ``privileges`` name them."""

    def of_view(self, view: View) -> Array:
        """Return the view's semantic map; raises ``InputError`` where the dataset has none."""
        return view.semantic()

    def of_query(self, query: Query) -> Array:
        """Return the query's semantic map; raises ``TypeError`` for a query without one."""
        if not isinstance(query, PrivilegedQuery) or query.semantic is None:
            raise TypeError("oracle segmentation needs a PrivilegedQuery with a semantic map")
        return query.semantic


class _ImageSegmentation(ABC):
    """What looks at the image only. ``_ids`` (C,) are the categories that the scores are of."""

    _ids: Array

    def of_view(self, view: View) -> Array:
        """Return the categories seen in a reference."""
        return self.categories(view.image())

    def of_query(self, query: Query) -> Array:
        """Return the categories seen in a query."""
        return self.categories(query.image)

    def categories(self, image: Array) -> Array:
        """Return the categories (H, W) uint16 seen in an image (H, W, 3) uint8."""
        with torch.inference_mode():
            scores = self._scores(image)
            # Enlarging all of two hundred categories would take ten times as long as the network: what is among the two
            # best nowhere at the lower resolution is the best nowhere between its pixels either, or all but.
            likely = scores.topk(2, dim=1).indices.unique()
            best = enlarged(scores[:, likely], *image.shape[:2]).argmax(dim=0)
        return self._ids[likely[best].numpy()]

    @abstractmethod
    def _scores(self, image: Array) -> torch.Tensor:
        """Return the scores (1, C, h, w) of the categories of an image, at any resolution."""


class LearnedSegmentation(_ImageSegmentation):
    """The network of ``relocbench train segmentation``, whose categories are those of houses by name: what houses have
    no more is unknown, and what they have since is never seen."""

    def __init__(self, weights: str) -> None:
        path = checkpoint_path(weights, task="segmentation")
        learned = about_checkpoint(path).get("categories", CATEGORIES)
        self._network = SegmentationNetwork(pyramid_of(path, PyramidConfig), learned)
        load_network(self._network, weights, task="segmentation")
        ids = {name: index for index, name in enumerate(CATEGORIES)}
        self._ids = np.array([ids.get(name, 0) for name in learned], dtype=np.uint16)

    def _scores(self, image: Array) -> torch.Tensor:
        return self._network(network_input(image))


class Ade20kSegmentation(_ImageSegmentation):
    """A public model for the 150 categories of ADE20K, through transformers: ours are the same, after "unknown"."""

    _ids = np.arange(1, 151, dtype=np.uint16)

    def __init__(self, weights: str) -> None:
        self._model = PublicModel("AutoModelForSemanticSegmentation", weights)
        if self._model.labels != 150:
            raise InputError(f"{weights}: tells {self._model.labels} categories apart, not the 150 of ADE20K")

    def _scores(self, image: Array) -> torch.Tensor:
        return self._model(image).logits


def open_segmentation(choice: SegmentationChoice, weights: str = "default") -> Segmenter:
    """Return the segmenter of a configuration's ``segmentation``.

    ``weights`` is "default", or for "learned" a checkpoint's path, for "ade20k" a model's folder or its name on the
    Hugging Face hub. Raises ``InputError`` where the weights cannot be had.
    """
    if choice == "oracle":
        return OracleSegmentation()
    if choice == "learned":
        return LearnedSegmentation("synthetic" if weights == "default" else weights)
    if choice == "ade20k":
        return Ade20kSegmentation(ADE20K if weights == "default" else weights)
    raise InputError(f"no segmentation {choice!r}; choose one of {', '.join(get_args(SegmentationChoice))}")
