"""A method's answer, checked and turned into plain values: what a journal keeps of it."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

import numpy as np

from ..methods.method import Estimate, Failure
from ..methods.timing import Span
from ..sim.geometry import Pose

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{6,}")
_LONGEST_REASON = 200


def plain_answer(answer: object, known: Collection[str]) -> dict[str, Any]:
    """Return status, reason, flags, confidence, pose and ranking as JSON-able values.

    ``known`` are the ids of the map's references. An answer that breaks the contract becomes a failure that says how:
    it is neither `Estimate` nor `Failure`, its pose is not one finite rigid transform, its ranking names a reference
    twice or one that the map does not have, or it holds neither a pose nor a ranking.
    """
    if isinstance(answer, Failure):
        return failure(str(answer.reason) or "no reason given")
    try:
        return _estimate(answer, known)
    except (ValueError, TypeError) as error:
        return failure(f"invalid answer: {error}")


def failure(reason: str) -> dict[str, Any]:
    """Return the plain values of a failure; the reason is cut to one line that is the same in every process."""
    line = " ".join(_ADDRESS.sub("0x...", reason).split())[:_LONGEST_REASON]
    return {"status": "failure", "reason": line, "flags": "", "confidence": float("nan"), "pose": None, "ranking": []}


def raised(error: BaseException) -> str:
    """Return the reason for a failure by exception: "raised ValueError: ..."."""
    message = str(error).strip().partition("\n")[0]
    return f"raised {type(error).__name__}: {message}" if message else f"raised {type(error).__name__}"


def plain_spans(spans: list[Span]) -> list[list[Any]]:
    """Return [path, seconds, exclusive seconds] per stage of one call; stages entered repeatedly are summed up."""
    paths: list[str] = []
    inner = [0.0] * len(spans)
    totals: dict[str, list[float]] = {}
    for span in spans:
        paths.append(span.name if span.parent < 0 else f"{paths[span.parent]}/{span.name}")
        if span.parent >= 0:
            inner[span.parent] += span.seconds
    for path, span, nested in zip(paths, spans, inner, strict=True):
        total = totals.setdefault(path, [0.0, 0.0])
        total[0] += span.seconds
        total[1] += max(0.0, span.seconds - nested)
    return [[path, seconds, exclusive] for path, (seconds, exclusive) in totals.items()]


def _estimate(answer: object, known: Collection[str]) -> dict[str, Any]:
    if not isinstance(answer, Estimate):
        raise TypeError(f"a method answers Estimate or Failure, not {type(answer).__name__}")
    ranking = [str(reference) for reference in answer.ranking]
    _check_ranking(ranking, known)
    if answer.pose is None and not ranking:
        raise ValueError("neither a pose nor a ranking")
    return {
        "status": "ok",
        "reason": "",
        "flags": " ".join("-".join(str(flag).split()) for flag in answer.flags),
        "confidence": float(answer.confidence),
        "pose": None if answer.pose is None else _plain_pose(answer.pose),
        "ranking": ranking,
    }


def _check_ranking(ranking: list[str], known: Collection[str]) -> None:
    unknown = next((reference for reference in ranking if reference not in known), None)
    if unknown is not None:
        raise ValueError(f"the ranking names {unknown!r}, which is no reference of this map")
    if len(set(ranking)) != len(ranking):
        raise ValueError("the ranking names a reference twice")


def _plain_pose(pose: object) -> list[float]:
    if not isinstance(pose, Pose):
        raise TypeError(f"a pose is a Pose, not {type(pose).__name__}")
    checked = Pose(np.asarray(pose.matrix, dtype=np.float64))  # again: nothing keeps a subclass from skipping the check
    if checked.is_batch:
        raise ValueError("the pose is a batch, not one transform")
    return [*map(float, checked.quaternion), *map(float, checked.translation)]
