"""Lamps: what emits light in the evening carries an emissive shade or bulb."""

from __future__ import annotations

import numpy as np

from ...meshes import primitives
from .workshop import CatalogueEntry, Point, Workshop


def _shade(shop: Workshop, material: str, radius: float, z0: float, z1: float, at: tuple[float, float] = (0.0, 0.0),
           taper: float = 0.8) -> None:  # fmt: skip
    """Add a drum or cone shade, open below and above, with its inside and the bulb."""
    t = 0.004
    profile = [(radius, z0), (taper * radius, z1), (taper * radius - t, z1), (radius - t, z0), (radius, z0)]
    shop.turned(material, profile, (*at, 0.0), sides=20)
    shop.add(
        primitives.sphere(
            (*at, 0.55 * z0 + 0.45 * z1), (0.035, 0.035, 0.045), shop.style.bulb, detail=0.5 * shop.detail
        )
    )
    top = 0.85 * z1 + 0.15 * z0
    shop.rod(
        shop.style.iron,
        [(at[0] - 0.83 * radius * taper, at[1], top), (at[0] + 0.83 * radius * taper, at[1], top)],
        0.002,
        sides=5,
        caps=False,
    )


def floor_lamp(shop: Workshop) -> None:
    """A floor lamp: on one stem, on a tripod, or an arc."""
    r, h = shop.width / 2, shop.height
    metal, shade = shop.style.metal(shop.rng), shop.style.shade(shop.rng)
    tall = shop.between(0.24, 0.36)
    kind = shop.pick("stem", "stem", "tripod")
    if kind == "tripod":
        wood = shop.style.wood(shop.rng)
        for k in range(3):
            a = 2 * np.pi * k / 3 + np.pi / 6
            shop.rod(
                wood,
                [(r * np.cos(a), r * np.sin(a), 0), (0.02 * np.cos(a), 0.02 * np.sin(a), h - tall + 0.02)],
                [0.012, 0.016],
            )
    else:
        foot = 0.62 * r
        shop.turned(metal, [(0, 0), (foot, 0), (foot, 0.018), (0.02, 0.03), (0, 0.03)], sides=18)
        shop.rod(metal, [(0, 0, 0.02), (0, 0, h - 0.5 * tall)], 0.012)
    _shade(shop, shade, r, h - tall, h, taper=shop.between(0.6, 1.0))


def table_lamp(shop: Workshop) -> None:
    """A table lamp: a turned or ceramic body under a shade."""
    r, h = shop.width / 2, shop.height
    body = shop.pick(
        shop.style.ceramic(shop.rng),
        shop.style.ceramic(shop.rng),
        shop.style.wood(shop.rng),
        shop.style.metal(shop.rng),
    )
    split = shop.between(0.5, 0.6) * h
    belly = shop.between(0.4, 0.75) * r
    middle = shop.between(0.3, 0.6) * split
    shop.turned(
        body,
        [(0.55 * belly, 0), (belly, middle), (0.3 * belly, 0.88 * split), (0.2 * belly, split)],
        smooth=True,
        sides=16,
    )
    shop.rod(shop.style.metal(shop.rng), [(0, 0, 0.9 * split), (0, 0, 0.75 * h)], 0.008, sides=6)
    _shade(shop, shop.style.shade(shop.rng), r, split, h, taper=shop.between(0.55, 0.95))


def desk_lamp(shop: Workshop) -> None:
    """A jointed desk lamp that bends forwards."""
    d, h = shop.depth, shop.height
    metal = shop.style.metal(shop.rng) if shop.chance(0.5) else shop.style.plastic(shop.rng)
    y0 = -d / 2 + 0.085
    shop.turned(metal, [(0, 0), (0.08, 0), (0.08, 0.014), (0.02, 0.024), (0, 0.024)], (0, y0, 0), sides=16)
    elbow: Point = (0.0, y0 - 0.06, 0.55 * h)
    head: Point = (0.0, d / 2 - 0.12, h - 0.05)
    shop.rod(metal, [(0, y0, 0.02), elbow], 0.007, sides=6)
    shop.rod(metal, [elbow, head], 0.007, sides=6)
    shop.add(primitives.sphere(elbow, (0.014, 0.014, 0.014), shop.style.chrome, detail=0.4 * shop.detail))
    cone = primitives.revolve(
        [(0.075, -0.11), (0.03, 0.0), (0.025, 0.04), (0, 0.05)], metal, detail=shop.detail, sides=16
    )
    inner = primitives.revolve(
        [(0.0, -0.07), (0.05, -0.1), (0.075, -0.11)], shop.style.bulb, detail=shop.detail, sides=16
    )
    for part in (cone, inner):
        shop.add(primitives.moved(primitives.turned(part, 0, 0.5), head))


