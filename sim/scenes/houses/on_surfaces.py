"""What stands on other furniture."""

from __future__ import annotations

import numpy as np

from ..meshes.mesh import Surface
from .arranging import Arranger
from .room_space import Placement
from .supplier import Order


def on_surface(
    arranger: Arranger, number: int, category: str | Order, *, back: bool = False, jitter: float = 0.3, tries: int = 10
) -> int | None:
    """Stand a piece on one of the surfaces of another; at its back edge, middle first, where ``back``."""
    order = arranger.ordered(category)
    if order is None:
        return None
    placement, host = arranger.placed(number)
    width, depth, tall = arranger.piece(order).size
    fitting = [s for s in host.surfaces if _room_on(s, width, depth) and s.headroom >= tall + 0.01]
    for k in range(tries if fitting else 0):
        surface = fitting[int(arranger.rng.integers(len(fitting)))]
        turn = float(arranger.rng.normal(0.0, 0.03 if back else jitter))
        x, y = _spot_on(arranger, surface, width, depth, back=back and k < tries // 2)
        at = placement.world(x, y)
        spot = arranger.space.settled(Placement(order, *at, placement.z + surface.z, placement.yaw + turn, number))
        if spot is None:
            continue
        placed = arranger.space.try_add(spot, ignore={"front", "window"} if tall < 0.45 else {"front"})
        if placed is not None:
            return placed
    return None


def _spot_on(arranger: Arranger, surface: Surface, width: float, depth: float, *, back: bool) -> tuple[float, float]:
    low = (surface.x0 + width / 2, surface.y0 + depth / 2)
    high = (surface.x1 - width / 2, surface.y1 - depth / 2)
    if back:
        middle = (low[0] + high[0]) / 2 + 0.3 * float(arranger.rng.normal()) * (high[0] - low[0])
        return float(np.clip(middle, low[0], high[0])), low[1] + 0.02
    x, y = arranger.rng.uniform(low, high)
    return float(x), float(y)


def _room_on(surface: Surface, width: float, depth: float) -> bool:
    return surface.x1 - surface.x0 >= width and surface.y1 - surface.y0 >= depth
