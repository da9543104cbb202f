"""Loose soft things and toys: cushions, blankets, bags, balls, plush animals, building blocks."""

from __future__ import annotations

import numpy as np

from ...meshes import primitives
from .workshop import CatalogueEntry, Workshop


def cushion(shop: Workshop) -> None:
    """A throw cushion standing on its edge, leaning a little backwards."""
    w, d, h = shop.width, shop.depth, shop.height
    half = 0.5 * min(d * 0.62, 0.15)
    part = primitives.cushion(
        (-w / 2, -h / 2, -half),
        (w / 2, h / 2, half),
        shop.style.textile(shop.rng),
        detail=shop.detail,
        pinch=shop.between(0.03, 0.09),
    )
    shop.add(primitives.turned(part, 0, np.pi / 2 + 0.28))


def pillow(shop: Workshop) -> None:
    """A pillow lying flat."""
    w, d, h = shop.width / 2, shop.depth / 2, shop.height
    shop.add(primitives.cushion((-w, -d, 0), (w, d, h), shop.style.linen(shop.rng), detail=shop.detail))


def blanket(shop: Workshop) -> None:
    """A folded blanket: soft layers on top of each other."""
    w, d, h = shop.width, shop.depth, shop.height
    cloth = shop.style.textile(shop.rng) if shop.chance(0.6) else shop.style.upholstery(shop.rng)
    layers = shop.pick(2, 3, 4)
    for k in range(layers):
        z0, z1 = h * k / layers, h * (k + 1) / layers
        a, b = w / 2 - shop.between(0, 0.012), d / 2 - shop.between(0, 0.012)
        shop.pad(cloth, (-a, -b, z0), (a, b, z1), radius=0.48 * (z1 - z0))


def bag(shop: Workshop) -> None:
    """A bag that stands on the floor, with two handles."""
    w, d, h = shop.width, shop.depth, shop.height
    body = shop.style.upholstery(shop.rng) if shop.chance(0.6) else shop.style.textile(shop.rng)
    top = 0.68 * h
    rings = [
        (0, 0, 0, 0, 0),
        (0, 0, 0, 0.46 * w, 0.46 * d),
        (0, 0, 0.3 * top, 0.5 * w, 0.5 * d),
        (0, 0, top, 0.46 * w, 0.16 * d),
        (0, 0, top, 0, 0),
    ]
    shop.loft(body, rings, power=3.5, sides=16)
    strap = shop.style.wood(shop.rng)
    for y in (-0.12 * d, 0.12 * d):
        path = [
            (-0.22 * w, y, top - 0.03),
            (-0.18 * w, y, h - 0.03),
            (0, y, h - 0.008),
            (0.18 * w, y, h - 0.03),
            (0.22 * w, y, top - 0.03),
        ]
        shop.rod(strap, primitives.bend(path, shop.detail), 0.008, sides=6)


def ball(shop: Workshop) -> None:
    """A ball with bands of colours."""
    r = shop.height / 2
    part = primitives.sphere((0, 0, r), (r, r, r), shop.style.toy(shop.rng), detail=1.2 * shop.detail)
    shop.add(primitives.turned(part, 0, shop.between(0, 3), (0, 0, r)))


def toy(shop: Workshop) -> None:
    """A plush bear, a truck, a tower of blocks or a stacking ring."""
    shop.pick(_bear, _truck, _blocks, _rings)(shop)


def _bear(shop: Workshop) -> None:
    h, fur, dark = shop.height, shop.style.fur, shop.style.black
    detail = 0.8 * shop.detail

    def blob(x: float, y: float, z: float, rx: float, ry: float, rz: float, material: str = fur) -> None:
        shop.add(
            primitives.sphere(
                (x * h, y * h, z * h), (rx * h, ry * h, rz * h), material, detail=detail if rx > 0.06 else 0.4 * detail
            )
        )

    blob(0, 0, 0.3, 0.22, 0.19, 0.28)
    blob(0, 0.02, 0.74, 0.2, 0.18, 0.18)
    blob(0, 0.17, 0.7, 0.08, 0.08, 0.07, shop.style.paper)
    blob(0, 0.245, 0.73, 0.025, 0.02, 0.02, dark)
    for s in (-1, 1):
        blob(s * 0.15, 0, 0.91, 0.07, 0.04, 0.07)
        blob(s * 0.24, 0.06, 0.4, 0.08, 0.09, 0.16)
        blob(s * 0.16, 0.22, 0.1, 0.1, 0.18, 0.1)
        blob(s * 0.075, 0.175, 0.8, 0.018, 0.018, 0.018, dark)


