"""Tables of all heights."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from ...meshes import primitives
from .workshop import CatalogueEntry, Workshop


def table(shop: Workshop) -> None:
    """A dining table: rectangular on four legs, trestles or a frame, or round on a column."""
    w, d, h = shop.width, shop.depth, shop.height
    wood = shop.style.wood(shop.rng)
    if abs(w - d) < 0.25 and shop.chance(0.6):
        _round_table(shop, wood)
        return
    thick = shop.between(0.025, 0.045)
    shop.box(wood, (-w / 2, -d / 2, h - thick), (w / 2, d / 2, h), radius=0.006)
    shop.surface(-w / 2 + 0.04, -d / 2 + 0.04, w / 2 - 0.04, d / 2 - 0.04, h)
    leg = shop.between(0.05, 0.09)
    kind = shop.pick("legs", "legs", "trestle", "frame")
    if kind == "legs":
        inset = leg / 2 + shop.between(0.01, 0.06)
        shop.four_legs(
            wood, w / 2 - inset, d / 2 - inset, h - thick, leg, taper=shop.between(0.5, 1.0), round_=shop.chance(0.3)
        )
        _apron(shop, wood, w / 2 - inset, d / 2 - inset, h - thick)
    elif kind == "trestle":
        for x in (-0.34 * w, 0.34 * w):
            shop.box(wood, (x - leg / 2, -0.36 * d, 0), (x + leg / 2, 0.36 * d, 0.06))
            shop.box(wood, (x - leg / 2, -0.05, 0.06), (x + leg / 2, 0.05, h - thick))
            shop.box(wood, (x - leg / 2, -0.4 * d, h - thick - 0.06), (x + leg / 2, 0.4 * d, h - thick))
        shop.box(wood, (-0.34 * w, -0.02, 0.3 * h), (0.34 * w, 0.02, 0.3 * h + 0.09))
    else:
        metal = shop.style.metal(shop.rng)
        _frame_legs(shop, metal, w, d, h - thick)


def _apron(shop: Workshop, wood: str, x: float, y: float, top: float) -> None:
    low = top - shop.between(0.06, 0.1)
    for side in (-1, 1):
        shop.box(wood, (-x, side * y - 0.01, low), (x, side * y + 0.01, top), faces="yYz")
        shop.box(wood, (side * x - 0.01, -y, low), (side * x + 0.01, y, top), faces="xXz")


def _frame_legs(shop: Workshop, metal: str, w: float, d: float, top: float) -> None:
    """Add two closed rectangular metal frames."""
    t = 0.03
    for side in (-1, 1):
        x = side * (w / 2 - 0.08)
        for y in (-d / 2 + 0.06, d / 2 - 0.06 - t):
            shop.box(metal, (x - t, y, 0), (x + t, y + t, top))
        shop.box(metal, (x - t, -d / 2 + 0.06 + t, 0), (x + t, d / 2 - 0.06 - t, t))
        shop.box(metal, (x - t, -d / 2 + 0.06 + t, top - t), (x + t, d / 2 - 0.06 - t, top))


def _round_table(shop: Workshop, wood: str) -> None:
    rx, ry, h = shop.width / 2, shop.depth / 2, shop.height
    rings = [
        (0, 0, h - 0.03, 0, 0),
        (0, 0, h - 0.03, rx - 0.015, ry - 0.015),
        (0, 0, h - 0.012, rx, ry),
        (0, 0, h, rx - 0.005, ry - 0.005),
        (0, 0, h, 0, 0),
    ]
    shop.loft(wood, rings, sides=28)
    shop.surface(-0.66 * rx, -0.66 * ry, 0.66 * rx, 0.66 * ry, h)
    if shop.chance(0.5):
        foot = 0.55 * min(rx, ry)
        profile = [
            (0, 0),
            (foot, 0),
            (foot, 0.02),
            (0.35 * foot, 0.05),
            (0.05, 0.16),
            (0.045, h * 0.5),
            (0.06, h - 0.1),
            (0.12, h - 0.03),
            (0, h - 0.03),
        ]
        shop.turned(shop.style.metal(shop.rng) if shop.chance(0.4) else wood, profile, sides=16)
    else:
        shop.four_legs(wood, 0.55 * rx, 0.55 * ry, h - 0.03, 0.05, splay=0.06, round_=True)


def coffee_table(shop: Workshop) -> None:
    """A low table: a board or a sheet of glass on legs, often with a shelf, or a drum."""
    w, d, h = shop.width, shop.depth, shop.height
    wood = shop.style.wood(shop.rng)
    if shop.chance(0.25):
        _round_table(shop, shop.style.stone(shop.rng) if shop.chance(0.4) else wood)
        return
    top = shop.pick(wood, wood, shop.style.glass, shop.style.stone(shop.rng))
    shop.box(top, (-w / 2, -d / 2, h - 0.03), (w / 2, d / 2, h), radius=0.008)
    shop.surface(-w / 2 + 0.03, -d / 2 + 0.03, w / 2 - 0.03, d / 2 - 0.03, h)
    shop.four_legs(
        wood if shop.chance(0.6) else shop.style.metal(shop.rng),
        w / 2 - 0.05,
        d / 2 - 0.05,
        h - 0.03,
        0.05,
        taper=shop.between(0.5, 1),
    )
    if shop.chance(0.5):
        z = shop.between(0.1, 0.18)
        shop.box(wood, (-w / 2 + 0.04, -d / 2 + 0.04, z), (w / 2 - 0.04, d / 2 - 0.04, z + 0.02))
        shop.surface(-w / 2 + 0.1, -d / 2 + 0.1, w / 2 - 0.1, d / 2 - 0.1, z + 0.02, h - z - 0.06)


def desk(shop: Workshop) -> None:
    """A desk: a board on legs and a block of drawers, or on two metal frames."""
    w, d, h = shop.width, shop.depth, shop.height
    wood = shop.style.wood(shop.rng)
    shop.box(wood, (-w / 2, -d / 2, h - 0.03), (w / 2, d / 2, h), radius=0.006)
    shop.surface(-w / 2 + 0.03, -d / 2 + 0.03, w / 2 - 0.03, d / 2 - 0.05, h)
    frame = shop.style.metal(shop.rng) if shop.chance(0.5) else wood
    if shop.chance(0.3):
        _frame_legs(shop, frame, w, d, h - 0.03)
    else:
        shop.four_legs(frame, w / 2 - 0.05, d / 2 - 0.05, h - 0.03, 0.05, taper=shop.between(0.6, 1))
    if shop.chance(0.75):
        case, side = shop.style.casework(shop.rng), shop.pick(-1, 1)
        x0 = side * (w / 2 - 0.28) - 0.2
        low = shop.pick(0.08, 0.3, h - 0.2)
        drawers(shop, case, x0, x0 + 0.4, -d / 2 + 0.05, d / 2 - 0.05, low, h - 0.03, max(1, round((h - low) / 0.17)))
    if shop.chance(0.5):
        shop.box(wood, (-w / 2 + 0.06, -d / 2 + 0.03, h - 0.4), (w / 2 - 0.06, -d / 2 + 0.045, h - 0.03))


def nightstand(shop: Workshop) -> None:
    """A bedside table with a drawer or two."""
    w, d, h = shop.width, shop.depth, shop.height
    case = shop.style.casework(shop.rng)
    foot = shop.between(0.06, 0.2)
    shop.box(case, (-w / 2, -d / 2, h - 0.02), (w / 2, d / 2, h), radius=0.006)
    shop.surface(-w / 2 + 0.02, -d / 2 + 0.02, w / 2 - 0.02, d / 2 - 0.02, h)
    shop.four_legs(case, w / 2 - 0.03, d / 2 - 0.03, foot, 0.035)
    drawers(shop, case, -w / 2 + 0.005, w / 2 - 0.005, -d / 2 + 0.005, d / 2 - 0.01, foot, h - 0.02, shop.pick(1, 2, 2))


def drawers(shop: Workshop, case: str, x0: float, x1: float, y0: float, y1: float, z0: float, z1: float, count: int,
            *, front: str | None = None) -> None:  # fmt: skip
    """Add a block of ``count`` drawers with gaps between their fronts, and handles."""
    shop.box(case, (x0, y0, z0), (x1, y1 - 0.02, z1))
    edges = np.linspace(z0 + 0.004, z1 - 0.004, count + 1)
    handle = shop.pick("bar", "knob", "knob", "grip")
    for low, high in pairwise(edges):
        shop.box(front or case, (x0 + 0.004, y1 - 0.02, low + 0.003), (x1 - 0.004, y1, high - 0.003), radius=0.004)
        knob(shop, handle, (x0 + x1) / 2, y1, (low + high) / 2 + 0.2 * (high - low), min(0.3 * (x1 - x0), 0.16))


def knob(shop: Workshop, kind: str, x: float, y: float, z: float, length: float, *, upright: bool = False) -> None:
    """Add a handle on a front at height ``z``: a "bar" or a "grip" of ``length``, or a "knob"."""
    metal = shop.style.metal(shop.rng)
    if kind == "knob":
        if shop.detail < 0.35:
            shop.box(metal, (x - 0.012, y, z - 0.012), (x + 0.012, y + 0.022, z + 0.012), faces="xXYZz")
            return
        part = primitives.revolve(
            [(0.006, 0), (0.006, 0.012), (0.013, 0.017), (0.012, 0.024), (0, 0.026)],
            metal,
            detail=0.5 * shop.detail,
            sides=10,
        )
        shop.add(primitives.moved(primitives.turned(part, 0, -np.pi / 2), (x, y, z)))
        return
    a, b = (0.005, length / 2) if upright else (length / 2, 0.005)
    reach = 0.028 if kind == "bar" else 0.014
    shop.box(metal, (x - a, y + reach - 0.008, z - b), (x + a, y + reach, z + b))
    if kind == "bar":
        for s in (-0.8, 0.8):
            cx, cz = (x, z + s * b) if upright else (x + s * a, z)
            shop.box(metal, (cx - 0.004, y, cz - 0.004), (cx + 0.004, y + reach - 0.008, cz + 0.004), faces="xXzZ")


ENTRIES = {
    "table": CatalogueEntry("table", "floor", table, (1.00, 0.75, 0.73), (2.00, 0.98, 0.77), 0.5),
    "coffee table": CatalogueEntry("coffee table", "floor", coffee_table, (0.70, 0.48, 0.36), (1.25, 0.70, 0.47), 0.3),
    "side table": CatalogueEntry("table", "floor", coffee_table, (0.40, 0.40, 0.45), (0.55, 0.52, 0.58), 0.2),
    "desk": CatalogueEntry("desk", "floor", desk, (1.05, 0.55, 0.72), (1.70, 0.78, 0.77), 0.7),
    "nightstand": CatalogueEntry("nightstand", "floor", nightstand, (0.38, 0.34, 0.40), (0.55, 0.45, 0.60), 0.3),
}