def light(shop: Workshop) -> None:
    """A ceiling light: bowl, drum, globe or cone on a cord, spots on a bar, or a flat panel."""
    kind = shop.pick("bowl", "drum", "pendant", "globe", "spots", "panel")
    {"bowl": _bowl, "drum": _drum, "pendant": _pendant, "globe": _globe, "spots": _spots, "panel": _panel}[kind](shop)


def _bowl(shop: Workshop) -> None:
    r = shop.width / 2
    metal, shade = shop.style.metal(shop.rng), shop.style.shade(shop.rng)
    drop = 0.35 * r
    shop.turned(
        shade,
        [(0, -drop - 0.03), (0.55 * r, -0.85 * drop - 0.02), (0.9 * r, -0.35 * drop - 0.02), (r, -0.025)],
        smooth=True,
        sides=22,
    )
    shop.turned(metal, [(0.95 * r, -0.03), (1.02 * r, -0.03), (1.02 * r, 0.0)], sides=22)
    shop.turned(metal, [(0, -drop - 0.05), (0.016, -drop - 0.04), (0.016, -drop - 0.025)], sides=8)


def _drum(shop: Workshop) -> None:
    r, shade = shop.width / 2, shop.style.shade(shop.rng)
    h = shop.between(0.14, 0.22)
    shop.turned(shade, [(0, -h), (0.98 * r, -h), (r, -h + 0.01), (r, -0.02)], sides=24)
    shop.turned(shop.style.metal(shop.rng), [(0.3 * r, -0.02), (0.3 * r, 0)], sides=12)


def _cord(shop: Workshop, length: float) -> None:
    metal = shop.style.metal(shop.rng)
    shop.turned(metal, [(0, -0.03), (0.03, -0.028), (0.05, 0.0)], sides=12)
    shop.rod(shop.style.black, [(0, 0, -length), (0, 0, -0.02)], 0.004, sides=5, caps=False)


def _pendant(shop: Workshop) -> None:
    r, h = shop.width / 2, shop.between(0.45, 0.8)
    _cord(shop, h - 0.2)
    outer = shop.style.metal(shop.rng) if shop.chance(0.5) else shop.style.plastic(shop.rng)
    profile = [(r, -h), (0.8 * r, -h + 0.09), (0.3 * r, -h + 0.17), (0.1 * r, -h + 0.22), (0, -h + 0.22)]
    shop.turned(outer, profile, sides=22)
    shop.turned(
        shop.style.shade(shop.rng),
        [(0, -h + 0.16), (0.28 * r, -h + 0.16), (0.78 * r, -h + 0.085), (0.99 * r, -h)],
        sides=22,
    )
    shop.add(primitives.sphere((0, 0, -h + 0.08), (0.045, 0.045, 0.05), shop.style.bulb, detail=0.6 * shop.detail))


def _globe(shop: Workshop) -> None:
    r = 0.42 * shop.width
    h = shop.between(0.3, 0.5) + 2 * r
    _cord(shop, h - 2 * r)
    shop.add(primitives.sphere((0, 0, -h + r), (r, r, r), shop.style.shade(shop.rng), detail=1.6 * shop.detail))
    shop.turned(shop.style.metal(shop.rng), [(0.05, -h + 1.85 * r), (0.03, -h + 2.1 * r), (0, -h + 2.1 * r)], sides=12)


def _spots(shop: Workshop) -> None:
    w, metal = max(shop.width, 0.55), shop.style.metal(shop.rng)
    shop.box(metal, (-w / 2, -0.03, -0.025), (w / 2, 0.03, 0))
    for k, x in enumerate(np.linspace(-0.42, 0.42, 3) * w):
        tilt = shop.between(0.3, 0.8)
        shop.rod(metal, [(x, 0, -0.02), (x, 0, -0.07)], 0.006, sides=5)
        body = primitives.revolve([(0.045, -0.11), (0.03, -0.01), (0, 0)], metal, detail=0.8 * shop.detail, sides=12)
        face = primitives.revolve([(0, -0.105), (0.042, -0.105)], shop.style.bulb, detail=0.8 * shop.detail, sides=12)
        for part in (body, face):
            shop.add(primitives.moved(primitives.turned(part, 0, tilt * (-1) ** k), (x, 0, -0.06)))


