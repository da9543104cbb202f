"""Makes the pieces of one house, each from its order, so that they can be made again at another level of detail."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...raycast.ray_scene import RayScene
from ..looks.materials import Materials
from ..meshes.mesh import Array, Piece
from ..meshes.meshing import merged
from ..meshes.solids import component_boxes
from .furniture import CATALOGUE, Style, make_piece

#: Extents x, y, z in metres; None leaves one to chance.
Size = tuple[float | None, float | None, float | None]

#: The level of detail at which pieces are placed: about what a house of the default size has.
PLACING_DETAIL = 0.5

_DROP = 0.05  # metres from which things are let down onto a surface
_FLAT = 0.004  # metres
_SOFT = 0.03  # how deep things may sink into bedding


@dataclass(frozen=True)
class Order:
    """What decides a piece's shape: equal orders give identical pieces."""

    category: str
    seed: int
    size: Size | None = None


class Supplier:
    """Makes pieces and remembers them."""

    def __init__(self, materials: Materials, seed: int) -> None:
        self._style = Style(materials, np.random.default_rng([seed, 5]))
        self._seed = seed
        self._pieces: dict[tuple[Order, float], Piece] = {}
        self._boxes: dict[tuple[Order, float], Array] = {}
        self._outlines: dict[Order, Array] = {}
        self._rays: dict[tuple[Order, float], RayScene] = {}

    def knows(self, category: str) -> bool:
        """Whether the catalogue has a category."""
        return category in CATALOGUE

    def usual(self, category: str, size: Size | None = None) -> Order:
        """Return the order of what repeats through the house: its dining chairs, its ceiling lamps, its radiators."""
        name = np.frombuffer(category.encode(), dtype=np.uint8).astype(np.int64).tolist()
        return Order(category, int(np.random.default_rng([self._seed, 6, *name]).integers(2**31)), size)

    def make(self, order: Order, *, detail: float = PLACING_DETAIL) -> Piece:
        """Return the piece of an order."""
        key = (order, detail)
        if key not in self._pieces:
            rng = np.random.default_rng(order.seed)
            self._pieces[key] = make_piece(order.category, rng, self._style, detail=detail, size=order.size)
        return self._pieces[key]

    def boxes(self, order: Order, *, detail: float = PLACING_DETAIL) -> Array:
        """Return the boxes (K, 2, 3) that contain the piece, in its own frame."""
        key = (order, detail)
        if key not in self._boxes:
            self._boxes[key] = component_boxes(self.make(order, detail=detail).parts)
        return self._boxes[key]

    def outline(self, order: Order) -> Array:
        """Return the one box (1, 2, 3) around the piece, in its own frame."""
        if order not in self._outlines:
            boxes = self.boxes(order)
            self._outlines[order] = np.stack([boxes[:, 0].min(axis=0), boxes[:, 1].max(axis=0)])[None]
        return self._outlines[order]

    def resting_height(
        self, order: Order, points: Array, near: float, *, detail: float = PLACING_DETAIL
    ) -> float | None:
        """Return the height at which something that covers ``points`` (N, 2) comes to rest on a piece, in its frame.

        ``near`` is the height that the catalogue gives. None where it would hang in the air.
        """
        key = (order, detail)
        if key not in self._rays:
            part = merged(self.make(order, detail=detail).parts)
            self._rays[key] = RayScene(part.vertices, part.triangles)
        origins = np.column_stack([points, np.full(len(points), near + _DROP)]).astype(np.float32)
        down = np.zeros_like(origins)
        down[:, 2] = -1.0
        hits = self._rays[key].intersect(origins, down)
        heights = np.where(hits[0] >= 0, near + _DROP - hits[3], -1e3)
        highest, usual = float(heights.max()), float(np.median(heights))
        if highest - np.quantile(heights, 0.2) < _FLAT:
            return highest
        # On something soft or barred the catalogue says where things come to rest, if that is where its surface is.
        return near if usual - _SOFT <= near <= highest + _FLAT else None
