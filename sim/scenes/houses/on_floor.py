"""What stands and lies on the free floor of a room: pieces, clutter, chairs around a table, rugs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..meshes.solids import corners_of
from .along_walls import places_along
from .arranging import Arranger
from .room_space import RESTING_GAP, Placement
from .supplier import Order


def free_standing(arranger: Arranger, category: str | Order, *, central: bool = False, tries: int = 25) -> int | None:
    """Stand a piece somewhere on the floor, square to the walls; in the middle first where ``central``."""
    order = arranger.ordered(category)
    if order is None:
        return None
    x0, y0, x1, y1 = arranger.space.room.interior
    for k in range(tries):
        spread = 0.6 * k / tries if central else 1.0
        x = (x0 + x1) / 2 + spread * float(arranger.rng.uniform(-0.5, 0.5)) * (x1 - x0)
        y = (y0 + y1) / 2 + spread * float(arranger.rng.uniform(-0.5, 0.5)) * (y1 - y0)
        long = 0.0 if x1 - x0 > y1 - y0 else np.pi / 2
        yaw = long + np.pi / 2 * int(arranger.rng.integers(4)) if k > tries // 2 or not central else long
        number = arranger.space.try_add(Placement(order, x, y, 0.0, yaw))
        if number is not None:
            return number
    return None


def clutter(arranger: Arranger, category: str | Order, *, tries: int = 12) -> int | None:
    """Stand something small near a wall, turned as it was left."""
    order = arranger.ordered(category)
    if order is None:
        return None
    width, depth, _ = arranger.piece(order).size
    reach = float(np.hypot(width, depth))
    for side, u in places_along(
        arranger, reach, "corner" if arranger.rng.random() < 0.5 else "anywhere", arranger.space.sides
    )[:tries]:
        x, y = side.point(u, reach / 2 + 0.02 + float(arranger.rng.exponential(0.05)))
        yaw = side.yaw + float(arranger.rng.normal(0.0, 0.4))
        number = arranger.space.try_add(Placement(order, x, y, 0.0, yaw))
        if number is not None:
            return number
    return None


def chairs_around(arranger: Arranger, table: int, chair: Order, count: int) -> list[int]:
    """Stand equal chairs around a table, facing it, a little out of line."""
    placement, piece = arranger.placed(table)
    width, depth, _ = piece.size
    seat_width, seat_depth, _ = arranger.piece(chair).size
    along = max(1, int(width / (seat_width + 0.12)))
    spots = [(-width / 2 + width * (k + 0.5) / along, side) for k in range(along) for side in (1, -1)]
    seats = [(x, s * depth / 2, np.pi if s > 0 else 0.0, 0, s) for x, s in spots]
    seats += [(s * width / 2, 0.0, np.pi / 2 if s > 0 else -np.pi / 2, s, 0) for s in (1, -1)]
    numbers = []
    for x, y, turn, out_x, out_y in seats[:count]:
        # Tucked in where the table lets the seat go under it, else just in front of its edge.
        for tuck in (0.22, 0.1, -0.04):
            reach = seat_depth / 2 - tuck + float(arranger.rng.uniform(0.0, 0.05))
            at = placement.world(x + out_x * reach, y + out_y * reach)
            yaw = placement.yaw + turn + float(arranger.rng.normal(0.0, 0.05))
            number = arranger.space.try_add(Placement(chair, *at, 0.0, yaw), ignore={"front"})
            if number is not None:
                numbers.append(number)
                break
    return numbers


def rug_under(arranger: Arranger, numbers: Sequence[int], *, margin: float = 0.3) -> int | None:
    """Lay a rug that the given pieces stand on; they are lifted by its thickness."""
    if not numbers or not arranger.supplier.knows("rug"):
        return None
    placement, _ = arranger.placed(numbers[0])
    width, depth = _extent(arranger, numbers, placement)
    for grow in (margin, margin / 2, 0.04):
        size = (2 * (width + grow), 2 * (depth + grow), 0.012)
        order = arranger.order("rug", size)
        rug = Placement(order, placement.x, placement.y, RESTING_GAP, placement.yaw)
        boxes = arranger.space.boxes(rug)
        if arranger.space.hits(boxes, but=set(numbers)):
            continue
        thickness = float(boxes[:, 7].max()) + RESTING_GAP
        arranger.space.lift(list(numbers), thickness)
        laid = arranger.space.try_add(rug, ignore={"window", "front"})
        if laid is not None:
            return laid
        arranger.space.lift(list(numbers), -thickness)
    return None


def _extent(arranger: Arranger, numbers: Sequence[int], centre: Placement) -> tuple[float, float]:
    """Return how far pieces reach from a placement along its own x and y."""
    boxes = np.stack([arranger.space.outline(arranger.space.placements[n]) for n in numbers])
    offset = corners_of(boxes).reshape(-1, 2) - (centre.x, centre.y)
    cos, sin = np.cos(centre.yaw), np.sin(centre.yaw)
    return (
        float(np.abs(cos * offset[:, 0] + sin * offset[:, 1]).max()),
        float(np.abs(cos * offset[:, 1] - sin * offset[:, 0]).max()),
    )


def loose_rug(arranger: Arranger, size: tuple[float, float] | None = None, *, near: int | None = None) -> int | None:
    """Lay a rug on free floor: beside a piece, or anywhere."""
    order = arranger.order("rug", None if size is None else (*size, 0.012))
    if not arranger.supplier.knows("rug"):
        return None
    width, depth, _ = arranger.piece(order).size
    if near is not None:
        placement, piece = arranger.placed(near)
        reach = piece.size[1] / 2 + 0.06 + depth / 2
        side = piece.size[0] / 2 + 0.06 + depth / 2
        for x, y, turn in ((0.0, reach, 0.0), (side, 0.1, np.pi / 2), (-side, 0.1, np.pi / 2)):
            spot = Placement(order, *placement.world(x, y), RESTING_GAP, placement.yaw + turn)
            number = arranger.space.try_add(spot, ignore={"window", "front"})
            if number is not None:
                return number
    x0, y0, x1, y1 = arranger.space.room.interior
    for _ in range(15):
        x, y = arranger.rng.uniform((x0, y0), (x1, y1))
        turn = 0.0 if (x1 - x0 > y1 - y0) == (width > depth) else np.pi / 2
        spot = Placement(order, float(x), float(y), RESTING_GAP, turn)
        number = arranger.space.try_add(spot, ignore={"window", "front"})
        if number is not None:
            return number
    return None
