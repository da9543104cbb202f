"""`Terms`: in which words a report speaks of one group of results."""

from __future__ import annotations

from dataclasses import dataclass

from ..bench.questions import Question
from ..bench.store import REFERENCES_PER_MAP, RunStore


@dataclass(frozen=True)
class Terms:
    """The question that was asked, and what a step of the sweep counts ("references per map")."""

    question: Question
    axis: str = REFERENCES_PER_MAP

    @classmethod
    def of(cls, store: RunStore) -> Terms:
        """Return the terms of one run."""
        return cls(store.question, store.record.sweep_axis)

    @property
    def header(self) -> str:
        """The header of the column that holds steps: "References per map"."""
        return f"{self.axis[0].upper()}{self.axis[1:]}"

    def at(self, step: float) -> str:
        """Return how a sentence speaks of one step: "4 references per map"."""
        return f"{step:g} {self.axis}"
