"""Rows of books on shelves."""

from __future__ import annotations

import numpy as np

from ...looks.prints import SPINE
from ...meshes import primitives
from .workshop import Workshop


def book_row(
    shop: Workshop, x0: float, x1: float, y0: float, y1: float, z: float, room: float, *, fill: float = 1.0
) -> None:
    """Stand books from ``x0`` to about ``fill`` of the way to ``x1``, their spines towards the front near ``y1``."""
    rng, spines = shop.scatter, shop.style.books(shop.rng)
    group = 1 if shop.detail >= 0.6 else 3 if shop.detail >= 0.3 else 6
    thick = rng.gamma(7.0, 0.0045, 400) + 0.008
    if group > 1:
        thick = thick[: 400 // group * group].reshape(-1, group).sum(axis=1)
    edges = x0 + np.concatenate([[0.0], np.cumsum(thick)])
    count = int(np.searchsorted(edges, x0 + fill * (x1 - x0), side="right")) - 1
    if count < 1 or room < 0.08:
        return
    tall = np.minimum(np.clip(rng.normal(0.225, 0.035, count), 0.15, 0.32), room)
    deep = np.minimum(tall * rng.uniform(0.62, 0.8, count), y1 - y0)
    front = y1 - rng.uniform(0.0, 0.025, count) - 0.35 * max(0.0, (y1 - y0) - 0.24)
    back = np.maximum(front - deep, y0)
    lows = np.stack([edges[:count], back, np.full(count, z)], axis=-1)
    highs = np.stack([edges[1 : count + 1] - 0.0008, front, z + tall], axis=-1)
    _add_books(shop, spines, lows, highs, group)
    pages = highs - (0.0015, 0.002, 0.004)
    shop.boxes(
        shop.style.paper,
        np.column_stack([lows[:, :2] + (0.0015, 0.0), pages[:, 2]]),
        np.add(pages, (0, 0, 0.0042)),
        faces="Z",
    )
    space = x1 - edges[count]
    if space > 0.14 and rng.random() < 0.6:
        _book_pile(shop, edges[count] + 0.02, min(x1, edges[count] + 0.25), y1, z, room)


def _add_books(shop: Workshop, spines: str, lows: np.ndarray, highs: np.ndarray, group: int) -> None:
    """Add books whose texture is one spine each (``group`` spines each from afar) of the strip ``spines``."""
    slots = int(shop.style.materials.tile_size(spines)[0] / SPINE + 1e-6)
    slot = shop.scatter.integers(0, slots - group + 1, len(lows))
    for faces in ("Y", "xX"):
        part = primitives.boxes(lows, highs, spines, detail=shop.detail, faces=faces)
        # Vertices come face by face, book by book: every book gets the slot of its own on the strip.
        owner = np.tile(np.repeat(np.arange(len(lows)), len(part.vertices) // len(faces) // len(lows)), len(faces))
        share = (part.vertices - lows[owner]) / (highs - lows)[owner]
        width = group * SPINE if faces == "Y" else SPINE
        u = (1 - share[:, 0] if faces == "Y" else np.full(len(share), 0.1)) * width * 0.96 + 0.02 * width
        v = (1 - share[:, 2]) * shop.style.materials.tile_size(spines)[1] * 0.99
        shop.add(
            primitives.Part(
                part.vertices, part.normals, np.stack([slot[owner] * SPINE + u, v], -1), part.triangles, spines
            )
        )


def _book_pile(shop: Workshop, x0: float, x1: float, y1: float, z: float, room: float) -> None:
    for _ in range(int(shop.scatter.integers(1, 4))):
        thick = shop.scatter.uniform(0.018, 0.04)
        if thick > room:
            return
        room -= thick
        inset = shop.scatter.uniform(0, 0.02)
        shop.box(
            shop.style.textile(shop.scatter) if shop.scatter.random() < 0.3 else shop.style.lacquer(shop.scatter),
            (x0 + inset, y1 - 0.19, z),
            (x1 - inset, y1 - 0.02, z + thick),
        )
        z += thick
