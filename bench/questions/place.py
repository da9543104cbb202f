"""`PlaceQuestion`: at which of the places that the references show was the query taken?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..metrics import chance_reciprocal_rank
from .metric import OF_POSES, OF_RANKINGS, RANKED, share
from .pose import PoseQuestion
from .question import Curve, Distribution, Outcome, Panel, Question, span

_TOP = (1, 5)
_LEADING = ("mrr", *(f"recall_at_{n}" for n in _TOP))


def _recognition(name: str, title: str, *, by: str, **axis: Any) -> Curve:
    return Curve(
        f"mrr-{name}",
        title,
        "Mean reciprocal rank of the queries of each bin, failures counted as 0; bands are 95 % bootstrap intervals "
        "over places, of methods that see the image only.",
        metric="mrr",
        value_label="Mean reciprocal rank",
        column=by,
        **axis,
    )


class PlaceQuestion(Question):
    """Which place is it? Judged by the rank of the place's one reference (paper 000, section III).

    Who ranks nothing recognizes nothing, and scores 0. Poses are no more than what a ranking implies.
    """

    name = "place"
    metrics = (*OF_POSES, *(replace(metric, of_ranking=False) for metric in OF_RANKINGS))
    primary = "mrr"
    main = (
        share("mrr", "MRR", terminal_interval=True, convention=RANKED),
        share("recall_at_1", "Top-1", terminal="top-1", terminal_interval=True, convention=RANKED),
        share("recall_at_5", "Top-5", terminal="top-5", terminal_interval=True, convention=RANKED),
    )
    further = tuple(column for column in PoseQuestion().shown.values() if column.name not in _LEADING)
    distribution = Distribution(
        "rank-curve",
        "How far down the ranking places come",
        "A random ranking follows the dotted line.",
        "Share of all queries whose place is among them",
        (Panel("relevant_rank", "First N places of the ranking", ranks=True),),
    )
    curves = (
        _recognition(
            "angle",
            "What turning away costs",
            by="reference_angle",
            label="Angle between query and training image",
            unit="°",
            edges=(0, 30, 60, 90, 120, 150, 180),
        ),
        _recognition(
            "distance",
            "What moving away costs",
            by="reference_distance",
            label="Distance between query and training image",
            unit="m",
            edges=(0, 0.5, 1, 1.5, 2, 3, 4, 6, 10),
        ),
        _recognition(
            "covisibility",
            "What overlap is worth",
            by="covisibility",
            label="Pixels that the training image sees, too",
            unit="%",
            factor=100.0,
            edges=(0, 0.01, 0.05, 0.1, 0.2, 0.4, 1),
        ),
    )
    alternatives = "places"
    judged_by = "relevant_rank"
    verdict = "Its place"
    notes = ("Top-N: the share of queries whose place is among the first N that were ranked.",)
    oracle_note = "was given the ground truth: not ranked, and a pose alone does not tell the place."
    needs = "reference that shows the place of a query"

    def chance(self, references: int) -> dict[str, float]:
        """Return H(K) / K for MRR and N / K for top-N, K being the number of references."""
        top = {f"recall_at_{n}": min(n / references, 1.0) for n in _TOP}
        return {"mrr": chance_reciprocal_rank(references)[0], **top}

    def chance_note(self, queries: Mapping[int, int]) -> str:
        """Return what a random ranking scores, and within what it would lie for so many queries."""
        mean, total = self.mean_chance(queries)["mrr"], sum(queries.values())
        variances = (count * chance_reciprocal_rank(references)[1] ** 2 for references, count in queries.items())
        margin = 1.96 * math.sqrt(sum(variances)) / total
        low, high = 100 * (mean - margin), 100 * (mean + margin)
        return (
            f"Chance is H(K) / K for MRR and N / K for top-N: with K = {span(queries)} places and {total} queries, "
            f"95 % of random rankings have an MRR of {low:.2f} to {high:.2f} %."
        )

    def outcome(self, answer: Mapping[Any, Any]) -> Outcome:
        """Return the rank of the query's place: "rank 3 of 20"."""
        rank = float(answer["relevant_rank"])
        if math.isnan(rank):
            return Outcome("not asked")
        if math.isinf(rank):
            return Outcome("not ranked", "failed")
        grade = "hit" if rank == 1 else "near" if rank <= max(_TOP) else "failed"
        return Outcome(f"rank {rank:.0f} of {answer['references']}", grade)
