"""Makes the pieces of one house, each from its order, so that they can be made again at another level of detail."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .furniture import CATALOGUE, Style, make_piece
from .materials import Materials
from .mesh import Array, Piece
from .solids import component_boxes

#: Extents x, y, z in metres; None leaves one to chance.
Size = tuple[float | None, float | None, float | None]

_SLACK = 0.002  # metres by which a piece may differ from the one that was placed


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
        self._boxes: dict[Order, Array] = {}
        self._outlines: dict[Order, Array] = {}

    def knows(self, category: str) -> bool:
        """Whether the catalogue has a category."""
        return category in CATALOGUE

    def usual(self, category: str, size: Size | None = None) -> Order:
        """Return the order of what repeats through the house: its dining chairs, its ceiling lamps, its radiators."""
        name = np.frombuffer(category.encode(), dtype=np.uint8).astype(np.int64).tolist()
        return Order(category, int(np.random.default_rng([self._seed, 6, *name]).integers(2**31)), size)

    def make(self, order: Order, *, detail: float = 1.0) -> Piece:
        """Return the piece of an order.

        At another level of detail than 1 it fills the same place and offers the same surfaces; where the catalogue's
        piece would not (it grows, or has its shelves elsewhere), the piece of detail 1 is returned.
        """
        key = (order, detail)
        if key not in self._pieces:
            rng = np.random.default_rng(order.seed)
            piece = make_piece(order.category, rng, self._style, detail=detail, size=order.size)
            self._pieces[key] = piece if detail == 1.0 or self._replaces(piece, order) else self.make(order)
        return self._pieces[key]

    def _replaces(self, piece: Piece, order: Order) -> bool:
        """Whether a piece may stand where the piece of detail 1 was placed."""
        original = self.make(order)
        low, high = _bounds(piece)
        kept_low, kept_high = _bounds(original)
        if (low < kept_low - _SLACK).any() or (high > kept_high + _SLACK).any():
            return False
        pairs = zip(piece.surfaces, original.surfaces, strict=False)
        return len(piece.surfaces) == len(original.surfaces) and all(
            np.abs(np.subtract([a.x0, a.y0, a.x1, a.y1, a.z], [b.x0, b.y0, b.x1, b.y1, b.z])).max() < 5 * _SLACK
            and abs(a.z - b.z) < _SLACK
            for a, b in pairs
        )

    def boxes(self, order: Order) -> Array:
        """Return the boxes (K, 2, 3) that contain the piece, in its own frame."""
        if order not in self._boxes:
            self._boxes[order] = component_boxes(self.make(order).parts)
        return self._boxes[order]

    def outline(self, order: Order) -> Array:
        """Return the one box (1, 2, 3) around the piece, in its own frame."""
        if order not in self._outlines:
            boxes = self.boxes(order)
            self._outlines[order] = np.stack([boxes[:, 0].min(axis=0), boxes[:, 1].max(axis=0)])[None]
        return self._outlines[order]


def _bounds(piece: Piece) -> tuple[Array, Array]:
    """Return the corners (3,), (3,) of a piece's bounding box in its own frame."""
    lows, highs = zip(*((part.vertices.min(axis=0), part.vertices.max(axis=0)) for part in piece.parts), strict=True)
    return np.min(lows, axis=0), np.max(highs, axis=0)
