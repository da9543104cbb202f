"""What things are kept in: wardrobes, chests, cabinets, bookcases full of books, shelves, racks."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from ...meshes import primitives
from .books import book_row
from .tabletops import drawers, knob
from .workshop import CatalogueEntry, Workshop


def wardrobe(shop: Workshop) -> None:
    """A wardrobe with hinged or sliding doors, plain, panelled or mirrored, on a plinth, maybe with drawers below."""
    w, d, h = shop.width, shop.depth, shop.height
    case = shop.style.casework(shop.rng)
    plinth, low = 0.07, 0.07
    shop.box(case, (-w / 2 + 0.01, -d / 2, 0), (w / 2 - 0.01, d / 2 - 0.04, plinth))
    shop.box(case, (-w / 2, -d / 2, plinth), (w / 2, d / 2 - 0.022, h - 0.03))
    shop.box(case, (-w / 2 - 0.01, -d / 2, h - 0.03), (w / 2 + 0.01, d / 2, h), radius=0.006)
    shop.surface(-w / 2 + 0.03, -d / 2 + 0.03, w / 2 - 0.03, d / 2 - 0.03, h, 0.6)
    doors = max(2, round(w / shop.between(0.42, 0.58)))
    if shop.chance(0.35):
        low = plinth + 0.24
        for x0, x1 in spans(-w / 2, w / 2, max(1, doors // 2)):
            shop.box(
                case,
                (x0 + 0.003, d / 2 - 0.022, plinth + 0.004),
                (x1 - 0.003, d / 2 - 0.002, low - 0.004),
                radius=0.004,
            )
            knob(shop, "bar", (x0 + x1) / 2, d / 2 - 0.002, plinth + 0.15, 0.14)
    kind = shop.pick("plain", "panel", "panel", "mirror")
    for i, (x0, x1) in enumerate(spans(-w / 2, w / 2, doors)):
        mirrored = kind == "mirror" and i == doors // 2
        door(
            shop,
            case,
            x0 + 0.002,
            x1 - 0.002,
            low + 0.003,
            h - 0.035,
            d / 2 - 0.02,
            panel=kind == "panel",
            mirrored=mirrored,
        )
        x = x1 - 0.04 if i % 2 == 0 else x0 + 0.04
        knob(shop, shop.pick("bar", "bar", "knob"), x, d / 2, 0.5 * h, 0.18, upright=True)


def spans(x0: float, x1: float, count: int) -> list[tuple[float, float]]:
    """Divide a stretch into ``count`` equal ones."""
    return list(pairwise(np.linspace(x0, x1, count + 1).tolist()))


def door(shop: Workshop, material: str, x0: float, x1: float, z0: float, z1: float, y: float, *, panel: bool = False,
          mirrored: bool = False) -> None:  # fmt: skip
    """Add a door 2 cm thick: plain, with a raised panel, or with a mirror."""
    shop.box(material, (x0, y, z0), (x1, y + 0.02, z1), radius=0.004)
    if mirrored:
        shop.box(shop.style.mirror, (x0 + 0.03, y + 0.02, z0 + 0.04), (x1 - 0.03, y + 0.023, z1 - 0.04))
    elif panel:
        middle = z0 + 0.4 * (z1 - z0)
        for low, high in ((z0, middle), (middle, z1)):
            m = 0.055
            if x1 - x0 > 2.5 * m and high - low > 2.5 * m:
                shop.frame(material, (x0 + m, y + 0.02, low + m), (x1 - m, y + 0.028, high - m), 0.012)


def chest_of_drawers(shop: Workshop) -> None:
    """A chest with one or two columns of drawers under a top, on legs or a plinth."""
    w, d, h = shop.width, shop.depth, shop.height
    case = shop.style.casework(shop.rng)
    foot = shop.between(0.05, 0.16)
    shop.box(
        shop.style.wood(shop.rng) if shop.chance(0.3) else case,
        (-w / 2, -d / 2, h - 0.025),
        (w / 2, d / 2, h),
        radius=0.007,
    )
    shop.surface(-w / 2 + 0.03, -d / 2 + 0.03, w / 2 - 0.03, d / 2 - 0.03, h)
    if foot > 0.09:
        shop.four_legs(case, w / 2 - 0.05, d / 2 - 0.05, foot, 0.045)
    else:
        shop.box(case, (-w / 2 + 0.02, -d / 2 + 0.01, 0), (w / 2 - 0.02, d / 2 - 0.04, foot))
    columns = 2 if w > 1.0 else 1
    rows = max(2, round((h - foot) / shop.between(0.19, 0.26)))
    for x0, x1 in spans(-w / 2 + 0.01, w / 2 - 0.01, columns):
        drawers(shop, case, x0, x1, -d / 2 + 0.005, d / 2 - 0.01, foot, h - 0.025, rows)


def cabinet(shop: Workshop) -> None:
    """A sideboard: doors beside drawers or open compartments, on legs or a plinth."""
    w, d, h = shop.width, shop.depth, shop.height
    case = shop.style.casework(shop.rng)
    foot = shop.between(0.05, 0.18)
    shop.box(case, (-w / 2, -d / 2, h - 0.022), (w / 2, d / 2, h), radius=0.006)
    shop.surface(-w / 2 + 0.03, -d / 2 + 0.03, w / 2 - 0.03, d / 2 - 0.03, h)
    if foot > 0.1:
        shop.four_legs(shop.style.metal(shop.rng) if shop.chance(0.3) else case, w / 2 - 0.07, d / 2 - 0.06, foot, 0.04)
    else:
        shop.box(case, (-w / 2 + 0.02, -d / 2 + 0.01, 0), (w / 2 - 0.02, d / 2 - 0.04, foot))
    panel, handle = shop.chance(0.4), shop.pick("bar", "knob", "grip")
    for i, (x0, x1) in enumerate(spans(-w / 2, w / 2, max(1, round(w / shop.between(0.42, 0.55))))):
        kind = shop.pick("door", "door", "drawers", "open")
        if kind == "drawers":
            drawers(
                shop,
                case,
                x0 + 0.004,
                x1 - 0.004,
                -d / 2 + 0.005,
                d / 2 - 0.005,
                foot,
                h - 0.022,
                max(2, round((h - foot) / 0.22)),
            )
        elif kind == "open":
            _niche(shop, case, x0, x1, -d / 2 + 0.005, d / 2 - 0.005, foot, h - 0.022, max(1, round((h - foot) / 0.35)))
        else:
            shop.box(case, (x0 + 0.002, -d / 2 + 0.005, foot), (x1 - 0.002, d / 2 - 0.025, h - 0.022))
            door(shop, case, x0 + 0.003, x1 - 0.003, foot + 0.004, h - 0.026, d / 2 - 0.025, panel=panel)
            knob(shop, handle, x1 - 0.05 if i % 2 == 0 else x0 + 0.05, d / 2 - 0.005, h - 0.16, 0.12, upright=True)


def _niche(
    shop: Workshop, case: str, x0: float, x1: float, y0: float, y1: float, z0: float, z1: float, count: int
) -> None:
    """Add open compartments one above the other, each with a few books or left as a surface."""
    t = 0.018
    shop.box(case, (x0, y0, z0), (x0 + t, y1, z1))
    shop.box(case, (x1 - t, y0, z0), (x1, y1, z1))
    shop.box(case, (x0 + t, y0, z0), (x1 - t, y0 + 0.01, z1), faces="Y")
    edges = np.linspace(z0, z1, count + 1)
    for low, high in pairwise(edges):
        shop.box(case, (x0 + t, y0 + 0.01, low), (x1 - t, y1, low + t))
        if shop.chance(0.5):
            book_row(
                shop, x0 + t, x1 - t, y0 + 0.02, y1 - 0.02, low + t, high - low - t - 0.02, fill=shop.between(0.4, 0.9)
            )
        else:
            shop.surface(x0 + t + 0.01, y0 + 0.02, x1 - t - 0.01, y1 - 0.01, low + t, high - low - t - 0.01)


def buffet(shop: Workshop) -> None:
    """A dresser: a cabinet below, open shelves with plates and books or glazed doors above."""
    w, d, h = shop.width, shop.depth, shop.height
    case, split = shop.style.casework(shop.rng), 0.45 * h
    back = -d / 2 + 0.62 * d
    shop.box(case, (-w / 2 + 0.01, -d / 2, 0.0), (w / 2 - 0.01, d / 2 - 0.03, split))
    shop.box(case, (-w / 2, -d / 2, split), (w / 2, d / 2, split + 0.03), radius=0.007)
    shop.surface(-w / 2 + 0.05, back + 0.01, w / 2 - 0.05, d / 2 - 0.01, split + 0.03, 0.3)
    for i, (x0, x1) in enumerate(spans(-w / 2 + 0.01, w / 2 - 0.01, max(2, round(w / 0.5)))):
        door(shop, case, x0 + 0.003, x1 - 0.003, 0.08, split - 0.006, d / 2 - 0.03, panel=True)
        knob(shop, "knob", x1 - 0.05 if i % 2 == 0 else x0 + 0.05, d / 2 - 0.01, 0.6 * split, 0.1)
    _niche(shop, case, -w / 2 + 0.02, w / 2 - 0.02, -d / 2, back, split + 0.03, h - 0.03, 3)
    shop.box(case, (-w / 2, -d / 2, h - 0.03), (w / 2, back + 0.02, h), radius=0.006)
    if shop.chance(0.4):
        for x0, x1 in spans(-w / 2 + 0.02, w / 2 - 0.02, 2):
            window_frame(shop, case, x0 + 0.003, x1 - 0.003, split + 0.34, h - 0.04, back, bars=2)


def window_frame(
    shop: Workshop, material: str, x0: float, x1: float, z0: float, z1: float, y: float, *, bars: int
) -> None:
    """Add a glazed door's frame with ``bars`` crossbars; the panes are left open to be seen through."""
    t = 0.03
    for a, b in ((x0, x0 + t), (x1 - t, x1)):
        shop.box(material, (a, y, z0), (b, y + 0.018, z1))
    for z in np.linspace(z0, z1 - t, bars + 2):
        shop.box(material, (x0 + t, y, z), (x1 - t, y + 0.016, z + (t if z in (z0, z1 - t) else 0.014)))


