"""Doors and windows: where walls are cut so that every room is reached and every lived-in room has daylight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree

from .floor_plan import DOOR_HEIGHT, HALF_WALL, Opening, PlannedRoom

DOOR_WIDTH = 0.94
_CORNER = 0.12  # room for a door's trim between opening and corner
_WINDOW_CORNER = 0.45  # keeps windows clear of the thickness of the walls that end there
_OPEN_PLAN = {"living room", "dining room", "kitchen"}
_HUBS = {"corridor": 0.0, "living room": 1.0, "dining room": 2.0, "kitchen": 3.0}
_DARK = {"bathroom", "corridor"}  # rooms that may go without a window

#: axis, line, start, end of the stretch that two cells share, or of a stretch of outside wall.
Stretch = tuple[int, float, float, float]


def cut_doors(rng: np.random.Generator, rooms: Sequence[PlannedRoom]) -> list[Opening]:
    """Return doors along a spanning tree of the rooms plus a few loops, and the front door, with their open leaves."""
    shared = {
        (a, b): stretch
        for a, b in combinations(range(len(rooms)), 2)
        if (stretch := _shared(rooms[a], rooms[b])) is not None and _usable(stretch) >= DOOR_WIDTH
    }
    tree = _spanning_tree(rng, rooms, shared)
    doors = [_door(rng, rooms, pair, shared[pair]) for pair in tree]
    for pair in shared:
        if pair not in tree and _open_plan(rooms, pair) and rng.random() < 0.6:
            doors.append(_door(rng, rooms, pair, shared[pair]))
    entrance = _entrance(rng, rooms)
    if entrance is not None:
        doors.append(entrance)
    return [_with_leaf(door, doors, rooms) for door in doors]


def doors_reach_everything(rooms: Sequence[PlannedRoom], doors: Sequence[Opening]) -> bool:
    """Whether every room is reached from every other through doors, and the house has a front door."""
    pairs = np.array([door.rooms for door in doors if len(door.rooms) == 2]).reshape(-1, 2)
    graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(rooms), len(rooms)))
    components, _ = connected_components(graph, directed=False)
    return int(components) == 1 and any(door.kind == "entrance" for door in doors)


def cut_windows(
    rng: np.random.Generator, rooms: Sequence[PlannedRoom], doors: Sequence[Opening], ceiling: float
) -> list[Opening] | None:
    """Return windows in outside walls, or None where a room that people live in would have none."""
    french = bool(rng.random() < 0.5)
    windows: list[Opening] = []
    for index, room in enumerate(rooms):
        in_room = _windows_of(rooms, index, doors, ceiling, french=french)
        if not in_room and room.type not in _DARK:
            return None
        windows += in_room
    return windows


def _shared(a: PlannedRoom, b: PlannedRoom) -> Stretch | None:
    """Return the stretch of wall between two rooms, or None where they do not touch."""
    for axis in (0, 1):
        across = 1 - axis
        start, end = max(a.cell[axis], b.cell[axis]), min(a.cell[axis + 2], b.cell[axis + 2])
        if end - start <= 0.01:
            continue
        for one, other in ((a, b), (b, a)):
            if abs(one.cell[across + 2] - other.cell[across]) < 1e-6:
                return axis, one.cell[across + 2], start, end
    return None


def _usable(stretch: Stretch) -> float:
    """Length of a shared stretch in which a door may lie."""
    return stretch[3] - stretch[2] - 2 * (HALF_WALL + _CORNER)


def _open_plan(rooms: Sequence[PlannedRoom], pair: tuple[int, int]) -> bool:
    return {rooms[i].type for i in pair} <= _OPEN_PLAN


def _spanning_tree(
    rng: np.random.Generator, rooms: Sequence[PlannedRoom], shared: dict[tuple[int, int], Stretch]
) -> list[tuple[int, int]]:
    """Choose doors that join all rooms: through corridors first, never through a bathroom where it can be helped."""
    pairs = list(shared)
    if not pairs:
        return []
    costs = []
    for a, b in pairs:
        hub = min(_HUBS.get(rooms[i].type, 8.0) for i in (a, b))
        bathrooms = sum(rooms[i].type == "bathroom" for i in (a, b))
        costs.append(1.0 + hub + 4.0 * bathrooms * (hub >= 8) + 40.0 * (bathrooms == 2) + 0.3 * rng.random())
    rows, columns = np.array(pairs).T
    graph = coo_array((costs, (rows, columns)), shape=(len(rooms), len(rooms)))
    chosen = minimum_spanning_tree(graph.tocsr()).tocoo()
    return sorted((int(a), int(b)) for a, b in zip(*chosen.coords, strict=True))


def _door(rng: np.random.Generator, rooms: Sequence[PlannedRoom], pair: tuple[int, int], stretch: Stretch) -> Opening:
    """Cut one door near an end of the stretch, or a wide passage in its middle."""
    axis, line, start, end = stretch
    start, end = start + HALF_WALL + _CORNER, end - HALF_WALL - _CORNER
    guest = max(pair, key=lambda i: _HUBS.get(rooms[i].type, 8.0))
    if _open_plan(rooms, pair) and end - start > 1.7 and rng.random() < 0.75:
        width = min(float(rng.uniform(1.3, 2.2)), end - start - 0.3)
        at = (start + end - width) / 2
        return Opening("passage", axis, line, at, at + width, 0.0, DOOR_HEIGHT, pair)
    # Twins draw from the same seed, so that their doors lie alike.
    look = np.random.default_rng([rooms[guest].look, 1])
    hinge = int(look.integers(2)) ^ int(rooms[guest].mirrored)
    inset = min(float(look.uniform(0.0, 0.3)), end - start - DOOR_WIDTH)
    at = start + inset if hinge == 0 else end - inset - DOOR_WIDTH
    swing = guest if look.random() < 0.7 else None
    return Opening("door", axis, line, at, at + DOOR_WIDTH, 0.0, DOOR_HEIGHT, pair, swing, hinge)


def _entrance(rng: np.random.Generator, rooms: Sequence[PlannedRoom]) -> Opening | None:
    """Cut the front door: into the corridor where that has an outside wall, else into a room that serves as one."""
    order = sorted(range(len(rooms)), key=lambda i: _HUBS.get(rooms[i].type, 8.0))
    for index in order:
        stretches = [s for s in _outside(rooms, index) if _usable(s) >= DOOR_WIDTH]
        if rooms[index].type in _HUBS and stretches:
            axis, line, start, end = min(stretches, key=_usable)
            low, high = start + HALF_WALL + _CORNER, end - HALF_WALL - _CORNER - DOOR_WIDTH
            at = (low + high) / 2 if high - low < 1.0 else float(rng.uniform(low, high))
            return Opening("entrance", axis, line, at, at + DOOR_WIDTH, 0.0, DOOR_HEIGHT, (index,))
    return None


def _outside(rooms: Sequence[PlannedRoom], index: int) -> list[Stretch]:
    """Return the stretches of a room's walls that have no room behind them."""
    x0, y0, x1, y1 = rooms[index].cell
    stretches: list[Stretch] = []
    for axis, line, low, high in ((0, y0, x0, x1), (0, y1, x0, x1), (1, x0, y0, y1), (1, x1, y0, y1)):
        taken = sorted(
            (s[2], s[3])
            for other in range(len(rooms))
            if other != index
            and (s := _shared(rooms[index], rooms[other])) is not None
            and s[0] == axis
            and abs(s[1] - line) < 1e-6
        )
        at = low
        for start, end in [*taken, (high, high)]:
            if start - at > 0.5:
                stretches.append((axis, line, at, start))
            at = max(at, end)
    return stretches


