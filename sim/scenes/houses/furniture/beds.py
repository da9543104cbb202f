"""Beds for one, for two, above one another, and for babies."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from ...meshes import primitives
from .workshop import CatalogueEntry, Workshop


def bed(shop: Workshop) -> None:
    """A bed with its head at the back: frame, headboard, mattress, pillows, a duvet that hangs over the sides."""
    w, d, h = shop.width, shop.depth, shop.height
    wood, padded = shop.style.wood(shop.rng), shop.chance(0.4)
    frame = shop.style.upholstery(shop.rng) if padded else wood
    top = shop.between(0.44, 0.52)
    _headboard(shop, frame, w, d, h, padded=padded)
    foot, y0, y1 = shop.between(0.08, 0.16), -d / 2 + 0.06, d / 2
    shop.box(frame, (-w / 2, y0, foot), (w / 2, y1, top - 0.14), radius=0.02 if padded else 0.006)
    shop.four_legs(wood, w / 2 - 0.08, d / 2 - 0.12, foot, 0.06)
    if shop.chance(0.35):
        shop.box(frame, (-w / 2, y1 - 0.03, top - 0.14), (w / 2, y1, top + shop.between(0.0, 0.2)), radius=0.01)
        y1 -= 0.035
    _mattress_and_bedding(shop, w - 0.05, y0 + 0.01, y1 - 0.015, top)


def _headboard(shop: Workshop, frame: str, w: float, d: float, h: float, *, padded: bool) -> None:
    y0 = -d / 2
    if padded:
        panels = max(1, round(w / shop.between(0.3, 0.9)))
        edges = np.linspace(-w / 2, w / 2, panels + 1)
        for a, b in pairwise(edges):
            shop.pad(frame, (a, y0, 0.1), (b, y0 + 0.09, h), radius=0.03, puff=0.012, axis=1)
    elif shop.chance(0.5):
        shop.box(frame, (-w / 2, y0, 0.0), (w / 2, y0 + 0.05, h), radius=0.01)
    else:
        for side in (-1, 1):
            shop.box(
                frame,
                (side * (w / 2 - 0.025) - 0.025, y0, 0),
                (side * (w / 2 - 0.025) + 0.025, y0 + 0.05, h),
                radius=0.008,
            )
        for z in (h - 0.1, 0.45):
            shop.box(frame, (-w / 2 + 0.05, y0 + 0.01, z), (w / 2 - 0.05, y0 + 0.04, z + 0.07))
        xs = np.linspace(-w / 2, w / 2, shop.scaled_count(w / 0.12, 4) + 2)[1:-1]
        lows = np.stack([xs - 0.02, np.full_like(xs, y0 + 0.015), np.full_like(xs, 0.5)], axis=-1)
        shop.boxes(frame, lows, np.add(lows, (0.04, 0.02, h - 0.1 - 0.5)), along=2, faces="xXyY")


def _mattress_and_bedding(shop: Workshop, w: float, y0: float, y1: float, top: float) -> None:
    linen = shop.style.linen(shop.rng)
    shop.pad(linen, (-w / 2, y0, top - 0.2), (w / 2, y1, top), radius=0.05)
    shop.surface(-w / 2 + 0.08, y0 + 0.55, w / 2 - 0.08, y1 - 0.1, top + 0.075)
    pillow = shop.style.textile(shop.rng) if shop.chance(0.5) else linen
    count = 1 if w < 1.2 else 2
    for k in range(count):
        x = (k - (count - 1) / 2) * w / count
        half = min(0.36, 0.44 * w / count)
        part = primitives.cushion((-half, -0.22, -0.07), (half, 0.22, 0.07), pillow, detail=shop.detail)
        shop.add(primitives.moved(primitives.turned(part, 0, shop.between(0.12, 0.5)), (x, y0 + 0.25, top + 0.1)))
    cover = shop.style.textile(shop.rng) if shop.chance(0.6) else shop.style.linen(shop.rng)
    _duvet(shop, cover, w, y0 + shop.between(0.42, 0.62), y1, top)
    if shop.chance(0.45):
        throw = shop.style.textile(shop.rng) if shop.chance(0.5) else shop.style.upholstery(shop.rng)
        _duvet(shop, throw, w + 0.03, y1 - shop.between(0.45, 0.7), y1 - 0.04, top + 0.045)


def _duvet(shop: Workshop, material: str, w: float, y0: float, y1: float, top: float) -> None:
    """Add a soft sheet over the mattress that hangs down at its sides and foot, with shallow folds."""
    rng, detail = shop.rng, shop.detail
    across, down = max(7, round(13 * np.sqrt(detail))), max(4, round(9 * np.sqrt(detail)))
    hang = shop.between(0.14, 0.24)
    s = np.linspace(-1, 1, across + 1) * (w / 2 + hang)
    t = np.linspace(0, y1 - y0 + 0.012, down + 1)
    s, t = np.meshgrid(s, t)
    beyond = np.maximum(np.abs(s) - (w / 2 - 0.03), 0)
    x = np.sign(s) * (np.minimum(np.abs(s), w / 2 - 0.03) + 0.05 * np.tanh(beyond / 0.05))
    drop = np.maximum(beyond - 0.05, 0)
    phase = rng.uniform(0, 6, 4)
    ripple = 0.008 * np.sin(9 * s / w + 5 * t + phase[0]) + 0.008 * np.sin(7 * t - 4 * s + phase[1])
    loft = 0.055 * np.clip(t / 0.06, 0, 1) ** 0.5
    z = top + 0.008 + loft + ripple - drop - 0.055 * np.tanh(beyond / 0.08)
    x = x + np.sign(s) * np.tanh(drop / 0.05) * (0.012 + 0.012 * np.sin(14 * t + phase[2]))
    points = np.stack([x, y0 + t, z], axis=-1)[::-1]  # rows run towards the viewer at the foot: front is up
    shop.add(primitives.sheets(points[None, ::-1, ::-1], material, thickness=0.004))


def bunk_bed(shop: Workshop) -> None:
    """Two beds above one another with a ladder and a rail; the long side is the front."""
    w, d, h = shop.width, shop.depth, shop.height
    wood, post = shop.style.wood(shop.rng), 0.06
    for sx in (-1, 1):
        for sy in (-1, 1):
            x, y = sx * (w / 2 - post / 2), sy * (d / 2 - post / 2)
            shop.box(wood, (x - post / 2, y - post / 2, 0), (x + post / 2, y + post / 2, h), radius=0.008)
    for z in (0.28, h - 0.55):
        for y in (-d / 2 + 0.01, d / 2 - 0.04):
            shop.box(wood, (-w / 2 + post, y, z), (w / 2 - post, y + 0.03, z + 0.13))
        for x in (-w / 2 + 0.01, w / 2 - 0.04):
            shop.box(wood, (x, -d / 2 + post, z), (x + 0.03, d / 2 - post, z + 0.5))
        shop.pad(
            shop.style.linen(shop.rng),
            (-w / 2 + 0.05, -d / 2 + 0.05, z + 0.06),
            (w / 2 - 0.05, d / 2 - 0.05, z + 0.22),
            radius=0.04,
        )
        shop.pad(
            shop.style.textile(shop.rng),
            (-w / 2 + 0.55, -d / 2 + 0.05, z + 0.2),
            (w / 2 - 0.06, d / 2 - 0.05, z + 0.27),
            radius=0.03,
            puff=0.015,
        )
        pillow = primitives.cushion(
            (-0.2, -0.3, -0.06), (0.2, 0.3, 0.06), shop.style.linen(shop.rng), detail=shop.detail
        )
        shop.add(primitives.moved(pillow, (-w / 2 + 0.29, 0, z + 0.28)))
    for z in (h - 0.3, h - 0.14):
        shop.box(wood, (-w / 2 + post, d / 2 - 0.035, z), (w / 2 - 0.5, d / 2 - 0.01, z + 0.07))
    for x in (w / 2 - 0.46, w / 2 - 0.1):
        shop.box(wood, (x - 0.02, d / 2 - 0.005, 0), (x + 0.02, d / 2 + 0.035, h))
    for z in np.arange(0.25, h - 0.3, 0.27):
        shop.rod(wood, [(w / 2 - 0.46, d / 2 + 0.015, z), (w / 2 - 0.1, d / 2 + 0.015, z)], 0.014, sides=6, caps=False)


def cradle(shop: Workshop) -> None:
    """A baby's cot with bars all round and a small mattress."""
    w, d, h = shop.width, shop.depth, shop.height
    wood = shop.style.wood(shop.rng)
    for sx in (-1, 1):
        for sy in (-1, 1):
            x, y = sx * (w / 2 - 0.02), sy * (d / 2 - 0.02)
            shop.box(wood, (x - 0.02, y - 0.02, 0), (x + 0.02, y + 0.02, h), radius=0.006)
    for z in (0.26, h - 0.06):
        for s in (-1, 1):
            shop.box(
                wood,
                (-w / 2 + 0.04, s * (d / 2 - 0.02) - 0.012, z),
                (w / 2 - 0.04, s * (d / 2 - 0.02) + 0.012, z + 0.04),
            )
            shop.box(
                wood,
                (s * (w / 2 - 0.02) - 0.012, -d / 2 + 0.04, z),
                (s * (w / 2 - 0.02) + 0.012, d / 2 - 0.04, z + 0.04),
            )
    t = 0.007
    xs = np.linspace(-w / 2, w / 2, shop.scaled_count(w / 0.085, 6) + 2)[1:-1]
    ys = np.linspace(-d / 2, d / 2, shop.scaled_count(d / 0.1, 4) + 2)[1:-1]
    bars = [(x, s * (d / 2 - 0.02)) for x in xs for s in (-1, 1)] + [
        (s * (w / 2 - 0.02), y) for y in ys for s in (-1, 1)
    ]
    centres = np.column_stack([np.array(bars), np.full(len(bars), 0.3)])
    shop.boxes(wood, centres - (t, t, 0), np.add(centres, (t, t, h - 0.06 - 0.3)), along=2, faces="xXyY")
    shop.pad(
        shop.style.linen(shop.rng), (-w / 2 + 0.04, -d / 2 + 0.04, 0.28), (w / 2 - 0.04, d / 2 - 0.04, 0.4), radius=0.03
    )
    shop.pad(
        shop.style.textile(shop.rng),
        (-w / 2 + 0.4, -d / 2 + 0.05, 0.39),
        (w / 2 - 0.05, d / 2 - 0.05, 0.43),
        radius=0.018,
        puff=0.01,
    )


ENTRIES = {
    "bed": CatalogueEntry("bed", "floor", bed, (0.95, 2.02, 0.80), (1.85, 2.16, 1.20), 0.4),
    "bunk bed": CatalogueEntry("bed", "floor", bunk_bed, (2.02, 0.95, 1.55), (2.12, 1.05, 1.75), 0.5),
    "cradle": CatalogueEntry("cradle", "floor", cradle, (1.22, 0.64, 0.85), (1.40, 0.76, 1.00), 0.4),
}
