"""`Retrieval`: the references of a map, ranked by how much their vectors are like a query's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, model_validator

from ...datasets.views import ViewSet
from ..configuration import MethodConfig
from ..method import Estimate
from ..timing import stage
from .descriptor import DESCRIPTORS, Descriptor

Array = NDArray[Any]

_DEFAULT = "dense-vlad"


class RetrievalConfig(MethodConfig):
    """Which descriptor retrieves; the settings of the descriptor stand beside its name."""

    model_config = ConfigDict(extra="allow")

    descriptor: str = _DEFAULT
    """Name of a descriptor: "dense-vlad", "netvlad", "backbone", or one that an installed package brings."""

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, values: Any) -> Any:
        """Check the settings of the descriptor, and fill in those that are not given."""
        if not isinstance(values, Mapping):
            return values
        name = values.get("descriptor", _DEFAULT)
        given = {key: value for key, value in values.items() if key != "descriptor"}
        return {"descriptor": name, **DESCRIPTORS.load(name).Config.model_validate(given).model_dump()}

    @classmethod
    def keys(cls, values: Mapping[str, Any]) -> list[str]:
        """Return ``descriptor`` and the keys of the one that ``values`` name."""
        return ["descriptor", *DESCRIPTORS.load(values.get("descriptor", _DEFAULT)).Config.model_fields]

    def open(self) -> Descriptor[Any]:
        """Return the descriptor, which may have to be fitted or loaded yet."""
        cls = DESCRIPTORS.load(self.descriptor)
        return cls(cls.Config.model_validate(self.model_extra))


class Retrieval:
    """The index of one map under one descriptor: ``ids``, ``poses`` and ``vectors`` (N, d) of its N references."""

    def __init__(self, descriptor: Descriptor[Any]) -> None:
        self.descriptor = descriptor

    def build(self, references: ViewSet) -> None:
        """Describe every reference."""
        self.ids, self.poses = references.ids, references.poses
        self.vectors = np.stack([self.descriptor(view.image()) for view in references])

    def scores(self, image: Array) -> Array:
        """Return how much each reference is like an image (H, W, 3) uint8, (N,), larger is more."""
        with stage("retrieval"):
            with stage("features"):
                vector = self.descriptor(image)
            return self.descriptor.similarity(self.vectors, vector)

    def likeness(self) -> Array:
        """Return how much the references are like each other, (N, N)."""
        return self.descriptor.similarity(self.vectors, self.vectors)

    def answer(self, scores: Array) -> Estimate:
        """Return the best reference's pose and the ranking of all of them by ``scores`` (N,)."""
        return Estimate.ranked(self.ids, self.poses, scores)

    @property
    def nbytes(self) -> int:
        """Size of vectors and poses in memory, bytes."""
        return self.vectors.nbytes + self.poses.matrix.nbytes
