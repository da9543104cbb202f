"""Screens, computers and other machines."""

from __future__ import annotations

import numpy as np

from ...meshes import primitives
from .workshop import CatalogueEntry, Workshop


def _panel(shop: Workshop, w: float, z0: float, z1: float, y: float, print_: str, body: str) -> None:
    """Add a flat display: case, thin bezel, picture."""
    shop.box(body, (-w / 2, y - 0.03, z0), (w / 2, y, z1), radius=0.006)
    b = 0.012
    shop.front_print(print_, -w / 2 + b, w / 2 - b, z0 + 1.6 * b, z1 - b, y + 0.0012)
    shop.box(body, (-0.3 * w, y - 0.06, z0 + 0.2 * (z1 - z0)), (0.3 * w, y - 0.03, z0 + 0.7 * (z1 - z0)))


def television(shop: Workshop) -> None:
    """A television on its foot."""
    w, d, h = shop.width, shop.depth, shop.height
    foot = shop.between(0.05, 0.09)
    print_ = shop.make_print("screen", w, h - foot, kind=shop.pick("off", "broadcast", "broadcast"))
    _panel(shop, w, foot, h, 0.01, print_, shop.style.black)
    if shop.chance(0.5):
        shop.box(shop.style.black, (-0.22 * w, -d / 2, 0), (0.22 * w, d / 2, 0.012), radius=0.004)
        shop.box(shop.style.black, (-0.06 * w, -0.025, 0.012), (0.06 * w, 0.0, foot + 0.05))
    else:
        for x in (-0.34 * w, 0.34 * w):
            shop.rod(shop.style.black, [(x, -d / 2 + 0.01, 0.008), (x, -0.005, foot + 0.01)], 0.008, sides=6)
            shop.rod(shop.style.black, [(x, d / 2 - 0.01, 0.008), (x, -0.005, foot + 0.01)], 0.008, sides=6)


def wall_television(shop: Workshop) -> None:
    """A television on the wall."""
    w, d, h = shop.width, shop.depth, shop.height
    print_ = shop.make_print("screen", w, h, kind=shop.pick("off", "broadcast"))
    _panel(shop, w, 0.0, h, d - 0.002, print_, shop.style.black)
    shop.box(shop.style.iron, (-0.15 * w, 0, 0.3 * h), (0.15 * w, d - 0.05, 0.6 * h))


def screen(shop: Workshop) -> None:
    """A computer screen on its stand, with a keyboard before it where there is room."""
    w, d, h = shop.width, shop.depth, shop.height
    body = shop.style.black if shop.chance(0.7) else shop.style.white
    low = shop.between(0.09, 0.14)
    print_ = shop.make_print("screen", w, h - low, kind=shop.pick("desktop", "desktop", "off"))
    y = -d / 2 + 0.1
    _panel(shop, w, low, h, y, print_, body)
    shop.box(body, (-0.03, y - 0.05, 0.01), (0.03, y - 0.03, low + 0.1))
    shop.box(body, (-0.12, -d / 2, 0), (0.12, y + 0.09, 0.012), radius=0.005)


def computer(shop: Workshop) -> None:
    """A laptop, opened, its screen towards the front."""
    w, d, h = shop.width, shop.depth, shop.height
    body = shop.style.steel if shop.chance(0.6) else shop.style.black
    back = -d / 2 + 0.05
    shop.box(body, (-w / 2, back, 0), (w / 2, d / 2, 0.016), radius=0.005)
    keys = shop.make_print("keyboard", 0.84 * w, 0.45 * (d / 2 - back))
    shop.top_print(keys, -0.42 * w, 0.42 * w, back + 0.03, back + 0.03 + 0.45 * (d / 2 - back), 0.0165)
    shop.box(shop.style.black, (-0.14 * w, d / 2 - 0.08, 0.016), (0.14 * w, d / 2 - 0.02, 0.0172), faces="xXyYZ")
    print_ = shop.make_print("screen", w - 0.02, h - 0.03, kind="desktop")
    lean = 0.05
    corners = np.array(
        [[(w / 2, back - lean, h), (-w / 2, back - lean, h)], [(w / 2, back, 0.016), (-w / 2, back, 0.016)]]
    )
    shop.add(primitives.quad(corners[:, ::-1] - (0, 0.009, 0), body, detail=shop.detail))
    inner = corners * (0.96, 1, 1) + [[(0, 0.001, -0.008)] * 2, [(0, 0.001, 0.012)] * 2]
    shop.add(primitives.quad(corners, body, detail=shop.detail))
    shop.print(print_, inner)
    for side in (-1, 1):
        x = side * w / 2
        strip = np.array(
            [[(x, back - lean, h), (x, back - lean - 0.009, h)], [(x, back, 0.016), (x, back - 0.009, 0.016)]]
        )
        shop.add(primitives.quad(strip if side > 0 else strip[:, ::-1], body))
    top = np.array(
        [
            [(-w / 2, back - lean, h), (w / 2, back - lean, h)],
            [(-w / 2, back - lean - 0.009, h), (w / 2, back - lean - 0.009, h)],
        ]
    )
    shop.add(primitives.quad(top[::-1], body))