def bookcase(shop: Workshop) -> None:
    """Shelves from the floor up, full of books of all sizes, with gaps and leaning ones, and boxes or vases between."""
    w, d, h = shop.width, shop.depth, shop.height
    case, t = shop.style.casework(shop.rng), 0.02
    plinth = shop.pick(0.0, 0.06)
    for x in (-w / 2, w / 2 - t):
        shop.box(case, (x, -d / 2, 0), (x + t, d / 2, h))
    if shop.chance(0.85):
        shop.box(case, (-w / 2 + t, -d / 2, plinth), (w / 2 - t, -d / 2 + 0.008, h - t), faces="yY")
    columns = max(1, round(w / shop.between(0.75, 1.0)))
    inner = spans(-w / 2 + t, w / 2 - t, columns)
    for x0, _ in inner[1:]:
        shop.box(case, (x0 - t / 2, -d / 2 + 0.01, plinth), (x0 + t / 2, d / 2, h - t))
    rows = max(2, round((h - plinth) / shop.between(0.31, 0.37)))
    levels = np.linspace(plinth, h - t, rows + 1)
    for z in levels:
        shop.box(case, (-w / 2 + t, -d / 2 + 0.008, z), (w / 2 - t, d / 2, z + t))
    shop.surface(-w / 2 + 0.02, -d / 2 + 0.02, w / 2 - 0.02, d / 2 - 0.02, h, 0.5)
    density = shop.between(0.75, 1.0)
    for low, high in pairwise(levels):
        for x0, x1 in inner:
            _compartment(
                shop, x0 + 0.012, x1 - 0.012, -d / 2 + 0.015, d / 2 - 0.015, low + t, high - low - t - 0.015, density
            )


