"""What people sit on."""

from __future__ import annotations

import numpy as np

from ...meshes import primitives
from .workshop import CatalogueEntry, Workshop


def chair(shop: Workshop) -> None:
    """A dining chair: four legs, a seat, a back of slats, rails, a board or upholstery."""
    w, d, h = shop.width, shop.depth, shop.height
    frame = shop.style.metal(shop.rng) if shop.chance(0.15) else shop.style.wood(shop.rng)
    seat, thick = shop.between(0.44, 0.47), shop.between(0.03, 0.042)
    x, front, back = w / 2 - thick, d / 2 - thick, -d / 2 + thick
    rake = shop.between(0.0, 0.05)
    round_ = shop.chance(0.3)
    for side in (-1, 1):
        shop.leg(frame, (side * x, front, seat - 0.02), (side * x, front), thick, shop.between(0.6, 1.0), round_=round_)
        shop.leg(frame, (side * x, back, seat), (side * x, back - 0.5 * rake), thick, 0.75, round_=round_)
        shop.rod(frame, [(side * x, back, seat - 0.03), (side * x, back - rake, h)], thick * 0.45, sides=6)
    padded = shop.chance(0.4)
    if padded:
        shop.pad(
            shop.style.upholstery(shop.rng),
            (-w / 2, -d / 2 + 0.02, seat - 0.03),
            (w / 2, d / 2, seat + 0.03),
            radius=0.025,
            puff=0.012,
        )
    else:
        shop.box(frame, (-w / 2, -d / 2 + 0.02, seat - 0.015), (w / 2, d / 2, seat + 0.015), radius=0.012)
    _chair_back(shop, frame, x, back, rake, seat, h, padded=padded)
    if shop.chance(0.5):
        z = shop.between(0.15, 0.25)
        for side in (-1, 1):
            shop.rod(frame, [(side * x, back, z), (side * x, front, z)], 0.011, sides=5, caps=False)


def _chair_back(
    shop: Workshop, frame: str, x: float, back: float, rake: float, seat: float, h: float, *, padded: bool
) -> None:
    def y_at(z: float) -> float:
        return back - rake * (z - seat) / (h - seat)

    top = h - 0.075
    shop.box(frame, (-x, y_at(h) - 0.012, top), (x, y_at(h) + 0.012, h), radius=0.01)
    kind = shop.pick("slats", "rails", "board")
    if padded:
        shop.pad(
            shop.style.upholstery(shop.rng),
            (-x, y_at(h) - 0.02, seat + 0.14),
            (x, y_at(seat) + 0.03, h),
            radius=0.02,
            puff=0.01,
            axis=1,
        )
    elif kind == "slats":
        for u in np.linspace(-x, x, shop.scaled_count(shop.between(5, 8), 3) + 2)[1:-1]:
            shop.rod(frame, [(u, back, seat), (u, y_at(top), top + 0.01)], 0.008, sides=5, caps=False)
    elif kind == "rails":
        for z in np.linspace(seat, top, int(shop.between(3, 5)))[1:-1]:
            shop.box(frame, (-x, y_at(z) - 0.009, z - 0.025), (x, y_at(z) + 0.009, z + 0.03))
    else:
        shop.box(frame, (-0.45 * x, y_at(top) - 0.008, seat), (0.45 * x, y_at(seat) + 0.008, top))


def swivel_chair(shop: Workshop) -> None:
    """An office chair on a five-pointed foot with castors, gas lift, padded seat and back, often arms."""
    w, d, h = shop.width, shop.depth, shop.height
    cloth, dark = shop.style.upholstery(shop.rng), shop.style.black
    metal = shop.style.chrome if shop.chance(0.5) else dark
    reach = min(w, d) / 2 - 0.03
    for k in range(5):
        angle = 2 * np.pi * k / 5 + np.pi / 2
        x, y = reach * np.cos(angle), reach * np.sin(angle)
        shop.rod(metal, [(0, 0, 0.12), (x, y, 0.075)], [0.028, 0.018], sides=6)
        shop.add(primitives.sphere((x, y, 0.03), (0.028, 0.028, 0.03), dark, detail=0.45 * shop.detail))
    seat = shop.between(0.46, 0.52)
    shop.add(primitives.cylinder((0, 0, 0.08), 0.028, seat - 0.14, metal, detail=shop.detail, sides=8))
    sw, sd = 0.42 * w + 0.02, 0.4 * d
    shop.pad(cloth, (-sw, -sd, seat - 0.06), (sw, sd + 0.02, seat + 0.04), radius=0.04, puff=0.012)
    shop.rod(
        dark,
        primitives.bend([(0, -sd * 0.6, seat - 0.05), (0, -sd - 0.05, seat), (0, -sd - 0.05, seat + 0.2)], shop.detail),
        0.022,
        sides=6,
    )
    shop.pad(cloth, (-0.9 * sw, -sd - 0.06, seat + 0.14), (0.9 * sw, -sd + 0.02, h), radius=0.035, puff=0.012, axis=1)
    if shop.chance(0.7):
        for side in (-1, 1):
            x = side * (sw + 0.02)
            path = [(side * sw * 0.8, 0, seat - 0.05), (x, 0, seat), (x, 0, seat + 0.2)]
            shop.rod(dark, path, 0.016, sides=6)
            shop.box(dark, (x - 0.03, -0.13, seat + 0.2), (x + 0.03, 0.13, seat + 0.23), radius=0.014)


