"""What hangs on walls and windows, and lies on floors: pictures, mirrors, clocks, curtains, blinds, rugs."""

from __future__ import annotations

import numpy as np

from ...meshes import primitives
from .workshop import CatalogueEntry, Workshop


def _framed(shop: Workshop, print_: str, frame: str, border: float, *, deep: float) -> None:
    """Add a print in a frame of four mitred-looking bars, its back at y = 0."""
    w, h = shop.width, shop.height
    shop.frame(frame, (-w / 2, 0, 0), (w / 2, deep, h), border, radius=0.25 * border if border > 0.03 else 0.0)
    shop.front_print(print_, -w / 2 + border, w / 2 - border, border, h - border, 0.45 * deep)


def _frame_material(shop: Workshop) -> str:
    return shop.pick(
        shop.style.wood(shop.rng), shop.style.metal(shop.rng), shop.style.black, shop.style.lacquer(shop.rng)
    )


def painting(shop: Workshop) -> None:
    """A framed painting."""
    border = shop.between(0.02, 0.06) * min(1.0, shop.width / 0.6 + 0.3)
    print_ = shop.make_print("picture", shop.width - 2 * border, shop.height - 2 * border)
    _framed(shop, print_, _frame_material(shop), border, deep=shop.between(0.02, 0.035))


def poster(shop: Workshop) -> None:
    """A poster, in a thin frame or pinned up as a sheet."""
    if shop.chance(0.5):
        print_ = shop.make_print("poster", shop.width - 0.03, shop.height - 0.03)
        _framed(shop, print_, shop.pick(shop.style.black, shop.style.wood(shop.rng)), 0.015, deep=0.016)
        return
    w, h = shop.width, shop.height
    shop.box(shop.style.paper, (-w / 2, 0, 0), (w / 2, 0.003, h), faces="xXzZy")
    shop.front_print(shop.make_print("poster", w, h), -w / 2, w / 2, 0, h, 0.003)
    for x in (-w / 2 + 0.02, w / 2 - 0.02):
        shop.box(
            shop.style.plastic(shop.rng), (x - 0.006, 0.003, h - 0.03), (x + 0.006, 0.008, h - 0.018), faces="xXYzZ"
        )


def mirror(shop: Workshop) -> None:
    """A mirror in a frame, rectangular or round."""
    w, h = shop.width, shop.height
    frame = _frame_material(shop)
    if abs(w - h) < 0.22 and shop.chance(0.7):
        rim = shop.between(0.02, 0.05)
        r, deep = w / 2, 0.025
        ring = primitives.revolve(
            [(r, 0), (r, 0.7 * deep), (r - 0.3 * rim, deep), (r - rim, deep), (r - rim, 0.5 * deep)],
            frame,
            detail=shop.detail,
            sides=28,
        )
        glass = primitives.revolve(
            [(r - rim, 0.5 * deep), (0, 0.5 * deep)], shop.style.mirror, detail=shop.detail, sides=28
        )
        for part in (ring, glass):
            upright = primitives.turned(part, 0, -np.pi / 2)
            shop.add(primitives.scaled(upright, (1, 1, h / w)))
        return
    border, deep = shop.between(0.015, 0.06), 0.025
    shop.frame(frame, (-w / 2, 0, 0), (w / 2, deep, h), border)
    shop.box(shop.style.mirror, (-w / 2 + border, 0.005, border), (w / 2 - border, 0.012, h - border), faces="Y")


def clock(shop: Workshop) -> None:
    """A wall clock with its dial in a round or square rim."""
    r, deep = shop.width / 2, shop.depth
    rim = 0.1 * r
    frame = _frame_material(shop)
    face = shop.make_print("dial", 0.3, 0.3)
    if shop.chance(0.75):
        ring = primitives.revolve(
            [(r, 0), (r, 0.8 * deep), (r - 0.4 * rim, deep), (r - rim, deep), (r - rim, 0.6 * deep)],
            frame,
            detail=shop.detail,
            sides=24,
        )
        shop.add(primitives.moved(primitives.turned(ring, 0, -np.pi / 2), (0, 0, r)))
        _round_face(shop, face, r - rim, 0.6 * deep, r)
    else:
        shop.frame(frame, (-r, 0, 0), (r, deep, 2 * r), rim)
        shop.front_print(face, -r + rim, r - rim, rim, 2 * r - rim, 0.6 * deep)


