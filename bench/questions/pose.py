"""`PoseQuestion`: where was the query taken, and which way did it look?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from .metric import (
    EXACT_AREA,
    FAILED,
    INCLUSIVE,
    JOINT_AREA,
    LOCALIZED,
    NEAR,
    OF_POSES,
    OF_RANKINGS,
    RANKED,
    SCENE_MEAN,
    MetricColumn,
    share,
)
from .question import Curve, Distribution, Outcome, Panel, Question


def _error(name: str, header: str, unit: str, **options: Any) -> MetricColumn:
    return MetricColumn(name, header, unit, smaller_is_better=True, **options)


def _errors(name: str, title: str, *, by: str, **axis: Any) -> Curve:
    return Curve(
        f"error-{name}",
        title,
        "Medians with quartiles over the queries of a bin, failures included as infinitely wrong.",
        metric="median_translation_error",
        value_label="Translation error (m): median, quartiles",
        column=by,
        **axis,
    )


class PoseQuestion(Question):
    """What is the pose of the query? Judged by both errors; a failure is infinitely wrong.

    The metric that ranks is the area under the joint recall curve, in which both errors count: a failure scores 0, so
    none can hide, and two methods that fail on most queries can still be told apart; their medians over all queries
    would both be infinite. A query that is placed well and turned wrongly is not localized.
    """

    name = "pose"
    metrics = (*OF_POSES, *OF_RANKINGS)
    primary = "auc_joint_2m_20deg"
    main = (
        share(
            "auc_joint_2m_20deg",
            "Joint AUC to 2 m, 20°",
            terminal="joint AUC",
            terminal_interval=True,
            convention=JOINT_AREA,
        ),
        _error(
            "median_translation_error",
            "Median translation error, all",
            "m",
            words="median translation error over all queries",
            terminal="median error",
            spare=4,
            convention=FAILED,
        ),
        _error(
            "median_rotation_error",
            "Median rotation error, all",
            "°",
            words="median rotation error over all queries",
            terminal="rotation",
            spare=2,
            convention=FAILED,
        ),
        share("success_rate", "Success rate", terminal="success"),
        _error("localized_translation_error", "Translation error, localized", "m", terminal=None, convention=LOCALIZED),
        _error("localized_rotation_error", "Rotation error, localized", "°", terminal=None, convention=LOCALIZED),
        share("recall_0.25m_2deg", "Recall 0.25 m, 2°", terminal="0.25 m, 2°", spare=1, convention=INCLUSIVE),
        share("recall_0.5m_5deg", "Recall 0.5 m, 5°", terminal="0.5 m, 5°", spare=3, convention=INCLUSIVE),
    )
    further = (
        _error("scene_mean_translation_error", "Mean of scene medians, translation", "m", convention=SCENE_MEAN),
        _error("scene_mean_rotation_error", "Mean of scene medians, rotation", "°", convention=SCENE_MEAN),
        share("auc_translation_1m", "AUC to 1 m", convention=EXACT_AREA),
        share("recall_0.1m_1deg", "Recall 0.1 m, 1°", convention=INCLUSIVE),
        share("recall_5m_10deg", "Recall 5 m, 10°", convention=INCLUSIVE),
        share("auc_rotation_10deg", "AUC to 10°", convention=EXACT_AREA),
        share("mrr", "MRR", convention=RANKED),
        share("recall_at_1", "Recall@1", convention=RANKED),
        share("recall_at_5", "Recall@5", convention=RANKED),
        share("recall_within_0.5m", "Recall within 0.5 m", convention=NEAR),
        share("recall_within_1m", "Recall within 1 m", convention=NEAR),
    )
    drawn = "median_translation_error"
    distribution = Distribution(
        "error-cdf",
        "How many queries come within an error",
        "A curve that levels off below 100 % belongs to a method that fails on the rest. The legend follows the "
        "leaderboard.",
        "Share of all queries within the error",
        (
            Panel("translation_error", "Translation error (m)", 0.005),
            Panel("rotation_error", "Rotation error (°)", 0.05),
        ),
    )
    curves = (
        _errors(
            "covisibility",
            "What overlap with the references is worth",
            by="covisibility",
            label="Share of the query's pixels that its most covisible reference sees",
            unit="%",
            factor=100.0,
        ),
        _errors(
            "distance",
            "What distance from the references costs",
            by="nearest_distance",
            label="Distance from the query to the nearest reference",
            unit="m",
            digits=2,
        ),
    )
    draws_poses = True
    verdict = "Pose error"
    further_notes = (
        "Recall@N: the share of queries whose covisible reference is among the first N. "
        "–: not asked, because the method ranks no references or the dataset has no covisible ones.",
    )
    failure_note = "A failure counts as infinitely wrong; ∞: at least half of the queries failed."

    def outcome(self, answer: Mapping[Any, Any]) -> Outcome:
        """Return both errors: "12.3 cm, 4.5°"."""
        translation, rotation = float(answer["translation_error"]), float(answer["rotation_error"])
        if math.isinf(translation):
            return Outcome("no pose")
        metres = f"{100 * translation:.1f} cm" if translation < 0.0995 else f"{translation:.2f} m"
        return Outcome(f"{metres}, {rotation:.{1 if rotation < 9.95 else 0}f}°")