def sofa(shop: Workshop) -> None:
    """A sofa: base, arms, back, loose seat and back cushions, a few throw cushions."""
    _upholstered(shop, max(1, round((shop.width - 0.35) / shop.between(0.62, 0.8))))


def armchair(shop: Workshop) -> None:
    """An easy chair built like a sofa for one, or a wooden one with loose cushions."""
    if shop.chance(0.7):
        _upholstered(shop, 1)
        return
    w, d, h = shop.width, shop.depth, shop.height
    wood, cloth = shop.style.wood(shop.rng), shop.style.upholstery(shop.rng)
    for side in (-1, 1):
        x = side * (w / 2 - 0.03)
        shop.rod(wood, [(x, d / 2 - 0.06, 0), (x, d / 2 - 0.1, 0.58)], [0.016, 0.024])
        shop.rod(wood, [(x, -d / 2 + 0.04, 0), (x, -d / 2 + 0.14, 0.58)], [0.016, 0.024])
        shop.box(wood, (x - 0.03, -d / 2 + 0.04, 0.57), (x + 0.03, d / 2 - 0.04, 0.6), radius=0.012)
    half = w / 2 - 0.05
    for y in (-d / 2 + 0.14, d / 2 - 0.14):
        shop.box(wood, (-half, y - 0.02, 0.26), (half, y + 0.02, 0.31))
    shop.pad(cloth, (-half, -d / 2 + 0.16, 0.3), (half, d / 2 - 0.04, 0.45), radius=0.05, puff=0.02)
    part = primitives.rounded_box(
        (-half, -d / 2 + 0.06, 0.36), (half, -d / 2 + 0.2, h), 0.05, cloth, detail=shop.detail, puff=0.02, puff_axis=1
    )
    shop.add(primitives.turned(part, 0, 0.16, (0, -d / 2 + 0.2, 0.36)))


def _upholstered(shop: Workshop, seats: int) -> None:
    w, d, h = shop.width, shop.depth, shop.height
    cloth = shop.style.upholstery(shop.rng)
    arm, foot = shop.between(0.12, 0.24), shop.between(0.05, 0.15)
    arm_height = shop.between(0.52, 0.66)
    seat, back = shop.between(0.4, 0.46), shop.between(0.16, 0.24)
    base_top = seat - shop.between(0.12, 0.16)
    soft = shop.between(0.03, 0.07)
    shop.box(cloth, (-w / 2 + 0.02, -d / 2 + 0.02, foot), (w / 2 - 0.02, d / 2 - 0.02, base_top))
    shop.pad(cloth, (-w / 2 + 0.01, -d / 2, foot + 0.01), (w / 2 - 0.01, -d / 2 + back, h - 0.06), radius=soft)
    for x0 in (-w / 2, w / 2 - arm):
        shop.pad(cloth, (x0, -d / 2 + 0.01, foot), (x0 + arm, d / 2 - 0.01, arm_height), radius=soft)
    inner, step = w / 2 - arm, (w - 2 * arm) / seats
    for i in range(seats):
        x0, x1 = -inner + i * step + 0.004, -inner + (i + 1) * step - 0.004
        shop.pad(cloth, (x0, -d / 2 + back - 0.02, base_top), (x1, d / 2, seat), radius=0.04, puff=0.022)
        cushion = primitives.rounded_box((x0, -d / 2 + back - 0.04, seat - 0.01), (x1, -d / 2 + back + 0.14, h), 0.06,
                                         cloth, detail=shop.detail, puff=0.03, puff_axis=1)  # fmt: skip
        shop.add(primitives.turned(cushion, 0, 0.1, (0, -d / 2 + back, seat)))
    legs = shop.style.metal(shop.rng) if shop.chance(0.3) else shop.style.wood(shop.rng)
    shop.four_legs(legs, w / 2 - 0.08, d / 2 - 0.08, foot, 0.05)
    for _ in range(int(shop.rng.integers(0, seats + 1))):
        _throw_cushion(shop, shop.between(-inner + 0.2, inner - 0.2) if inner > 0.4 else 0.0, -d / 2 + back + 0.2, seat)


def _throw_cushion(shop: Workshop, x: float, y: float, z: float) -> None:
    side = shop.between(0.36, 0.46)
    part = primitives.cushion(
        (-side / 2, -side / 2, -0.07),
        (side / 2, side / 2, 0.07),
        shop.style.textile(shop.rng),
        detail=0.8 * shop.detail,
    )
    part = primitives.turned(part, 2, shop.between(-0.2, 0.2))
    part = primitives.turned(part, 0, -np.pi / 2 + shop.between(0.25, 0.45))
    shop.add(primitives.moved(part, (x, y, z + 0.46 * side)))