def _round_face(shop: Workshop, face: str, radius: float, y: float, z: float) -> None:
    """Add a disc that faces the front and shows the middle circle of a square print."""
    disc = primitives.turned(
        primitives.revolve([(radius, 0.0), (0, 0.0)], face, detail=shop.detail, sides=24), 0, -np.pi / 2
    )
    size = shop.style.materials.tile_size(face)
    share = 0.5 - disc.vertices[:, [0, 2]] / (2.04 * radius)
    shop.add(primitives.Part(np.add(disc.vertices, (0, y, z)), disc.normals, share * size, disc.triangles, face))


def bulletin_board(shop: Workshop) -> None:
    """A cork board with notes and cards pinned on."""
    w, h = shop.width, shop.height
    _plate(shop, shop.style.cork, shop.style.wood(shop.rng), w, h)
    for _ in range(int(shop.rng.integers(4, 9))):
        a, b = shop.between(0.04, 0.09), shop.between(0.05, 0.1)
        x, z = shop.between(-0.5, 0.5) * (w - 2 * a - 0.08), h / 2 + shop.between(-0.5, 0.5) * (h - 2 * b - 0.08)
        shop.front_print(shop.style.cover(shop.rng), x - a, x + a, z - b, z + b, 0.0135 + shop.between(0, 0.002))


def _plate(shop: Workshop, face: str, frame: str, w: float, h: float) -> None:
    shop.box(frame, (-w / 2, 0, 0), (w / 2, 0.01, h))
    shop.box(face, (-w / 2 + 0.02, 0.01, 0.02), (w / 2 - 0.02, 0.013, h - 0.02), faces="xXYzZ")
    shop.frame(frame, (-w / 2, 0.01, 0), (w / 2, 0.02, h), 0.02)


def curtain(shop: Workshop) -> None:
    """Curtains on a rod with finials: two drawn-back halves, or one wing where the width is small."""
    w, d, h = shop.width, shop.depth, shop.height
    cloth = shop.style.curtain_cloth
    rod = shop.style.metal(shop.rng)
    y = d / 2
    shop.rod(rod, [(-w / 2 + 0.02, y, h - 0.02), (w / 2 - 0.02, y, h - 0.02)], 0.012)
    for side in (-1, 1):
        shop.add(
            primitives.sphere((side * (w / 2 - 0.02), y, h - 0.02), (0.02, 0.02, 0.02), rod, detail=0.5 * shop.detail)
        )
        shop.rod(rod, [(side * (w / 2 - 0.08), 0, h - 0.02), (side * (w / 2 - 0.08), y, h - 0.02)], 0.007, sides=5)
    if w < 0.75:
        _wing(shop, cloth, -w / 2 + 0.05, w / 2 - 0.05, y, h)
    else:
        share = shop.between(0.16, 0.24)
        _wing(shop, cloth, -w / 2 + 0.04, -w / 2 + 0.04 + share * w, y, h)
        _wing(shop, cloth, w / 2 - 0.04 - share * w, w / 2 - 0.04, y, h)


def _wing(shop: Workshop, cloth: str, x0: float, x1: float, y: float, h: float) -> None:
    """Add one hanging cloth whose folds grow irregular and wider downwards."""
    folds = max(2, round((x1 - x0) / shop.between(0.10, 0.13) * min(1.0, shop.detail) ** 0.4))
    across = round(max(7.0, 9 * np.sqrt(shop.detail)) * folds)
    down = max(3, round(5 * np.sqrt(shop.detail)))
    s, t = np.meshgrid(np.linspace(1, 0, across + 1), np.linspace(0, 1, down + 1))
    phase, sway = shop.between(0, 6), shop.between(-0.5, 0.5)
    wave = np.sin(2 * np.pi * folds * s + phase + sway * t * np.sin(4 * s))
    deep = shop.depth / 2 - 0.008
    points = np.empty((*s.shape, 3))
    points[..., 0] = x0 + s * (x1 - x0) + 0.005 * t * np.sin(2 * np.pi * folds * s + phase + 1.3)
    points[..., 1] = y + deep * (0.55 + 0.3 * t) * wave
    points[..., 2] = (h - 0.035) * (1 - t) + 0.0 * s
    shop.add(primitives.sheets(points[None], cloth, thickness=0.0015))


