"""`retrieval`: the pose of the reference that looks most like the query, by any descriptor."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from ...datasets.views import ViewSet
from ..configuration import ConfigT
from ..method import Estimate, Method, Query
from .descriptor import Descriptor
from .retrieval import Retrieval, RetrievalConfig


class RetrievalAlone(Method[ConfigT]):
    """Answers with the pose of the reference most alike; ``confidence`` is its similarity."""

    def __init__(self, config: ConfigT | None = None) -> None:
        super().__init__(config)
        self.learning_part = self._descriptor()
        self._retrieval = Retrieval(self.learning_part)

    @abstractmethod
    def _descriptor(self) -> Descriptor[Any]:
        """Return the descriptor that the configuration asks for."""

    def build_map(self, references: ViewSet) -> None:
        """Describe every reference."""
        self._retrieval.build(references)

    def localize(self, query: Query) -> Estimate:
        """Answer with the pose of the reference most alike."""
        return self._retrieval.answer(self._retrieval.scores(query.image))


class BestReference(RetrievalAlone[RetrievalConfig]):
    """Image retrieval with any descriptor: ``descriptor`` names it, the other keys are its own."""

    name = "retrieval"

    def _descriptor(self) -> Descriptor[Any]:
        return self.config.open()