def _compartment(
    shop: Workshop, x0: float, x1: float, y0: float, y1: float, z: float, room: float, density: float
) -> None:
    if shop.chance(density):
        book_row(shop, x0, x1, y0, y1, z, room, fill=shop.between(0.55, 1.0))
    elif shop.chance(0.5):
        for a, b in spans(x0, x1, max(1, round((x1 - x0) / 0.36))):
            front = shop.style.wicker(shop.rng) if shop.chance(0.6) else shop.style.textile(shop.rng)
            shop.box(front, (a + 0.015, y0, z), (b - 0.015, y1 - 0.02, z + 0.72 * room))
    else:
        shop.surface(x0, y0, x1, y1, z, room)


def shelf(shop: Workshop) -> None:
    """A wall shelf: one or more boards on brackets, some books or free space on each."""
    w, d, h = shop.width, shop.depth, shop.height
    wood = shop.style.wood(shop.rng)
    boards = max(1, round(h / 0.33))
    metal = shop.style.metal(shop.rng)
    for k in range(boards):
        z = k * h / boards
        shop.box(wood, (-w / 2, 0.003, z + 0.0), (w / 2, d, z + 0.022), radius=0.004)
        for x in (-0.38 * w, 0.38 * w):
            shop.box(metal, (x - 0.01, 0, z - 0.1), (x + 0.01, 0.008, z))
            shop.box(metal, (x - 0.01, 0.008, z - 0.008), (x + 0.01, 0.8 * d, z))
        if boards > 1 and shop.chance(0.6):
            end = shop.between(-0.1, 0.3) * w
            book_row(
                shop, -w / 2 + 0.02, end, 0.01, d - 0.005, z + 0.022, h / boards - 0.05 if k < boards - 1 else 0.27
            )
            shop.surface(end + 0.08, 0.02, w / 2 - 0.01, d - 0.005, z + 0.022, 0.3)
        else:
            shop.surface(-w / 2 + 0.01, 0.02, w / 2 - 0.01, d - 0.005, z + 0.022, 0.3)


