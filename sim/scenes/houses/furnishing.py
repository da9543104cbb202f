"""Furnishes a whole house: every room for its type, twins alike, all richly enough to be recognised again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .arranging import Arranger
from .dressing import dress_room
from .floor_plan import FloorPlan
from .room_furniture import FURNISH, fill_walls
from .room_space import Placement, RoomSpace
from .supplier import Order, Supplier
from .window_dressing import dress_window, on_sill

_LAMP_HEIGHT = 2.05  # one walks below lamps


def furnish_house(plan: FloorPlan, supplier: Supplier) -> list[list[Placement]]:
    """Return the placements of every room, in the order of the plan's rooms."""
    spaces: list[RoomSpace] = []
    for index, room in enumerate(plan.rooms):
        space = RoomSpace(plan, index, supplier)
        if room.twin_of is not None:
            _copy(spaces[room.twin_of], space, mirrored=room.mirrored)
        else:
            _furnish(space)
        spaces.append(space)
    return [space.placements for space in spaces]


def _furnish(space: RoomSpace) -> None:
    arranger = Arranger(space, np.random.default_rng([space.room.look, 4]))
    # Curtains and radiators come first, so that furniture leaves them their place, but under a kitchen's window the
    # counters run on.
    kitchen = space.room.type == "kitchen"
    for window in [] if kitchen else space.windows():
        dress_window(arranger, window)
    FURNISH[space.room.type](arranger)
    for window in space.windows() if kitchen else []:
        dress_window(arranger, window)
    fill_walls(arranger)
    _hang_lights(arranger)
    for window in space.windows():
        on_sill(arranger, window)
    dress_room(arranger)


def _hang_lights(arranger: Arranger) -> None:
    """One ceiling lamp in the middle of a room, several along a long one; a chandelier in some grand ones."""
    space = arranger.space
    x0, y0, x1, y1 = space.room.interior
    longer, shorter = max(x1 - x0, y1 - y0), min(x1 - x0, y1 - y0)
    count = max(1, round(longer / 4.0)) if shorter < 2.2 or longer > 6.0 else 1
    grand = space.room.type in {"living room", "dining room"} and arranger.rng.random() < 0.4
    drop = round(space.plan.ceiling - _LAMP_HEIGHT, 2)
    lamp = arranger.supplier.usual("chandelier" if grand and drop > 0.5 else "light")
    if arranger.piece(lamp).size[2] > drop:
        lamp = arranger.supplier.usual(lamp.category, (None, None, drop))
    for k in range(count):
        share = (k + 0.5) / count
        along, across = (share, 0.5) if x1 - x0 > y1 - y0 else (0.5, share)
        x, y = x0 + along * (x1 - x0), y0 + across * (y1 - y0)
        if _from_ceiling(arranger, lamp, x, y) is None:
            _from_ceiling(arranger, arranger.order("light", (None, None, min(drop, 0.2))), x, y)


def _from_ceiling(arranger: Arranger, category: str | Order, x: float, y: float) -> int | None:
    """Hang a piece from the ceiling."""
    order = arranger.ordered(category)
    if order is None:
        return None
    return arranger.space.try_add(Placement(order, x, y, arranger.space.plan.ceiling, 0.0), ignore={"window"})


def _copy(original: RoomSpace, space: RoomSpace, *, mirrored: bool) -> None:
    """Repeat a room's furniture in its twin, leaving out what does not fit there (an extra door)."""
    numbers: dict[int, int] = {}
    for number, placement in enumerate(original.placements):
        moved = _moved(placement, original, space, mirrored=mirrored)
        if placement.support is not None:
            if placement.support not in numbers:
                continue
            settled = space.settled(replace(moved, support=numbers[placement.support]))
            if settled is None:
                continue
            moved = settled
        copied = space.try_add(moved, ignore={"window", "front", "sill"})
        if copied is not None:
            numbers[number] = copied


def _moved(placement: Placement, original: RoomSpace, space: RoomSpace, *, mirrored: bool) -> Placement:
    ax0, ay0, _, _ = original.room.interior
    bx0, by0, bx1, by1 = space.room.interior
    x, y, yaw = placement.x - ax0 + bx0, placement.y - ay0 + by0, placement.yaw
    if not mirrored:
        return replace(placement, x=x, y=y)
    if abs(bx0 - ax0) > abs(by0 - ay0):
        return replace(placement, x=bx0 + bx1 - x, y=y, yaw=-yaw)
    return replace(placement, x=x, y=by0 + by1 - y, yaw=float(np.pi - yaw))