def stool(shop: Workshop) -> None:
    """A stool with a round or square seat on three or four splayed legs, or a bar stool with a foot ring."""
    w, h = shop.width, shop.height
    wood = shop.style.wood(shop.rng)
    frame = shop.style.metal(shop.rng) if shop.chance(0.4) else wood
    seat = shop.style.upholstery(shop.rng) if shop.chance(0.35) else wood
    r = w / 2 - 0.02
    shop.turned(
        seat, [(0, h - 0.045), (r - 0.01, h - 0.045), (r, h - 0.035), (r, h - 0.012), (r - 0.012, h), (0, h)], sides=18
    )
    legs = shop.pick(3, 4, 4)
    ends = [2 * np.pi * (k + 0.5) / legs for k in range(legs)]
    for a in ends:
        shop.rod(
            frame,
            [(r * np.cos(a), r * np.sin(a), 0), (0.62 * r * np.cos(a), 0.62 * r * np.sin(a), h - 0.04)],
            [0.012, 0.018],
        )
    z, ring = 0.35 * h, 0.87 * r
    corners = [(ring * np.cos(a), ring * np.sin(a), z) for a in ends]
    for start, end in zip(corners, corners[1:] + corners[:1], strict=True):
        shop.rod(frame, [start, end], 0.009, sides=5, caps=False)


def bench(shop: Workshop) -> None:
    """A bench: a plank or a cushion on two trestles or four legs."""
    w, d, h = shop.width, shop.depth, shop.height
    wood = shop.style.wood(shop.rng)
    top = h - (0.06 if shop.chance(0.5) else 0.0)
    shop.box(wood, (-w / 2, -d / 2, top - 0.04), (w / 2, d / 2, top), radius=0.01)
    if top < h:
        shop.pad(
            shop.style.textile(shop.rng),
            (-w / 2 + 0.01, -d / 2 + 0.01, top),
            (w / 2 - 0.01, d / 2 - 0.01, h),
            radius=0.025,
            puff=0.01,
        )
    if shop.chance(0.5):
        for x in (-w / 2 + 0.08, w / 2 - 0.12):
            shop.box(wood, (x, -d / 2 + 0.02, 0), (x + 0.04, d / 2 - 0.02, top - 0.04))
        shop.box(wood, (-w / 2 + 0.12, -0.015, 0.45 * h), (w / 2 - 0.12, 0.015, 0.45 * h + 0.07))
    else:
        shop.four_legs(wood, w / 2 - 0.06, d / 2 - 0.05, top - 0.04, 0.045)


def ottoman(shop: Workshop) -> None:
    """A footstool: a soft block on short legs, or a round pouf."""
    w, d, h = shop.width, shop.depth, shop.height
    cloth = shop.style.upholstery(shop.rng) if shop.chance(0.6) else shop.style.textile(shop.rng)
    if shop.chance(0.4):
        r, s = w / 2, d / 2
        rings = [
            (0, 0, z * h, k * r, k * s)
            for k, z in ((0, 0), (0.9, 0.0), (0.99, 0.25), (1.0, 0.5), (0.99, 0.75), (0.88, 0.96), (0.5, 1.0), (0, 1.0))
        ]
        shop.loft(cloth, rings, sides=18)
        return
    shop.pad(cloth, (-w / 2, -d / 2, 0.1), (w / 2, d / 2, h), radius=0.045, puff=0.02)
    shop.four_legs(shop.style.wood(shop.rng), w / 2 - 0.06, d / 2 - 0.06, 0.11, 0.04)


ENTRIES = {
    "chair": CatalogueEntry("chair", "floor", chair, (0.40, 0.44, 0.80), (0.48, 0.52, 0.98), 0.3),
    "swivel chair": CatalogueEntry("swivel chair", "floor", swivel_chair, (0.58, 0.58, 0.90), (0.68, 0.68, 1.15), 0.3),
    "sofa": CatalogueEntry("sofa", "floor", sofa, (1.45, 0.82, 0.74), (2.50, 1.00, 0.92), 0.5),
    "armchair": CatalogueEntry("armchair", "floor", armchair, (0.72, 0.76, 0.78), (0.98, 0.92, 0.98), 0.5),
    "stool": CatalogueEntry("stool", "floor", stool, (0.32, 0.32, 0.43), (0.42, 0.42, 0.75), 0.2),
    "bench": CatalogueEntry("bench", "floor", bench, (0.90, 0.33, 0.43), (1.50, 0.42, 0.50), 0.3),
    "ottoman": CatalogueEntry("ottoman", "floor", ottoman, (0.45, 0.42, 0.36), (0.85, 0.62, 0.45), 0.2),
}