def coat_rack(shop: Workshop) -> None:
    """A standing coat rack: a post on a foot with hooks, with a coat or two."""
    h, r = shop.height, shop.width / 2
    wood = shop.style.metal(shop.rng) if shop.chance(0.4) else shop.style.wood(shop.rng)
    for k in range(4):
        a = np.pi / 2 * k + np.pi / 4
        c, s = r * np.cos(a), r * np.sin(a)
        shop.rod(wood, primitives.bend([(0, 0, 0.26), (0.5 * c, 0.5 * s, 0.16), (c, s, 0.015)], shop.detail), 0.014)
        shop.rod(
            wood,
            primitives.bend(
                [(0, 0, h - 0.25), (0.45 * c, 0.45 * s, h - 0.2), (0.6 * c, 0.6 * s, h - 0.06)], shop.detail
            ),
            0.01,
        )
    shop.rod(wood, [(0, 0, 0.1), (0, 0, h - 0.1)], 0.02)
    shop.add(primitives.sphere((0, 0, h - 0.05), (0.04, 0.04, 0.05), wood, detail=shop.detail))
    for k in range(int(shop.rng.integers(1, 3))):
        a = np.pi * k + 0.6
        x, y = 0.5 * r * np.cos(a), 0.5 * r * np.sin(a)
        z = h - 0.15
        rings = [
            (x, y, z - 0.95, 0.13, 0.08),
            (x, y, z - 0.5, 0.12, 0.09),
            (x, y, z - 0.2, 0.13, 0.08),
            (x, y, z - 0.04, 0.06, 0.05),
            (x, y, z, 0, 0),
        ]
        shop.loft(shop.style.upholstery(shop.rng), primitives.curve(rings, shop.detail), sides=12)


def box(shop: Workshop) -> None:
    """A cardboard or lidded storage box."""
    w, d, h = shop.width, shop.depth, shop.height
    side = shop.pick(shop.style.lacquer(shop.rng), shop.style.textile(shop.rng), shop.style.cork)
    shop.box(side, (-w / 2 + 0.004, -d / 2 + 0.004, 0), (w / 2 - 0.004, d / 2 - 0.004, h - 0.01))
    shop.box(side, (-w / 2, -d / 2, 0.75 * h), (w / 2, d / 2, h), radius=0.004)
    if shop.chance(0.6):
        half = min(0.25 * w, 0.3 * h)
        shop.front_print(shop.style.cover(shop.rng), -half, half, 0.14 * h, 0.62 * h, d / 2 - 0.003)


