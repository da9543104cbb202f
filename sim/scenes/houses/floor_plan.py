"""What a floor plan is: rooms as rectangles that share walls, with types, doors and windows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from shapely.geometry import Polygon, box
from shapely.ops import unary_union

from .room_layout import Cell

INNER_WALL = 0.12
OUTER_WALL = 0.30
DOOR_HEIGHT = 2.06
GROUND_HEIGHT = -0.12  # the floor lies at 0
HALF_WALL = INNER_WALL / 2
OUTER_REACH = OUTER_WALL - HALF_WALL

OpeningKind = Literal["door", "passage", "entrance", "window"]


@dataclass(frozen=True)
class Opening:
    """A hole in a wall that runs along one axis (0: x, 1: y) at ``line`` on the other axis.

    ``start``, ``end`` bound it along the wall, ``bottom``, ``top`` in height, metres. ``rooms`` are the indices of the
    one or two rooms that it opens into. ``swing`` is the room that an open leaf stands in and ``hinge`` the end of the
    opening (0: start, 1: end) that it hangs on; ``swing`` is None where there is no leaf.
    """

    kind: OpeningKind
    axis: int
    line: float
    start: float
    end: float
    bottom: float
    top: float
    rooms: tuple[int, ...]
    swing: int | None = None
    hinge: int = 0

    @property
    def centre(self) -> tuple[float, float]:
        """The middle of the opening in x, y, on the wall's centre line (outside walls: on its inner line)."""
        middle = (self.start + self.end) / 2
        return (middle, self.line) if self.axis == 0 else (self.line, middle)


@dataclass(frozen=True)
class PlannedRoom:
    """One room: its type, and the rectangle between the centre lines of its walls.

    ``look`` seeds its materials and furniture: twins share it. ``twin_of`` is the room that it copies, mirrored about
    the wall between them where ``mirrored``, moved otherwise.
    """

    name: str
    type: str
    cell: Cell
    look: int
    twin_of: int | None = None
    mirrored: bool = False

    @property
    def interior(self) -> Cell:
        """The rectangle between the faces of its walls."""
        x0, y0, x1, y1 = self.cell
        return (x0 + HALF_WALL, y0 + HALF_WALL, x1 - HALF_WALL, y1 - HALF_WALL)

    @property
    def polygon(self) -> Polygon:
        """The floor's outline in world x, y."""
        return box(*self.interior)


@dataclass(frozen=True)
class FloorPlan:
    """Rooms, the openings in their walls, and the height of their ceilings, metres."""

    rooms: tuple[PlannedRoom, ...]
    openings: tuple[Opening, ...]
    ceiling: float

    @property
    def outline(self) -> Polygon:
        """The building's outer edge in world x, y."""
        return outline_of([room.cell for room in self.rooms])

    def openings_of(self, room: int) -> list[Opening]:
        """Return the openings in the walls of one room."""
        return [opening for opening in self.openings if room in opening.rooms]


def outline_of(cells: list[Cell]) -> Polygon:
    """Return the outer edge of a building whose rooms have the given cells, outside walls included."""
    return unary_union([box(*cell) for cell in cells]).buffer(OUTER_REACH, join_style="mitre")
