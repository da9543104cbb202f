"""`Metric`: one number of the leaderboard, and those that errors of poses and ranks of references give."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from numpy.typing import NDArray

from .. import metrics

Array = NDArray[Any]
Statistic = Literal["mean", "median", "median of localized", "mean of scene medians"]
Scores = Callable[[Mapping[str, Array]], Array]


@dataclass(frozen=True)
class Metric:
    """One number per method: the records it reads, the scores of single queries, and how they are summed up.

    ``scores`` maps the columns named in ``reads`` (N,) to one score per query (N,), NaN in none; besides those of the
    records there is ``localized`` (N,), 1.0 where the method answered. A failure counts: its errors and ranks are inf.
    ``asked_by`` names a column that is NaN for queries that the dataset does not let ask; they are left out, and where
    all of them are, the metric is NaN. With ``of_ranking`` it is NaN for a method that never ranks a reference.
    ``bounds`` are the least and the largest value that it can have, where intervals end.
    """

    name: str
    scores: Scores
    reads: tuple[str, ...]
    statistic: Statistic = "mean"
    higher_is_better: bool = True
    asked_by: str = ""
    of_ranking: bool = False
    bounds: tuple[float, float] = (-math.inf, math.inf)


@dataclass(frozen=True)
class MetricColumn:
    """How tables show a metric: header, unit ("%" for shares), and the unit's factor.

    ``words`` is what a sentence calls it, by default the header. In a terminal the header is ``terminal``, by default
    the same; None leaves the column out there. Of the others a narrow terminal drops those with the lowest positive
    ``spare`` first, and never those with 0; ``terminal_interval`` shows the interval there, too. ``convention`` is a
    sentence on how the number is to be read where others count otherwise: it stands in notes and beside the header.
    """

    name: str
    header: str
    unit: str = ""
    factor: float = 1.0
    smaller_is_better: bool = False
    words: str = ""
    terminal: str | None = ""
    spare: int = 0
    terminal_interval: bool = False
    convention: str = ""

    @property
    def in_words(self) -> str:
        """How a sentence names the metric."""
        if self.words:
            return self.words
        return self.header if self.header[:2].isupper() else f"{self.header[0].lower()}{self.header[1:]}"


def share(name: str, header: str, **options: Any) -> MetricColumn:
    """Return the column of a metric in [0, 1], in percent."""
    return MetricColumn(name, header, "%", 100.0, **options)


#: Conventions that several columns share.
INCLUSIVE = "Recall within thresholds: an error that equals one is within it."
FAILED = "Medians over all: a failure is infinitely wrong in both errors (hloc counts 180° of rotation)."
LOCALIZED = "Localized: medians over the answered queries only; read them beside the success rate."
EXACT_AREA = (
    "AUC: the exact area under the recall curve, to which a failure adds nothing; trapezoids between n queries read up "
    "to 1 / (2n) higher, and map-free's AUC, of precision over recall by confidence, is another thing."
)
JOINT_AREA = (
    "Joint AUC: the exact area under the curve of recall whose two thresholds grow together up to the pair that is "
    "named; a failure adds nothing."
)
SCENE_MEAN = (
    "Mean of scene medians: every scene counts alike, as in tables that have a median per scene and their mean."
)
RANKED = (
    "MRR, top-N and recall@N: the Nth counts as within N; a reference that is not ranked, as in a failure, scores 0."
)
NEAR = "Recall within a distance: the reference ranked first was taken at most that far from the query."


def _translation(columns: Mapping[str, Array]) -> Array:
    return columns["translation_error"]


def _rotation(columns: Mapping[str, Array]) -> Array:
    return columns["rotation_error"]


def _median(name: str, scores: Scores, statistic: Statistic = "median") -> Metric:
    read = "translation_error" if scores is _translation else "rotation_error"
    return Metric(name, scores, (read,), statistic, higher_is_better=False, bounds=(0.0, math.inf))


def _share(name: str, scores: Scores, *reads: str, **options: Any) -> Metric:
    """Return a metric that is the mean of scores in [0, 1]."""
    return Metric(name, scores, reads, bounds=(0.0, 1.0), **options)


def _joint(metres: float, degrees: float) -> Metric:
    return _share(
        f"recall_{metres:g}m_{degrees:g}deg",
        lambda c: metrics.joint_recall_scores(_translation(c), _rotation(c), metres=metres, degrees=degrees),
        "translation_error",
        "rotation_error",
    )


def _area(kind: str, up_to: float, unit: str) -> Metric:
    error = f"{kind}_error"
    return _share(f"auc_{kind}_{up_to:g}{unit}", lambda c: metrics.recall_area_scores(c[error], up_to=up_to), error)


def _joint_area(metres: float, degrees: float) -> Metric:
    return _share(
        f"auc_joint_{metres:g}m_{degrees:g}deg",
        lambda c: metrics.joint_recall_area_scores(_translation(c), _rotation(c), metres=metres, degrees=degrees),
        "translation_error",
        "rotation_error",
    )


def _of_rank(name: str, scores: Callable[[Array], Array]) -> Metric:
    read = "relevant_rank"
    return _share(name, lambda c: scores(c[read]), read, asked_by=read, of_ranking=True)


def _within(metres: float) -> Metric:
    read = "top1_distance"
    return _share(
        f"recall_within_{metres:g}m",
        lambda c: metrics.recall_at_distance_scores(c[read], metres=metres),
        read,
        of_ranking=True,
    )


#: What errors of poses give.
OF_POSES = (
    _joint_area(2.0, 20.0),
    _median("median_translation_error", _translation),
    _median("median_rotation_error", _rotation),
    _median("scene_mean_translation_error", _translation, "mean of scene medians"),
    _median("scene_mean_rotation_error", _rotation, "mean of scene medians"),
    _median("localized_translation_error", _translation, "median of localized"),
    _median("localized_rotation_error", _rotation, "median of localized"),
    _share("success_rate", lambda c: c["localized"]),
    _joint(0.1, 1.0),
    _joint(0.25, 2.0),
    _joint(0.5, 5.0),
    _joint(5.0, 10.0),
    _area("translation", 1.0, "m"),
    _area("rotation", 10.0, "deg"),
)

#: What rankings of references give.
OF_RANKINGS = (
    _of_rank("mrr", metrics.reciprocal_rank_scores),
    _of_rank("recall_at_1", lambda rank: metrics.recall_at_n_scores(rank, n=1)),
    _of_rank("recall_at_5", lambda rank: metrics.recall_at_n_scores(rank, n=5)),
    _within(0.5),
    _within(1.0),
)
