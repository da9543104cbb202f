"""Bathrooms: tub, shower, toilet, washbasin, towels, radiator."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...meshes import primitives
from .kitchen import tap
from .storage import door, spans
from .tabletops import drawers, knob
from .workshop import CatalogueEntry, Workshop


def bathtub(shop: Workshop) -> None:
    """A bathtub, panelled in or standing free, with tap, overflow and drain; its long side is the front."""
    w, d, h = shop.width, shop.depth, shop.height
    white = shop.style.porcelain
    rx, ry = w / 2, d / 2
    if shop.chance(0.3):
        rings = [
            (0, 0, 0, 0, 0),
            (0, 0, 0, 0.78 * rx, 0.72 * ry),
            (0, 0, 0.1, 0.84 * rx, 0.8 * ry),
            (0, 0, h - 0.03, rx, ry),
            (0, 0, h, 0.995 * rx, 0.99 * ry),
        ]
        rim, power = 0.035, 2.8
        shop.loft(white, [*rings, (0, 0, h, rx - rim, ry - rim)], power=power, sides=24)
    else:
        panel = shop.style.lacquer(shop.rng) if shop.chance(0.3) else shop.style.white
        shop.box(panel, (-rx + 0.015, -ry + 0.015, 0), (rx - 0.015, ry - 0.015, h - 0.04))
        rim, power = 0.07, 5.0
        _rim(shop, white, rx, ry, h, rim)
    inner = [
        (0, 0, h, rx - rim, ry - rim),
        (0, 0, h - 0.03, rx - rim - 0.02, ry - rim - 0.015),
        (0, 0, 0.22, 0.8 * rx, ry - rim - 0.07),
        (0, 0, 0.15, 0.7 * rx, 0.5 * ry),
        (0, 0, 0.14, 0, 0),
    ]
    shop.loft(white, inner, power=min(power, 3.5), sides=24)
    shop.turned(shop.style.chrome, [(0.03, 0), (0.03, 0.006), (0, 0.008)], (0.6 * rx, 0, 0.141), sides=10)
    x = rx - 0.035
    shop.rod(shop.style.chrome, [(x, 0, h), (x, 0, h + 0.09), (x - 0.15, 0, h + 0.1)], 0.018)
    for y in (-0.1, 0.1):
        shop.turned(shop.style.chrome, [(0.02, 0), (0.024, 0.05), (0, 0.055)], (x, y, h), sides=10)


def _rim(shop: Workshop, material: str, rx: float, ry: float, h: float, rim: float) -> None:
    """Add the flat rim between a rectangular outside and a superelliptic hole, as one strip around."""
    rings = [(0, 0, h - 0.05, rx, ry), (0, 0, h, rx, ry), (0, 0, h, rx - rim, ry - rim)]
    shop.add(primitives.loft(rings[:2], material, detail=shop.detail, power=40.0, sides=24))
    count = 4 * max(2, round(6 * np.sqrt(shop.detail)))
    theta = np.linspace(0, 2 * np.pi, count + 1)
    cos, sin = np.cos(theta), np.sin(theta)

    def outline(a: float, b: float, power: float) -> NDArray[Any]:
        x, y = np.sign(cos) * np.abs(cos) ** (2 / power), np.sign(sin) * np.abs(sin) ** (2 / power)
        return np.stack([a * x, b * y, np.full_like(theta, h)], axis=-1)

    inner, outer = outline(rx - rim, ry - rim, 3.5), outline(rx, ry, 40.0)
    shop.add(primitives.sheets(np.stack([inner, outer])[None], material))


def shower(shop: Workshop) -> None:
    """A corner shower: tray, two panes in metal frames with an opening, column with head and mixer."""
    w, d, h = shop.width, shop.depth, shop.height
    shop.box(shop.style.porcelain, (-w / 2, -d / 2, 0), (w / 2, d / 2, 0.06), radius=0.012)
    shop.box(shop.style.steel, (-0.05, -0.05, 0.06), (0.05, 0.05, 0.063), faces="xXyYZ")
    side, chrome, t = shop.pick(-1, 1), shop.style.chrome, 0.012
    back = -d / 2 + 0.012
    walls = shop.style.tiles
    shop.box(walls, (-w / 2, -d / 2, 0.06), (w / 2, back, h))
    x = side * (w / 2 - t)
    for y in (-d / 2 + 2 * t, d / 2 - t):
        shop.box(chrome, (x - t, y - t, 0.06), (x + t, y + t, h - 0.05))
    shop.box(shop.style.glass, (x - 0.004, -d / 2 + 3 * t, 0.08), (x + 0.004, d / 2 - 2 * t, h - 0.08))
    shop.box(chrome, (x - t, -d / 2 + 3 * t, h - 0.08), (x + t, d / 2 - 2 * t, h - 0.05))
    edge = -side * (w / 2 - 0.45 * w)
    a, b = sorted((x - side * t, edge))
    shop.box(shop.style.glass, (a, d / 2 - t - 0.004, 0.08), (b, d / 2 - t + 0.004, h - 0.08))
    shop.box(chrome, (a, d / 2 - 2 * t, h - 0.08), (b, d / 2, h - 0.05))
    column = [
        (0, back + 0.05, 1.0),
        (0, back + 0.05, h - 0.12),
        (0, back + 0.09, h - 0.06),
        (0, back + 0.32, h - 0.05),
        (0, back + 0.33, h - 0.09),
    ]
    shop.rod(chrome, primitives.bend(column, shop.detail), 0.011)
    shop.turned(
        chrome, [(0, -0.02), (0.1, -0.02), (0.1, -0.01), (0.02, 0.01), (0, 0.01)], (0, back + 0.33, h - 0.09), sides=16
    )
    shop.box(chrome, (-0.12, back, 1.02), (0.12, back + 0.05, 1.07), radius=0.015)
    hose = [(0.05, back + 0.05, 1.02), (0.12, back + 0.08, 0.75), (0.16, back + 0.07, 1.1), (0.12, back + 0.06, 1.5)]
    shop.rod(shop.style.steel, primitives.bend(hose, shop.detail), 0.007, sides=6)
    shop.box(shop.style.steel, (side * 0.1 - 0.12, back, 1.28), (side * 0.1 + 0.02, back + 0.1, 1.285))


def toilet(shop: Workshop) -> None:
    """A toilet with cistern, bowl, seat and lid."""
    w, d, h = shop.width, shop.depth, shop.height
    white, seat = shop.style.porcelain, 0.4
    y_back, rx = -d / 2 + 0.17, 0.48 * w
    ry = (d / 2 - y_back) / 2
    cy = (d / 2 + y_back) / 2
    bowl = [
        (0, cy - 0.06, 0, 0, 0),
        (0, cy - 0.06, 0, 0.55 * rx, 0.6 * ry),
        (0, cy - 0.05, 0.14, 0.5 * rx, 0.56 * ry),
        (0, cy - 0.02, 0.26, 0.75 * rx, 0.8 * ry),
        (0, cy, seat - 0.04, rx, ry),
        (0, cy, seat - 0.015, rx, ry),
    ]
    shop.loft(white, primitives.curve(bowl[1:], shop.detail, steps=1.6), power=2.3, sides=20)
    ring = [
        (0, cy, seat - 0.018, 1.01 * rx, 1.0 * ry),
        (0, cy, seat + 0.005, 1.01 * rx, 1.0 * ry),
        (0, cy, seat + 0.012, 0.96 * rx, 0.97 * ry),
    ]
    if shop.chance(0.75):
        shop.loft(
            white, [*ring, (0, cy, seat + 0.022, 0.9 * rx, 0.93 * ry), (0, cy, seat + 0.026, 0, 0)], power=2.3, sides=20
        )
    else:
        hole = (0.62 * rx, 0.66 * ry)
        shop.loft(
            white,
            [
                *ring,
                (0, cy, seat + 0.012, *hole),
                (0, cy, seat - 0.06, 0.9 * hole[0], 0.9 * hole[1]),
                (0, cy, seat - 0.2, 0.4 * hole[0], 0.4 * hole[1]),
                (0, cy, seat - 0.2, 0, 0),
            ],
            power=2.3,
            sides=20,
        )
        lid = primitives.rounded_box(
            (-rx, y_back - 0.015, seat + 0.02), (rx, y_back + 0.015, seat + 0.42), 0.012, white, detail=shop.detail
        )
        shop.add(lid)
    shop.box(white, (-0.5 * w, -d / 2, seat - 0.04), (0.5 * w, y_back, h - 0.03), radius=0.025)
    shop.box(white, (-0.52 * w, -d / 2, h - 0.03), (0.52 * w, y_back + 0.01, h), radius=0.01)
    shop.box(white, (-0.3 * w, -d / 2 + 0.02, 0), (0.3 * w, y_back + 0.05, seat - 0.04), radius=0.02)
    shop.turned(shop.style.chrome, [(0.022, 0), (0.02, 0.008), (0, 0.01)], (0, -d / 2 + 0.09, h), sides=12)


def sink(shop: Workshop) -> None:
    """A washbasin on a vanity unit or a pedestal, with its tap; the rim is at about 0.85 m, the tap stands above."""
    w, d, h = shop.width, shop.depth, shop.height
    top = h - 0.17
    white = shop.style.porcelain
    rx, ry = 0.5 * w, 0.5 * d
    if shop.chance(0.35):
        shop.turned(
            white,
            [(0.13, 0), (0.1, 0.1), (0.085, 0.35), (0.1, top - 0.16), (0, top - 0.15)],
            (0, -0.08, 0),
            smooth=True,
            sides=16,
        )
        power, under = 2.6, 0.55
    else:
        case = shop.style.casework(shop.rng)
        foot = shop.pick(0.08, 0.25)
        for x0, x1 in spans(-0.48 * w, 0.48 * w, max(1, round(w / 0.55))):
            if shop.chance(0.5):
                drawers(shop, case, x0, x1, -d / 2, d / 2 - 0.03, foot, top - 0.1, 2)
            else:
                shop.box(case, (x0, -d / 2, foot), (x1, d / 2 - 0.05, top - 0.1))
                door(shop, case, x0 + 0.002, x1 - 0.002, foot + 0.003, top - 0.105, d / 2 - 0.05)
                knob(shop, "knob", x1 - 0.05, d / 2 - 0.03, top - 0.22, 0.1)
        shop.four_legs(case, 0.46 * w, d / 2 - 0.08, foot, 0.04)
        power, under = 6.0, 0.97
    bx, by = min(0.8 * rx, 0.27), ry - 0.09
    cy = 0.035
    rings = [
        (0, 0, top - 0.1, 0, 0),
        (0, 0, top - 0.1, under * rx, under * ry),
        (0, 0, top - 0.03, rx, ry),
        (0, 0, top, rx, ry),
    ]
    shop.loft(white, rings, power=power, sides=20)
    bowl = [
        (0, 0, top, rx, ry),
        (0, cy, top, bx, by),
        (0, cy, top - 0.06, 0.9 * bx, 0.88 * by),
        (0, cy, top - 0.09, 0.5 * bx, 0.5 * by),
        (0, cy, top - 0.095, 0, 0),
    ]
    shop.loft(white, bowl, power=power, sides=20)
    shop.turned(shop.style.chrome, [(0.02, 0), (0.02, 0.003), (0, 0.004)], (0, cy, top - 0.094), sides=10)
    tap(shop, 0.0, -ry + 0.045, top, reach=0.13, height=0.17)
    for side in (-1, 1):
        if rx - bx > 0.12:
            a, b = sorted((side * (bx + 0.03), side * (rx - 0.03)))
            shop.surface(a, -ry + 0.03, b, ry - 0.03, top, 0.4)


def towel(shop: Workshop) -> None:
    """A towel folded over a rail or hung on a hook."""
    w, d, h = shop.width, shop.depth, shop.height
    cloth = shop.style.textile(shop.rng) if shop.chance(0.5) else shop.style.linen(shop.rng)
    chrome = shop.style.chrome
    z, y = h - 0.02, d - 0.03
    shop.rod(chrome, [(-w / 2, y, z), (w / 2, y, z)], 0.009)
    for x in (-w / 2 + 0.015, w / 2 - 0.015):
        shop.rod(chrome, [(x, 0, z), (x, y, z)], 0.007, sides=6)
    half = w / 2 - shop.between(0.03, 0.12)
    _over_rail(shop, cloth, -half, half, y, z, z - 0.0, z - shop.between(0.6, 0.95) * h * 0.9)


def _over_rail(shop: Workshop, cloth: str, x0: float, x1: float, y: float, z: float, top: float, low: float) -> None:
    """Drape a cloth over a bar along x: a strip with its front and its shorter back."""
    steps = max(3, round(5 * np.sqrt(shop.detail)))
    angle = np.linspace(np.pi, 0, 5)
    r = 0.014
    over = np.stack([y + r * np.cos(angle), z + r * np.sin(angle)], axis=-1)
    back = np.stack([np.full(steps, y - r), np.linspace(low + 0.06, z, steps, endpoint=False)], axis=-1)
    front = np.stack([np.full(steps, y + r), np.linspace(z, low, steps + 1)[1:]], axis=-1)
    strip = np.concatenate([back, over, front])
    xs = np.linspace(x1, x0, max(4, round(8 * np.sqrt(shop.detail))) + 1)
    fall = np.clip((z - strip[:, 1]) / max(z - low, 0.1), 0, 1)
    wave = 0.006 * np.sin(xs[None, :] * 30 + shop.between(0, 6)) * fall[:, None]
    points = np.empty((len(strip), len(xs), 3))
    points[..., 0], points[..., 1], points[..., 2] = xs, strip[:, :1] + np.maximum(wave, -0.004), strip[:, 1:]
    shop.add(primitives.sheets(points[None], cloth, thickness=0.002))


def radiator(shop: Workshop) -> None:
    """A column radiator or a flat panel with grooves, with valve and brackets; its back is at the wall."""
    w, d, h = shop.width, shop.depth, shop.height
    white, chrome = shop.style.white, shop.style.chrome
    if shop.chance(0.5):
        count = max(4, round(w / 0.055))
        step = w / count
        if shop.detail < 0.4:
            count, step = max(3, count // 2), w / max(3, count // 2)
        left = -w / 2 + step * np.arange(count)
        lows = np.stack([left + 0.12 * step, np.full(count, 0.03), np.zeros(count)], axis=-1)
        shop.boxes(white, lows, np.add(lows, (0.76 * step, d - 0.03, h)), along=2)
        for z in (0.1 * h, 0.9 * h):
            shop.rod(white, [(-w / 2 + 0.3 * step, 0.5 * d, z), (w / 2 - 0.3 * step, 0.5 * d, z)], 0.02, sides=6)
    else:
        shop.box(white, (-w / 2, 0.03, 0.0), (w / 2, d - 0.008, h), radius=0.008)
        count = shop.scaled_count(w / 0.05, 4)
        groove = np.linspace(-w / 2 + 0.025, w / 2 - 0.025, count)
        half = 0.28 * (groove[1] - groove[0])
        lows = np.stack([groove - half, np.full(count, d - 0.008), np.full(count, 0.05)], axis=-1)
        shop.boxes(white, lows, np.add(lows, (2 * half, 0.008, h - 0.1)), faces="xXYzZ")
    for x in (-0.35 * w, 0.35 * w):
        shop.box(white, (x - 0.015, 0, 0.7 * h), (x + 0.015, 0.03, 0.75 * h))
    side = shop.pick(-1, 1)
    valve = primitives.revolve(
        [(0.015, 0), (0.02, 0.01), (0.018, 0.05), (0, 0.055)], chrome, detail=0.6 * shop.detail, sides=10
    )
    shop.add(
        primitives.moved(primitives.turned(valve, 1, side * np.pi / 2), (side * (w / 2 - 0.005), 0.5 * d, 0.1 * h))
    )


ENTRIES = {
    "bathtub": CatalogueEntry("bathtub", "floor", bathtub, (1.55, 0.70, 0.62), (1.80, 0.82, 0.72), 0.5),
    "shower": CatalogueEntry("shower", "floor", shower, (0.80, 0.80, 1.98), (1.05, 0.95, 2.10), 0.5),
    "toilet": CatalogueEntry("toilet", "floor", toilet, (0.36, 0.64, 0.74), (0.42, 0.72, 0.86), 0.5),
    "sink": CatalogueEntry("sink", "floor", sink, (0.52, 0.44, 1.00), (1.15, 0.52, 1.06), 0.5),
    "towel": CatalogueEntry("towel", "wall", towel, (0.42, 0.07, 0.55), (0.70, 0.10, 0.85)),
    "radiator": CatalogueEntry("radiator", "wall", radiator, (0.60, 0.10, 0.45), (1.40, 0.14, 0.75)),
}