def _windows_of(
    rooms: Sequence[PlannedRoom], index: int, doors: Sequence[Opening], ceiling: float, *, french: bool
) -> list[Opening]:
    room = rooms[index]
    look = np.random.default_rng([room.look, 2])
    width, sill, top = _window_shape(look, room.type, ceiling, french=french)
    keep_second = look.random() < 0.55
    windows: list[Opening] = []
    stretches = sorted(_outside(rooms, index), key=lambda s: s[2] - s[3])
    for axis, line, start, end in stretches:
        if (windows and not keep_second) or axis in _blind_axes(rooms, index):
            continue
        if room.type in _DARK and (windows or look.random() < 0.3):
            continue
        length = end - start - 2 * _WINDOW_CORNER
        count = 1 if room.type in _DARK else max(1, round(length / 3.0))
        fitting = min(width, length / count - 0.1)
        if fitting < 0.5:
            continue
        for k in range(count):
            middle = start + _WINDOW_CORNER + length * (k + 0.5) / count
            window = Opening("window", axis, line, middle - fitting / 2, middle + fitting / 2, sill, top, (index,))
            if not any(_clash(window, door) for door in doors):
                windows.append(window)
    return windows


def _blind_axes(rooms: Sequence[PlannedRoom], index: int) -> set[int]:
    """Twins get no window in the walls that stand across the line from one to the other: only one may be outside."""
    for a, room in enumerate(rooms):
        if room.twin_of is not None and index in (a, room.twin_of):
            between = _shared(room, rooms[room.twin_of])
            return {between[0]} if between is not None else set()
    return set()


def _window_shape(
    look: np.random.Generator, room_type: str, ceiling: float, *, french: bool
) -> tuple[float, float, float]:
    """Return width, sill height and top of a room's windows."""
    top = min(float(look.uniform(2.1, 2.3)), ceiling - 0.15)
    if room_type == "bathroom":
        return float(look.uniform(0.6, 0.9)), 1.35, top
    if room_type == "kitchen":
        return float(look.uniform(1.0, 1.4)), 1.1, top
    if room_type == "living room":
        return float(look.uniform(1.5, 2.3)), 0.1 if french else float(look.uniform(0.7, 0.9)), top
    return float(look.uniform(1.0, 1.6)), float(look.uniform(0.82, 0.95)), top


def _clash(window: Opening, door: Opening) -> bool:
    same_wall = door.axis == window.axis and abs(door.line - window.line) < 1e-6
    return same_wall and window.start < door.end + 0.3 and window.end > door.start - 0.3


def _with_leaf(door: Opening, doors: Sequence[Opening], rooms: Sequence[PlannedRoom]) -> Opening:
    """Keep an open leaf only where it stands against the wall of a near corner that has no other door."""
    if door.swing is None:
        return door
    room = rooms[door.swing].interior
    corner = room[door.axis + 2 * door.hinge]
    edge = door.end if door.hinge else door.start
    others = [d for d in doors if d is not door and door.swing in d.rooms and d.axis != door.axis]
    blocked = any(abs(d.line - corner) < 0.5 and _near(d, door.line, 1.2) for d in others)
    return door if abs(corner - edge) < 0.5 and not blocked else replace(door, swing=None)


def _near(opening: Opening, line: float, reach: float) -> bool:
    return opening.start < line + reach and opening.end > line - reach
