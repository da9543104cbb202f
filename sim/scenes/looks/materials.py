"""`Materials`: what the surfaces of one house look like, ordered by family and rendered only where they are used."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...scene import Material
from . import paintings, prints, textures
from .canvas import Canvas
from .palette import COLOURS, colour, varied

Array = NDArray[Any]

# Linear reflectances of real paints and cloths lie between 0.05 and 0.85; these are their sRGB codes.
_DARKEST, _LIGHTEST = 64, 237
_WARM_WHITE = (1.0, 0.84, 0.62)


@dataclass(frozen=True)
class Family:
    """A kind of material: who paints it, its tile in metres, texels per metre, and the colours it comes in.

    ``accents`` are what its second and further colours are drawn from; "" stands for the base made lighter or darker.
    A family with ``once`` is a print that fits one object as a whole, of the size that is asked for.
    """

    paint: Callable[[Canvas], Array]
    tile: tuple[float, float]
    density: float
    light: tuple[str, ...]
    dark: tuple[str, ...]
    accents: tuple[str, ...] = ("",)
    once: bool = False


_WALLS = ("white", "ivory", "cream", "beige", "pale grey", "sage", "sky", "mint", "pink", "sand")
_DEEP = ("teal", "navy", "olive", "terracotta", "taupe", "forest", "burgundy", "blue", "charcoal")
_CLOTHS = ("beige", "sand", "pale grey", "sage", "sky", "rose", "cream", "ochre", "taupe", "mint")
_DEEP_CLOTHS = ("navy", "charcoal", "forest", "rust", "burgundy", "teal", "olive", "brown", "blue", "mustard")
_PRINT = ("ochre", "teal", "rust", "navy", "cream", "sage", "terracotta", "charcoal", "rose", "sky", "olive", "ivory")
_LIGHT_WOODS = ("birch", "pine", "oak", "beech", "whitewash")
_DARK_WOODS = ("walnut", "cherry", "mahogany", "wenge", "oak")
_STONES = ("white", "ivory", "beige", "pale grey", "cream")
_DARK_STONES = ("charcoal", "taupe", "forest", "brown", "grey")

FAMILIES: Mapping[str, Family] = {
    "plaster": Family(textures.plaster, (2.56, 2.56), 200, _WALLS, _DEEP),
    "wallpaper": Family(
        textures.wallpaper, (1.28, 1.28), 250, _WALLS, _DEEP, ("", "", "ochre", "sage", "rose", "taupe")
    ),
    "stripes": Family(textures.stripes, (1.28, 1.28), 200, _WALLS, _DEEP, ("", "", "ivory", "taupe", "sky", "rose")),
    "parquet": Family(textures.parquet, (2.56, 2.56), 200, _LIGHT_WOODS, _DARK_WOODS),
    "wood": Family(textures.wood, (1.28, 0.64), 220, _LIGHT_WOODS, _DARK_WOODS),
    "tile": Family(
        textures.tile,
        (1.2, 1.2),
        260,
        (*_STONES, "sky", "mint", "sage"),
        (*_DARK_STONES, "teal", "blue"),
        ("", "blue", "taupe", "sage", "terracotta"),
    ),
    "brick": Family(
        textures.brick,
        (2.0, 1.2),
        220,
        ("brick pale", "beige", "white"),
        ("brick", "rust", "grey"),
        ("pale grey", "beige"),
    ),
    "marble": Family(textures.marble, (1.6, 1.6), 200, _STONES, _DARK_STONES, ("grey", "taupe", "")),
    "noise": Family(
        textures.noise,
        (1.28, 1.28),
        220,
        _STONES,
        _DARK_STONES,
        ("terracotta", "taupe", "charcoal", "sage", "white", "ochre", "brown"),
    ),
    "fabric": Family(
        textures.fabric, (0.64, 0.64), 400, _CLOTHS, _DEEP_CLOTHS, ("", "", "ivory", "charcoal", "ochre", "navy")
    ),
    "carpet": Family(textures.carpet, (1.28, 1.28), 220, _CLOTHS, _DEEP_CLOTHS, ("", "")),
    "rug": Family(
        prints.rug,
        (2.4, 1.6),
        150,
        ("sand", "rose", "sage", "sky", "ochre"),
        ("burgundy", "navy", "rust", "forest", "teal"),
        ("cream", "navy", "ochre", "rust", "teal", "burgundy", "beige"),
        once=True,
    ),
    "picture": Family(paintings.picture, (0.8, 0.6), 360, _PRINT, _PRINT, _PRINT, once=True),
    "poster": Family(
        prints.poster,
        (0.5, 0.7),
        360,
        ("cream", "ochre", "sky", "rose", "ivory", "sage"),
        ("navy", "teal", "rust", "burgundy", "forest"),
        _PRINT,
        once=True,
    ),
    "cover": Family(prints.cover, (0.2, 0.26), 500, _PRINT, _PRINT, _PRINT, once=True),
    "books": Family(
        prints.books, (1.28, 0.26), 400, _PRINT, _PRINT, (*_PRINT, "burgundy", "forest", "brown", "white"), once=True
    ),
    "screen": Family(
        prints.screen,
        (1.0, 0.56),
        320,
        ("navy", "teal", "sky"),
        ("charcoal", "navy"),
        ("sky", "navy", "teal", "lilac"),
        once=True,
    ),
    "dial": Family(prints.dial, (0.3, 0.3), 500, ("white", "ivory", "cream"), ("black", "navy", "walnut"), once=True),
    "keyboard": Family(prints.keyboard, (0.44, 0.13), 500, ("white", "pale grey"), ("charcoal", "black"), once=True),
    "metal": Family(textures.metal, (0.64, 0.64), 200, ("silver", "steel", "brass"), ("iron", "copper", "black")),
    "plastic": Family(
        textures.plastic,
        (0.64, 0.64),
        200,
        ("white", "ivory", "pale grey", "mint", "sky", "cream"),
        ("charcoal", "black", "navy", "sage", "terracotta"),
    ),
    "leather": Family(
        textures.leather,
        (0.64, 0.64),
        300,
        ("sand", "ochre", "ivory", "rust"),
        ("brown", "black", "burgundy", "walnut", "forest"),
    ),
    "leaf": Family(textures.leaf, (0.24, 0.12), 400, ("leaf", "leaf pale"), ("leaf dark", "leaf"), ("leaf pale",)),
    "grass": Family(textures.grass, (2.56, 2.56), 200, ("leaf pale", "leaf"), ("leaf dark",), ("leaf pale", "olive")),
    "glass": Family(textures.glass, (1.28, 1.28), 100, ("sky", "mint", "pale grey"), ("teal", "charcoal")),
    "mirror": Family(textures.mirror, (1.6, 1.6), 100, ("pale grey", "sky", "ivory"), ("grey",), ("taupe", "brown")),
    "shade": Family(textures.shade, (0.64, 0.64), 200, ("ivory", "cream", "white"), ("ochre", "rose", "sage")),
    "wicker": Family(textures.wicker, (0.32, 0.32), 400, ("sand", "pine", "beige"), ("brown", "charcoal")),
    "ceramic": Family(
        textures.ceramic,
        (0.48, 0.48),
        320,
        ("white", "ivory", "sky", "sand", "sage"),
        ("navy", "terracotta", "teal", "charcoal", "rust"),
        ("navy", "white", "ochre", "charcoal"),
    ),
}


@dataclass(frozen=True)
class _Order:
    """A material that was asked for and may never be rendered."""

    family: str
    seed: int
    tile: tuple[float, float]
    tone: str | None
    options: Mapping[str, Any] = field(default_factory=dict)


class Materials:
    """The materials of one house. Orders are cheap; a texture is painted when :meth:`render` asks for its key."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._orders: dict[str, _Order] = {}

    def make(self, family: str, rng: np.random.Generator, *, size: tuple[float, float] | None = None,
             **parameters: Any) -> str:  # fmt: skip
        """Return the key of a material of ``family`` (see ``FAMILIES``), its free choices drawn from ``rng``.

        ``size`` (w, h) in metres is the object's for prints (a picture, a rug), the repeat's for all others; a "carpet"
        of a given size is a rug. ``tone`` is "light", "dark", or a colour of ``palette.COLOURS``; ``emission`` (3,) or
        a number adds light; others are the family's own ("pattern", "motif", ...). The same request with the same
        state of ``rng`` returns the same key. Raises ``ValueError`` for an unknown family or colour.
        """
        if family == "carpet" and size is not None:
            family = "rug"
        if family not in FAMILIES:
            raise ValueError(f"there is no material family {family!r}; there are {', '.join(FAMILIES)}")
        tone = parameters.pop("tone", None)
        if tone not in (None, "light", "dark", *COLOURS):
            colour(tone)
        seed = int(rng.integers(2**31))
        tile = tuple(float(round(side, 4)) for side in (size or FAMILIES[family].tile))
        if family == "tile":
            tile, parameters = _tile_layout(tile, parameters, np.random.default_rng(seed))
        elif family == "shade":
            parameters.setdefault("emission", tuple(2.0 * channel for channel in _WARM_WHITE))
        order = _Order(family, seed, tile, tone, parameters)  # type: ignore[arg-type]
        text = json.dumps([family, seed, tile, tone, sorted(parameters.items())])
        key = f"{family}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
        self._orders[key] = order
        return key

    def family(self, key: str) -> str:
        """Return the family of a key; raises ``KeyError`` for a key that `make` did not return."""
        return self._orders[key].family

    def tile_size(self, key: str) -> tuple[float, float]:
        """Return how many metres (w, h) the texture of ``key`` covers before it repeats."""
        return self._orders[key].tile

    def fits_once(self, key: str) -> bool:
        """Whether ``key`` is a print, whose texture is meant for one object as a whole."""
        return FAMILIES[self._orders[key].family].once

    def render(self, keys: Iterable[str]) -> list[Material]:
        """Return the materials of ``keys``, in order, painted now. Raises ``KeyError`` for an unknown key."""
        return [self._painted(key) for key in keys]

    def _painted(self, key: str) -> Material:
        order = self._orders[key]
        family = FAMILIES[order.family]
        rng = np.random.default_rng([self._seed, order.seed])
        canvas = _canvas(order, family, rng)
        texture = np.clip(np.rint(family.paint(canvas)), _DARKEST, _LIGHTEST).astype(np.uint8)
        emission = np.broadcast_to(order.options.get("emission", 0.0), 3)
        return Material(key, texture, (float(emission[0]), float(emission[1]), float(emission[2])))