def keyboard(shop: Workshop) -> None:
    """A keyboard."""
    w, d, h = shop.width, shop.depth, shop.height
    shop.box(shop.style.black, (-w / 2, -d / 2, 0), (w / 2, d / 2, h - 0.002), radius=0.004)
    shop.top_print(
        shop.make_print("keyboard", w - 0.016, d - 0.016),
        -w / 2 + 0.008,
        w / 2 - 0.008,
        -d / 2 + 0.008,
        d / 2 - 0.008,
        h,
    )


def loudspeaker(shop: Workshop) -> None:
    """A loudspeaker with its cones."""
    w, d, h = shop.width, shop.depth, shop.height
    body = shop.style.wood(shop.rng) if shop.chance(0.6) else shop.style.black
    shop.box(body, (-w / 2, -d / 2, 0), (w / 2, d / 2 - 0.01, h), radius=0.005)
    shop.box(shop.style.black, (-0.46 * w, d / 2 - 0.01, 0.02 * h), (0.46 * w, d / 2 - 0.004, 0.98 * h), faces="xXYzZ")
    for z, r in ((0.35 * h, 0.38 * w), (0.76 * h, 0.2 * w)):
        rim = primitives.revolve(
            [(r, 0.0), (r, 0.004), (0.85 * r, 0.004), (0.35 * r, -0.012), (0.3 * r, 0.0), (0, 0.004)],
            shop.style.iron,
            detail=shop.detail,
            sides=18,
        )
        shop.add(primitives.moved(primitives.turned(rim, 0, -np.pi / 2), (0, d / 2 - 0.004 + 0.012 * 0, z)))


def fan(shop: Workshop) -> None:
    """A standing fan: foot, stem, motor, blades in a wire cage."""
    r, h = shop.width / 2, shop.height
    body, wire = shop.style.plastic(shop.rng), shop.style.chrome
    z = h - r
    foot = 0.75 * r
    shop.turned(body, [(0, 0), (foot, 0), (0.96 * foot, 0.02), (0.03, 0.04), (0, 0.04)], sides=18)
    shop.rod(body, [(0, -0.02, 0.03), (0, -0.02, z)], 0.014)
    motor = primitives.revolve(
        [(0, -0.14), (0.05, -0.12), (0.06, -0.03), (0.03, 0.0), (0, 0.0)], body, detail=shop.detail, sides=12
    )
    shop.add(primitives.moved(primitives.turned(motor, 0, -np.pi / 2), (0, 0.0, z)))
    for k in range(4):
        a = np.pi / 2 * k
        tip = 0.82 * r
        points = np.array([[(-0.1, 0.22, -0.02), (0.14, 0.22, 0.02)], [(-0.32, 0.96, -0.03), (0.3, 0.92, 0.03)]]) * (
            tip,
            tip,
            1,
        )
        blade = primitives.sheets(points[::-1][None], body, thickness=0.004)
        blade = primitives.turned(primitives.turned(blade, 2, a), 0, -np.pi / 2)
        shop.add(primitives.moved(blade, (0, 0.035, z)))
    for y, rr in ((0.005, r), (0.035, r), (0.065, 0.6 * r), (0.07, 0.2 * r)):
        angle = np.linspace(0, 2 * np.pi, max(9, round(18 * np.sqrt(min(1.0, shop.detail)))))
        ring = np.stack([rr * np.cos(angle) * 0.99, np.full_like(angle, y), z + rr * np.sin(angle) * 0.99], axis=-1)
        shop.rod(wire, ring, 0.004, sides=5, caps=False)
    for k in range(shop.scaled_count(12, 6)):
        a = 2 * np.pi * k / shop.scaled_count(12, 6)
        c, s = np.cos(a), np.sin(a)
        shop.rod(
            wire,
            [(r * c * 0.99, 0.02, z + r * s * 0.99), (0.6 * r * c, 0.065, z + 0.6 * r * s), (0, 0.072, z)],
            0.0025,
            sides=5,
            caps=False,
        )


ENTRIES = {
    "television": CatalogueEntry("television receiver", "surface", television, (0.80, 0.20, 0.52), (1.45, 0.28, 0.90)),
    "wall television": CatalogueEntry(
        "television receiver", "wall", wall_television, (0.80, 0.08, 0.46), (1.40, 0.10, 0.80)
    ),
    "screen": CatalogueEntry("screen", "surface", screen, (0.48, 0.19, 0.42), (0.70, 0.24, 0.54)),
    "computer": CatalogueEntry("computer", "surface", computer, (0.31, 0.30, 0.22), (0.38, 0.34, 0.26)),
    "keyboard": CatalogueEntry("keyboard", "surface", keyboard, (0.40, 0.12, 0.020), (0.46, 0.15, 0.028)),
    "loudspeaker": CatalogueEntry("loudspeaker", "surface", loudspeaker, (0.15, 0.18, 0.26), (0.24, 0.28, 0.42)),
    "fan": CatalogueEntry("fan", "floor", fan, (0.38, 0.38, 1.00), (0.48, 0.48, 1.30)),
}
