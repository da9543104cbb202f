"""The four inner faces of a room's walls, each with a frame of its own: along the wall, into the room, up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..meshes.mesh import Array
from ..meshes.tessellation import Rectangle
from .floor_plan import HALF_WALL, Opening, PlannedRoom


@dataclass(frozen=True)
class WallSide:
    """One inner face of a wall. ``origin`` is its lower left corner as seen from inside; ``along`` runs to the right
    and ``normal`` into the room, unit vectors in x, y; ``length`` metres."""

    name: str
    origin: tuple[float, float]
    along: tuple[float, float]
    length: float

    @property
    def normal(self) -> tuple[float, float]:
        """The direction into the room."""
        return (self.along[1], -self.along[0])

    @property
    def origin3(self) -> tuple[float, float, float]:
        """The origin on the floor."""
        return (*self.origin, 0.0)

    @property
    def along3(self) -> tuple[float, float, float]:
        """The direction to the right, as a 3-vector."""
        return (*self.along, 0.0)

    @property
    def axis(self) -> int:
        """The world axis that the wall runs along."""
        return 0 if abs(self.along[0]) > 0.5 else 1

    @property
    def yaw(self) -> float:
        """The turn about z, radians, that makes a piece's +y face into the room."""
        return float(np.arctan2(-self.normal[0], self.normal[1]))

    def point(self, u: float, depth: float = 0.0) -> tuple[float, float]:
        """Return the world x, y at ``u`` metres along the wall and ``depth`` into the room."""
        x, y = np.array(self.origin) + u * np.array(self.along) + depth * np.array(self.normal)
        return (float(x), float(y))

    def box(self, low: Sequence[float], high: Sequence[float]) -> tuple[Array, Array]:
        """Return the world corners (3,), (3,) of a box given in (along, into the room, up)."""
        a, b = self.point(low[0], low[1]), self.point(high[0], high[1])
        return np.array([*np.minimum(a, b), low[2]]), np.array([*np.maximum(a, b), high[2]])

    def holds(self, opening: Opening) -> bool:
        """Whether an opening of this room lies in this wall."""
        here = self.origin[1 - self.axis]
        return opening.axis == self.axis and abs(opening.line - here) < HALF_WALL + 1e-6


def wall_sides(room: PlannedRoom) -> tuple[WallSide, WallSide, WallSide, WallSide]:
    """Return a room's walls in the order south, east, north, west."""
    x0, y0, x1, y1 = room.interior
    return (
        WallSide("south", (x1, y0), (-1.0, 0.0), x1 - x0),
        WallSide("east", (x1, y1), (0.0, -1.0), y1 - y0),
        WallSide("north", (x0, y1), (1.0, 0.0), x1 - x0),
        WallSide("west", (x0, y0), (0.0, 1.0), y1 - y0),
    )


def opening_on(side: WallSide, opening: Opening) -> Rectangle:
    """Return an opening as a rectangle (u0, bottom, u1, top) in a wall's own coordinates."""
    ends = sorted(side.along[side.axis] * (at - side.origin[side.axis]) for at in (opening.start, opening.end))
    return (ends[0], opening.bottom, ends[1], opening.top)
