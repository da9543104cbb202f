"""What is seen through the windows: a lawn, a hedge or a fence around it, and trees."""

from __future__ import annotations

import numpy as np
from shapely.geometry import Point, Polygon
from shapely.geometry import box as box_of

from ..meshes.mesh import Part
from ..meshes.meshing import merged
from ..meshes.primitives import box, cylinder, sphere
from ..meshes.tessellation import horizontal
from .element import Element
from .finishes import Finishes
from .floor_plan import GROUND_HEIGHT

_BEYOND = 1.0  # how far the ground goes on behind the enclosure, which hides the rest: light is baked per square metre


def garden(outline: Polygon, finishes: Finishes, rng: np.random.Generator, *, detail: float) -> list[Element]:
    """Return the ground around the house, what encloses it, and some trees, whose crowns are round at ``detail`` 3."""
    x0, y0, x1, y1 = outline.bounds
    distance = float(rng.uniform(4.5, 7.0))
    border = (x0 - distance, y0 - distance, x1 + distance, y1 + distance)
    reach = distance + _BEYOND
    # The ground goes on below the house: no light may come into the hollow of its walls from below.
    site = box_of(x0 - reach, y0 - reach, x1 + reach, y1 + reach)
    ground = horizontal(site, GROUND_HEIGHT, finishes.ground, edge=2.5, up=True)
    enclosure = _hedge(border, finishes, rng) if rng.random() < 0.5 else _fence(border, finishes, rng)
    elements = [Element("grass", "lawn", None, (ground,)), enclosure]
    for number in range(int(rng.integers(5, 10))):
        spot = rng.uniform((x0 - distance, y0 - distance), (x1 + distance, y1 + distance))
        if outline.distance(Point(*spot)) > 2.6:
            elements.append(Element("tree", f"tree {number}", None, _tree(spot, finishes, rng, detail)))
    return elements


def _sides(border: tuple[float, float, float, float], thickness: float) -> list[tuple[float, float, float, float]]:
    x0, y0, x1, y1 = border
    t = thickness
    return [(x0, y0, x1, y0 + t), (x0, y1 - t, x1, y1), (x0, y0 + t, x0 + t, y1 - t), (x1 - t, y0 + t, x1, y1 - t)]


def _hedge(border: tuple[float, float, float, float], finishes: Finishes, rng: np.random.Generator) -> Element:
    height = float(rng.uniform(1.1, 1.8))
    parts = [
        box((a, b, GROUND_HEIGHT - 0.01), (c, d, height), finishes.foliage, detail=12, faces="xXyYZ")
        for a, b, c, d in _sides(border, 0.7)
    ]
    return Element("hedge", "hedge", None, (merged(parts),))


def _fence(border: tuple[float, float, float, float], finishes: Finishes, rng: np.random.Generator) -> Element:
    """Panels of boards with gaps between them."""
    height, pitch = float(rng.uniform(1.0, 1.7)), 1.9
    parts: list[Part] = []
    for a, b, c, d in _sides(border, 0.04):
        axis = 0 if c - a > d - b else 1
        length = (c - a, d - b)[axis]
        for start in np.arange(0.0, length - pitch / 2, pitch):
            low, high = np.array([a, b, GROUND_HEIGHT]), np.array([c, d, height])
            low[axis] += start
            high[axis] = min(low[axis] + pitch - 0.1, high[axis])
            parts.append(box(low, high, finishes.bark, faces="xXyYZ", along=2))
    return Element("fence", "fence", None, (merged(parts),))


def _tree(spot: np.ndarray, finishes: Finishes, rng: np.random.Generator, detail: float) -> tuple[Part, Part]:
    height, radius = float(rng.uniform(2.4, 4.5)), float(rng.uniform(0.9, 1.6))
    trunk = cylinder((*spot, GROUND_HEIGHT), 0.12, height, finishes.bark, top_radius=0.07, detail=min(detail, 1.0))
    crowns = []
    for _ in range(5):
        offset = rng.uniform(-0.5, 0.5, size=3) * radius
        size = radius * rng.uniform(0.55, 0.8, size=3)
        crowns.append(sphere(np.array([*spot, height]) + offset, size, finishes.foliage, detail=detail))
    return trunk, merged(crowns)
