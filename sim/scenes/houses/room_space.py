"""`Placement`, and `RoomSpace`: what stands in a room, and whether something else still fits."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from ..meshes.mesh import Array, Piece
from ..meshes.solids import aligned_box, corners_of, distance_to_box, overlapping, placed_boxes
from .floor_plan import HALF_WALL, FloorPlan, Opening, PlannedRoom
from .joinery import SILL_DEPTH, SILL_NOSE, SILL_THICKNESS, has_sill, open_leaf, outward
from .supplier import Order, Supplier
from .wall_side import WallSide, opening_on, wall_sides

WALKWAY = 0.76  # the width that stays free between the doors of a room: 0.7 m, and what the grid may be off
_CELL = 0.05
_HEADROOM = 1.8  # what hangs higher is no obstacle
_STEP = 0.03  # what is lower is walked over
_DOOR_DEPTH = 0.9
_HANGING_GAP = 0.006
RESTING_GAP = 0.0008  # what stands on something is this far above it, so that no two faces coincide


@dataclass(frozen=True)
class Placement:
    """One piece in a room: position of its origin in world metres, turn about z in radians, and the number of the
    placement in the same room that it stands on (None: the floor, a wall, the ceiling, a window sill)."""

    order: Order
    x: float
    y: float
    z: float
    yaw: float
    support: int | None = None

    @property
    def facing(self) -> tuple[float, float]:
        """The direction of the piece's front in x, y."""
        return (-float(np.sin(self.yaw)), float(np.cos(self.yaw)))

    def world(self, local_x: float, local_y: float) -> tuple[float, float]:
        """Return the world x, y of a point of the piece's own frame."""
        cos, sin = np.cos(self.yaw), np.sin(self.yaw)
        return (float(self.x + cos * local_x - sin * local_y), float(self.y + sin * local_x + cos * local_y))


def footprint_points(outline: Array, host: Placement) -> Array:
    """Return points (N, 2) all over the footprint of a world box (8,), in the frame of another placement."""
    line = np.linspace(-0.9, 0.9, 6)
    across, along = (a.ravel() for a in np.meshgrid(line * outline[2], line * outline[3]))
    x = outline[0] + across * outline[4] - along * outline[5] - host.x
    y = outline[1] + across * outline[5] + along * outline[4] - host.y
    cos, sin = np.cos(host.yaw), np.sin(host.yaw)
    return np.stack([cos * x + sin * y, cos * y - sin * x], axis=-1)