def _canvas(order: _Order, family: Family, rng: np.random.Generator) -> Canvas:
    width, height = order.tile
    # A large print is seen from further away: its texels need not be as fine as a small one's.
    density = max(110.0, min(family.density, 420 / max(width, height))) if family.once else family.density
    columns, rows = max(16, round(width * density)), max(16, round(height * density))
    return Canvas(rng, rows, columns, width, height, _colours(order, family, rng), order.options)


def _colours(order: _Order, family: Family, rng: np.random.Generator) -> Array:
    """Return the base colour and five accents (6, 3)."""
    if order.tone in COLOURS:
        base = colour(order.tone)
    else:
        tone = order.tone or ("light" if rng.random() < 0.65 else "dark")
        names = family.light if tone == "light" else family.dark
        base = colour(names[rng.integers(len(names))])
    base = varied(base, rng)
    accents = []
    for _ in range(5):
        name = family.accents[rng.integers(len(family.accents))]
        if name and abs(float(colour(name).mean() - base.mean())) > 18:
            accents.append(varied(colour(name), rng))
        else:
            step = rng.uniform(0.62, 0.82) if base.mean() > 130 else rng.uniform(1.3, 1.7)
            accents.append(np.clip(base * step, 40, 235))
    return np.stack([base, *accents])


def _tile_layout(size: tuple[float, ...], parameters: dict[str, Any], rng: np.random.Generator
                 ) -> tuple[tuple[float, ...], dict[str, Any]]:  # fmt: skip
    """Choose the side of a tile and fit a whole, even number of tiles into the repeat."""
    sides = ((0.1, 0.1), (0.15, 0.15), (0.2, 0.2), (0.3, 0.3), (0.3, 0.6), (0.2, 0.1), (0.6, 0.6), (0.15, 0.075))
    width, height = parameters.pop("side", None) or sides[rng.integers(len(sides))]
    columns = max(2, 2 * round(size[0] / width / 2))
    rows = max(2, 2 * round(size[1] / height / 2))
    return (round(columns * width, 4), round(rows * height, 4)), {**parameters, "count": (rows, columns)}
