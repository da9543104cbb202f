"""`Arranger`: a room while furniture is put into it."""

from __future__ import annotations

import numpy as np

from ..meshes.mesh import Piece
from .room_space import Placement, RoomSpace
from .supplier import Order, Size


class Arranger:
    """A room that is being furnished, with what furnishing it takes: its supplier, and where its randomness comes from.

    The functions that arrange take one; they return the number of what they placed, or None where nothing fitted.
    """

    def __init__(self, space: RoomSpace, rng: np.random.Generator) -> None:
        self.space = space
        self.rng = rng
        self.supplier = space.supplier

    def order(self, category: str, size: Size | None = None) -> Order:
        """Return the order of a new design."""
        return Order(category, int(self.rng.integers(2**31)), size)

    def piece(self, order: Order) -> Piece:
        """Return the piece of an order."""
        return self.supplier.make(order)

    def placed(self, number: int) -> tuple[Placement, Piece]:
        """Return a placement and its piece."""
        placement = self.space.placements[number]
        return placement, self.piece(placement.order)

    def ordered(self, category: str | Order) -> Order | None:
        """Return the order of a category, or the given one; None where the supplier does not know such things."""
        if isinstance(category, Order):
            return category if self.supplier.knows(category.category) else None
        return self.order(category) if self.supplier.knows(category) else None
