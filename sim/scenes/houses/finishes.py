"""Which materials cover a house: one taste for the whole, and walls, floor and ceiling of every room."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..looks.materials import Materials
from .floor_plan import FloorPlan, PlannedRoom

_WET = {"bathroom", "kitchen"}


@dataclass(frozen=True)
class RoomFinish:
    """Material keys of one room: ``walls`` in the order south, east, north, west; ``tiles`` reach up to
    ``tile_height`` metres (0: none)."""

    walls: tuple[str, str, str, str]
    floor: str
    ceiling: str
    tiles: str
    tile_height: float


@dataclass(frozen=True)
class Finishes:
    """Material keys of a whole house."""

    rooms: tuple[RoomFinish, ...]
    frame: str
    leaf: str
    handle: str
    sill: str
    reveal: str
    facade: str
    roof: str
    ground: str
    foliage: str
    bark: str
    front_door: str
    skirting: str


def choose_finishes(plan: FloorPlan, materials: Materials, rng: np.random.Generator) -> Finishes:
    """Choose every surface of a house: frames and floors repeat from room to room, walls differ."""
    white = materials.make("plaster", rng, tone="white")
    woodwork = "wood" if rng.random() < 0.35 else "plastic"
    frame = materials.make(woodwork, rng, tone="light")
    parquet = materials.make("parquet", rng)
    rooms = tuple(_room_finish(room, materials, white, parquet) for room in plan.rooms)
    return Finishes(
        rooms=rooms,
        frame=frame,
        leaf=frame if rng.random() < 0.6 else materials.make("wood", rng),
        handle=materials.make("metal", rng),
        sill=materials.make(["marble", "noise", "wood"][int(rng.integers(3))], rng, tone="light"),
        reveal=white,
        facade=materials.make(["brick", "plaster"][int(rng.integers(2))], rng),
        roof=materials.make("noise", rng, tone="dark"),
        ground=materials.make("grass", rng),
        foliage=materials.make("leaf", rng),
        bark=materials.make("wood", rng, tone="dark"),
        front_door=materials.make("wood", rng),
        skirting=frame if rng.random() < 0.6 else parquet,
    )


def _room_finish(room: PlannedRoom, materials: Materials, white: str, parquet: str) -> RoomFinish:
    rng = np.random.default_rng([room.look, 3])
    walls = _walls(room, materials, rng)
    tiles = materials.make("tile", rng)
    height = 0.0
    if room.type == "bathroom":
        height = 3.5 if rng.random() < 0.3 else float(rng.uniform(1.2, 2.1))
    elif room.type == "kitchen":
        height = float(rng.uniform(1.4, 1.6)) if rng.random() < 0.6 else 0.0
    return RoomFinish(walls, _floor(room, materials, rng, parquet), white, tiles, height)


def _walls(room: PlannedRoom, materials: Materials, rng: np.random.Generator) -> tuple[str, str, str, str]:
    """One finish all round, sometimes with one accent wall."""
    papered = room.type in {"living room", "bedroom", "child's room", "dining room"}
    family = rng.choice(["plaster", "wallpaper", "stripes"], p=[0.45, 0.38, 0.17] if papered else [0.8, 0.15, 0.05])
    base = materials.make(str(family), rng, tone="light")
    walls = [base] * 4
    if room.type not in _WET and rng.random() < 0.45:
        accent = str(rng.choice(["wallpaper", "stripes", "brick", "plaster", "wood"]))
        walls[int(rng.integers(4))] = materials.make(accent, rng)
    return (walls[0], walls[1], walls[2], walls[3])


def _floor(room: PlannedRoom, materials: Materials, rng: np.random.Generator, parquet: str) -> str:
    if room.type in _WET:
        family = str(rng.choice(["tile", "tile", "noise", "marble"]))
        return materials.make(family, rng)
    if room.type in {"bedroom", "child's room", "office"} and rng.random() < 0.3:
        return materials.make("carpet", rng)
    return parquet
