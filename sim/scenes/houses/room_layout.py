"""Where the rooms of a programme lie: rectangles between the centre lines of walls."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .room_program import RoomWish

#: x0, y0, x1, y1 in metres.
Cell = tuple[float, float, float, float]

_MIN_WIDTH = {"bathroom": 2.1, "kitchen": 2.5, "office": 2.4, "child's room": 2.6, "bedroom": 2.9, "living room": 3.6}
_STACKS = (("dining room", "living room"), ("bathroom", "bedroom"), ("kitchen", "dining room"))


def arrange_cells(rng: np.random.Generator, wishes: Sequence[RoomWish]) -> list[Cell] | None:
    """Return one cell per wish, in order, or None where this draw did not work out.

    With a corridor: two rows of rooms along it, some rows two rooms deep, sometimes with the living room across its
    end. Without: a rectangle that is cut in two again and again.
    """
    with_corridor = any(wish.type == "corridor" for wish in wishes)
    cells = _along_corridor(rng, wishes) if with_corridor else _sliced(rng, wishes)
    return None if cells is None else _turned(rng, cells)


def _turned(rng: np.random.Generator, cells: list[Cell]) -> list[Cell]:
    """Mirror and transpose the whole plan at random."""
    flip_x, flip_y, transpose = rng.random(3) < 0.5
    turned = []
    for x0, y0, x1, y1 in cells:
        if flip_x:
            x0, x1 = -x1, -x0
        if flip_y:
            y0, y1 = -y1, -y0
        turned.append((y0, x0, y1, x1) if transpose else (x0, y0, x1, y1))
    return turned


def _sliced(rng: np.random.Generator, wishes: Sequence[RoomWish]) -> list[Cell]:
    """Cut a rectangle recursively, always across its longer side, into parts of the wished areas."""
    total = sum(wish.area for wish in wishes)
    width = _grid(np.sqrt(total * rng.uniform(1.0, 1.6)))
    cells: dict[int, Cell] = {}

    def cut(order: list[int], cell: Cell) -> None:
        if len(order) == 1:
            cells[order[0]] = cell
            return
        split = int(rng.integers(1, len(order)))
        share = sum(wishes[i].area for i in order[:split]) / sum(wishes[i].area for i in order)
        x0, y0, x1, y1 = cell
        if x1 - x0 > y1 - y0:
            x = _grid(x0 + share * (x1 - x0))
            cut(order[:split], (x0, y0, x, y1))
            cut(order[split:], (x, y0, x1, y1))
        else:
            y = _grid(y0 + share * (y1 - y0))
            cut(order[:split], (x0, y0, x1, y))
            cut(order[split:], (x0, y, x1, y1))

    cut([int(i) for i in rng.permutation(len(wishes))], (0.0, 0.0, width, _grid(total / width)))
    return [cells[i] for i in range(len(wishes))]


def _along_corridor(rng: np.random.Generator, wishes: Sequence[RoomWish]) -> list[Cell] | None:
    corridor = next(i for i, wish in enumerate(wishes) if wish.type == "corridor")
    living_at_end = len(wishes) >= 6 and rng.random() < 0.5
    rows = _two_rows(rng, wishes, living_at_end=living_at_end)
    breadth = _grid(rng.uniform(1.35, 1.85))
    cells: dict[int, Cell] = {}
    lengths, depths = [], []
    for row, direction in zip(rows, (1, -1), strict=True):
        depth = _grid(rng.uniform(3.6, 5.0) + (2.2 if any(len(unit) == 2 for unit in row) else 0.0))
        lengths.append(_fill_row(rng, wishes, row, depth, 0.0 if direction < 0 else breadth, direction, cells))
        depths.append(depth)
    end = max(lengths)
    if living_at_end:
        end = lengths[0]
        living = next(i for i, wish in enumerate(wishes) if wish.type == "living room")
        height = breadth + depths[0]
        cells[living] = (end, 0.0, _grid(end + wishes[living].area / height), height)
    cells[corridor] = (0.0, 0.0, end, breadth)
    return [cells[i] for i in range(len(wishes))]


def _two_rows(rng: np.random.Generator, wishes: Sequence[RoomWish], *, living_at_end: bool) -> list[list[list[int]]]:
    """Share rooms out between the two sides of the corridor: per side, units of one room, or of two in depth.

    A twin follows its original, so that they stand side by side.
    """
    left_out = {"corridor", "living room"} if living_at_end else {"corridor"}
    free = [i for i, wish in enumerate(wishes) if wish.type not in left_out]
    twins = {wishes[i].twin_of: i for i in free if wishes[i].twin_of is not None}
    paired = {*twins.keys(), *twins.values()}
    units: list[list[int]] = []
    for front, back in _STACKS:
        fronts = [i for i in free if wishes[i].type == front and i not in paired]
        backs = [i for i in free if wishes[i].type == back and i not in paired]
        if fronts and backs and len(free) >= 6 and rng.random() < 0.4 and not units:
            units.append([fronts[-1], backs[-1]])
            free = [i for i in free if i not in units[-1]]
    groups = [units] if units else []
    groups += [[[i], [twins[i]]] if i in twins else [[i]] for i in free if i not in twins.values()]
    order = [groups[int(i)] for i in rng.permutation(len(groups))]
    rows: list[list[list[int]]] = [[], []]
    areas = [0.0, 4.0 * living_at_end]
    for group in order:
        side = int(np.argmin(areas))
        rows[side] += group
        areas[side] += sum(wishes[i].area for unit in group for i in unit)
    return rows


def _fill_row(
    rng: np.random.Generator,
    wishes: Sequence[RoomWish],
    row: list[list[int]],
    depth: float,
    base: float,
    direction: int,
    cells: dict[int, Cell],
) -> float:
    """Lay a row's units side by side from x = 0, at y from ``base`` towards ``direction``; return its length."""
    x = 0.0
    widths: dict[int, float] = {}
    for unit in row:
        area = sum(wishes[i].area for i in unit)
        narrowest = max(_MIN_WIDTH.get(wishes[i].type, 2.6) for i in unit)
        width = _grid(max(area / depth, narrowest))
        twin = wishes[unit[0]].twin_of
        width = widths[twin] if twin is not None and twin in widths else width
        widths[unit[0]] = width
        front = depth if len(unit) == 1 else _grid(depth * wishes[unit[0]].area / area)
        for i, (near, far) in zip(unit, [(0.0, front), (front, depth)], strict=False):
            y0, y1 = sorted((base + direction * near, base + direction * far))
            cells[i] = (x, y0, x + width, y1)
        x += width
    return x


def _grid(value: float) -> float:
    """Round to whole 5 cm."""
    return round(float(value) * 20) / 20
