"""Furniture along the walls of a room: standing against them, in a row, beside and before a piece, hung on them."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Literal

import numpy as np

from .arranging import Arranger
from .room_space import Placement
from .supplier import Order
from .wall_side import WallSide, opening_on

WALL_GAP = 0.016  # clears the skirting
_EYE_HEIGHT = 1.55

Where = Literal["anywhere", "corner", "middle"]


def against_wall(
    arranger: Arranger,
    category: str | Order,
    *,
    where: Where = "anywhere",
    sides: Sequence[WallSide] | None = None,
    ignore: Container[str] = (),
    tries: int = 28,
) -> int | None:
    """Stand a piece with its back to a wall."""
    order = arranger.ordered(category)
    if order is None:
        return None
    width, depth, _ = arranger.piece(order).size
    for side, u in places_along(arranger, width, where, arranger.space.sides if sides is None else sides)[:tries]:
        number = arranger.space.try_add(at_wall(arranger, order, side, u, depth), ignore=ignore)
        if number is not None:
            return number
    return None


def at_wall(arranger: Arranger, order: Order, side: WallSide, u: float, depth: float, z: float = 0.0) -> Placement:
    """Place by the middle of the back: pieces that hang have their origin there, others half a depth before it."""
    hung = arranger.piece(order).mount == "wall"
    gap = 0.002 if hung else WALL_GAP
    x, y = side.point(u, gap + (0.0 if hung else depth / 2))
    return Placement(order, x, y, z, side.yaw)


def places_along(
    arranger: Arranger, width: float, where: Where, sides: Sequence[WallSide]
) -> list[tuple[WallSide, float]]:
    """Return places along walls for something ``width`` wide, best first within each kind of wish."""
    spots: list[tuple[float, WallSide, float]] = []
    for side in sides:
        low, high = width / 2 + 0.02, side.length - width / 2 - 0.02
        if high < low:
            continue
        count = max(2, int((high - low) / 0.2) + 1)
        for k, u in enumerate(np.linspace(low, high, count)):
            corner = min(k, count - 1 - k) / count
            wish = {"anywhere": 0.0, "corner": corner, "middle": -corner - 0.05 * side.length}[where]
            spots.append((wish + arranger.rng.random() * (1.0 if where == "anywhere" else 0.15), side, float(u)))
    return [(side, u) for _, side, u in sorted(spots, key=lambda spot: spot[0])]


def row(arranger: Arranger, categories: Sequence[str | Order], *, sides: Sequence[WallSide] | None = None) -> list[int]:
    """Stand pieces side by side along one wall, as many of them as fit where most fit."""
    orders = [order for category in categories if (order := arranger.ordered(category)) is not None]
    sides = arranger.space.sides if sides is None else sides
    best: tuple[int, float, WallSide | None] = (0, 0.0, None)
    for side in sides:
        for start in _row_starts(arranger, side):
            fitting = _row(arranger, orders, side, start, keep=False)
            if len(fitting) > best[0]:
                best = (len(fitting), start, side)
    return [] if best[2] is None else _row(arranger, orders, best[2], best[1], keep=True)


def _row_starts(arranger: Arranger, side: WallSide) -> list[float]:
    doors = [opening_on(side, o) for o in arranger.space.openings if o.kind != "window" and side.holds(o)]
    return [0.02, *(u1 + 0.1 for _, _, u1, _ in doors)]


def _row(arranger: Arranger, orders: Sequence[Order], side: WallSide, start: float, *, keep: bool) -> list[int]:
    snapshot = arranger.space.snapshot()
    numbers: list[int] = []
    u = start
    for order in orders:
        width, depth, _ = arranger.piece(order).size
        number = arranger.space.try_add(at_wall(arranger, order, side, u + width / 2, depth), guests=numbers)
        if number is not None:
            numbers.append(number)
            u += width + 0.004
    if not keep:
        arranger.space.restore(snapshot)
    return numbers


def beside(arranger: Arranger, number: int, category: str | Order, *, right: bool, gap: float = 0.05) -> int | None:
    """Stand a piece next to another, backs in line."""
    order = arranger.ordered(category)
    if order is None:
        return None
    placement, piece = arranger.placed(number)
    width, depth, _ = arranger.piece(order).size
    offset = (piece.size[0] + width) / 2 + gap
    x, y = placement.world(offset if right else -offset, (depth - piece.size[1]) / 2)
    return arranger.space.try_add(Placement(order, x, y, 0.0, placement.yaw), ignore={"front"})


def before(
    arranger: Arranger, number: int, category: str | Order, *, gap: float, aside: float = 0.0, turn: float = np.pi
) -> int | None:
    """Stand a piece in front of another, by default looking back at it."""
    order = arranger.ordered(category)
    if order is None:
        return None
    placement, piece = arranger.placed(number)
    depth = arranger.piece(order).size[1]
    x, y = placement.world(aside, piece.size[1] / 2 + gap + depth / 2)
    return arranger.space.try_add(Placement(order, x, y, 0.0, placement.yaw + turn), ignore={"front"})


def on_wall(
    arranger: Arranger,
    category: str | Order,
    *,
    height: float | None = None,
    bottom: float | None = None,
    sides: Sequence[WallSide] | None = None,
    tries: int = 16,
) -> int | None:
    """Hang a piece with its middle at ``height`` (eye height by default), or with its lower edge at ``bottom``."""
    order = arranger.ordered(category)
    if order is None:
        return None
    width, depth, tall = arranger.piece(order).size
    z = (_EYE_HEIGHT + float(arranger.rng.normal(0.0, 0.06))) if height is None else height
    z = bottom + tall / 2 if bottom is not None else z
    for side, u in places_along(arranger, width, "anywhere", arranger.space.sides if sides is None else sides)[:tries]:
        number = arranger.space.try_add(at_wall(arranger, order, side, u, depth, z))
        if number is not None:
            return number
    return None


def above(arranger: Arranger, number: int, category: str | Order, *, gap: float, aside: float = 0.0) -> int | None:
    """Hang a piece on the wall behind and above another."""
    order = arranger.ordered(category)
    if order is None:
        return None
    placement, piece = arranger.placed(number)
    tall = arranger.piece(order).size[2]
    x, y = placement.world(aside, -piece.size[1] / 2 - WALL_GAP + 0.002)
    top = placement.z + piece.size[2]
    return arranger.space.try_add(Placement(order, x, y, top + gap + tall / 2, placement.yaw))
