"""Kinds of question, one file each: what is asked of a method, and all that follows for scoring, tables and report."""

from ...registry import Registry, complete_class
from .question import Question

__all__ = ["QUESTIONS", "Question", "question"]


#: Classes derived from `Question`, by the name that a protocol gives.
QUESTIONS: Registry[type[Question]] = Registry(
    "question",
    "questions",
    {"pose": ".bench.questions.pose:PoseQuestion", "place": ".bench.questions.place:PlaceQuestion"},
    check=complete_class(Question),
)


def question(name: str) -> Question:
    """Return the question called ``name``; raises `InputError` where there is none."""
    return QUESTIONS.load(name)()