def _truck(shop: Workshop) -> None:
    w, d, h = shop.width, min(shop.depth, 0.6 * shop.width), shop.height
    body, cab = shop.style.toy(shop.rng), shop.style.toy(shop.rng)
    wheel = 0.2 * h
    shop.box(body, (-w / 2, -d / 2, wheel), (w / 2, d / 2, 0.42 * h))
    shop.box(cab, (0.12 * w, -0.48 * d, 0.42 * h), (0.46 * w, 0.48 * d, h), radius=0.012)
    shop.box(shop.style.dark_glass, (0.2 * w, -0.485 * d, 0.62 * h), (0.465 * w, 0.485 * d, 0.9 * h))
    for y in (-0.48 * d, 0.44 * d):
        shop.box(body, (-w / 2, y, 0.42 * h), (0.1 * w, y + 0.04 * d, 0.75 * h))
    shop.box(body, (-w / 2, -0.44 * d, 0.42 * h), (-0.48 * w, 0.44 * d, 0.75 * h))
    for x in (-0.32 * w, 0.3 * w):
        for y in (-d / 2, d / 2):
            part = primitives.revolve(
                [(0, -0.05 * w), (wheel, -0.05 * w), (wheel, 0.05 * w), (0, 0.05 * w)],
                shop.style.black,
                detail=0.8 * shop.detail,
                sides=12,
            )
            shop.add(primitives.moved(primitives.turned(part, 0, np.pi / 2), (x, 0.95 * y, wheel)))


def _blocks(shop: Workshop) -> None:
    side = shop.height / 3
    for level, xs in enumerate(((-1.05, 0.0, 1.05), (-0.45, 0.6), (0.1,))):
        for x in xs:
            y, half = shop.between(-0.15, 0.15) * side, 0.48 * side
            material = shop.style.toy(shop.rng) if shop.chance(0.6) else shop.style.wood(shop.rng)
            low = (x * side - half, y - half, level * side)
            shop.box(material, low, (low[0] + 2 * half, low[1] + 2 * half, low[2] + side), radius=0.05 * side)


def _rings(shop: Workshop) -> None:
    r, h = shop.width / 2, shop.height
    shop.turned(
        shop.style.wood(shop.rng),
        [(0, 0), (0.8 * r, 0), (0.8 * r, 0.08 * h), (0.1 * r, 0.08 * h), (0.1 * r, 0.95 * h), (0, h)],
        sides=14,
    )
    count = 5
    for k in range(count):
        z, step, size = (0.08 + 0.165 * k) * h, 0.165 * h, r * (1 - 0.13 * k)
        profile = [(0.12 * r, z), (0.8 * size, z), (size, z + 0.5 * step), (0.8 * size, z + step), (0.12 * r, z + step)]
        shop.turned(shop.style.toy(shop.rng), primitives.curve(profile, shop.detail, steps=1.6), sides=14)


def sculpture(shop: Workshop) -> None:
    """A small abstract sculpture on a plinth: a twisted ring, stacked stones or a bust-like form."""
    w, h = shop.width, shop.height
    material = shop.pick(shop.style.stone(shop.rng), shop.style.metal(shop.rng), shop.style.ceramic(shop.rng))
    base, half = 0.16 * h, 0.32 * w
    shop.box(shop.style.wood(shop.rng), (-half, -half, 0), (half, half, base), radius=0.004)
    kind = shop.pick("ring", "stones", "form")
    if kind == "ring":
        t = np.linspace(0, 2 * np.pi, max(10, round(20 * np.sqrt(min(1.0, shop.detail)))))
        reach = 0.42 * (h - base)
        path = np.stack(
            [0.42 * w * np.sin(t), 0.12 * w * np.sin(2 * t), base + 0.52 * (h - base) - reach * np.cos(t)], axis=-1
        )
        shop.rod(material, path, 0.05 * h, sides=8)
    elif kind == "stones":
        z = base
        for k, share in enumerate((0.4, 0.32, 0.28)):
            rz = 0.5 * share * (h - base)
            shop.add(
                primitives.sphere(
                    (shop.between(-0.05, 0.05) * w, 0, z + rz),
                    ((0.5 - 0.1 * k) * w, (0.42 - 0.08 * k) * w, rz),
                    material,
                    detail=shop.detail,
                )
            )
            z += 2 * rz * 0.98
    else:
        profile = [
            (0.16 * w, base),
            (0.4 * w, base + 0.25 * (h - base)),
            (0.14 * w, base + 0.52 * (h - base)),
            (0.3 * w, base + 0.78 * (h - base)),
            (0.0, h),
        ]
        shop.turned(material, profile, smooth=True, sides=16)


ENTRIES = {
    "cushion": CatalogueEntry("cushion", "surface", cushion, (0.36, 0.20, 0.34), (0.50, 0.24, 0.46)),
    "pillow": CatalogueEntry("pillow", "surface", pillow, (0.55, 0.36, 0.12), (0.75, 0.46, 0.17)),
    "blanket": CatalogueEntry("blanket", "surface", blanket, (0.36, 0.28, 0.07), (0.52, 0.38, 0.14)),
    "bag": CatalogueEntry("bag", "floor", bag, (0.28, 0.12, 0.32), (0.42, 0.20, 0.48)),
    "ball": CatalogueEntry("ball", "surface", ball, (0.14, 0.14, 0.14), (0.26, 0.26, 0.26)),
    "toy": CatalogueEntry("plaything", "surface", toy, (0.18, 0.14, 0.18), (0.30, 0.22, 0.30)),
    "sculpture": CatalogueEntry("sculpture", "surface", sculpture, (0.10, 0.10, 0.18), (0.18, 0.18, 0.36)),
}
