"""Which furniture belongs into which type of room, and how it stands together."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from .along_walls import above, against_wall, before, beside, on_wall, row
from .arranging import Arranger
from .on_floor import chairs_around, clutter, free_standing, loose_rug, rug_under
from .on_surfaces import on_surface
from .room_space import Placement
from .supplier import Order
from .wall_side import WallSide


def _opposite(arranger: Arranger, number: int) -> list[WallSide]:
    """Return the wall that a piece looks at."""
    facing = np.array(arranger.placed(number)[0].facing)
    return [side for side in arranger.space.sides if np.dot(facing, side.normal) < -0.9]


def _several(arranger: Arranger, category: str, low: int, high: int, **how: object) -> list[int]:
    """Stand ``low`` to ``high`` pieces of one design against walls, neighbours side by side."""
    order = arranger.order(category)
    numbers: list[int] = []
    for _ in range(int(arranger.rng.integers(low, high + 1))):
        number = None
        if numbers:
            number = beside(arranger, numbers[-1], order, right=True, gap=0.006)
        if number is None:
            number = against_wall(arranger, order, **how)  # type: ignore[arg-type]
        if number is not None:
            numbers.append(number)
    return numbers


def _chance(arranger: Arranger, share: float) -> bool:
    return bool(arranger.rng.random() < share)


def _area(arranger: Arranger) -> float:
    return float(arranger.space.room.polygon.area)


def _seat_group(arranger: Arranger) -> None:
    """A sofa, a coffee table on a rug before it, armchairs beside, a television opposite."""
    sofa = against_wall(arranger, "sofa", where="middle", ignore={"window"})
    if sofa is None:
        return
    table = before(arranger, sofa, "coffee table", gap=float(arranger.rng.uniform(0.36, 0.5)), turn=0.0)
    armchair = arranger.order("armchair")
    if table is not None:
        _, piece = arranger.placed(table)
        reach = piece.size[0] / 2 + arranger.piece(armchair).size[1] / 2 + 0.3
        for sign in (1.0, -1.0):
            if _chance(arranger, 0.75):
                _turned_beside(arranger, table, armchair, sign * reach, turn=sign * np.pi / 2)
        rug_under(arranger, [table], margin=0.55)
    _television(arranger, sofa)
    _sofa_side(arranger, sofa)
    above(arranger, sofa, "painting", gap=float(arranger.rng.uniform(0.25, 0.4)))


def _turned_beside(arranger: Arranger, host: int, order: Order, aside: float, *, turn: float) -> int | None:
    """Stand a piece at the side of another, looking at it."""
    placement, _ = arranger.placed(host)
    if not arranger.supplier.knows(order.category):
        return None
    x, y = placement.world(aside, 0.0)
    yaw = placement.yaw + turn + float(arranger.rng.normal(0.0, 0.12))
    return arranger.space.try_add(Placement(order, x, y, 0.0, yaw), ignore={"front"})


def _sofa_side(arranger: Arranger, sofa: int) -> None:
    """A floor lamp at one end of the sofa, a side table with a lamp at the other."""
    right = _chance(arranger, 0.5)
    if _chance(arranger, 0.8):
        beside(arranger, sofa, "lamp", right=right)
    if _chance(arranger, 0.6):
        table = beside(arranger, sofa, "side table", right=not right)
        if table is not None:
            on_surface(arranger, table, "table lamp")


def _television(arranger: Arranger, seat: int) -> None:
    """A low cabinet opposite the seats, and the television on it."""
    for category in ("cabinet", "chest of drawers"):
        board = against_wall(arranger, category, where="middle", sides=_opposite(arranger, seat))
        if board is not None:
            on_surface(arranger, board, "television", back=True)
            return


def _dining_group(arranger: Arranger, low: int, high: int) -> int | None:
    table = free_standing(arranger, "table", central=True)
    if table is None:
        table = against_wall(arranger, "table", ignore={"front"})
    if table is None:
        return None
    chairs = chairs_around(arranger, table, arranger.supplier.usual("chair"), int(arranger.rng.integers(low, high + 1)))
    if _chance(arranger, 0.6):
        rug_under(arranger, [table, *chairs], margin=0.25)
    return table


def _desk_place(arranger: Arranger, desk: Order, chair: Order) -> int | None:
    """A desk with its chair, screen, computer and lamp."""
    number = against_wall(arranger, desk, ignore={"window"} if _chance(arranger, 0.5) else ())
    if number is None:
        return None
    gap = -0.14 if _chance(arranger, 0.5) else 0.06
    for distance in (gap, 0.06, 0.2):
        if before(arranger, number, chair, gap=distance, aside=float(arranger.rng.uniform(-0.1, 0.1))) is not None:
            break
    on_surface(arranger, number, arranger.supplier.usual("screen"), back=True)
    for category in ("desk lamp", "computer", "book", "cup"):
        if _chance(arranger, 0.6):
            on_surface(arranger, number, category, back=category in {"computer", "desk lamp"})
    return number


def _corner_pieces(arranger: Arranger, categories: Sequence[str], share: float = 0.7) -> None:
    for category in categories:
        if _chance(arranger, share):
            clutter(arranger, category)


def _storage(arranger: Arranger, categories: Sequence[str], share: float) -> None:
    for category in categories:
        if _chance(arranger, share):
            number = against_wall(arranger, category, where="corner" if _chance(arranger, 0.4) else "anywhere")
            if number is not None and category in {"chest of drawers", "cabinet"} and _chance(arranger, 0.6):
                above(arranger, number, "mirror" if _chance(arranger, 0.4) else "painting", gap=0.3)


#: What else stands along the walls of a room that still has space for it.
_FILLERS = {
    "living room": (
        "bookcase",
        "cabinet",
        "armchair",
        "plant",
        "chest of drawers",
        "side table",
        "bookcase",
        "ottoman",
    ),
    "bedroom": ("chest of drawers", "bookcase", "wardrobe", "chair", "plant", "armchair", "basket"),
    "child's room": ("bookcase", "box", "chest of drawers", "toy", "basket", "ball", "stool"),
    "kitchen": ("buffet", "cabinet", "stool", "plant", "basket", "chair"),
    "bathroom": ("cabinet", "basket", "stool", "chest of drawers", "plant"),
    "office": ("bookcase", "cabinet", "plant", "armchair", "chest of drawers", "box"),
    "dining room": ("buffet", "cabinet", "chair", "plant", "bookcase", "bench"),
    "corridor": ("plant", "stool", "basket"),
}
_FLOOR_PER_FILLER = 4.5  # square metres


def fill_walls(arranger: Arranger) -> None:
    """Use walls that are still bare: what fits, up to one piece for every few square metres of floor."""
    choice = _FILLERS[arranger.space.room.type]
    start = int(arranger.rng.integers(len(choice)))
    for k in range(min(len(choice), int(_area(arranger) / _FLOOR_PER_FILLER))):
        category = choice[(start + k) % len(choice)]
        if category in {"plant", "basket", "box", "toy", "ball"}:
            clutter(arranger, category)
        else:
            against_wall(arranger, category, tries=16)


def furnish_living_room(arranger: Arranger) -> None:
    """Seats around a table and a television; shelves of books; a dining table where there is space."""
    _seat_group(arranger)
    _several(arranger, "bookcase", 1, 3)
    if _area(arranger) > 23 and _chance(arranger, 0.75):
        _dining_group(arranger, 3, 6)
    _storage(arranger, ["chest of drawers", "cabinet", "bookcase", "buffet"], 0.55)
    if _chance(arranger, 0.5):
        against_wall(arranger, "armchair", where="corner")
    _corner_pieces(arranger, ["plant", "lamp", "plant", "basket", "fan", "ottoman"], 0.6)


def _bed_place(arranger: Arranger, bed: Order) -> int | None:
    number = against_wall(arranger, bed, where="middle", ignore={"window"} if _chance(arranger, 0.3) else ())
    if number is None:
        number = against_wall(arranger, bed, where="corner", ignore={"window"})
    if number is None:
        return None
    stand = arranger.order("nightstand")
    for right in (True, False):
        side = beside(arranger, number, stand, right=right, gap=0.06)
        if side is not None:
            on_surface(arranger, side, arranger.supplier.usual("table lamp"))
    above(arranger, number, "painting", gap=0.3)
    return number


def furnish_bedroom(arranger: Arranger) -> None:
    """A bed between nightstands, a wardrobe, a chest of drawers, sometimes a desk."""
    bed = _bed_place(arranger, arranger.order("bed"))
    _several(arranger, "wardrobe", 1, 2, where="corner")
    _storage(arranger, ["chest of drawers", "bookcase"], 0.7)
    if _area(arranger) > 13 and _chance(arranger, 0.5):
        _desk_place(arranger, arranger.order("desk"), arranger.order("chair"))
    for category in ("bench", "armchair", "chair", "cradle"):
        if _chance(arranger, 0.3):
            against_wall(arranger, category)
    loose_rug(arranger, near=bed)
    _corner_pieces(arranger, ["plant", "basket", "ottoman", "box", "lamp", "stool"], 0.45)


def furnish_childs_room(arranger: Arranger) -> None:
    """A small bed, a desk, shelves, toys on the floor."""
    if not _chance(arranger, 0.35) or against_wall(arranger, "bunk bed", where="corner", ignore={"window"}) is None:
        _bed_place(arranger, arranger.order("bed", (1.0, 2.05, 0.9)))
    _several(arranger, "wardrobe", 1, 1, where="corner")
    _desk_place(arranger, arranger.order("desk", (1.15, 0.62, None)), arranger.order("chair"))
    _storage(arranger, ["bookcase", "chest of drawers"], 0.75)
    rug = loose_rug(arranger, (1.6, 1.2))
    if rug is None:
        loose_rug(arranger, (1.0, 0.7))
    _corner_pieces(arranger, ["box", "basket", "toy", "ball", "toy", "box", "stool", "plant"], 0.7)


def furnish_kitchen(arranger: Arranger) -> None:
    """A run of equal counters with stove and sink, the refrigerator at its end, a table where there is space."""
    counter = arranger.order("counter", (round(float(arranger.rng.uniform(0.58, 0.66)), 2), 0.6, 0.9))
    stove, sink = arranger.order("stove", (0.6, 0.6, 0.9)), arranger.order("kitchen sink", (0.7, 0.6, None))
    run: list[Order | str] = ["refrigerator", counter, stove, counter, sink]
    run += [arranger.order("dishwasher", (0.6, 0.6, None))] if _chance(arranger, 0.5) else []
    run += [counter] * int(arranger.rng.integers(0, 3))
    numbers = row(arranger, run)
    placed = [arranger.placed(n)[0].order.category for n in numbers]
    for category, order in (("kitchen sink", sink), ("stove", stove), ("refrigerator", "refrigerator")):
        if category not in placed:
            against_wall(arranger, order)
    if len(numbers) < len(run):
        numbers += row(arranger, [counter] * 3)
    _above_counters(arranger, numbers)
    if _area(arranger) > 12.5 and _chance(arranger, 0.4):
        free_standing(arranger, "kitchen island", central=True)
    _dining_group(arranger, 3, 6)
    _storage(arranger, ["cabinet", "buffet", "washer"], 0.4)
    _corner_pieces(arranger, ["ashcan", "basket", "stool", "box", "plant"], 0.55)


def _above_counters(arranger: Arranger, numbers: Sequence[int]) -> None:
    """A hood over the stove, equal wall cabinets or shelves over the counters, a microwave on one of them."""
    closed = _chance(arranger, 0.65)
    width = min((arranger.placed(n)[1].size[0] for n in numbers), default=0.6)
    unit = (
        arranger.order("wall cabinet", (width, None, None)) if closed else arranger.order("shelf", (width, None, None))
    )
    for number in numbers:
        category = arranger.placed(number)[0].order.category
        if category == "stove":
            above(arranger, number, "hood", gap=0.65)
        elif category == "counter":
            above(arranger, number, unit, gap=0.52)
    counters = [n for n in numbers if arranger.placed(n)[0].order.category == "counter"]
    if counters and _chance(arranger, 0.6):
        on_surface(arranger, counters[0], "microwave", back=True)


def furnish_bathroom(arranger: Arranger) -> None:
    """Bathtub or shower, toilet, sink below a mirror, towels."""
    bath = _chance(arranger, 0.65)
    wet = against_wall(arranger, "bathtub" if bath else "shower", where="corner", ignore={"window"})
    if wet is None:
        against_wall(arranger, "shower" if bath else "bathtub", where="corner", ignore={"window"})
    sink = against_wall(arranger, "sink", where="middle")
    if sink is not None:
        above(arranger, sink, "mirror", gap=0.2)
    against_wall(arranger, "toilet", ignore={"window"})
    if bath and _area(arranger) > 7.5:
        against_wall(arranger, "shower", where="corner")
    _storage(arranger, ["washer", "cabinet", "chest of drawers"], 0.55)
    for _ in range(int(arranger.rng.integers(1, 4))):
        on_wall(arranger, arranger.supplier.usual("towel"), height=1.25)
    loose_rug(arranger, (0.8, 0.55))
    if not any(window.bottom < 1.3 for window in arranger.space.windows()):
        on_wall(arranger, "radiator", bottom=0.2)
    _corner_pieces(arranger, ["ashcan", "basket", "stool", "plant", "box"], 0.6)


def furnish_office(arranger: Arranger) -> None:
    """Equal desks with equal chairs and screens, shelves of books."""
    desk = arranger.order("desk")
    chair = arranger.order("swivel chair" if _chance(arranger, 0.75) else "chair")
    for _ in range(2 + int(_area(arranger) > 12)):
        _desk_place(arranger, desk, chair)
    _several(arranger, "bookcase", 1, 3)
    _storage(arranger, ["cabinet", "chest of drawers", "armchair"], 0.5)
    if _chance(arranger, 0.5):
        loose_rug(
            arranger,
        )
    _corner_pieces(arranger, ["ashcan", "plant", "box", "basket", "fan", "lamp", "box"], 0.55)


def furnish_dining_room(arranger: Arranger) -> None:
    """A long table with equal chairs, a sideboard."""
    _dining_group(arranger, 4, 8)
    _storage(arranger, ["buffet", "cabinet", "chest of drawers", "bookcase"], 0.65)
    chair = arranger.supplier.usual("chair")
    if _chance(arranger, 0.4):
        against_wall(arranger, chair, where="corner")
    _corner_pieces(arranger, ["plant", "lamp", "plant", "basket"], 0.55)


def furnish_corridor(arranger: Arranger) -> None:
    """Narrow furniture along the walls, a runner, pictures."""
    sizes = {"cabinet": (0.9, 0.3, 0.85), "chest of drawers": (0.8, 0.34, 0.8), "bench": (1.0, 0.32, 0.45)}
    for category, size in sizes.items():
        number = against_wall(arranger, arranger.order(category, size))
        if number is not None:
            above(arranger, number, "mirror" if category != "bench" else "painting", gap=0.35)
    longest = max(side.length for side in arranger.space.sides)
    if longest > 3.5:
        loose_rug(arranger, (min(2.6, longest - 1.5), 0.75))
    if _chance(arranger, 0.6):
        on_wall(arranger, "clock", height=1.9)
    _corner_pieces(arranger, ["coat rack", "plant", "basket", "box", "stool"], 0.55)


FURNISH: dict[str, Callable[[Arranger], None]] = {
    "living room": furnish_living_room,
    "bedroom": furnish_bedroom,
    "child's room": furnish_childs_room,
    "kitchen": furnish_kitchen,
    "bathroom": furnish_bathroom,
    "office": furnish_office,
    "dining room": furnish_dining_room,
    "corridor": furnish_corridor,
}
