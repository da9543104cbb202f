"""Kinds of question, one file each: what is asked of a method, and all that follows for scoring, tables and report."""

from typing import Any

from ...errors import InputError
from ...registry import Registry
from .question import Question

__all__ = ["QUESTIONS", "Question", "question"]


def _checked(loaded: Any, origin: str) -> type[Question]:
    if not (isinstance(loaded, type) and issubclass(loaded, Question)):
        raise InputError(f"{origin} is no class derived from relocbench.bench.questions.Question")
    missing = [name for name in ("name", "metrics", "primary", "main") if not hasattr(loaded, name)]
    if missing:
        raise InputError(f"{origin} lacks {', '.join(missing)}; see relocbench.bench.questions.Question")
    return loaded


#: Classes derived from `Question`, by the name that a protocol gives.
QUESTIONS: Registry[type[Question]] = Registry(
    "question",
    "questions",
    {"pose": ".bench.questions.pose:PoseQuestion", "place": ".bench.questions.place:PlaceQuestion"},
    check=_checked,
)


def question(name: str) -> Question:
    """Return the question called ``name``; raises `InputError` where there is none."""
    return QUESTIONS.load(name)()
