"""`Workshop`: where one piece of furniture is put together from bricks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...meshes import primitives
from ...meshes.mesh import Part, Piece, Surface
from .style import Style

Array = NDArray[Any]
Point = tuple[float, float, float]
T = TypeVar("T")

_PRINT_INSET = 0.004  # of a print's width: keeps bilinear look-ups from wrapping to its other edge


class Workshop:
    """The order for one piece, and the parts made for it so far.

    ``width``, ``depth``, ``height`` is the size to aim at in metres. Makers work in the piece's own frame: x across,
    y towards the front, z up; where the origin lies does not matter, `finish` puts it where the mount wants it.

    ``rng`` draws the design, which is the same at every level of detail; whatever is drawn a number of times that
    depends on the level of detail (books, leaves) comes from ``scatter``.
    """

    def __init__(self, seed: int, style: Style, size: Point, detail: float) -> None:
        self.style, self.detail = style, detail
        self.rng = np.random.default_rng([seed, 0])
        self.scatter = np.random.default_rng([seed, 1])
        self._cuts = np.random.default_rng([seed, 2])
        self.width, self.depth, self.height = size
        self._parts: list[Part] = []
        self._surfaces: list[Surface] = []

    def pick(self, *choices: T) -> T:
        """Return one of ``choices``."""
        return choices[self.rng.integers(len(choices))]

    def chance(self, probability: float) -> bool:
        """Return True with ``probability``."""
        return bool(self.rng.random() < probability)

    def between(self, low: float, high: float) -> float:
        """Return a number drawn uniformly."""
        return float(self.rng.uniform(low, high))

    def scaled_count(self, count: float, least: int = 1) -> int:
        """Return how many small things stand for ``count`` at this level of detail."""
        return max(least, round(count * min(1.0, self.detail) ** 0.7))

    def add(self, part: Part) -> None:
        """Add a part; a material that repeats starts at a random place, as no two boards are cut from the same spot."""
        if not self.style.materials.fits_once(part.material):
            part = replace(part, uvs=part.uvs + self._cuts.random(2))
        self._parts.append(part)

    def surface(self, x0: float, y0: float, x1: float, y1: float, z: float, headroom: float = 1.0) -> None:
        """Say that small things may stand on this rectangle."""
        if x1 - x0 > 0.08 and y1 - y0 > 0.08:
            self._surfaces.append(Surface(x0, y0, x1, y1, z, headroom))

    def box(
        self, material: str, low: Point, high: Point, *, radius: float = 0.0, faces: str = primitives.ALL_FACES
    ) -> None:
        """Add a box; its edges are rounded where ``radius`` is given and the level of detail allows it."""
        size = np.subtract(high, low)
        along = int(np.argmax(size)) if self._has_grain(material) else None
        if radius > 0 and self.detail >= 0.7:
            self.add(primitives.rounded_box(low, high, radius, material, detail=self.detail, along=along))
        else:
            self.add(primitives.box(low, high, material, detail=self.detail, faces=faces, along=along))

    def frame(self, material: str, low: Point, high: Point, border: float, *, radius: float = 0.0) -> None:
        """Add four bars of width ``border`` around the upright rectangle that ``low`` and ``high`` span."""
        (x0, y0, z0), (x1, y1, z1) = low, high
        self.box(material, (x0, y0, z0), (x1, y1, z0 + border), radius=radius)
        self.box(material, (x0, y0, z1 - border), (x1, y1, z1), radius=radius)
        self.box(material, (x0, y0, z0 + border), (x0 + border, y1, z1 - border), radius=radius)
        self.box(material, (x1 - border, y0, z0 + border), (x1, y1, z1 - border), radius=radius)

    def pad(self, material: str, low: Point, high: Point, *, radius: float, puff: float = 0.0, axis: int = 2) -> None:
        """Add an upholstered block whose two faces normal to ``axis`` bulge by ``puff``."""
        self.add(primitives.rounded_box(low, high, radius, material, detail=self.detail, puff=puff, puff_axis=axis))

    def boxes(self, material: str, lows: ArrayLike, highs: ArrayLike, *, along: int | None = None,
              faces: str = primitives.ALL_FACES) -> None:  # fmt: skip
        """Add many plain boxes of one material."""
        if len(np.asarray(lows)):
            self.add(primitives.boxes(lows, highs, material, detail=self.detail, faces=faces, along=along))

    def leg(self, material: str, top: Point, foot: tuple[float, float], thickness: float, taper: float = 0.6,
            *, round_: bool = False) -> None:  # fmt: skip
        """Add a leg from the floor at ``foot`` (x, y) up to ``top``, ``taper`` times as thick at the floor."""
        x, y, z = top
        if round_:
            path = [(*foot, 0.0), (x, y, z)]
            self.add(
                primitives.tube(path, np.array([taper, 1.0]) * thickness / 2, material, detail=self.detail, sides=8)
            )
            return
        a, b = thickness * taper / 2, thickness / 2
        bottom = (foot[0] - a, foot[1] - a, foot[0] + a, foot[1] + a)
        upper = (x - b, y - b, x + b, y + b)
        upright = self._has_grain(material)
        self.add(primitives.frustum(bottom, 0.0, upper, z, material, detail=self.detail, upright=upright))

    def four_legs(self, material: str, x: float, y: float, z: float, thickness: float, *, splay: float = 0.0,
                  taper: float = 0.6, round_: bool = False) -> None:  # fmt: skip
        """Add legs at the four corners (+-x, +-y) up to height ``z``, their feet ``splay`` further out."""
        for sx in (-1, 1):
            for sy in (-1, 1):
                foot = (sx * (x + splay), sy * (y + splay))
                self.leg(material, (sx * x, sy * y, z), foot, thickness, taper, round_=round_)

    def rod(self, material: str, path: ArrayLike, radius: ArrayLike, *, sides: int = 7, caps: bool = True) -> None:
        """Add a round bar along a path."""
        self.add(primitives.tube(path, radius, material, detail=self.detail, sides=sides, caps=caps))

    def turned(self, material: str, profile: ArrayLike, at: Point = (0.0, 0.0, 0.0), *, sides: int = 14,
               smooth: bool = False) -> None:  # fmt: skip
        """Add a body of revolution of ``profile`` (radius, height), a smooth curve through it where asked for."""
        if smooth:
            profile = primitives.curve(profile, self.detail)
        grain = self._has_grain(material)
        self.add(primitives.revolve(profile, material, at=at, detail=self.detail, sides=sides, along=grain))

    def loft(self, material: str, rings: ArrayLike, *, power: float = 2.0, sides: int = 16) -> None:
        """Add a body of superelliptic rings."""
        self.add(primitives.loft(rings, material, detail=self.detail, power=power, sides=sides))

    def print(self, material: str, corners: ArrayLike) -> None:
        """Add a flat print that fits the patch of ``corners`` (2, 2, 3): rows down, columns right, from its front."""
        part = primitives.quad(corners, material, detail=self.detail)
        self._parts.append(self._fitted(part))

    def front_print(self, material: str, x0: float, x1: float, z0: float, z1: float, y: float) -> None:
        """Add an upright print that faces the front."""
        self.print(material, [[(x1, y, z1), (x0, y, z1)], [(x1, y, z0), (x0, y, z0)]])

    def top_print(self, material: str, x0: float, x1: float, y0: float, y1: float, z: float) -> None:
        """Add a print that lies flat, its upper edge towards the back as for somebody who stands at the front."""
        self.print(material, [[(x1, y0, z), (x0, y0, z)], [(x1, y1, z), (x0, y1, z)]])

    def _fitted(self, part: Part) -> Part:
        size = np.array(self.style.materials.tile_size(part.material))
        span = np.ptp(part.uvs, axis=0)
        share = (part.uvs - part.uvs.min(axis=0)) / span
        return replace(part, uvs=(_PRINT_INSET + (1 - 2 * _PRINT_INSET) * share) * size)

    def _has_grain(self, material: str) -> bool:
        return self.style.materials.family(material) == "wood"

    def make_print(self, family: str, width: float, height: float, **parameters: Any) -> str:
        """Order a print of one object's size (rounded to the centimetre, so that equal objects share it)."""
        size = (max(0.02, round(width, 2)), max(0.02, round(height, 2)))
        return self.style.materials.make(family, self.rng, size=size, **parameters)

    def finish(self, category: str, mount: str, *, front_clearance: float, size: tuple[float | None, ...]) -> Piece:
        """Return the piece in its mount's frame, stretched to the extents of ``size`` that are not None."""
        by_material: dict[str, list[Part]] = {}
        for part in self._parts:
            by_material.setdefault(part.material, []).append(part)
        parts = [primitives.merged(group) for group in by_material.values()]
        points = np.concatenate([part.vertices for part in parts])
        low, high = points.min(axis=0), points.max(axis=0)
        extent = high - low
        factors = np.array([1.0 if want is None else want / have for want, have in zip(size, extent, strict=True)])
        anchor = _anchor(mount, low, high)
        parts = [_placed(part, anchor, factors) for part in parts]
        surfaces = tuple(_placed_surface(surface, anchor, factors) for surface in self._surfaces)
        corners = np.concatenate([part.vertices for part in parts])
        final = np.ptp(corners, axis=0)
        return Piece(
            category,
            mount,
            tuple(parts),
            (float(final[0]), float(final[1]), float(final[2])),
            surfaces,
            front_clearance,
        )


