"""Privileges: the parts of the ground truth that a method may be given, by name."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal, get_args

#: A query's pose (which makes an oracle), or one of the simulator's maps, of queries or of references.
Privilege = Literal["pose", "depth", "semantic", "reference depth", "reference semantic"]

#: All of them, and those that are of queries.
PRIVILEGES: tuple[Privilege, ...] = get_args(Privilege)
OF_QUERIES: tuple[Privilege, ...] = ("pose", "depth", "semantic")


def withheld(privileges: Collection[Privilege]) -> frozenset[str]:
    """Return which of a reference's maps, "depth" and "semantic", ``privileges`` do not name."""
    return frozenset(kind for kind in ("depth", "semantic") if f"reference {kind}" not in privileges)
