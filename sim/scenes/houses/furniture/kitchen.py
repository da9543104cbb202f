"""Kitchens: counters, islands, sinks and appliances."""

from __future__ import annotations

import numpy as np

from ...meshes import primitives
from .storage import door, spans
from .tabletops import drawers, knob
from .workshop import CatalogueEntry, Workshop

WORKTOP = 0.9


def counter(shop: Workshop) -> None:
    """A run of base units with doors and drawers under a stone or wooden worktop."""
    _base_units(shop, shop.height)
    w, d, h = shop.width, shop.depth, shop.height
    shop.surface(-w / 2 + 0.02, -d / 2 + 0.03, w / 2 - 0.02, d / 2 - 0.04, h, 0.55)


def _base_units(shop: Workshop, top: float, *, worktop: bool = True, basin: bool = False) -> None:
    """Add plinth, cases and fronts up to ``top``; under a ``basin`` only doors, and cases that leave room for it."""
    w, d = shop.width, shop.depth
    front, handle = shop.style.kitchen_front, shop.style.kitchen_handle
    shop.box(shop.style.black, (-w / 2 + 0.005, -d / 2, 0), (w / 2 - 0.005, d / 2 - 0.07, 0.1))
    if worktop:
        shop.box(shop.style.worktop, (-w / 2, -d / 2, top - 0.035), (w / 2, d / 2, top), radius=0.005)
    for i, (x0, x1) in enumerate(spans(-w / 2, w / 2, max(1, round(w / 0.6)))):
        if not basin and shop.chance(0.35):
            drawers(shop, front, x0, x1, -d / 2, d / 2 - 0.02, 0.1, top - 0.036, 3)
            continue
        shop.box(front, (x0, -d / 2, 0.1), (x1, d / 2 - 0.042, top - (0.22 if basin else 0.036)))
        door(shop, front, x0 + 0.002, x1 - 0.002, 0.105, top - 0.04, d / 2 - 0.04, panel=handle == "knob")
        knob(shop, handle, x1 - 0.05 if i % 2 == 0 else x0 + 0.05, d / 2 - 0.02, top - 0.14, 0.14, upright=True)


def kitchen_island(shop: Workshop) -> None:
    """A free-standing block with a worktop that stands over at the back, for stools."""
    w, d, h = shop.width, shop.depth, shop.height
    _base_units(shop, h, worktop=False)
    back = shop.style.wood(shop.rng)
    shop.box(back, (-w / 2, -d / 2 - 0.0, 0.0), (w / 2, -d / 2 + 0.02, h - 0.04))
    shop.box(
        shop.style.worktop,
        (-w / 2 - 0.03, -d / 2 - 0.22, h - 0.04),
        (w / 2 + 0.03, d / 2 + 0.01, h),
        radius=0.006,
    )
    shop.surface(-w / 2, -d / 2 - 0.18, w / 2, d / 2 - 0.03, h)


def kitchen_sink(shop: Workshop) -> None:
    """A base unit with a steel basin let into the worktop, and a tap; the worktop is at 0.9 m, the tap stands above."""
    w, d = shop.width, shop.depth
    top = min(WORKTOP, shop.height)
    _base_units(shop, top, worktop=False, basin=True)
    slab = shop.style.worktop
    for x in (-w / 2, w / 2 - 0.018):
        shop.box(shop.style.kitchen_front, (x, -d / 2, top - 0.22), (x + 0.018, d / 2 - 0.042, top - 0.035))
    bx, y0, y1 = min(0.25, w / 2 - 0.05), -d / 2 + 0.12, d / 2 - 0.08
    for low, high in (
        ((-w / 2, -d / 2), (w / 2, y0)),
        ((-w / 2, y1), (w / 2, d / 2)),
        ((-w / 2, y0), (-bx, y1)),
        ((bx, y0), (w / 2, y1)),
    ):
        shop.box(slab, (*low, top - 0.035), (*high, top))
    _basin(shop, shop.style.steel, 0.0, (y0 + y1) / 2, bx, (y1 - y0) / 2, top + 0.003, 0.17, power=7)
    tap(shop, 0.0, y0 - 0.045, top, reach=0.2, height=0.28)


