"""`Question`: what a dataset's queries ask of a method, and how its answers are judged, tabulated and drawn."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ...errors import InputError
from .metric import Metric, MetricColumn


@dataclass(frozen=True)
class Curve:
    """A plot of a metric against something that makes a query hard, bin by bin.

    ``name`` is the file's, ``column`` the column of the records that is binned, times ``factor`` in the ``unit`` of the
    axis with ``digits`` decimals. ``edges`` ascend, in the column's own unit; without any, bins hold equally many
    queries. A metric that is a mean is drawn with its bootstrap interval, one that is a median with its quartiles.
    """

    name: str
    title: str
    caption: str
    metric: str
    value_label: str
    column: str
    label: str
    unit: str = ""
    factor: float = 1.0
    digits: int = 0
    edges: tuple[float, ...] = ()


@dataclass(frozen=True)
class Panel:
    """One panel of a cumulative plot: a column of the records, its label, and the least value that the axis shows.

    With ``ranks`` the column holds 1-based ranks among the references, and chance is drawn.
    """

    column: str
    label: str
    floor: float = 1.0
    ranks: bool = False


@dataclass(frozen=True)
class Distribution:
    """A plot of the share of all queries up to a value, a panel per column; failures keep it from reaching 100 %."""

    name: str
    title: str
    caption: str
    share_label: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True)
class Outcome:
    """How one answer came out, in a few words, and how it is coloured: "hit", "near", "failed" or ""."""

    words: str
    grade: str = ""


class Question:
    """What is asked of a method. A newcomer derives a class, says what it measures, and registers it.

    Required are ``name``, ``metrics``, ``primary`` and ``main``; all else has a default that draws and says less::

        from relocbench.bench.questions import Question
        from relocbench.bench.questions.metric import Metric, share

        class Nearness(Question):
            name = "nearness"
            metrics = (Metric("near", lambda c: (c["top1_distance"] < 2.0).astype(float), ("top1_distance",)),)
            primary = "near"
            main = (share("near", "Retrieved within 2 m"),)

    An installed package adds it by an entry point of the group ``relocbench.questions``; a protocol asks it by its name
    (``Protocol.question``). Scoring, tables and report read what stands here, and know no kind of question.

    A dataset that lacks what a question needs (a covisible reference, places) does not ask it: the columns that
    ``Metric.asked_by`` names are NaN in its records, the metric is NaN, and tables show a dash.
    """

    name: ClassVar[str]
    """What protocols and run.json call it."""
    metrics: ClassVar[tuple[Metric, ...]]
    """All that is measured, in the order of leaderboard.csv."""
    primary: ClassVar[str]
    """The metric that ranks methods where a track names no other."""
    main: ClassVar[tuple[MetricColumn, ...]]
    """The columns of the table that ranks."""
    further: ClassVar[tuple[MetricColumn, ...]] = ()
    """The columns of the second table."""
    drawn: ClassVar[str] = ""
    """The metric that is drawn against latency and against the size of maps; the one that ranks by default."""
    distribution: ClassVar[Distribution | None] = None
    """What is drawn as cumulative shares of the queries."""
    curves: ClassVar[tuple[Curve, ...]] = ()
    """What is drawn bin by bin."""
    draws_poses: ClassVar[bool] = False
    """Whether estimated poses are drawn on plans of the scenes."""
    judged_by: ClassVar[str] = "translation_error"
    """The column of the records by which single answers are sorted, the larger the worse."""
    verdict: ClassVar[str] = "Answer"
    """What stands before the outcome of one query."""
    notes: ClassVar[tuple[str, ...]] = ()
    """Sentences under the table that ranks."""
    further_notes: ClassVar[tuple[str, ...]] = ()
    """Sentences under the second table."""
    failure_note: ClassVar[str] = ""
    """What a failure counts as; shown where there are any."""
    oracle_note: ClassVar[str] = "was given the ground truth: a bound, not ranked."
    """What a method's numbers mean that was given the true pose."""
    needs: ClassVar[str] = ""
    """What a dataset must have for this to be asked, as the end of "not asked: the dataset has no ..."."""

    alternatives: ClassVar[str] = "references"
    """What a random answer chooses among; a map has as many as references."""

    @property
    def shown(self) -> dict[str, MetricColumn]:
        """The columns of both tables by their metrics."""
        return {column.name: column for column in (*self.main, *self.further)}

    def metric(self, name: str) -> Metric:
        """Return a metric by its name; raises `InputError` where the question has none such."""
        for metric in self.metrics:
            if metric.name == name:
                return metric
        raise InputError(f"no metric {name!r}; there are {', '.join(metric.name for metric in self.metrics)}")

    def column(self, name: str) -> MetricColumn:
        """Return how a metric is shown; one without a column reads as its own name."""
        return self.shown.get(name) or MetricColumn(
            name, name, smaller_is_better=not self.metric(name).higher_is_better
        )

    def conventions(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return how the numbers of some metrics are to be read, each convention once, in the order of ``names``."""
        found = [self.column(name).convention for name in names]
        return tuple(dict.fromkeys(convention for convention in found if convention))

    def chance(self, references: int) -> dict[str, float]:
        """Return what answering at random scores in expectation, by metric, with so many references per map."""
        return {}

    def mean_chance(self, queries: Mapping[int, int]) -> dict[str, float]:
        """Return what answering at random scores by metric, ``queries`` of them in maps with so many references."""
        sums: dict[str, float] = {}
        for references, count in queries.items():
            for name, level in self.chance(references).items():
                sums[name] = sums.get(name, 0.0) + level * count
        return {name: total / sum(queries.values()) for name, total in sums.items()}

    def chance_note(self, queries: Mapping[int, int]) -> str:
        """Return the sentence on what answering at random scores, "" where there is nothing to say."""
        return ""

    def outcome(self, answer: Mapping[Any, Any]) -> Outcome:
        """Return how one answer that is no failure came out; ``answer`` is its row of the records."""
        value = float(answer[self.judged_by])
        return Outcome("not judged" if value != value else f"{value:.3g}")


def span(numbers: Collection[int]) -> str:
    """Return the least and the largest of some numbers: "4 to 30", or "4" where all are alike."""
    return str(max(numbers)) if len(set(numbers)) == 1 else f"{min(numbers)} to {max(numbers)}"
