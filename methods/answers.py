"""What a valid answer is: the one definition that the runner and `check_method` hold methods to."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np

from ..sim.geometry import Pose
from .method import Estimate, Failure


def checked(answer: object, known: Collection[str]) -> Estimate | Failure:
    """Return an answer with every part in its own type: ids and flags as tuples of strings, the pose in float64.

    ``known`` are the ids of the map's references. Raises ``TypeError`` or ``ValueError`` that says what is wrong where
    the answer is neither `Estimate` nor `Failure`, a failure has no reason, an estimate has neither a pose nor a
    ranking, its pose is not one finite rigid transform, its ranking is not a list of different references of the map,
    its confidence is no number, or its flags are not a list of words.
    """
    if isinstance(answer, Failure):
        if not str(answer.reason).strip():
            raise ValueError("a Failure needs a reason")
        return answer
    if not isinstance(answer, Estimate):
        raise TypeError(f"a method answers Estimate or Failure, not {type(answer).__name__}")
    ranking = _strings("ranking", answer.ranking)
    _check_ranking(ranking, known)
    if answer.pose is None and not ranking:
        raise ValueError("an Estimate needs a pose or a ranking, and has neither")
    flags = tuple("-".join(flag.split()) for flag in _strings("flags", answer.flags))
    if not all(flags):
        raise ValueError("a flag is a word, and one of these is empty")
    pose = None if answer.pose is None else _checked_pose(answer.pose)
    return Estimate(pose, ranking, _number(answer.confidence), flags)


def _strings(part: str, items: Any) -> tuple[str, ...]:
    if isinstance(items, str):
        raise TypeError(f"{part} is a tuple of strings, not the string {items!r}")
    return tuple(str(item) for item in items)


def _number(confidence: Any) -> float:
    if isinstance(confidence, str):
        raise TypeError(f"confidence is a number, not the string {confidence!r}")
    return float(confidence)


def _check_ranking(ranking: tuple[str, ...], known: Collection[str]) -> None:
    unknown = next((reference for reference in ranking if reference not in known), None)
    if unknown is not None:
        raise ValueError(f"the ranking names {unknown!r}, which is no reference of this map")
    if len(set(ranking)) != len(ranking):
        raise ValueError("the ranking names a reference twice")


def _checked_pose(pose: object) -> Pose:
    if not isinstance(pose, Pose):
        raise TypeError(f"a pose is a Pose, not {type(pose).__name__}; Pose(matrix) makes one of a (4, 4) matrix")
    checked = Pose(np.asarray(pose.matrix, dtype=np.float64))  # again: nothing keeps a subclass from skipping the check
    if checked.is_batch:
        raise ValueError("the pose is a batch, not one transform")
    return checked