def _basin(
    shop: Workshop, material: str, x: float, y: float, rx: float, ry: float, top: float, deep: float, *, power: float
) -> None:
    """Add the inside of a basin with its rim and drain."""
    rings = [
        (x, y, top - 0.01, rx + 0.012, ry + 0.012),
        (x, y, top, rx + 0.01, ry + 0.01),
        (x, y, top, rx - 0.01, ry - 0.01),
        (x, y, top - 0.8 * deep, rx - 0.025, ry - 0.025),
        (x, y, top - deep, 0.6 * rx, 0.6 * ry),
        (x, y, top - deep, 0, 0),
    ]
    shop.loft(material, rings, power=power, sides=20)
    shop.turned(shop.style.iron, [(0.022, 0), (0.022, 0.003), (0, 0.003)], (x, y, top - deep + 0.001), sides=10)


def tap(shop: Workshop, x: float, y: float, z: float, *, reach: float, height: float) -> None:
    """Add a mixer tap that stands at (x, y, z) and reaches forwards."""
    chrome = shop.style.chrome
    shop.turned(chrome, [(0.026, 0), (0.026, 0.012), (0.018, 0.02), (0.018, 0.07), (0, 0.07)], (x, y, z), sides=10)
    path = [
        (x, y, z + 0.06),
        (x, y, z + 0.8 * height),
        (x, y + 0.35 * reach, z + height),
        (x, y + 0.9 * reach, z + 0.82 * height),
        (x, y + reach, z + 0.62 * height),
    ]
    shop.rod(chrome, primitives.bend(path, shop.detail), 0.011)
    shop.rod(chrome, [(x + 0.016, y, z + 0.05), (x + 0.085, y + 0.02, z + 0.085)], 0.006, sides=6)


def refrigerator(shop: Workshop) -> None:
    """A refrigerator with a freezer compartment above or below, handles and feet."""
    w, d, h = shop.width, shop.depth, shop.height
    body = shop.pick(shop.style.steel, shop.style.white, shop.style.white, shop.style.lacquer(shop.rng))
    shop.box(shop.style.black, (-w / 2 + 0.02, -d / 2 + 0.02, 0), (w / 2 - 0.02, d / 2 - 0.06, 0.05))
    shop.box(body, (-w / 2, -d / 2, 0.05), (w / 2, d / 2 - 0.07, h), radius=0.008)
    split = shop.pick(0.36, 0.64, 0.7) * h
    side = shop.pick(-1, 1)
    for low, high in ((0.06, split - 0.004), (split + 0.004, h - 0.002)):
        shop.box(body, (-w / 2, d / 2 - 0.062, low), (w / 2, d / 2 - 0.03, high), radius=0.012)
        length = min(0.4, 0.6 * (high - low))
        z = high - 0.08 - length / 2 if low < 0.1 else low + 0.08 + length / 2
        shop.box(
            shop.style.chrome,
            (side * (w / 2 - 0.06) - 0.011, d / 2 - 0.016, z - length / 2),
            (side * (w / 2 - 0.06) + 0.011, d / 2, z + length / 2),
            radius=0.005,
        )
        for s in (-0.85, 0.85):
            zz = z + s * length / 2
            shop.box(
                shop.style.chrome,
                (side * (w / 2 - 0.06) - 0.008, d / 2 - 0.03, zz - 0.012),
                (side * (w / 2 - 0.06) + 0.008, d / 2 - 0.016, zz + 0.012),
            )
    if shop.chance(0.45):
        for _ in range(int(shop.rng.integers(2, 6))):
            x, z, s = shop.between(-0.3, 0.3) * w, shop.between(0.55, 0.9) * h, shop.between(0.03, 0.07)
            shop.front_print(shop.style.cover(shop.rng), x - s, x + s, z - s, z + s, d / 2 - 0.0285)
    shop.surface(-w / 2 + 0.03, -d / 2 + 0.05, w / 2 - 0.03, d / 2 - 0.1, h, 0.4)


