"""What stands on tables, worktops and shelves: crockery, bottles, pots, vases, books."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from ...meshes import primitives
from .workshop import CatalogueEntry, Workshop


def _vessel(
    shop: Workshop,
    material: str,
    outside: list[tuple[float, float]],
    wall: float,
    *,
    floor: float | None = None,
    sides: int = 16,
    steps: float = 2.0,
) -> None:
    """Add an open vessel: its outside profile, a rim, and the same profile ``wall`` metres further in."""
    outer = primitives.curve(outside, shop.detail, steps=steps) if len(outside) > 2 else np.array(outside)
    floor = outer[0, 1] + wall if floor is None else floor
    inner = outer[::-1] - (wall, 0.0)
    inner = inner[(inner[:, 1] > floor) & (inner[:, 0] > 0.002)]
    inner[0] = (outer[-1, 0] - wall, outer[-1, 1])
    bottom = [(0.0, outer[0, 1])] if outer[0, 0] > 0 else []
    shop.turned(material, [*bottom, *outer, *inner, (0.0, floor)], sides=sides)


def vase(shop: Workshop) -> None:
    """A vase: slender, bulbous, or a cylinder."""
    r, h = shop.width / 2, shop.height
    foot, neck, lip = shop.between(0.4, 0.8) * r, shop.between(0.25, 0.7) * r, shop.between(0.3, 0.85) * r
    belly = shop.between(0.25, 0.65) * h
    outside = [(foot, 0.0), (r, belly), (neck, shop.between(0.8, 0.9) * h), (lip, h)]
    _vessel(shop, shop.style.ceramic(shop.rng), outside, min(0.006, 0.15 * lip), floor=0.6 * h)
    if shop.chance(0.3):
        leaf = shop.style.wood(shop.rng)
        for k in range(shop.scaled_count(5, 3)):
            a = 2.4 * k
            reach = 0.7 * r
            path = [
                (0, 0, 0.6 * h),
                (0.2 * reach * np.cos(a), 0.2 * reach * np.sin(a), h),
                (reach * np.cos(a), reach * np.sin(a), h * shop.scatter.uniform(1.4, 1.7)),
            ]
            shop.rod(leaf, primitives.bend(path, 0.4 * shop.detail), 0.003, sides=5, caps=False)


def bottle(shop: Workshop) -> None:
    """A bottle with a label and a cap."""
    r, h = shop.width / 2, shop.height
    body = shop.pick(shop.style.glass, shop.style.dark_glass, shop.style.plastic(shop.rng))
    shoulder, neck = shop.between(0.55, 0.68) * h, shop.between(0.3, 0.42) * r
    profile = [
        (0.0, 0.0),
        (r, 0.0),
        (r, shoulder),
        (0.9 * r, shoulder + 0.06 * h),
        (neck, shoulder + 0.18 * h),
        (neck, 0.93 * h),
    ]
    shop.turned(body, profile, sides=14)
    shop.turned(shop.style.metal(shop.rng), [(1.15 * neck, 0.92 * h), (1.15 * neck, h), (0, h)], sides=10)
    _label(shop, r, 0.18 * h, 0.48 * h)


def _label(shop: Workshop, r: float, z0: float, z1: float) -> None:
    """Wrap a printed label around the front half of a cylinder."""
    count = max(4, round(7 * np.sqrt(shop.detail)))
    angle = np.linspace(np.pi * 0.95, np.pi * 0.05, count + 1)
    print_ = shop.style.cover(shop.rng)
    points = np.empty((2, count + 1, 3))
    points[..., 0], points[..., 1] = -1.012 * r * np.cos(angle), 1.012 * r * np.sin(angle)
    points[0, :, 2], points[1, :, 2] = z1, z0
    part = primitives.sheets(points[None], print_)
    size = np.array(shop.style.materials.tile_size(print_))
    share = part.uvs / part.uvs.max(axis=0)
    shop.add(primitives.Part(part.vertices, part.normals, (0.01 + 0.98 * share) * size, part.triangles, print_))


def cup(shop: Workshop) -> None:
    """A mug or a cup on its saucer, with a handle."""
    r, h = shop.depth / 2, shop.height
    material = shop.style.ceramic(shop.rng)
    z = 0.0
    if shop.chance(0.35):
        shop.turned(
            material,
            [(0, 0), (0.9 * r, 0), (1.5 * r, 0.014), (1.42 * r, 0.014), (0.8 * r, 0.006), (0, 0.006)],
            sides=16,
        )
        z = 0.006
    shop_profile = [(shop.between(0.6, 0.95) * r, z), (shop.between(0.88, 1.0) * r, z + 0.5 * (h - z)), (r, h)]
    _vessel(shop, material, shop_profile, 0.0035, floor=z + 0.55 * (h - z), sides=12, steps=1.0)
    mid = z + 0.5 * (h - z)
    reach = 0.55 * r
    path = [
        (0.9 * r, 0, mid + 0.28 * h),
        (r + reach, 0, mid + 0.22 * h),
        (r + reach, 0, mid - 0.15 * h),
        (0.86 * r, 0, mid - 0.26 * h),
    ]
    shop.rod(material, primitives.bend(path, 0.3 * shop.detail), 0.0055, sides=5, caps=False)


def glass(shop: Workshop) -> None:
    """A tumbler or a wine glass."""
    r, h = shop.width / 2, shop.height
    material = shop.style.glass
    if shop.chance(0.5) and h > 0.13:
        stem = 0.45 * h
        outside = primitives.curve(
            [(0.12 * r, stem), (0.85 * r, stem + 0.2 * h), (r, stem + 0.35 * h), (0.8 * r, h)], shop.detail
        )
        shop.turned(
            material,
            [
                (0, 0),
                (0.85 * r, 0),
                (0.2 * r, 0.01),
                (0.1 * r, 0.05),
                (0.1 * r, stem),
                *outside,
                (0.77 * r, h),
                (0.9 * r, stem + 0.35 * h),
                (0, stem + 0.1 * h),
            ],
            sides=14,
        )
    else:
        _vessel(shop, material, [(0.82 * r, 0.0), (r, h)], 0.0025, floor=0.25 * h, sides=12)


def plate(shop: Workshop) -> None:
    """A plate, or a few stacked."""
    r, material = shop.width / 2, shop.style.ceramic(shop.rng)
    count = max(1, round(shop.height / 0.022))
    step = shop.height / count
    for k in range(count):
        z = k * step
        top = z + step
        profile = [(0, z), (0.58 * r, z), (r, top - 0.003), (r, top), (0.64 * r, z + 0.45 * step), (0, z + 0.4 * step)]
        shop.turned(material, profile if k == count - 1 else profile[:5], sides=20)


def bowl(shop: Workshop) -> None:
    """A bowl, often with fruit in it."""
    r, h = shop.width / 2, shop.height
    material = shop.style.ceramic(shop.rng) if shop.chance(0.7) else shop.style.wood(shop.rng)
    rim = 0.8 * h if shop.chance(0.6) else h
    _vessel(shop, material, [(0.4 * r, 0.0), (0.75 * r, 0.35 * rim), (r, rim)], 0.005, floor=0.3 * rim, sides=18)
    if rim < h:
        for k in range(shop.scaled_count(6, 3)):
            a, reach, s = 2.1 * k, (0.45 if k else 0.0) * r, shop.scatter.uniform(0.26, 0.34) * r
            fruit = shop.style.fruits[shop.scatter.integers(len(shop.style.fruits))]
            shop.add(
                primitives.sphere(
                    (reach * np.cos(a), reach * np.sin(a), h - s - (0.0 if k == 0 else 0.15 * h)),
                    (s, s, shop.scatter.uniform(0.85, 1.0) * s),
                    fruit,
                    detail=0.6 * shop.detail,
                )
            )


def pot(shop: Workshop) -> None:
    """A cooking pot with lid and two handles, or a pan with one long handle."""
    d, h = shop.depth, shop.height
    r = d / 2
    metal = shop.pick(shop.style.steel, shop.style.iron, shop.style.lacquer(shop.rng))
    if shop.width > 1.5 * d:
        low = 0.6 * h
        x = -shop.width / 2 + r
        profile = [(0, 0), (0.82 * r, 0), (r, low), (r - 0.004, low), (0.8 * r, 0.006), (0, 0.006)]
        shop.turned(metal, profile, (x, 0, 0), sides=18)
        shop.rod(shop.style.black, [(x + 0.95 * r, 0, 0.85 * low), (shop.width / 2 - 0.01, 0, h - 0.01)], 0.01, sides=6)
        return
    rim = 0.72 * h
    shop.turned(
        metal,
        [
            (0, 0),
            (0.95 * r, 0),
            (r, 0.02),
            (r, rim),
            (1.03 * r, rim),
            (1.02 * r, rim + 0.01),
            (0.5 * r, 0.88 * h),
            (0, 0.9 * h),
        ],
        sides=18,
    )
    shop.turned(shop.style.black, [(0.012, 0.88 * h), (0.022, 0.95 * h), (0.018, h), (0, h)], sides=10)
    for side in (-1, 1):
        path = [
            (side * r, -0.035, 0.6 * h),
            (side * (r + 0.03), -0.03, 0.62 * h),
            (side * (r + 0.03), 0.03, 0.62 * h),
            (side * r, 0.035, 0.6 * h),
        ]
        shop.rod(shop.style.black, path, 0.006, sides=5, caps=False)


def kettle(shop: Workshop) -> None:
    """A kettle with spout and handle."""
    r, h = 0.36 * shop.width, shop.height
    metal = shop.pick(shop.style.steel, shop.style.lacquer(shop.rng), shop.style.black)
    top = 0.74 * h
    shop.turned(
        metal, [(0, 0), (0.95 * r, 0), (r, 0.15 * top), (0.7 * r, 0.85 * top), (0.4 * r, top), (0, top)], sides=18
    )
    shop.add(primitives.sphere((0, 0, top + 0.012), (0.014, 0.014, 0.014), shop.style.black, detail=0.4 * shop.detail))
    shop.rod(metal, [(0.75 * r, 0, 0.4 * top), (1.4 * r, 0, 0.85 * top)], [0.022, 0.012], sides=8)
    path = [(0.55 * r, 0, 0.8 * top), (0.5 * r, 0, h - 0.01), (-0.5 * r, 0, h - 0.01), (-0.55 * r, 0, 0.8 * top)]
    shop.rod(shop.style.black, primitives.bend(path, shop.detail), 0.008, sides=6)


def tray(shop: Workshop) -> None:
    """A tray with a rim and grips."""
    w, d, h = shop.width, shop.depth, shop.height
    wood = shop.style.wood(shop.rng) if shop.chance(0.6) else shop.style.lacquer(shop.rng)
    shop.box(wood, (-w / 2 + 0.008, -d / 2 + 0.008, 0), (w / 2 - 0.008, d / 2 - 0.008, 0.01))
    for side in (-1, 1):
        a, b = sorted((side * d / 2, side * (d / 2 - 0.01)))
        shop.box(wood, (-w / 2, a, 0), (w / 2, b, 0.7 * h))
        a, b = sorted((side * w / 2, side * (w / 2 - 0.01)))
        shop.box(wood, (a, -d / 2 + 0.01, 0), (b, d / 2 - 0.01, h))
    shop.surface(-w / 2 + 0.02, -d / 2 + 0.02, w / 2 - 0.02, d / 2 - 0.02, 0.01)


def jar(shop: Workshop) -> None:
    """A storage jar with a lid."""
    r, h = shop.width / 2, shop.height
    body = shop.pick(shop.style.glass, shop.style.ceramic(shop.rng))
    shop.turned(body, [(0, 0), (0.94 * r, 0), (r, 0.02), (r, 0.72 * h), (0.8 * r, 0.82 * h)], sides=14)
    shop.turned(
        shop.style.wood(shop.rng) if shop.chance(0.5) else shop.style.metal(shop.rng),
        [(0.86 * r, 0.82 * h), (0.86 * r, 0.97 * h), (0.82 * r, h), (0, h)],
        sides=14,
    )


def candlestick(shop: Workshop) -> None:
    """A candle on a turned stick."""
    r, h = shop.width / 2, shop.height
    metal = shop.style.metal(shop.rng) if shop.chance(0.6) else shop.style.wood(shop.rng)
    stem = 0.58 * h
    shop.turned(
        metal,
        [(r, 0), (0.9 * r, 0.03), (0.2 * r, 0.08), (0.28 * r, 0.5 * stem), (0.18 * r, 0.8 * stem), (0.45 * r, stem)],
        smooth=True,
        sides=12,
    )
    shop.turned(shop.style.paper, [(0.011, stem - 0.003), (0.011, h - 0.01), (0, h)], sides=8)
    shop.turned(metal, [(0.45 * r, stem), (0, stem)], sides=10)


def book(shop: Workshop) -> None:
    """One book lying, a pile of two to five, or a few standing between bookends."""
    w, d, h = shop.width, shop.depth, shop.height
    count = max(1, round(h / 0.032))
    z = 0.0
    edges = np.linspace(0, h, count + 1)
    for low, high in pairwise(edges):
        a, b = shop.between(0.82, 1.0) * w / 2, shop.between(0.82, 1.0) * d / 2
        dx, dy = shop.between(-1, 1) * (w / 2 - a), shop.between(-1, 1) * (d / 2 - b)
        print_, t, z = shop.style.cover(shop.rng), 0.003, low
        shop.box(
            shop.style.paper,
            (dx - a + 0.004, dy - b + 0.004, z + t),
            (dx + a - 0.004, dy + b - 0.002, high - t),
            faces="xXyY",
        )
        binding = shop.style.lacquer(shop.rng)
        shop.box(binding, (dx - a, dy - b, z), (dx + a, dy + b, z + t))
        shop.box(binding, (dx - a, dy - b, high - t), (dx + a, dy + b, high), faces="xXyYz")
        shop.box(binding, (dx - a, dy - b, z + t), (dx - a + 0.004, dy + b, high - t), faces="xXyY")
        shop.top_print(print_, dx - a, dx + a, dy - b, dy + b, high)


ENTRIES = {
    "vase": CatalogueEntry("vase", "surface", vase, (0.10, 0.10, 0.16), (0.22, 0.22, 0.40)),
    "bottle": CatalogueEntry("bottle", "surface", bottle, (0.065, 0.065, 0.20), (0.09, 0.09, 0.33)),
    "cup": CatalogueEntry("cup", "surface", cup, (0.11, 0.075, 0.07), (0.13, 0.095, 0.11)),
    "glass": CatalogueEntry("glass", "surface", glass, (0.06, 0.06, 0.09), (0.09, 0.09, 0.20)),
    "plate": CatalogueEntry("plate", "surface", plate, (0.19, 0.19, 0.022), (0.28, 0.28, 0.10)),
    "bowl": CatalogueEntry("bowl", "surface", bowl, (0.18, 0.18, 0.08), (0.32, 0.32, 0.15)),
    "pot": CatalogueEntry("pot", "surface", pot, (0.24, 0.18, 0.14), (0.34, 0.26, 0.24)),
    "pan": CatalogueEntry("pot", "surface", pot, (0.40, 0.22, 0.08), (0.50, 0.28, 0.11)),
    "kettle": CatalogueEntry("kettle", "surface", kettle, (0.22, 0.16, 0.20), (0.28, 0.20, 0.27)),
    "tray": CatalogueEntry("tray", "surface", tray, (0.34, 0.24, 0.04), (0.50, 0.36, 0.07)),
    "jar": CatalogueEntry("jar", "surface", jar, (0.09, 0.09, 0.11), (0.13, 0.13, 0.22)),
    "candlestick": CatalogueEntry("candlestick", "surface", candlestick, (0.08, 0.08, 0.20), (0.12, 0.12, 0.36)),
    "book": CatalogueEntry("book", "surface", book, (0.16, 0.22, 0.025), (0.24, 0.30, 0.14)),
}
