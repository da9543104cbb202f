"""Curtains, blinds and radiators at a window, and small things on its sill."""

from __future__ import annotations

import numpy as np

from .arranging import Arranger
from .floor_plan import Opening
from .joinery import SILL_DEPTH, SILL_NOSE, SILL_THICKNESS, has_sill
from .room_space import RESTING_GAP, Placement
from .supplier import Order
from .wall_side import WallSide, opening_on


def dress_window(arranger: Arranger, window: Opening) -> None:
    """Hang curtains or a blind at a window and, mostly, a radiator under it."""
    side = arranger.space.side_of(window)
    u0, bottom, u1, top = opening_on(side, window)
    plain = arranger.space.room.type in {"bathroom", "kitchen", "office"}
    if arranger.rng.random() < (0.7 if plain else 0.15):
        _blind(arranger, side, u0, u1, top)
    else:
        _curtains(arranger, side, u0, bottom, u1, top)
    if bottom > 0.55 and arranger.rng.random() < 0.8:
        tall = min(0.6, bottom - 0.2)
        width = float(np.clip(u1 - u0 - 0.3, 0.4, 1.4))
        radiator = arranger.supplier.usual("radiator", (round(width, 2), None, round(tall, 2)))
        _hang(arranger, radiator, side, (u0 + u1) / 2, 0.1 + tall / 2)


def on_sill(arranger: Arranger, window: Opening) -> None:
    """Put small things on the sill of a window."""
    side = arranger.space.side_of(window)
    u0, bottom, u1, _ = opening_on(side, window)
    for _ in range(int(arranger.rng.integers(0, 4)) if has_sill(window) else 0):
        category = str(arranger.rng.choice(["plant", "vase", "bottle", "book", "cup"]))
        order = _small(arranger, category, 0.14, 0.5)
        if order is None:
            continue
        u = float(arranger.rng.uniform(u0 + 0.12, u1 - 0.12))
        at = side.point(u, SILL_NOSE - SILL_DEPTH / 2)
        spot = Placement(order, *at, bottom + SILL_THICKNESS + RESTING_GAP, side.yaw)
        arranger.space.try_add(spot, ignore={"window", "sill", "front"})


def _curtains(arranger: Arranger, side: WallSide, u0: float, bottom: float, u1: float, top: float) -> None:
    """Drawn-back curtains on one rod, down to the floor or, above something, to the sill."""
    high = min(top + 0.14, arranger.space.plan.ceiling - 0.04)
    reach = min(0.32, u0 - 0.02, side.length - u1 - 0.02)
    for low in (0.03, bottom - 0.1) if bottom < 1.0 else (bottom - 0.1,):
        order = arranger.supplier.usual("curtain", (round(u1 - u0 + 2 * reach, 2), 0.11, round(high - low, 2)))
        if _hang(arranger, order, side, (u0 + u1) / 2, (low + high) / 2) is not None:
            return


def _blind(arranger: Arranger, side: WallSide, u0: float, u1: float, top: float) -> None:
    fall = round(float(arranger.rng.uniform(0.3, 0.7)), 2)
    order = arranger.supplier.usual("blind", (round(u1 - u0 + 0.06, 2), 0.05, fall))
    _hang(arranger, order, side, (u0 + u1) / 2, top + 0.06 - fall / 2)


def _hang(arranger: Arranger, order: Order, side: WallSide, u: float, z: float) -> int | None:
    if not arranger.supplier.knows(order.category):
        return None
    placement = Placement(order, *side.point(u, 0.002), z, side.yaw)
    return arranger.space.try_add(placement, ignore={"window", "front"})


def _small(arranger: Arranger, category: str, depth: float, height: float) -> Order | None:
    """Return an order that is no deeper and taller than given, or None."""
    order = arranger.ordered(category)
    if order is None:
        return None
    size = arranger.piece(order).size
    scale = min(depth / max(size[0], size[1]), height / size[2])
    if scale >= 1:
        return order
    if scale < 0.25:
        return None
    smaller = Order(category, order.seed, tuple(round(scale * s, 3) for s in size))  # type: ignore[arg-type]
    made = arranger.piece(smaller).size
    return smaller if max(made[:2]) <= depth + 0.01 and made[2] <= height + 0.01 else None