def stove(shop: Workshop) -> None:
    """A cooker: an oven with its window, handle and knobs below a hob with four rings."""
    w, d, h = shop.width, shop.depth, shop.height
    body, dark = shop.pick(shop.style.steel, shop.style.white, shop.style.black), shop.style.black
    shop.box(dark, (-w / 2 + 0.01, -d / 2, 0), (w / 2 - 0.01, d / 2 - 0.06, 0.08))
    shop.box(body, (-w / 2, -d / 2, 0.08), (w / 2, d / 2 - 0.03, h - 0.018))
    shop.box(dark, (-w / 2, -d / 2, h - 0.018), (w / 2, d / 2 - 0.01, h - 0.008))
    _oven_front(shop, body, w, d / 2 - 0.03, 0.1, h - 0.15)
    for x in np.linspace(-0.38, 0.38, 5) * w:
        part = primitives.revolve(
            [(0.02, 0), (0.018, 0.026), (0, 0.028)], shop.style.chrome, detail=0.6 * shop.detail, sides=10
        )
        shop.add(primitives.moved(primitives.turned(part, 0, -np.pi / 2), (x, d / 2 - 0.03, h - 0.08)))
    _hob(shop, w, d, h - 0.008, gas=shop.chance(0.5))


def _hob(shop: Workshop, w: float, d: float, z: float, *, gas: bool) -> None:
    """Add four cooking places on a plate at height ``z``: flat rings, or cast-iron pan supports with crossed ribs."""
    iron, rib = shop.style.iron, 0.003
    plate = z + 0.012 if gas else z
    for x in (-0.24 * w, 0.24 * w):
        if gas:
            shop.box(iron, (x - 0.2 * w, -0.38 * d, z), (x + 0.2 * w, 0.36 * d, plate), radius=0.004)
        for y in (-0.2 * d, 0.18 * d):
            r = shop.pick(0.075, 0.09)
            if gas:
                for a, b in ((r, 0.006), (0.006, r)):
                    shop.box(iron, (x - a, y - b, plate), (x + a, y + b, plate + rib), faces="xXyYZ")
            ring = [(r, 0), (r, rib), (0.8 * r, rib)] if gas else [(r, 0), (0.95 * r, rib), (0, rib)]
            shop.turned(
                iron if gas else shop.style.steel, [*ring, (0.8 * r, 0)] if gas else ring, (x, y, plate), sides=16
            )
    shop.surface(-0.4 * w, -0.36 * d, 0.4 * w, 0.34 * d, plate + rib, 0.5)


def _oven_front(shop: Workshop, body: str, w: float, y: float, z0: float, z1: float) -> None:
    shop.box(body, (-w / 2 + 0.006, y, z0), (w / 2 - 0.006, y + 0.022, z1), radius=0.005)
    shop.box(
        shop.style.dark_glass,
        (-0.36 * w, y + 0.022, z0 + 0.16 * (z1 - z0)),
        (0.36 * w, y + 0.026, z1 - 0.22 * (z1 - z0)),
        faces="xXYZz",
    )
    z = z1 - 0.06
    shop.rod(shop.style.chrome, [(-0.4 * w, y + 0.05, z), (0.4 * w, y + 0.05, z)], 0.009, sides=6)
    for x in (-0.36 * w, 0.36 * w):
        shop.box(shop.style.chrome, (x - 0.008, y + 0.022, z - 0.008), (x + 0.008, y + 0.05, z + 0.008))


def hood(shop: Workshop) -> None:
    """An extractor hood: a pyramid with its chimney, or a flat slanted one."""
    w, d, h = shop.width, shop.depth, shop.height
    metal = shop.style.steel if shop.chance(0.7) else shop.style.black
    shop.box(metal, (-w / 2, 0, 0), (w / 2, d, 0.05), radius=0.004)
    shop.add(
        primitives.frustum(
            (-w / 2, 0, w / 2, d),
            0.05,
            (-0.13, 0, 0.13, 0.26),
            0.05 + shop.between(0.15, 0.25),
            metal,
            detail=shop.detail,
        )
    )
    shop.box(metal, (-0.13, 0, 0.2), (0.13, 0.26, h))
    shop.box(shop.style.bulb, (-0.06, 0.4 * d, -0.004), (0.06, 0.55 * d, 0.001))
    for x in (-0.06, -0.02, 0.02, 0.06):
        shop.box(shop.style.black, (x - 0.01, d, 0.016), (x + 0.01, d + 0.004, 0.034))


