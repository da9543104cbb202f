"""The last layer of a furnished room: things on tables and shelves, pictures on free walls."""

from __future__ import annotations

from .along_walls import on_wall
from .arranging import Arranger
from .on_surfaces import on_surface

#: What lies on top of which furniture, most likely first, and how many things at most per surface.
_ON_TOP: dict[str, tuple[tuple[str, ...], int]] = {
    "table": (("vase", "tray", "cup", "bottle", "book", "cup", "pot"), 5),
    "coffee table": (("book", "cup", "vase", "tray", "bottle", "book"), 4),
    "desk": (("book", "cup", "book", "box", "plant", "bottle"), 3),
    "cabinet": (("vase", "book", "box", "plant", "table lamp", "tray"), 4),
    "chest of drawers": (("vase", "table lamp", "book", "box", "plant"), 4),
    "nightstand": (("book", "cup", "bottle", "table lamp"), 2),
    "bookcase": (("box", "vase", "plant", "book", "toy"), 3),
    "shelf": (("book", "vase", "plant", "cup", "toy", "bottle", "box"), 5),
    "counter": (("pot", "bottle", "cup", "tray", "box", "vase", "bottle"), 3),
    "wardrobe": (("box", "basket", "box"), 2),
    "refrigerator": (("box", "basket", "bottle"), 1),
    "washer": (("box", "basket", "bottle"), 2),
    "sink": (("bottle", "cup"), 1),
    "stove": (("pot", "pot"), 2),
    "bench": (("cushion", "book", "box"), 2),
    "sofa": (("cushion", "cushion", "cushion", "blanket"), 4),
    "armchair": (("cushion", "blanket"), 1),
    "bed": (("cushion", "cushion", "blanket", "toy", "book"), 4),
    "side table": (("vase", "book", "cup"), 2),
    "buffet": (("vase", "tray", "bottle", "box", "pot"), 4),
    "wall cabinet": (("box", "basket", "pot", "vase"), 2),
    "kitchen sink": (("bottle", "cup"), 1),
    "kitchen island": (("pot", "tray", "bottle", "vase", "cup"), 4),
    "dishwasher": (("box", "bottle", "tray"), 2),
    "bathtub": (("bottle", "bottle"), 2),
    "bunk bed": (("cushion", "toy", "cushion"), 3),
    "cradle": (("toy", "cushion"), 1),
    "ottoman": (("book", "tray"), 1),
}

_PICTURES = {
    "child's room": ("poster", "poster", "bulletin board", "shelf", "clock", "painting"),
    "office": ("poster", "bulletin board", "painting", "clock", "shelf"),
    "kitchen": ("clock", "shelf", "painting", "poster"),
    "bathroom": ("shelf", "towel", "painting"),
    "living room": ("painting", "shelf", "painting", "clock", "sconce", "mirror"),
    "corridor": ("painting", "sconce", "mirror", "painting", "poster", "shelf"),
}
_PICTURES_ELSEWHERE = ("painting", "poster", "mirror", "shelf", "clock")


def dress_room(arranger: Arranger) -> None:
    """Hang pictures and shelves on free walls, then put things on every surface."""
    _hang_pictures(arranger)
    for number in range(len(arranger.space.placements)):
        _put_on(arranger, number)


def _hang_pictures(arranger: Arranger) -> None:
    """About one thing per two metres of wall, each wall tried in turn so that none stays bare."""
    choice = _PICTURES.get(arranger.space.room.type, _PICTURES_ELSEWHERE)
    hung = 0
    for round_number in range(3):
        for side in arranger.space.sides:
            if side.length < 1.0 + 1.6 * round_number:
                continue
            category = choice[hung % len(choice)]
            height = {"clock": 1.95, "sconce": 1.8, "towel": 1.2}.get(category)
            on_wall(arranger, category, height=height, sides=[side])
            hung += 1


def _put_on(arranger: Arranger, number: int) -> None:
    placement, piece = arranger.placed(number)
    choice, most = _ON_TOP.get(placement.order.category, ((), 0))
    if not piece.surfaces or not most:
        return
    count = int(arranger.rng.integers(max(1, most - 2), most + 1))
    for category in choice[:count] if arranger.rng.random() < 0.5 else arranger.rng.permutation(choice)[:count]:
        back = category in {"cushion", "table lamp"} or (category == "book" and placement.order.category == "shelf")
        on_surface(arranger, number, str(category), back=back)
