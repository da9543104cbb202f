"""Roles: what a method is to the others of its tables, by how much of the truth it is given."""

from __future__ import annotations

from ..methods.method import Method

#: A method that competes: it sees a query's image only.
COMPETITOR = ""
#: A method that guesses among the references without looking: where every table's scale starts.
CHANCE = "chance"
#: A method that knows how such data sets are made and never looks at the query: what the prior alone is worth.
BLIND = "blind"
#: A method that is given the query's true pose.
ORACLE = "oracle"
#: A method that is given maps of the simulator in place of what it would estimate; the role says which.
ORACLE_MAPS = ("oracle segmentation", "oracle depth", "oracle segmentation and depth")

_WORDS = {"semantic": "segmentation", "depth": "depth"}


def role_of(method: Method) -> str:
    """Return a method's role, one of those above."""
    if "pose" in method.privileges:
        return ORACLE
    given = [word for kind, word in _WORDS.items() if kind in method.privileges]
    if given:
        return f"oracle {' and '.join(given)}"
    return method.baseline or COMPETITOR


def is_blind(role: str) -> bool:
    """Return whether a method never looks at the query."""
    return role in (CHANCE, BLIND)


def is_ranked(role: str) -> bool:
    """Return whether a method has a rank: those that never look, or are given a part of the truth, are listed only."""
    return role == COMPETITOR