def microwave(shop: Workshop) -> None:
    """A microwave oven with its window, display and buttons."""
    w, d, h = shop.width, shop.depth, shop.height
    body = shop.pick(shop.style.white, shop.style.steel, shop.style.black)
    shop.box(body, (-w / 2, -d / 2, 0.012), (w / 2, d / 2 - 0.012, h), radius=0.008)
    for x in (-0.42 * w, 0.42 * w):
        shop.box(shop.style.black, (x - 0.015, -0.4 * d, 0), (x + 0.015, 0.4 * d, 0.012))
    y = d / 2 - 0.012
    split = -0.22 * w  # the front is seen mirrored: the panel with the buttons is on its right, at negative x
    shop.box(body, (split + 0.003, y, 0.018), (w / 2 - 0.004, y + 0.012, h - 0.006), radius=0.004)
    shop.box(
        shop.style.dark_glass, (split + 0.05, y + 0.012, 0.05), (w / 2 - 0.04, y + 0.014, h - 0.045), faces="xXYZz"
    )
    shop.box(shop.style.chrome, (split + 0.02, y + 0.012, 0.06), (split + 0.032, y + 0.03, h - 0.06))
    shop.box(shop.style.black, (-w / 2 + 0.004, y, 0.018), (split - 0.003, y + 0.008, h - 0.006))
    xs, zs = np.meshgrid(np.linspace(-w / 2 + 0.03, split - 0.03, 3), np.linspace(0.05, 0.6 * h, 4))
    centres = np.stack([xs.ravel(), np.full(12, y + 0.008), zs.ravel()], axis=-1)
    if shop.detail > 0.3:
        shop.boxes(shop.style.white, centres - (0.008, 0, 0.006), np.add(centres, (0.008, 0.003, 0.006)), faces="xXYzZ")
    shop.surface(-w / 2 + 0.03, -d / 2 + 0.03, w / 2 - 0.03, d / 2 - 0.03, h, 0.4)


def dishwasher(shop: Workshop) -> None:
    """A free-standing dishwasher: a plain door under a strip with display and buttons."""
    w, d, h = shop.width, shop.depth, shop.height
    body = shop.pick(shop.style.white, shop.style.steel)
    _appliance_case(shop, body)
    shop.box(body, (-w / 2 + 0.004, d / 2 - 0.03, 0.1), (w / 2 - 0.004, d / 2 - 0.008, h - 0.14), radius=0.006)
    shop.box(shop.style.black, (-w / 2 + 0.004, d / 2 - 0.03, h - 0.13), (w / 2 - 0.004, d / 2 - 0.014, h - 0.04))
    shop.rod(
        shop.style.chrome, [(-0.38 * w, d / 2 + 0.012, h - 0.19), (0.38 * w, d / 2 + 0.012, h - 0.19)], 0.01, sides=6
    )
    for x in (-0.33 * w, 0.33 * w):
        shop.box(shop.style.chrome, (x - 0.008, d / 2 - 0.008, h - 0.198), (x + 0.008, d / 2 + 0.01, h - 0.182))


