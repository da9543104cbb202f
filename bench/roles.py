"""Roles: what a method is to the others of its tables, by how much of the truth it is given."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable

from ..methods.method import Method
from ..methods.privileges import Privilege

#: A method that competes: it sees a query's image only.
COMPETITOR = ""
#: A method that guesses among the references without looking: where every table's scale starts.
CHANCE = "chance"
#: A method that knows how such data sets are made and never looks at the query: what the prior alone is worth.
BLIND = "blind"
#: A method that is given the query's true pose.
ORACLE = "oracle"
#: What a method is given of each of the simulator's maps in place of what it would estimate: that of queries, and with
#: it mostly that of references; or only the latter; or nothing.
_MAPS = {
    "semantic": ("segmentation", "reference segmentation", ""),
    "depth": ("depth", "reference depth", ""),
}


def _given(maps: Iterable[str]) -> str:
    return " and ".join(word for word in maps if word)


#: A method that is given maps of the simulator; the role says which: "oracle segmentation and reference depth".
ORACLE_MAPS = tuple(f"oracle {given}" for maps in itertools.product(*_MAPS.values()) if (given := _given(maps)))


def role_of(method: Method) -> str:
    """Return a method's role, one of those above."""
    if "pose" in method.privileges:
        return ORACLE
    given = _given(_word(kind, method.privileges) for kind in _MAPS)
    return f"oracle {given}" if given else method.baseline or COMPETITOR


def _word(kind: str, privileges: Collection[Privilege]) -> str:
    of_queries, of_references, nothing = _MAPS[kind]
    return of_queries if kind in privileges else of_references if f"reference {kind}" in privileges else nothing


def is_blind(role: str) -> bool:
    """Return whether a method never looks at the query."""
    return role in (CHANCE, BLIND)


def is_ranked(role: str) -> bool:
    """Return whether a method has a rank: those that never look, or are given a part of the truth, are listed only."""
    return role == COMPETITOR
