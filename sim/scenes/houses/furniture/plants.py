"""House plants: leaves of several habits over pots."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...meshes import primitives
from .workshop import CatalogueEntry, Workshop

Array = NDArray[Any]


def plant(shop: Workshop) -> None:
    """A large plant in a pot on the floor: a rubber tree, a palm, a snake plant or a bushy one."""
    r, h = shop.width / 2, shop.height
    pot_height = min(shop.between(0.24, 0.34), 0.4 * h)
    pot_radius = min(shop.between(0.13, 0.18), 0.75 * r)
    _pot(shop, pot_radius, pot_height)
    kind = shop.pick("tree", "palm", "blades", "bush")
    _GROW[kind](shop, 0.9 * pot_height, h, r, pot_radius)


def potted_plant(shop: Workshop) -> None:
    """A small plant in a pot, for tables and sills: leafy, spiky, trailing or a cactus."""
    r, h = shop.width / 2, shop.height
    pot_height = 0.42 * h
    pot_radius = min(0.62 * r, 0.5 * pot_height + 0.02)
    _pot(shop, pot_radius, pot_height)
    kind = shop.pick("bush", "bush", "blades", "cactus")
    if kind == "cactus":
        _cactus(shop, pot_height, h, pot_radius)
    else:
        _GROW[kind](shop, 0.9 * pot_height, h, r, pot_radius)


def flower(shop: Workshop) -> None:
    """Cut flowers in a vase."""
    r, h = shop.width / 2, shop.height
    vase_height, mouth = 0.48 * h, 0.3 * r
    body = [
        (0.0, 0.0),
        (0.5 * r, 0.0),
        (0.6 * r, 0.35 * vase_height),
        (mouth, 0.85 * vase_height),
        (1.15 * mouth, vase_height),
    ]
    shop.turned(
        shop.style.ceramic(shop.rng),
        [
            *primitives.curve(body, shop.detail),
            (mouth, vase_height),
            (0.8 * mouth, 0.7 * vase_height),
            (0, 0.7 * vase_height),
        ],
    )
    count = shop.scaled_count(shop.between(6, 11), 3)
    petal, leaf = shop.style.textile(shop.rng), shop.style.leaf(shop.rng)
    for k in range(count):
        angle, reach = 2.4 * k, r * np.sqrt((k + 0.5) / count) * 0.72
        tip = (reach * np.cos(angle), reach * np.sin(angle), h - 0.05 - 0.25 * reach - shop.scatter.uniform(0, 0.06))
        shop.rod(
            leaf,
            primitives.bend(
                [(0, 0, 0.75 * vase_height), (0.35 * tip[0], 0.35 * tip[1], vase_height + 0.04), tip], 0.4 * shop.detail
            ),
            0.0035,
            sides=5,
            caps=False,
        )
        size = shop.scatter.uniform(0.03, 0.045)
        bloom = primitives.revolve(
            [
                (0.2 * size, 0),
                (size, 0.55 * size),
                (0.75 * size, 0.7 * size),
                (0.3 * size, 0.45 * size),
                (0, 0.6 * size),
            ],
            petal,
            detail=0.6 * shop.detail,
            sides=10,
        )
        bloom = primitives.turned(primitives.turned(bloom, 1, 0.5 * reach / r), 2, angle)
        shop.add(primitives.moved(bloom, tip))
    _leaves(shop, leaf, _fan(shop, shop.scaled_count(6, 3), vase_height, 0.2 * r, 0.3, 0.9), 0.13, 0.035)


def _pot(shop: Workshop, radius: float, height: float) -> None:
    """Add a pot or a woven planter with its soil."""
    material = shop.style.ceramic(shop.rng) if shop.chance(0.75) else shop.style.wicker(shop.rng)
    lower = shop.between(0.65, 0.95)
    t = 0.06 * radius
    profile = [
        (0.0, 0.0),
        (lower * radius, 0.0),
        (radius, 0.88 * height),
        (1.04 * radius, 0.88 * height),
        (1.04 * radius, height),
        (radius - t, height),
        (radius - t, 0.88 * height),
    ]
    shop.turned(material, profile, sides=16)
    shop.turned(shop.style.soil, [(radius - t, 0.88 * height), (0, 0.91 * height)], sides=12)


def _fan(shop: Workshop, count: int, z: float, reach: float, low: float, high: float) -> tuple[Array, Array]:
    """Return bases (N, 3) on a small ring and upward-leaning directions (N, 3), spread by the golden angle.

    ``low`` and ``high`` bound the elevation in radians.
    """
    angle = 2.39996 * np.arange(count) + shop.scatter.uniform(0, 6) + shop.scatter.normal(0, 0.2, count)
    elevation = shop.scatter.uniform(low, high, count)
    flat = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    base = np.column_stack([reach * flat, np.full(count, z)])
    return base, np.column_stack([flat * np.cos(elevation)[:, None], np.sin(elevation)])


def _leaves(shop: Workshop, material: str, fan: tuple[Array, Array], length: float | Array, width: float | Array, *,
            droop: float = 0.35, shape: float = 0.8) -> None:  # fmt: skip
    """Add leaves that start at bases along directions (N, 3), bend down by ``droop`` and are folded along their midrib.

    ``shape`` below 1 moves the widest place towards the base.
    """
    base, forward = fan
    count = len(base)
    length, width = (np.broadcast_to(np.asarray(a, dtype=np.float64), count) for a in (length, width))
    level = np.array([0.0, 0.0, 1.0])
    side = np.cross(forward, level)
    side /= np.maximum(np.linalg.norm(side, axis=-1, keepdims=True), 1e-9)
    up = np.cross(side, forward)
    steps = max(3, round(4 * np.sqrt(shop.detail)))
    t = np.linspace(0.0, 1.0, steps + 1)
    outline = np.sin(np.pi * t**shape) ** 1.2
    outline[0], outline[-1] = 0.06, 0.0
    across = np.array([-1.0, 0.0, 1.0]) if shop.detail < 3 else np.linspace(-1, 1, 5)
    spine = base[:, None] + length[:, None, None] * (t[:, None] * forward[:, None] - droop * (t**2)[:, None] * level)
    half = 0.5 * width[:, None] * outline
    points = (spine[:, :, None] + half[..., None, None] * across[:, None] * side[:, None, None]
              + 0.25 * half[..., None, None] * np.abs(across)[:, None] * up[:, None, None])  # fmt: skip
    # Rows run from the tip to the base, columns to the right, as seen from above.
    part = primitives.sheets(points[:, ::-1], material, thickness=0.0012)
    _, size = shop.style.materials.tile_size(material)
    # The texture's midrib is the middle of its height and runs along u.
    uvs = np.stack([part.uvs[:, 1], 0.5 * size + part.uvs[:, 0] - np.median(part.uvs[:, 0])], axis=-1)
    shop.add(primitives.Part(part.vertices, part.normals, uvs, part.triangles, material))


def _tree(shop: Workshop, z: float, h: float, r: float, pot: float) -> None:
    """A trunk with large leaves all the way up, as a rubber or fig tree has."""
    wood = shop.style.wood(shop.rng)
    material = shop.style.leaf(shop.rng)
    length = min(shop.between(0.2, 0.3), 0.8 * r)
    for _ in range(shop.pick(1, 2, 3)):
        dx, dy = shop.rng.normal(0, 0.25 * r, 2)
        path = primitives.bend([(0.2 * dx, 0.2 * dy, z), (0.5 * dx, 0.5 * dy, 0.6 * h), (dx, dy, 0.9 * h)], shop.detail)
        shop.rod(wood, path, np.linspace(0.016, 0.008, len(path)), sides=6)
        count = shop.scaled_count(shop.between(14, 20), 8)
        base, forward = _fan(shop, count, 0.0, 0.0, -0.1, 0.9)
        at = np.linspace(0.35, 1.0, count) ** 0.8
        base = np.stack([np.interp(at, np.linspace(0, 1, len(path)), path[:, k]) for k in range(3)], axis=-1)
        _leaves(
            shop, material, (base, forward), length * shop.scatter.uniform(0.7, 1.1, count), 0.5 * length, droop=0.3
        )


def _palm(shop: Workshop, z: float, h: float, r: float, pot: float) -> None:
    """Arching fronds with rows of narrow leaflets."""
    material = shop.style.leaf(shop.rng)
    fronds = max(5, round(shop.between(5, 8) * min(1.0, shop.detail) ** 0.3))
    base, forward = _fan(shop, fronds, z, 0.03, 0.25, 1.15)
    leaflets = shop.scaled_count(9, 5)
    t = np.linspace(0.3, 1.0, leaflets)
    s = np.linspace(0.0, 1.0, 7)[:, None]
    for start, direction in zip(base, forward, strict=True):
        flat = np.array([direction[0], direction[1], 0.0]) / np.hypot(direction[0], direction[1])
        lean = 1.0 - direction[2]  # fronds that lean out arch lower
        rise = (h - z) * ((1.0 - 0.4 * lean) * s - (0.1 + 1.2 * lean) * s**2.4 * 0.7)
        path = start + 0.85 * r * (0.3 + 1.0 * lean) / 1.05 * s * flat + rise * (0.0, 0.0, 1.0)
        shop.rod(material, path, np.linspace(0.008, 0.003, 7), sides=5, caps=False)
        points = np.stack([np.interp(t, s[:, 0], path[:, k]) for k in range(3)], axis=-1)
        along = np.gradient(points, axis=0)
        along /= np.linalg.norm(along, axis=-1, keepdims=True)
        side = np.cross(along, (0, 0, 1.0))
        side /= np.maximum(np.linalg.norm(side, axis=-1, keepdims=True), 1e-9)
        sign = np.where(np.arange(leaflets) % 2, 1.0, -1.0)[:, None]
        heading = 0.65 * sign * side + 0.75 * along
        _leaves(
            shop,
            material,
            (points, heading / np.linalg.norm(heading, axis=-1, keepdims=True)),
            0.5 * r * (1.15 - 0.6 * t),
            0.03 if shop.detail > 0.4 else 0.06,
            droop=0.3,
        )


def _blades(shop: Workshop, z: float, h: float, r: float, pot: float) -> None:
    """Stiff upright blades, as a snake plant has."""
    count = shop.scaled_count(shop.between(9, 15), 5)
    fan = _fan(shop, count, z, 0.4 * pot, 1.15, 1.5)
    length = (h - z) * shop.scatter.uniform(0.6, 1.0, count)
    _leaves(shop, shop.style.leaf(shop.rng), fan, length, max(0.03, 0.4 * pot), droop=0.0, shape=0.6)


def _bush(shop: Workshop, z: float, h: float, r: float, pot: float) -> None:
    """Many leaves on short stalks, in a dome that hangs over the pot's rim."""
    count = shop.scaled_count(shop.between(26, 40), 12)
    _, forward = _fan(shop, count, z, 0.0, 0.0, 1.45)
    crown = np.array([0.0, 0.0, z + 0.05 * (h - z)])
    size = 0.45 * min(r, h - z) * (1.35 if shop.detail < 0.4 else 1.0)
    inner = shop.scatter.uniform(0.25, 0.62, count)[:, None]
    base = crown + forward * inner * (r, r, h - z)
    leaf = shop.style.leaf(shop.rng)
    for start in base[:: max(1, count // shop.scaled_count(9, 3))]:
        shop.rod(
            leaf, [(0.1 * start[0], 0.1 * start[1], z), tuple(start)], 0.004 * max(0.4, r / 0.3), sides=5, caps=False
        )
    _leaves(shop, leaf, (base, forward), size * shop.scatter.uniform(0.7, 1.15, count), 0.62 * size, droop=0.45)


def _cactus(shop: Workshop, z: float, h: float, pot: float) -> None:
    leaf, r = shop.style.leaf(shop.rng), 0.62 * pot
    body = [(0.75 * r, 0.9 * z), (r, 0.5 * (z + h)), (0.8 * r, 0.93 * h), (0.0, h)]
    shop.turned(leaf, body, smooth=True, sides=14)
    if shop.chance(0.6):
        arm = [
            (0, 0, 0.55 * (z + h)),
            (1.3 * r, 0, 0.55 * (z + h)),
            (1.7 * r, 0, 0.62 * (z + h)),
            (1.7 * r, 0, 0.9 * h),
        ]
        shop.rod(leaf, primitives.bend(arm, shop.detail), 0.28 * r)


_GROW = {"tree": _tree, "palm": _palm, "blades": _blades, "bush": _bush}

ENTRIES = {
    "plant": CatalogueEntry("plant", "floor", plant, (0.55, 0.55, 0.80), (0.85, 0.85, 1.70)),
    "potted plant": CatalogueEntry("plant", "surface", potted_plant, (0.16, 0.16, 0.18), (0.30, 0.30, 0.36)),
    "flower": CatalogueEntry("flower", "surface", flower, (0.18, 0.18, 0.30), (0.28, 0.28, 0.48)),
}
