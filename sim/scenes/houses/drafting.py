"""Drawing a floor plan: rooms are laid out, doors and windows cut, until the whole is sound."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .floor_plan import INNER_WALL, FloorPlan, PlannedRoom, outline_of
from .openings import cut_doors, cut_windows, doors_reach_everything
from .room_layout import Cell, arrange_cells
from .room_program import RoomWish, room_program

MIN_AREA, MAX_AREA = 6.0, 45.0
_MAX_ATTEMPTS = 500


def draft_floor(rng: np.random.Generator, *, rooms: int | None = None) -> FloorPlan:
    """Return a random floor plan with 3 to 12 rooms, or with exactly ``rooms``.

    Raises ``ValueError`` where ``rooms`` lies outside 3 to 12.
    """
    count = int(rng.integers(3, 13)) if rooms is None else rooms
    if not 3 <= count <= 12:
        raise ValueError(f"a house has 3 to 12 rooms, not {count}")
    ceiling = round(float(rng.uniform(2.4, 3.0)), 2)
    for _ in range(_MAX_ATTEMPTS):
        wishes = room_program(rng, count)
        cells = arrange_cells(rng, wishes)
        if cells is None or not _sound(wishes, cells):
            continue
        planned = _name_rooms(rng, wishes, cells)
        doors = cut_doors(rng, planned)
        if not doors_reach_everything(planned, doors):
            continue
        windows = cut_windows(rng, planned, doors, ceiling)
        if windows is not None:
            return FloorPlan(tuple(planned), (*doors, *windows), ceiling)
    raise RuntimeError(f"no floor plan with {count} rooms came out sound in {_MAX_ATTEMPTS} attempts")


def _sound(wishes: list[RoomWish], cells: list[Cell]) -> bool:
    """Whether sizes and proportions are those of real rooms and the outline is one piece without a courtyard."""
    for wish, (x0, y0, x1, y1) in zip(wishes, cells, strict=True):
        width, depth = x1 - x0 - INNER_WALL, y1 - y0 - INNER_WALL
        corridor = wish.type == "corridor"
        if not MIN_AREA <= width * depth <= MAX_AREA or min(width, depth) < (1.15 if corridor else 1.9):
            return False
        if not corridor and max(width, depth) > 2.3 * min(width, depth):
            return False
    outline = outline_of(cells)
    return outline.geom_type == "Polygon" and not outline.interiors


def _name_rooms(rng: np.random.Generator, wishes: list[RoomWish], cells: list[Cell]) -> list[PlannedRoom]:
    """Turn wishes and cells into rooms with unique names, moving the house's corner to a tidy origin."""
    x0, y0 = min(cell[0] for cell in cells), min(cell[1] for cell in cells)
    looks = rng.integers(0, 2**31, size=len(wishes))
    totals = {wish.type: sum(other.type == wish.type for other in wishes) for wish in wishes}
    rooms: list[PlannedRoom] = []
    for index, (wish, cell) in enumerate(zip(wishes, cells, strict=True)):
        number = sum(room.type == wish.type for room in rooms) + 1
        name = wish.type if totals[wish.type] == 1 else f"{wish.type} {number}"
        moved = (cell[0] - x0, cell[1] - y0, cell[2] - x0, cell[3] - y0)
        rooms.append(PlannedRoom(name, wish.type, _snap(moved), int(looks[index])))
        if wish.twin_of is not None:
            rooms[-1] = replace(rooms[-1], look=rooms[wish.twin_of].look, twin_of=wish.twin_of, mirrored=wish.mirrored)
    return rooms


def _snap(cell: Cell) -> Cell:
    """Round to whole centimetres, so that walls of neighbours stay exactly on one line."""
    a, b, c, d = (round(float(value), 2) for value in cell)
    return (a, b, c, d)