def basket(shop: Workshop) -> None:
    """A woven basket, round or rectangular, open, with handles, sometimes with a blanket in it."""
    w, d, h = shop.width, shop.depth, shop.height
    wicker, power = shop.style.wicker(shop.rng), shop.pick(2.0, 2.0, 5.0)
    rx, ry, t = w / 2 - 0.012, d / 2 - 0.012, 0.015
    flare = shop.between(0.78, 1.0)
    rings = [
        (0, 0, 0, 0, 0),
        (0, 0, 0, flare * rx, flare * ry),
        (0, 0, 0.5 * h, rx, ry),
        (0, 0, h, 0.97 * rx, 0.97 * ry),
        (0, 0, h, 0.97 * rx - t, 0.97 * ry - t),
        (0, 0, 0.3 * h, rx - t, ry - t),
        (0, 0, 0.3 * h, 0, 0),
    ]
    shop.loft(wicker, rings, power=power, sides=18)
    for side in (-1, 1):
        x = side * rx * 0.98
        shop.rod(
            wicker,
            primitives.bend(
                [
                    (x, -0.07, 0.86 * h),
                    (x + side * 0.012, -0.05, h + 0.03),
                    (x + side * 0.012, 0.05, h + 0.03),
                    (x, 0.07, 0.86 * h),
                ],
                shop.detail,
            ),
            0.009,
            sides=6,
        )
    if shop.chance(0.5):
        cloth = shop.style.textile(shop.rng)
        filling = [
            (0.0, 0.0, 0.4 * h, 0.9 * (rx - t), 0.9 * (ry - t)),
            (0, 0, 0.85 * h, 0.9 * (rx - t), 0.9 * (ry - t)),
            (0.01, 0, 1.02 * h, 0.6 * rx, 0.6 * ry),
            (0.02, 0, 1.05 * h, 0, 0),
        ]
        shop.loft(cloth, filling, power=power, sides=12)


def ashcan(shop: Workshop) -> None:
    """A waste bin, open or with a lid."""
    r, h = shop.width / 2, shop.height
    material = shop.style.metal(shop.rng) if shop.chance(0.5) else shop.style.plastic(shop.rng)
    t = 0.008
    if shop.chance(0.5):
        shop.turned(material, [(0, 0), (0.8 * r, 0), (r, h), (r - t, h), (0.8 * r - t, 0.02), (0, 0.02)], sides=18)
    else:
        shop.turned(
            material,
            [(0, 0), (r, 0), (r, 0.86 * h), (0.97 * r, 0.87 * h), (0.97 * r, 0.9 * h), (0.6 * r, 0.98 * h), (0, h)],
            sides=18,
        )


ENTRIES = {
    "wardrobe": CatalogueEntry("wardrobe", "floor", wardrobe, (0.95, 0.56, 1.95), (2.00, 0.64, 2.25), 0.6),
    "chest of drawers": CatalogueEntry(
        "chest of drawers", "floor", chest_of_drawers, (0.70, 0.40, 0.72), (1.45, 0.50, 1.10), 0.5
    ),
    "cabinet": CatalogueEntry("cabinet", "floor", cabinet, (0.90, 0.38, 0.50), (1.80, 0.46, 0.90), 0.5),
    "buffet": CatalogueEntry("buffet", "floor", buffet, (0.95, 0.42, 1.80), (1.50, 0.50, 2.05), 0.5),
    "bookcase": CatalogueEntry("bookcase", "floor", bookcase, (0.60, 0.26, 1.25), (1.60, 0.34, 2.20), 0.4),
    "shelf": CatalogueEntry("shelf", "wall", shelf, (0.60, 0.18, 0.12), (1.20, 0.26, 0.75)),
    "coat rack": CatalogueEntry("coat rack", "floor", coat_rack, (0.46, 0.46, 1.65), (0.58, 0.58, 1.90), 0.2),
    "box": CatalogueEntry("box", "surface", box, (0.18, 0.14, 0.10), (0.40, 0.30, 0.26)),
    "basket": CatalogueEntry("basket", "floor", basket, (0.28, 0.26, 0.22), (0.50, 0.46, 0.48)),
    "ashcan": CatalogueEntry("ashcan", "floor", ashcan, (0.24, 0.24, 0.28), (0.34, 0.34, 0.62)),
}