class RoomSpace:
    """A room while it is being furnished: what is placed, which zones stay free, where one can walk."""

    def __init__(self, plan: FloorPlan, index: int, supplier: Supplier) -> None:
        self.plan, self.index, self.supplier = plan, index, supplier
        self.room: PlannedRoom = plan.rooms[index]
        self.sides: tuple[WallSide, ...] = wall_sides(self.room)
        self.openings: list[Opening] = plan.openings_of(index)
        self.placements: list[Placement] = []
        self._solids: list[Array] = [_fixtures(plan, index, self.openings)]
        self._fronts: list[Array] = []
        self._door_zones = np.concatenate([np.zeros((0, 8)), *map(self._door_zone, self._doors())])
        self._window_zones = np.concatenate([np.zeros((0, 8)), *map(self._window_zone, self.windows())])
        self._points, self._clear = self._walking_grid()
        self._anchors = self._door_anchors()

    def windows(self) -> list[Opening]:
        """Return the room's windows."""
        return [opening for opening in self.openings if opening.kind == "window"]

    def _doors(self) -> list[Opening]:
        return [opening for opening in self.openings if opening.kind != "window"]

    def side_of(self, opening: Opening) -> WallSide:
        """Return the wall that an opening of this room is in."""
        return next(side for side in self.sides if side.holds(opening))

    def _door_zone(self, door: Opening) -> Array:
        side = self.side_of(door)
        u0, _, u1, top = opening_on(side, door)
        return aligned_box(*side.box((u0 - 0.08, 0.0, _STEP), (u1 + 0.08, _DOOR_DEPTH, top + 0.08)))

    def _window_zone(self, window: Opening) -> Array:
        side = self.side_of(window)
        u0, bottom, u1, top = opening_on(side, window)
        return aligned_box(*side.box((u0, 0.0, max(bottom, 0.3)), (u1, 0.6, top)))

    def piece(self, placement: Placement) -> Piece:
        """Return the placed piece in its own frame."""
        return self.supplier.make(placement.order)

    def boxes(self, placement: Placement) -> Array:
        """Return the world boxes (K, 8) of a placement."""
        local = self.supplier.boxes(placement.order)
        return placed_boxes(local, placement.x, placement.y, placement.z, placement.yaw)

    def outline(self, placement: Placement) -> Array:
        """Return the one world box (8,) around a placement."""
        local = self.supplier.outline(placement.order)
        return placed_boxes(local, placement.x, placement.y, placement.z, placement.yaw)[0]

    def try_add(self, placement: Placement, *, ignore: Container[str] = (), guests: Container[int] = ()) -> int | None:
        """Add a placement where it fits and return its number, or None.

        ``ignore`` may name "window" (curtains, what stands below a window), "sill" (what stands outside the room's own
        rectangle) and "front" (a chair at its desk: it stands in others' free fronts and has none itself). ``guests``
        are numbers of placements whose free front it may stand in.
        """
        if not self._fits(placement, ignore, guests):
            return None
        whole = self.outline(placement)
        if self._is_obstacle(whole):
            clear = self._clear & (distance_to_box(self._points, whole) >= WALKWAY / 2).reshape(self._clear.shape)
            if not self._walkable(clear):
                return None
            self._clear = clear
        self.placements.append(placement)
        self._solids.append(self.boxes(placement))
        self._fronts.append(np.zeros((0, 8)) if "front" in ignore else self._front(placement))
        return len(self.placements) - 1

    def _fits(self, placement: Placement, ignore: Container[str], guests: Container[int]) -> bool:
        whole = self.outline(placement)
        front = np.zeros((0, 8)) if "front" in ignore else self._front(placement)
        if "sill" not in ignore and not self._inside(np.concatenate([whole[None], front])):
            return False
        if overlapping(whole[None], self._door_zones).any():
            return False
        if "window" not in ignore and overlapping(whole[None], self._window_zones).any():
            return False
        on_floor = placement.support is None and whole[6] < 0.3 and whole[7] > _STEP
        if on_floor and "front" not in ignore:
            fronts = [zone for number, zone in enumerate(self._fronts) if number not in guests]
            if overlapping(whole[None], np.concatenate([np.zeros((0, 8)), *fronts])).any():
                return False
        solids = np.concatenate(self._solids)
        # What hangs keeps a finger's breadth: a shelf may not sit on the face of a poster.
        slack = 1e-4 if self.piece(placement).mount in {"floor", "surface"} else -_HANGING_GAP
        near = overlapping(whole[None], solids, slack=slack)[0]
        if near.any() and overlapping(self.boxes(placement), solids[near], slack=slack).any():
            return False
        return len(front) == 0 or not overlapping(front, solids).any()

    def _inside(self, boxes: Array) -> bool:
        x0, y0, x1, y1 = self.room.interior
        corners = corners_of(boxes).reshape(-1, 2)
        low, high = corners.min(axis=0), corners.max(axis=0)
        flat = low[0] >= x0 - 1e-6 and low[1] >= y0 - 1e-6 and high[0] <= x1 + 1e-6 and high[1] <= y1 + 1e-6
        return bool(flat and boxes[:, 6].min() >= -1e-6 and boxes[:, 7].max() <= self.plan.ceiling + 1e-6)

    def _front(self, placement: Placement) -> Array:
        """Return the zone (0 or 1, 8) before a piece that must stay free."""
        piece = self.piece(placement)
        if piece.front_clearance <= 0:
            return np.zeros((0, 8))
        width, depth, _ = piece.size
        back = depth if piece.mount == "wall" else depth / 2
        zone = np.array([[(-width / 2, back + 0.005, 0.06), (width / 2, back + piece.front_clearance, 1.7)]])
        return placed_boxes(zone, placement.x, placement.y, 0.0, placement.yaw)

    def snapshot(self) -> tuple[int, Array]:
        """Return the state that :meth:`restore` goes back to; valid while nothing is lifted in between."""
        return len(self.placements), self._clear

    def restore(self, state: tuple[int, Array]) -> None:
        """Take away what was placed since a snapshot."""
        count, self._clear = state
        del self.placements[count:], self._solids[count + 1 :], self._fronts[count:]

    def settled(self, placement: Placement) -> Placement | None:
        """Return a placement let down onto the piece that supports it, or None where it would hang over an edge."""
        if placement.support is None:
            return placement
        host = self.placements[placement.support]
        points = footprint_points(self.outline(placement), host)
        rest = self.supplier.resting_height(host.order, points, placement.z - host.z)
        return None if rest is None else replace(placement, z=host.z + rest + RESTING_GAP)

    def lift(self, numbers: list[int], height: float) -> None:
        """Raise placements, onto the rug that was put under them."""
        for number in numbers:
            old = self.placements[number]
            self.placements[number] = replace(old, z=old.z + height)
            self._solids[number + 1] = self.boxes(self.placements[number])

    def hits(self, boxes: Array, *, but: Container[int] = ()) -> bool:
        """Whether world boxes (K, 8) intersect anything placed, apart from some placements."""
        solids = [solid for number, solid in enumerate(self._solids, start=-1) if number not in but]
        return bool(overlapping(boxes, np.concatenate(solids)).any())

    @staticmethod
    def _is_obstacle(whole: Array) -> bool:
        return bool(whole[6] < _HEADROOM and whole[7] > _STEP)

    def _walking_grid(self) -> tuple[Array, Array]:
        """Return points (P, 2) all over the floor, and the (rows, columns) bool of where one can stand among them."""
        x0, y0, x1, y1 = self.room.interior
        xs, ys = np.arange(x0 + _CELL / 2, x1, _CELL), np.arange(y0 + _CELL / 2, y1, _CELL)
        grid = np.stack(np.meshgrid(xs, ys), axis=-1)
        points = grid.reshape(-1, 2)
        margin = np.minimum.reduce([grid[..., 0] - x0, x1 - grid[..., 0], grid[..., 1] - y0, y1 - grid[..., 1]])
        clear = margin >= WALKWAY / 2
        for fixture in self._solids[0]:
            if fixture[6] < _STEP:  # open leaves; sills are no obstacle
                clear &= (distance_to_box(points, fixture) >= WALKWAY / 2).reshape(clear.shape)
        return points, clear

    def _door_anchors(self) -> list[int]:
        """Return a grid point before each door from which one walks on.

        A leaf may stand close to its door: then it is the nearest point where one can stand.
        """
        free = np.flatnonzero(self._clear)
        anchors = []
        for door in self._doors() if len(free) else []:
            side = self.side_of(door)
            u0, _, u1, _ = opening_on(side, door)
            before = np.array(side.point((u0 + u1) / 2, 0.45))
            anchors.append(int(free[np.argmin(((self._points[free] - before) ** 2).sum(axis=1))]))
        return anchors

    def _walkable(self, clear: Array) -> bool:
        """Whether one still walks between all doors, and a tenth of the room can be stood in."""
        labels, _ = ndimage.label(clear)
        at_doors = labels.ravel()[self._anchors]
        if len(at_doors) and (at_doors.min() == 0 or at_doors.min() != at_doors.max()):
            return False
        reached = labels == at_doors[0] if len(at_doors) else clear
        return bool(reached.sum() * _CELL**2 >= 0.09 * self.room.polygon.area)


def _fixtures(plan: FloorPlan, index: int, openings: list[Opening]) -> Array:
    """Return boxes of open door leaves, and of sills where they reach into the room."""
    boxes = [np.zeros((0, 8))]
    for opening in openings:
        leaf = open_leaf(plan, opening) if opening.swing == index else None
        if leaf is not None:
            low, high = leaf
            boxes.append(aligned_box(low - 0.06, high + 0.06))
        if has_sill(opening):
            sign = outward(plan, opening)
            edge = opening.line - sign * HALF_WALL
            across = sorted((edge - sign * SILL_NOSE, edge - sign * SILL_NOSE + sign * SILL_DEPTH))
            low = np.array([opening.start, across[0], opening.bottom])
            high = np.array([opening.end, across[1], opening.bottom + SILL_THICKNESS])
            if opening.axis == 1:
                low[:2], high[:2] = low[1::-1].copy(), high[1::-1].copy()
            boxes.append(aligned_box(low, high))
    return np.concatenate(boxes)
