"""`Terms`: in which words a report speaks of one group of results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..bench.questions import Question
from ..bench.questions.question import span
from ..bench.store import REFERENCES_PER_MAP, RunStore


@dataclass(frozen=True)
class Terms:
    """The question that was asked, what a step of the sweep counts ("references per map"), and for each step, how many
    queries were asked of maps that have so many references."""

    question: Question
    axis: str = REFERENCES_PER_MAP
    queries: Mapping[float, Mapping[int, int]] = field(default_factory=dict)

    @classmethod
    def of(cls, store: RunStore) -> Terms:
        """Return the terms of one run."""
        asked = store.estimates(["sweep", "query", "references"]).drop_duplicates(["sweep", "query"])
        queries: dict[float, dict[int, int]] = {}
        for step, number, count in asked.groupby(["sweep", "references"]).size().reset_index().to_numpy():
            queries.setdefault(float(step), {})[int(number)] = int(count)
        return cls(store.question, store.record.sweep_axis, queries)

    @property
    def header(self) -> str:
        """The header of the column that holds steps: "References per map"."""
        return f"{self.axis[0].upper()}{self.axis[1:]}"

    def at(self, step: float) -> str:
        """Return how a sentence speaks of one step: "4 references per map", or "4 to 30" where maps differ."""
        differ = self.axis == REFERENCES_PER_MAP and len(self.queries.get(step, {})) > 1
        return f"{span(self.queries[step]) if differ else f'{step:g}'} {self.axis}"