def _panel(shop: Workshop) -> None:
    a, b = shop.width / 2, shop.depth / 2
    shop.box(shop.style.white, (-a, -b, -0.03), (a, b, 0))
    shop.box(shop.style.shade(shop.rng), (-a + 0.02, -b + 0.02, -0.045), (a - 0.02, b - 0.02, -0.03))


def chandelier(shop: Workshop) -> None:
    """A chandelier: arms that curve outwards from a turned column and carry small shades."""
    r, h = shop.width / 2 - 0.06, shop.height
    metal, shade = shop.style.metal(shop.rng), shop.style.shade(shop.rng)
    _cord(shop, h - 0.3)
    column = [
        (0, -h),
        (0.025, -h + 0.02),
        (0.045, -h + 0.07),
        (0.02, -h + 0.14),
        (0.03, -h + 0.22),
        (0.012, -h + 0.32),
        (0, -h + 0.33),
    ]
    shop.turned(metal, column, smooth=True, sides=12)
    arms = int(shop.rng.integers(5, 9))
    for k in range(arms):
        a = 2 * np.pi * k / arms
        c, s = np.cos(a), np.sin(a)
        path = [
            (0.02 * c, 0.02 * s, -h + 0.1),
            (0.45 * r * c, 0.45 * r * s, -h + 0.03),
            (0.9 * r * c, 0.9 * r * s, -h + 0.07),
            (r * c, r * s, -h + 0.14),
        ]
        shop.rod(metal, primitives.bend(path, 0.6 * shop.detail), 0.007, sides=5)
        shop.turned(
            shade,
            [(0.055, 0.03), (0.032, 0.12), (0.028, 0.12), (0.05, 0.03), (0.055, 0.03)],
            (r * c, r * s, -h + 0.12),
            sides=10,
        )
        shop.turned(metal, [(0, 0), (0.02, 0.0), (0.025, 0.02)], (r * c, r * s, -h + 0.13), sides=8)


def sconce(shop: Workshop) -> None:
    """A wall light: a half bowl, a small shade on an arm, or a block that shines up and down."""
    w, d, h = shop.width, shop.depth, shop.height
    metal, shade = shop.style.metal(shop.rng), shop.style.shade(shop.rng)
    kind = shop.pick("arm", "block", "bowl")
    if kind == "arm":
        shop.box(metal, (-0.04, 0, 0), (0.04, 0.015, 0.45 * h), radius=0.006)
        y = d - w / 2
        shop.rod(
            metal,
            primitives.bend(
                [(0, 0.01, 0.2 * h), (0, 0.6 * y, 0.14 * h), (0, y, 0.28 * h), (0, y, 0.5 * h)], shop.detail
            ),
            0.008,
            sides=6,
        )
        _shade(shop, shade, w / 2, 0.42 * h, h, (0.0, y), taper=0.65)
    elif kind == "block":
        shop.box(metal, (-w / 2, 0.01, 0.02), (w / 2, d, h - 0.02), radius=0.008)
        shop.box(metal, (-0.3 * w, 0, 0.3 * h), (0.3 * w, 0.01, 0.7 * h))
        for z in (0.0, h - 0.02):
            shop.box(shop.style.bulb, (-w / 2 + 0.01, 0.02, z), (w / 2 - 0.01, d - 0.01, z + 0.02))
    else:
        shop.box(metal, (-0.5 * w, 0, 0.1 * h), (0.5 * w, 0.012, 0.9 * h), radius=0.005)
        shop.pad(shade, (-0.42 * w, 0.012, 0.0), (0.42 * w, d, h), radius=0.45 * min(w, d), puff=0.0)


ENTRIES = {
    "lamp": CatalogueEntry("lamp", "floor", floor_lamp, (0.34, 0.34, 1.40), (0.50, 0.50, 1.75)),
    "table lamp": CatalogueEntry("lamp", "surface", table_lamp, (0.18, 0.18, 0.34), (0.32, 0.32, 0.60)),
    "desk lamp": CatalogueEntry("lamp", "surface", desk_lamp, (0.16, 0.42, 0.42), (0.18, 0.55, 0.55)),
    "light": CatalogueEntry("light", "ceiling", light, (0.32, 0.32, 0.20), (0.56, 0.56, 0.60)),
    "chandelier": CatalogueEntry("chandelier", "ceiling", chandelier, (0.55, 0.55, 0.55), (0.85, 0.85, 0.85)),
    "sconce": CatalogueEntry("sconce", "wall", sconce, (0.14, 0.14, 0.22), (0.22, 0.22, 0.32)),
}
