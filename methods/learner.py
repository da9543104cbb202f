"""`Learner`: what may learn something once, before it is asked: a method, or a part of one such as a descriptor."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..datasets.views import ViewSet
from .configuration import ConfigT, Configured


class Learner(Configured[ConfigT]):
    """Something configured that may learn once, on scenes disjoint from the test scenes.

    What learns sets ``needs_fit = True`` and implements ``fit``, ``save`` and ``load``; what has a part that learns in
    its place (a method whose retrieval does) sets ``learning_part``, and everything here is that part's.
    """

    learning_part: Learner[Any] | None = None

    @property
    def needs_fit(self) -> bool:
        """Whether ``fit`` or ``load`` comes before everything else."""
        return self.learning_part is not None and self.learning_part.needs_fit

    def fit(self, train: ViewSet) -> None:
        """Learn from the views of training scenes, once. Called only where ``needs_fit`` is true."""
        self._learns("fit").fit(train)

    def fit_identity(self) -> tuple[str, dict[str, Any]]:
        """Return what decides the outcome of ``fit``: a name and a JSON-able configuration.

        What has the same identity shares one fit (``sift-5pt`` uses the vocabulary of ``dense-vlad``).
        """
        if self.learning_part is not None:
            return self.learning_part.fit_identity()
        return self.name, self.config.model_dump(mode="json")

    def save(self, folder: Path) -> None:
        """Write what ``fit`` learned into ``folder``, in formats that load without running code from the file."""
        self._learns("save").save(folder)

    def load(self, folder: Path) -> None:
        """Read what ``save`` wrote; takes the place of ``fit``."""
        self._learns("load").load(folder)

    def pretrained(self) -> Path | None:
        """Return the folder of what ships learned for this configuration, for data sets without training views; None
        where nothing ships."""
        return None if self.learning_part is None else self.learning_part.pretrained()

    def _learns(self, what: str) -> Learner[Any]:
        if self.learning_part is None:
            raise TypeError(f"{self.name} declares needs_fit but does not implement {what}")
        return self.learning_part
