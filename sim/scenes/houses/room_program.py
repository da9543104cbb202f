"""Which rooms a house of a given size has."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: Floor areas that are drawn for each type, square metres (corridors follow from the layout).
_AREAS = {
    "living room": (19.0, 34.0),
    "bedroom": (11.5, 18.0),
    "kitchen": (9.0, 15.0),
    "bathroom": (6.8, 9.5),
    "office": (9.0, 15.0),
    "dining room": (11.0, 17.0),
    "child's room": (10.0, 14.5),
    "corridor": (7.0, 14.0),
}

_BASIC = ["living room", "kitchen", "bathroom", "bedroom", "corridor"]
_FURTHER = ["bedroom", "child's room", "office", "dining room", "bathroom", "office", "bedroom", "child's room"]
_TWINS = ("bedroom", "office", "child's room")


@dataclass(frozen=True)
class RoomWish:
    """A room to be laid out: its type, its area in square metres, and the earlier room that it is to equal, if any."""

    type: str
    area: float
    twin_of: int | None = None
    mirrored: bool = False


def room_program(rng: np.random.Generator, count: int) -> list[RoomWish]:
    """Return the rooms of a house with ``count`` of them: always a living room, a kitchen and a bathroom."""
    types = _BASIC[:count]
    if count == 4 and rng.random() < 0.3:
        types[3] = "office"
    further = list(_FURTHER)
    while len(types) < count:
        types.append(further.pop(int(rng.integers(0, min(4, len(further))))))
    wishes = [RoomWish(kind, float(rng.uniform(*_AREAS[kind]))) for kind in types]
    return _with_twin(rng, wishes) if count >= 6 and rng.random() < 0.65 else wishes


def _with_twin(rng: np.random.Generator, wishes: list[RoomWish]) -> list[RoomWish]:
    """Make the last room a copy of one that may be copied (identical offices, mirrored bedrooms)."""
    candidates = [i for i, wish in enumerate(wishes[:-1]) if wish.type in _TWINS]
    original = candidates[int(rng.integers(len(candidates)))]
    copy = RoomWish(wishes[original].type, wishes[original].area, original, bool(rng.random() < 0.5))
    return [*wishes[:-1], copy]