def blind(shop: Workshop) -> None:
    """A Venetian blind of slats, or a roller blind, drawn down part of the way."""
    w, d, h = shop.width, shop.depth, shop.height
    if shop.chance(0.5):
        slats = shop.style.lacquer(shop.rng) if shop.chance(0.5) else shop.style.wood(shop.rng)
        shop.box(slats, (-w / 2, 0, h - 0.045), (w / 2, d, h))
        z = np.arange(0.03, h - 0.06, 0.05 if shop.detail >= 0.5 else 0.1)
        lows = np.stack([np.full_like(z, -w / 2 + 0.01), np.full_like(z, 0.1 * d), z], axis=-1)
        shop.boxes(slats, lows, np.add(lows, (w - 0.02, 0.8 * d, 0.004)), along=0)
        shop.box(slats, (-w / 2 + 0.01, 0.1 * d, 0), (w / 2 - 0.01, 0.9 * d, 0.02))
        for x in (-0.35 * w, 0.35 * w):
            shop.box(
                shop.style.paper,
                (x - 0.003, 0.5 * d - 0.001, 0.02),
                (x + 0.003, 0.5 * d + 0.001, h - 0.045),
                faces="xXyY",
            )
    else:
        shop.rod(shop.style.white, [(-w / 2, d / 2, h - d / 2), (w / 2, d / 2, h - d / 2)], d / 2 - 0.001, sides=12)
        shop.box(
            shop.style.curtain_cloth,
            (-w / 2 + 0.015, 0.5 * d - 0.002, 0.015),
            (w / 2 - 0.015, 0.5 * d + 0.002, h - 0.5 * d),
        )
        shop.box(shop.style.white, (-w / 2 + 0.015, 0.5 * d - 0.008, 0), (w / 2 - 0.015, 0.5 * d + 0.008, 0.015))


def rug(shop: Workshop) -> None:
    """A rug, rectangular with fringes, or round."""
    w, d, h = shop.width, shop.depth, shop.height
    if abs(w - d) < 0.12 * w and shop.chance(0.6):
        _round_rug(shop, w / 2, d / 2, h)
        return
    fringe = 0.04 if shop.chance(0.5) and w > 1.0 else 0.0
    a = w / 2 - fringe
    print_ = shop.make_print("carpet", 2 * a, d)
    shop.top_print(print_, -a, a, -d / 2, d / 2, h)
    shop.box(shop.style.paper, (-a, -d / 2, 0), (a, d / 2, h), faces="xXyYz")
    if fringe:
        count = shop.scaled_count(d / 0.035, 6)
        y = np.linspace(-d / 2, d / 2, count, endpoint=False)
        for x0, x1 in ((-w / 2, -a), (a, w / 2)):
            lows = np.stack([np.full(count, x0), y, np.full(count, 0.0)], axis=-1)
            shop.boxes(shop.style.paper, lows, np.add(lows, (x1 - x0, 0.5 * d / count, 0.5 * h)), faces="xXyYZ")


def _round_rug(shop: Workshop, rx: float, ry: float, h: float) -> None:
    shop.loft(shop.style.paper, [(0, 0, 0, rx, ry), (0, 0, h, rx, ry)], sides=28)
    print_ = shop.make_print("carpet", 2 * rx, 2 * ry)
    part = primitives.loft([(0, 0, h, rx, ry), (0, 0, h, 0, 0)], print_, detail=shop.detail, sides=28)
    size = np.array(shop.style.materials.tile_size(print_))
    share = 0.5 - part.vertices[:, :2] / (2.02 * rx, -2.02 * ry)
    shop.add(primitives.Part(part.vertices, part.normals, share * size, part.triangles, print_))


ENTRIES = {
    "painting": CatalogueEntry("painting", "wall", painting, (0.35, 0.02, 0.28), (1.20, 0.04, 0.90)),
    "poster": CatalogueEntry("poster", "wall", poster, (0.40, 0.01, 0.55), (0.72, 0.02, 1.00)),
    "mirror": CatalogueEntry("mirror", "wall", mirror, (0.45, 0.02, 0.50), (0.80, 0.03, 1.10)),
    "clock": CatalogueEntry("clock", "wall", clock, (0.22, 0.03, 0.22), (0.40, 0.05, 0.40)),
    "bulletin board": CatalogueEntry("bulletin board", "wall", bulletin_board, (0.60, 0.02, 0.45), (1.10, 0.02, 0.75)),
    "curtain": CatalogueEntry("curtain", "wall", curtain, (1.30, 0.10, 2.00), (2.20, 0.14, 2.40)),
    "blind": CatalogueEntry("blind", "wall", blind, (0.80, 0.05, 0.50), (1.50, 0.06, 1.30)),
    "rug": CatalogueEntry("rug", "floor", rug, (1.20, 0.80, 0.010), (2.80, 1.90, 0.014)),
}