def washer(shop: Workshop) -> None:
    """A washing machine with its round door, detergent drawer and dial."""
    w, d, h = shop.width, shop.depth, shop.height
    body = shop.style.white if shop.chance(0.8) else shop.style.steel
    _appliance_case(shop, body)
    y, z, r = d / 2 - 0.03, 0.47 * h, 0.33 * w
    shop.box(body, (-w / 2 + 0.003, y, 0.09), (w / 2 - 0.003, y + 0.012, h - 0.13))
    rim = [(r, 0), (r, 0.02), (0.86 * r, 0.035), (0.78 * r, 0.03)]
    pane = [(0.78 * r, 0.03), (0.6 * r, 0.015), (0, 0.01)]
    for profile, material in ((rim, shop.style.chrome), (pane, shop.style.dark_glass)):
        part = primitives.revolve(profile, material, detail=shop.detail, sides=22)
        shop.add(primitives.moved(primitives.turned(part, 0, -np.pi / 2), (0, y + 0.012, z)))
    shop.box(body, (0.02, y, h - 0.125), (w / 2 - 0.01, y + 0.016, h - 0.035), radius=0.004)
    shop.box(shop.style.black, (-0.16 * w, y, h - 0.105), (0.0, y + 0.012, h - 0.055), faces="xXYZz")
    dial = primitives.revolve(
        [(0.032, 0), (0.028, 0.03), (0, 0.032)], shop.style.chrome, detail=0.7 * shop.detail, sides=14
    )
    shop.add(primitives.moved(primitives.turned(dial, 0, -np.pi / 2), (-0.32 * w, y, h - 0.08)))


def _appliance_case(shop: Workshop, body: str) -> None:
    w, d, h = shop.width, shop.depth, shop.height
    shop.box(shop.style.black, (-w / 2 + 0.02, -d / 2 + 0.02, 0), (w / 2 - 0.02, d / 2 - 0.06, 0.08))
    shop.box(body, (-w / 2, -d / 2, 0.08), (w / 2, d / 2 - 0.03, h - 0.025))
    shop.box(body, (-w / 2, -d / 2, h - 0.025), (w / 2, d / 2, h), radius=0.006)
    shop.surface(-w / 2 + 0.03, -d / 2 + 0.03, w / 2 - 0.03, d / 2 - 0.05, h, 0.8)


def wall_cabinet(shop: Workshop) -> None:
    """A kitchen wall unit: doors to match the counters."""
    w, d, h = shop.width, shop.depth, shop.height
    front, handle = shop.style.kitchen_front, shop.style.kitchen_handle
    shop.box(front, (-w / 2, 0, 0), (w / 2, d - 0.022, h))
    for i, (x0, x1) in enumerate(spans(-w / 2, w / 2, max(1, round(w / 0.45)))):
        door(shop, front, x0 + 0.002, x1 - 0.002, 0.002, h - 0.002, d - 0.022, panel=handle == "knob")
        knob(shop, handle, x1 - 0.05 if i % 2 == 0 else x0 + 0.05, d - 0.002, 0.1, 0.12, upright=True)
    shop.surface(-w / 2 + 0.03, 0.02, w / 2 - 0.03, d - 0.03, h, 0.3)


ENTRIES = {
    "counter": CatalogueEntry("counter", "floor", counter, (0.60, 0.60, 0.88), (2.40, 0.64, 0.93), 0.6),
    "kitchen island": CatalogueEntry(
        "kitchen island", "floor", kitchen_island, (1.20, 0.70, 0.88), (1.80, 0.80, 0.94), 0.7
    ),
    "kitchen sink": CatalogueEntry("sink", "floor", kitchen_sink, (0.60, 0.60, 1.10), (0.90, 0.64, 1.20), 0.6),
    "refrigerator": CatalogueEntry("refrigerator", "floor", refrigerator, (0.56, 0.60, 1.45), (0.75, 0.70, 1.95), 0.6),
    "stove": CatalogueEntry("stove", "floor", stove, (0.55, 0.60, 0.86), (0.64, 0.64, 0.92), 0.6),
    "hood": CatalogueEntry("hood", "wall", hood, (0.58, 0.42, 0.55), (0.90, 0.50, 0.90)),
    "microwave": CatalogueEntry("microwave", "surface", microwave, (0.44, 0.32, 0.25), (0.52, 0.38, 0.30)),
    "dishwasher": CatalogueEntry("dishwasher", "floor", dishwasher, (0.58, 0.58, 0.82), (0.62, 0.62, 0.88), 0.6),
    "washer": CatalogueEntry("washer", "floor", washer, (0.58, 0.56, 0.83), (0.62, 0.64, 0.88), 0.5),
    "wall cabinet": CatalogueEntry("cabinet", "wall", wall_cabinet, (0.55, 0.32, 0.55), (1.20, 0.37, 0.80)),
}
