"""`Arranger`: ways of putting furniture into a room (against a wall, around a table, on a shelf, under a window)."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Literal

import numpy as np

from ..meshes.mesh import Piece, Surface
from ..meshes.solids import corners_of
from .floor_plan import Opening
from .joinery import SILL_DEPTH, SILL_NOSE, SILL_THICKNESS, has_sill
from .room_space import RESTING_GAP, Placement, RoomSpace
from .supplier import Order, Size
from .wall_side import WallSide, opening_on

WALL_GAP = 0.016  # clears the skirting
_EYE_HEIGHT = 1.55

Where = Literal["anywhere", "corner", "middle"]


class Arranger:
    """Furnishes one room; every method returns the number of what it placed, or None where nothing fitted."""

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

    # Along walls

    def against_wall(
        self,
        category: str | Order,
        *,
        where: Where = "anywhere",
        sides: Sequence[WallSide] | None = None,
        ignore: Container[str] = (),
        tries: int = 28,
    ) -> int | None:
        """Stand a piece with its back to a wall."""
        order = self._ordered(category)
        if order is None:
            return None
        width, depth, _ = self.piece(order).size
        for side, u in self._spots(width, where, self.space.sides if sides is None else sides)[:tries]:
            number = self.space.try_add(self._at_wall(order, side, u, depth), ignore=ignore)
            if number is not None:
                return number
        return None

    def _ordered(self, category: str | Order) -> Order | None:
        if isinstance(category, Order):
            return category if self.supplier.knows(category.category) else None
        return self.order(category) if self.supplier.knows(category) else None

    def _at_wall(self, order: Order, side: WallSide, u: float, depth: float, z: float = 0.0) -> Placement:
        """Place by the middle of the back: pieces that hang have their origin there, others half a depth before it."""
        hung = self.piece(order).mount == "wall"
        gap = 0.002 if hung else WALL_GAP
        x, y = side.point(u, gap + (0.0 if hung else depth / 2))
        return Placement(order, x, y, z, side.yaw)

    def _spots(self, width: float, where: Where, sides: Sequence[WallSide]) -> list[tuple[WallSide, float]]:
        """Return places along walls for something ``width`` wide, best first within each kind of wish."""
        spots: list[tuple[float, WallSide, float]] = []
        for side in sides:
            low, high = width / 2 + 0.02, side.length - width / 2 - 0.02
            if high < low:
                continue
            count = max(2, int((high - low) / 0.2) + 1)
            for k, u in enumerate(np.linspace(low, high, count)):
                corner = min(k, count - 1 - k) / count
                wish = {"anywhere": 0.0, "corner": corner, "middle": -corner - 0.05 * side.length}[where]
                spots.append((wish + self.rng.random() * (1.0 if where == "anywhere" else 0.15), side, float(u)))
        return [(side, u) for _, side, u in sorted(spots, key=lambda spot: spot[0])]

    def row(self, categories: Sequence[str | Order], *, sides: Sequence[WallSide] | None = None) -> list[int]:
        """Stand pieces side by side along one wall, as many of them as fit where most fit."""
        orders = [order for category in categories if (order := self._ordered(category)) is not None]
        sides = self.space.sides if sides is None else sides
        best: tuple[int, float, WallSide | None] = (0, 0.0, None)
        for side in sides:
            for start in self._row_starts(side):
                fitting = self._row(orders, side, start, keep=False)
                if len(fitting) > best[0]:
                    best = (len(fitting), start, side)
        return [] if best[2] is None else self._row(orders, best[2], best[1], keep=True)

    def _row_starts(self, side: WallSide) -> list[float]:
        doors = [opening_on(side, o) for o in self.space.openings if o.kind != "window" and side.holds(o)]
        return [0.02, *(u1 + 0.1 for _, _, u1, _ in doors)]

    def _row(self, orders: Sequence[Order], side: WallSide, start: float, *, keep: bool) -> list[int]:
        before = self.space.snapshot()
        numbers: list[int] = []
        u = start
        for order in orders:
            width, depth, _ = self.piece(order).size
            number = self.space.try_add(self._at_wall(order, side, u + width / 2, depth), guests=numbers)
            if number is not None:
                numbers.append(number)
                u += width + 0.004
        if not keep:
            self.space.restore(before)
        return numbers

    def beside(self, number: int, category: str | Order, *, right: bool, gap: float = 0.05) -> int | None:
        """Stand a piece next to another, backs in line."""
        order = self._ordered(category)
        if order is None:
            return None
        placement, piece = self.placed(number)
        width, depth, _ = self.piece(order).size
        offset = (piece.size[0] + width) / 2 + gap
        x, y = placement.world(offset if right else -offset, (depth - piece.size[1]) / 2)
        return self.space.try_add(Placement(order, x, y, 0.0, placement.yaw), ignore={"front"})

    def before(
        self, number: int, category: str | Order, *, gap: float, aside: float = 0.0, turn: float = np.pi
    ) -> int | None:
        """Stand a piece in front of another, by default looking back at it."""
        order = self._ordered(category)
        if order is None:
            return None
        placement, piece = self.placed(number)
        depth = self.piece(order).size[1]
        x, y = placement.world(aside, piece.size[1] / 2 + gap + depth / 2)
        return self.space.try_add(Placement(order, x, y, 0.0, placement.yaw + turn), ignore={"front"})

    # In the room

    def free_standing(self, category: str | Order, *, central: bool = False, tries: int = 25) -> int | None:
        """Stand a piece somewhere on the floor, square to the walls; in the middle first where ``central``."""
        order = self._ordered(category)
        if order is None:
            return None
        x0, y0, x1, y1 = self.space.room.interior
        for k in range(tries):
            spread = 0.6 * k / tries if central else 1.0
            x = (x0 + x1) / 2 + spread * float(self.rng.uniform(-0.5, 0.5)) * (x1 - x0)
            y = (y0 + y1) / 2 + spread * float(self.rng.uniform(-0.5, 0.5)) * (y1 - y0)
            long = 0.0 if x1 - x0 > y1 - y0 else np.pi / 2
            yaw = long + np.pi / 2 * int(self.rng.integers(4)) if k > tries // 2 or not central else long
            number = self.space.try_add(Placement(order, x, y, 0.0, yaw))
            if number is not None:
                return number
        return None

    def clutter(self, category: str | Order, *, tries: int = 12) -> int | None:
        """Stand something small near a wall, turned as it was left."""
        order = self._ordered(category)
        if order is None:
            return None
        width, depth, _ = self.piece(order).size
        reach = float(np.hypot(width, depth))
        for side, u in self._spots(reach, "corner" if self.rng.random() < 0.5 else "anywhere", self.space.sides)[
            :tries
        ]:
            x, y = side.point(u, reach / 2 + 0.02 + float(self.rng.exponential(0.05)))
            yaw = side.yaw + float(self.rng.normal(0.0, 0.4))
            number = self.space.try_add(Placement(order, x, y, 0.0, yaw))
            if number is not None:
                return number
        return None

    def chairs_around(self, table: int, chair: Order, count: int) -> list[int]:
        """Stand equal chairs around a table, facing it, a little out of line."""
        placement, piece = self.placed(table)
        width, depth, _ = piece.size
        seat_width, seat_depth, _ = self.piece(chair).size
        along = max(1, int(width / (seat_width + 0.12)))
        spots = [(-width / 2 + width * (k + 0.5) / along, side) for k in range(along) for side in (1, -1)]
        seats = [(x, s * depth / 2, np.pi if s > 0 else 0.0, 0, s) for x, s in spots]
        seats += [(s * width / 2, 0.0, np.pi / 2 if s > 0 else -np.pi / 2, s, 0) for s in (1, -1)]
        numbers = []
        for x, y, turn, out_x, out_y in seats[:count]:
            # Tucked in where the table lets the seat go under it, else just in front of its edge.
            for tuck in (0.22, 0.1, -0.04):
                reach = seat_depth / 2 - tuck + float(self.rng.uniform(0.0, 0.05))
                at = placement.world(x + out_x * reach, y + out_y * reach)
                yaw = placement.yaw + turn + float(self.rng.normal(0.0, 0.05))
                number = self.space.try_add(Placement(chair, *at, 0.0, yaw), ignore={"front"})
                if number is not None:
                    numbers.append(number)
                    break
        return numbers

    def rug_under(self, numbers: Sequence[int], *, margin: float = 0.3) -> int | None:
        """Lay a rug that the given pieces stand on; they are lifted by its thickness."""
        if not numbers or not self.supplier.knows("rug"):
            return None
        placement, _ = self.placed(numbers[0])
        width, depth = self._extent(numbers, placement)
        for grow in (margin, margin / 2, 0.04):
            size = (2 * (width + grow), 2 * (depth + grow), 0.012)
            order = self.order("rug", size)
            rug = Placement(order, placement.x, placement.y, RESTING_GAP, placement.yaw)
            boxes = self.space.boxes(rug)
            if self.space.hits(boxes, but=set(numbers)):
                continue
            thickness = float(boxes[:, 7].max()) + RESTING_GAP
            self.space.lift(list(numbers), thickness)
            laid = self.space.try_add(rug, ignore={"window", "front"})
            if laid is not None:
                return laid
            self.space.lift(list(numbers), -thickness)
        return None

    def _extent(self, numbers: Sequence[int], centre: Placement) -> tuple[float, float]:
        """Return how far pieces reach from a placement along its own x and y."""
        boxes = np.stack([self.space.outline(self.space.placements[n]) for n in numbers])
        offset = corners_of(boxes).reshape(-1, 2) - (centre.x, centre.y)
        cos, sin = np.cos(centre.yaw), np.sin(centre.yaw)
        return (
            float(np.abs(cos * offset[:, 0] + sin * offset[:, 1]).max()),
            float(np.abs(cos * offset[:, 1] - sin * offset[:, 0]).max()),
        )

    def loose_rug(self, size: tuple[float, float] | None = None, *, near: int | None = None) -> int | None:
        """Lay a rug on free floor: beside a piece, or anywhere."""
        order = self.order("rug", None if size is None else (*size, 0.012))
        if not self.supplier.knows("rug"):
            return None
        width, depth, _ = self.piece(order).size
        if near is not None:
            placement, piece = self.placed(near)
            reach = piece.size[1] / 2 + 0.06 + depth / 2
            side = piece.size[0] / 2 + 0.06 + depth / 2
            for x, y, turn in ((0.0, reach, 0.0), (side, 0.1, np.pi / 2), (-side, 0.1, np.pi / 2)):
                spot = Placement(order, *placement.world(x, y), RESTING_GAP, placement.yaw + turn)
                number = self.space.try_add(spot, ignore={"window", "front"})
                if number is not None:
                    return number
        x0, y0, x1, y1 = self.space.room.interior
        for _ in range(15):
            x, y = self.rng.uniform((x0, y0), (x1, y1))
            turn = 0.0 if (x1 - x0 > y1 - y0) == (width > depth) else np.pi / 2
            spot = Placement(order, float(x), float(y), RESTING_GAP, turn)
            number = self.space.try_add(spot, ignore={"window", "front"})
            if number is not None:
                return number
        return None

    # On walls, ceilings and surfaces

    def on_wall(
        self,
        category: str | Order,
        *,
        height: float | None = None,
        bottom: float | None = None,
        sides: Sequence[WallSide] | None = None,
        tries: int = 16,
    ) -> int | None:
        """Hang a piece with its middle at ``height`` (eye height by default), or with its lower edge at ``bottom``."""
        order = self._ordered(category)
        if order is None:
            return None
        width, depth, tall = self.piece(order).size
        z = (_EYE_HEIGHT + float(self.rng.normal(0.0, 0.06))) if height is None else height
        z = bottom + tall / 2 if bottom is not None else z
        for side, u in self._spots(width, "anywhere", self.space.sides if sides is None else sides)[:tries]:
            number = self.space.try_add(self._at_wall(order, side, u, depth, z))
            if number is not None:
                return number
        return None

    def above(self, number: int, category: str | Order, *, gap: float, aside: float = 0.0) -> int | None:
        """Hang a piece on the wall behind and above another."""
        order = self._ordered(category)
        if order is None:
            return None
        placement, piece = self.placed(number)
        tall = self.piece(order).size[2]
        x, y = placement.world(aside, -piece.size[1] / 2 - WALL_GAP + 0.002)
        top = placement.z + piece.size[2]
        return self.space.try_add(Placement(order, x, y, top + gap + tall / 2, placement.yaw))

    def dress_window(self, window: Opening) -> None:
        """Hang curtains or a blind at a window and, mostly, a radiator under it."""
        side = self.space.side_of(window)
        u0, bottom, u1, top = opening_on(side, window)
        plain = self.space.room.type in {"bathroom", "kitchen", "office"}
        if self.rng.random() < (0.7 if plain else 0.15):
            self._blind(side, u0, u1, top)
        else:
            self._curtains(side, u0, bottom, u1, top)
        if bottom > 0.55 and self.rng.random() < 0.8:
            tall = min(0.6, bottom - 0.2)
            width = float(np.clip(u1 - u0 - 0.3, 0.4, 1.4))
            radiator = self.supplier.usual("radiator", (round(width, 2), None, round(tall, 2)))
            self._hang(radiator, side, (u0 + u1) / 2, 0.1 + tall / 2)

    def on_sill(self, window: Opening) -> None:
        """Put small things on the sill of a window."""
        side = self.space.side_of(window)
        u0, bottom, u1, _ = opening_on(side, window)
        for _ in range(int(self.rng.integers(0, 4)) if has_sill(window) else 0):
            category = str(self.rng.choice(["plant", "vase", "bottle", "book", "cup"]))
            order = self._small(category, 0.14, 0.5)
            if order is None:
                continue
            u = float(self.rng.uniform(u0 + 0.12, u1 - 0.12))
            at = side.point(u, SILL_NOSE - SILL_DEPTH / 2)
            spot = Placement(order, *at, bottom + SILL_THICKNESS + RESTING_GAP, side.yaw)
            self.space.try_add(spot, ignore={"window", "sill", "front"})

    def _curtains(self, side: WallSide, u0: float, bottom: float, u1: float, top: float) -> None:
        """Drawn-back curtains on one rod, down to the floor or, above something, to the sill."""
        high = min(top + 0.14, self.space.plan.ceiling - 0.04)
        reach = min(0.32, u0 - 0.02, side.length - u1 - 0.02)
        for low in (0.03, bottom - 0.1) if bottom < 1.0 else (bottom - 0.1,):
            order = self.supplier.usual("curtain", (round(u1 - u0 + 2 * reach, 2), 0.11, round(high - low, 2)))
            if self._hang(order, side, (u0 + u1) / 2, (low + high) / 2) is not None:
                return

    def _blind(self, side: WallSide, u0: float, u1: float, top: float) -> None:
        fall = round(float(self.rng.uniform(0.3, 0.7)), 2)
        order = self.supplier.usual("blind", (round(u1 - u0 + 0.06, 2), 0.05, fall))
        self._hang(order, side, (u0 + u1) / 2, top + 0.06 - fall / 2)

    def _hang(self, order: Order, side: WallSide, u: float, z: float) -> int | None:
        if not self.supplier.knows(order.category):
            return None
        placement = Placement(order, *side.point(u, 0.002), z, side.yaw)
        return self.space.try_add(placement, ignore={"window", "front"})

    def _small(self, category: str, depth: float, height: float) -> Order | None:
        """Return an order that is no deeper and taller than given, or None."""
        order = self._ordered(category)
        if order is None:
            return None
        size = self.piece(order).size
        scale = min(depth / max(size[0], size[1]), height / size[2])
        if scale >= 1:
            return order
        if scale < 0.25:
            return None
        smaller = Order(category, order.seed, tuple(round(scale * s, 3) for s in size))  # type: ignore[arg-type]
        made = self.piece(smaller).size
        return smaller if max(made[:2]) <= depth + 0.01 and made[2] <= height + 0.01 else None

    def from_ceiling(self, category: str | Order, x: float, y: float) -> int | None:
        """Hang a piece from the ceiling."""
        order = self._ordered(category)
        if order is None:
            return None
        return self.space.try_add(Placement(order, x, y, self.space.plan.ceiling, 0.0), ignore={"window"})

    def on_surface(
        self, number: int, category: str | Order, *, back: bool = False, jitter: float = 0.3, tries: int = 10
    ) -> int | None:
        """Stand a piece on one of the surfaces of another; at its back edge, middle first, where ``back``."""
        order = self._ordered(category)
        if order is None:
            return None
        placement, host = self.placed(number)
        width, depth, tall = self.piece(order).size
        fitting = [s for s in host.surfaces if _room_on(s, width, depth) and s.headroom >= tall + 0.01]
        for k in range(tries if fitting else 0):
            surface = fitting[int(self.rng.integers(len(fitting)))]
            turn = float(self.rng.normal(0.0, 0.03 if back else jitter))
            x, y = self._spot_on(surface, width, depth, back=back and k < tries // 2)
            at = placement.world(x, y)
            spot = self.space.settled(Placement(order, *at, placement.z + surface.z, placement.yaw + turn, number))
            if spot is None:
                continue
            placed = self.space.try_add(spot, ignore={"front", "window"} if tall < 0.45 else {"front"})
            if placed is not None:
                return placed
        return None

    def _spot_on(self, surface: Surface, width: float, depth: float, *, back: bool) -> tuple[float, float]:
        low = (surface.x0 + width / 2, surface.y0 + depth / 2)
        high = (surface.x1 - width / 2, surface.y1 - depth / 2)
        if back:
            middle = (low[0] + high[0]) / 2 + 0.3 * float(self.rng.normal()) * (high[0] - low[0])
            return float(np.clip(middle, low[0], high[0])), low[1] + 0.02
        x, y = self.rng.uniform(low, high)
        return float(x), float(y)


def _room_on(surface: Surface, width: float, depth: float) -> bool:
    return surface.x1 - surface.x0 >= width and surface.y1 - surface.y0 >= depth
