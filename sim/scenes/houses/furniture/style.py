"""`Style`: the taste of one house, so that its furniture repeats woods, cloths and metals as in a real home."""

from __future__ import annotations

import numpy as np

from ...looks.materials import Materials

_METALS = ("silver", "steel", "brass", "iron", "black", "copper")


class Style:
    """The materials that all pieces of one house share, and the taste by which prints are ordered.

    The first of every list is the house's favourite. Nothing is rendered here: keys of what no piece uses cost nothing.
    """

    def __init__(self, materials: Materials, rng: np.random.Generator) -> None:
        self.materials = materials
        make = materials.make
        self._woods = [make("wood", rng, tone=tone) for tone in _ordered(rng, "light", "dark", None)]
        self._lacquers = [make("plastic", rng, tone=tone) for tone in ("white", *_some(rng, 2, _LACQUERS))]
        self._upholstery = [make("fabric", rng, pattern=p) for p in _ordered(rng, "melange", "plain", "check")]
        self._upholstery.append(make("leather", rng))
        self._prints = [make("fabric", rng, pattern=p) for p in _ordered(rng, "print", "stripe", "dots", "check")]
        self._linens = [make("fabric", rng, tone=t, pattern=p) for t, p in (("ivory", "plain"), ("light", "print"))]
        self._metals = [make("metal", rng, tone=tone) for tone in _some(rng, 2, _METALS)]
        self._plastics = [make("plastic", rng, tone=tone) for tone in ("charcoal", "white", *_some(rng, 2, _PLASTICS))]
        self._ceramics = [make("ceramic", rng) for _ in range(5)]
        self._books = [make("books", rng, size=(1.28, 0.26)) for _ in range(3)]
        self._leaves = [make("leaf", rng, tone=tone) for tone in ("leaf", "leaf dark", "leaf pale")]
        self._covers = [make("cover", rng, size=(0.2, 0.26)) for _ in range(6)]
        self._wickers = [make("wicker", rng) for _ in range(2)]
        self._shades = [make("shade", rng) for _ in range(2)]
        self._stones = [make(_some(rng, 1, ("marble", "noise", "noise"))[0], rng) for _ in range(2)]
        self.steel = make("metal", rng, tone="steel")
        self.chrome = make("metal", rng, tone="silver")
        self.iron = make("metal", rng, tone="iron")
        self.black = make("plastic", rng, tone="black")
        self.white = make("plastic", rng, tone="white")
        self.paper = make("plastic", rng, tone="ivory")
        self.porcelain = make("ceramic", rng, tone="white", kind="plain")
        self.soil = make("noise", rng, tone="brown", kind="granite")
        self.glass = make("glass", rng, tone="sky")
        self.dark_glass = make("glass", rng, tone="charcoal")
        self.mirror = make("mirror", rng)
        self.bulb = make("shade", rng, tone="white", emission=(8.0, 7.2, 5.8))
        # A kitchen is bought at once: its fronts, handles and worktops are alike.
        self.kitchen_front = self.casework(rng)
        self.kitchen_handle = ("bar", "knob", "grip")[rng.integers(3)]
        self.worktop = self.wood(rng) if rng.random() < 0.35 else self.stone(rng)
        self.curtain_cloth = make("fabric", rng, tone="light", pattern=_some(rng, 1, ("print", "stripe", "melange"))[0])
        self.tiles = make("tile", rng, pattern="grid")
        self.fur = make("carpet", rng, tone=_some(rng, 1, ("ochre", "brown", "sand"))[0], pattern="fleck")
        self.fruits = tuple(make("plastic", rng, tone=tone) for tone in ("red", "mustard", "green"))
        self.cork = make("noise", rng, tone="pine", kind="granite")

    def wood(self, rng: np.random.Generator) -> str:
        """Return one of the house's woods."""
        return _favoured(rng, self._woods)

    def casework(self, rng: np.random.Generator) -> str:
        """Return what cabinets are made of: wood, or lacquered board."""
        return _favoured(rng, self._woods) if rng.random() < 0.6 else _favoured(rng, self._lacquers)

    def lacquer(self, rng: np.random.Generator) -> str:
        """Return a lacquer for painted furniture."""
        return _favoured(rng, self._lacquers)

    def upholstery(self, rng: np.random.Generator) -> str:
        """Return the cloth or leather of seats."""
        return _favoured(rng, self._upholstery)

    def textile(self, rng: np.random.Generator) -> str:
        """Return a patterned cloth for cushions and blankets."""
        return _favoured(rng, self._prints)

    def linen(self, rng: np.random.Generator) -> str:
        """Return a bed linen."""
        return _favoured(rng, self._linens)

    def metal(self, rng: np.random.Generator) -> str:
        """Return a metal for legs, handles and lamps."""
        return _favoured(rng, self._metals)

    def plastic(self, rng: np.random.Generator) -> str:
        """Return a plastic."""
        return _favoured(rng, self._plastics)

    def ceramic(self, rng: np.random.Generator) -> str:
        """Return a glazed pottery."""
        return _favoured(rng, self._ceramics)

    def books(self, rng: np.random.Generator) -> str:
        """Return a strip of book spines."""
        return _favoured(rng, self._books)

    def cover(self, rng: np.random.Generator) -> str:
        """Return the print of a book cover, a box or a label."""
        return self._covers[rng.integers(len(self._covers))]

    def leaf(self, rng: np.random.Generator) -> str:
        """Return the skin of a plant's leaves."""
        return _favoured(rng, self._leaves)

    def wicker(self, rng: np.random.Generator) -> str:
        """Return a basket weave."""
        return _favoured(rng, self._wickers)

    def shade(self, rng: np.random.Generator) -> str:
        """Return a lamp shade, which emits light."""
        return _favoured(rng, self._shades)

    def stone(self, rng: np.random.Generator) -> str:
        """Return the stone of worktops."""
        return _favoured(rng, self._stones)

    def toy(self, rng: np.random.Generator) -> str:
        """Return a bright plastic."""
        return self._plastics[2 + rng.integers(2)] if rng.random() < 0.5 else self.textile(rng)


_LACQUERS = ("sage", "navy", "charcoal", "sky", "ivory", "taupe", "forest", "cream", "rose", "teal")
_PLASTICS = ("red", "teal", "mustard", "blue", "terracotta", "green", "rose", "sky")


def _favoured(rng: np.random.Generator, keys: list[str]) -> str:
    """Return the first of ``keys`` about half of the time, else any."""
    return keys[0] if rng.random() < 0.45 else keys[rng.integers(len(keys))]


def _ordered(rng: np.random.Generator, *items: str | None) -> list[str | None]:
    return [items[i] for i in rng.permutation(len(items))]


def _some(rng: np.random.Generator, count: int, items: tuple[str, ...]) -> list[str]:
    return [items[i] for i in rng.permutation(len(items))[:count]]
