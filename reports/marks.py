"""What stands beside the names of methods that see more, or less, than a query's image, and what it means."""

from __future__ import annotations

from collections.abc import Iterable

from ..bench.questions import Question
from ..bench.roles import BLIND, CHANCE, ORACLE, ORACLE_MAPS, is_blind

ORACLE_MARK, BLIND_MARK, SEGMENTATION_MARK, DEPTH_MARK = "†", "‡", "§", "¶"

_BLIND_NOTES = {CHANCE: "chance", BLIND: "what the way in which the data are made gives away"}


def mark(role: str) -> str:
    """Return the mark of a role (:mod:`relocbench.bench.roles`), "" for a method that sees the image only."""
    if role in ORACLE_MAPS:
        return "".join(sign for word, sign in _MAPS.items() if word in role)
    return ORACLE_MARK if role == ORACLE else BLIND_MARK if is_blind(role) else ""


def marked(method: str, role: str) -> str:
    """Return how a table names a method: "name §"."""
    return f"{method} {mark(role)}".strip()


def spelled_out(method: str, role: str, *, joint: str = " ") -> str:
    """Return how a picture names a method, which has no notes below it: "name (oracle segmentation)"."""
    return f"{method}{joint}({role})" if role in ORACLE_MAPS else method


def mark_notes(roles: Iterable[str], question: Question) -> list[str]:
    """Return what the marks in a leaderboard mean, where that question is asked."""
    there = set(roles)
    oracle = [f"{ORACLE_MARK} {question.oracle_note}"] if ORACLE in there else []
    levels = " and ".join(words for role, words in _BLIND_NOTES.items() if role in there)
    blind = [f"{BLIND_MARK} never looks at the query, and is not ranked: {levels}."] if levels else []
    return [*oracle, *blind, *map_notes(there)]


def map_notes(roles: Iterable[str]) -> list[str]:
    """Return what the marks of methods mean that were given maps of the simulator, nothing where there are none."""
    there = set(roles)
    given = [
        f"{sign} oracle {word}{_of_references_only(word, there)}"
        for word, sign in _MAPS.items()
        if any(word in role for role in there)
    ]
    if not given:
        return []
    return [
        f"{', '.join(given)}: was given the simulator's map in place of an estimate; listed, but not ranked among "
        "methods that see the image only."
    ]


def _of_references_only(word: str, roles: Iterable[str]) -> str:
    return " of references" if all(f"reference {word}" in role for role in roles if word in role) else ""


_MAPS = {"segmentation": SEGMENTATION_MARK, "depth": DEPTH_MARK}
