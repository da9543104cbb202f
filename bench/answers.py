"""A method's answer, checked and turned into plain values: what a journal keeps of it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from ..errors import one_line, writable
from ..methods.answers import checked
from ..methods.method import Failure
from ..methods.timing import Span
from .messages import failure


def plain_answer(answer: object, known: Collection[str]) -> dict[str, Any]:
    """Return status, reason, flags, confidence, pose and ranking as JSON-able values.

    ``known`` are the ids of the map's references. An answer that breaks the contract (see `methods.answers.checked`)
    becomes a failure that says how.
    """
    try:
        valid = checked(answer, known)
    except (ValueError, TypeError) as error:
        return failure(f"invalid answer: {error}")
    except Exception as error:  # the parts of an answer may be anything
        return failure(f"invalid answer: {one_line(error)}")
    if isinstance(valid, Failure):
        return failure(str(valid.reason))
    pose = valid.pose
    return {
        "status": "ok",
        "reason": "",
        "flags": writable(" ".join(valid.flags)),
        "confidence": valid.confidence,
        "pose": None if pose is None else [*map(float, pose.quaternion), *map(float, pose.translation)],
        "ranking": list(valid.ranking),
    }


def raised(error: BaseException) -> str:
    """Return the reason for a failure by exception: "raised ValueError: ..."."""
    return f"raised {one_line(error)}"


def plain_spans(spans: list[Span]) -> list[list[Any]]:
    """Return [path, seconds, exclusive seconds] per stage of one call; stages entered repeatedly are summed up."""
    paths: list[str] = []
    inner = [0.0] * len(spans)
    totals: dict[str, list[float]] = {}
    for span in spans:
        name = writable(span.name)
        paths.append(name if span.parent < 0 else f"{paths[span.parent]}/{name}")
        if span.parent >= 0:
            inner[span.parent] += span.seconds
    for path, span, nested in zip(paths, spans, inner, strict=True):
        total = totals.setdefault(path, [0.0, 0.0])
        total[0] += span.seconds
        total[1] += max(0.0, span.seconds - nested)
    return [[path, seconds, exclusive] for path, (seconds, exclusive) in totals.items()]
