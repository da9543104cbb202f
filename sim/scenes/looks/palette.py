"""Named paint, wood, metal and textile colours as they are found in homes, sRGB 0..255."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

COLOURS: dict[str, tuple[int, int, int]] = {
    "white": (226, 224, 218),
    "ivory": (224, 216, 200),
    "cream": (222, 208, 182),
    "beige": (204, 188, 162),
    "sand": (192, 172, 140),
    "taupe": (150, 136, 122),
    "grey": (158, 158, 156),
    "pale grey": (198, 198, 196),
    "charcoal": (78, 78, 82),
    "black": (66, 65, 66),
    "sage": (160, 170, 146),
    "olive": (118, 116, 80),
    "green": (92, 118, 88),
    "forest": (70, 90, 74),
    "mint": (188, 208, 194),
    "teal": (76, 118, 122),
    "sky": (180, 198, 210),
    "blue": (96, 122, 156),
    "navy": (66, 76, 104),
    "lilac": (178, 168, 188),
    "rose": (204, 168, 160),
    "pink": (216, 186, 180),
    "burgundy": (116, 62, 64),
    "red": (158, 74, 64),
    "terracotta": (186, 120, 92),
    "rust": (160, 96, 66),
    "ochre": (196, 154, 90),
    "mustard": (200, 164, 84),
    "brown": (114, 86, 66),
    "birch": (214, 190, 154),
    "pine": (208, 168, 118),
    "oak": (184, 144, 100),
    "beech": (198, 154, 114),
    "cherry": (162, 104, 72),
    "walnut": (118, 84, 60),
    "mahogany": (120, 72, 56),
    "wenge": (84, 68, 60),
    "whitewash": (216, 206, 192),
    "silver": (188, 190, 192),
    "steel": (160, 164, 168),
    "brass": (186, 156, 98),
    "copper": (180, 122, 92),
    "iron": (76, 76, 80),
    "brick": (164, 96, 76),
    "brick pale": (192, 156, 128),
    "leaf": (84, 112, 62),
    "leaf dark": (66, 88, 58),
    "leaf pale": (136, 150, 100),
}


def colour(name: str) -> NDArray[Any]:
    """Return the colour (3,) called ``name``; raises ``ValueError`` where there is none."""
    if name not in COLOURS:
        raise ValueError(f"there is no colour {name!r}; there are {', '.join(COLOURS)}")
    return np.array(COLOURS[name], dtype=np.float32)


def varied(base: NDArray[Any], rng: np.random.Generator, spread: float = 6.0) -> NDArray[Any]:
    """Return ``base`` (3,) made a little lighter or darker, and a little warmer or cooler."""
    return np.clip(base * rng.normal(1, 0.008 * spread) + rng.normal(0, spread / 2, 3), 60, 235).astype(np.float32)