def _anchor(mount: str, low: Array, high: Array) -> Array:
    """Return the point that becomes the origin."""
    middle = (low + high) / 2
    if mount == "wall":
        return np.array([middle[0], low[1], middle[2]])
    return np.array([middle[0], middle[1], high[2] if mount == "ceiling" else low[2]])


def _placed(part: Part, anchor: Array, factors: Array) -> Part:
    part = primitives.moved(part, -anchor)
    if not np.allclose(factors, 1.0, atol=1e-9):
        part = primitives.scaled(part, factors)
    vertices, normals, uvs = (a.astype(np.float32) for a in (part.vertices, part.normals, part.uvs))
    return Part(vertices, normals, uvs, part.triangles, part.material)


def _placed_surface(surface: Surface, anchor: Array, factors: Array) -> Surface:
    (x0, y0), (x1, y1) = (
        (np.array([x, y]) - anchor[:2]) * factors[:2] for x, y in ((surface.x0, surface.y0), (surface.x1, surface.y1))
    )
    z = (surface.z - anchor[2]) * factors[2]
    return Surface(float(x0), float(y0), float(x1), float(y1), float(z), surface.headroom * float(factors[2]))


@dataclass(frozen=True)
class CatalogueEntry:
    """One kind of piece: its ``category`` in semantic maps, its mount, who makes it, and between which sizes (x, y, z)
    in metres it is made; ``front_clearance`` metres stay free before it."""

    category: str
    mount: str
    make: Callable[[Workshop], None]
    low: Point
    high: Point
    front_clearance: float = 0.0

    def build(
        self,
        rng: np.random.Generator,
        style: Style,
        *,
        detail: float = 1.0,
        size: tuple[float | None, ...] | None = None,
    ) -> Piece:
        """Return a piece of this kind; see `make_piece`."""
        mix = 0.6 * rng.random() + 0.4 * rng.random(3)  # a wide one tends to be deep and high too
        drawn = np.array(self.low) + mix * (np.array(self.high) - np.array(self.low))
        wanted = size or (None, None, None)
        x, y, z = (float(have if want is None else want) for want, have in zip(wanted, drawn, strict=True))
        seed = int(rng.integers(2**62))
        piece = self._made(seed, style, (x, y, z), 1.0, wanted)
        if detail == 1.0:
            return piece
        # Whatever the level of detail, a piece fills the same box and offers the same surfaces.
        return replace(self._made(seed, style, (x, y, z), detail, piece.size), size=piece.size, surfaces=piece.surfaces)

    def _made(self, seed: int, style: Style, aim: Point, detail: float, size: tuple[float | None, ...]) -> Piece:
        shop = Workshop(seed, style, aim, detail)
        self.make(shop)
        return shop.finish(self.category, self.mount, front_clearance=self.front_clearance, size=size)
