"""The shell of a house as meshes: floors, ceilings, walls with their openings, skirting, and what lies outside."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from shapely.geometry.polygon import orient

from ..meshes.mesh import Array, Part
from ..meshes.meshing import merged
from ..meshes.primitives import box
from ..meshes.tessellation import Rectangle, horizontal, panel
from .element import Element
from .finishes import Finishes, RoomFinish
from .floor_plan import GROUND_HEIGHT, FloorPlan, PlannedRoom
from .garden import garden
from .joinery import joinery
from .wall_side import WallSide, opening_on, wall_sides

ROOF_THICKNESS = 0.3
SKIRTING = (0.012, 0.08)  # thickness, height
_OVERLAP = 0.01  # how far sheets run into each other where they meet, so that no ray slips between them
_OUTSIDE_EDGE = 1.2  # nobody looks at the facade from near


def build_architecture(plan: FloorPlan, finishes: Finishes, *, edge: float, seed: int) -> list[Element]:
    """Return everything that is not furniture, its inside surfaces in cells of at most ``edge`` metres."""
    elements: list[Element] = []
    for index, room in enumerate(plan.rooms):
        elements += _room_shell(plan, index, room, finishes, edge)
    elements += joinery(plan, finishes, edge=edge)
    elements += _outside(plan, finishes)
    elements += garden(plan.outline, finishes, np.random.default_rng([seed, 11]), detail=3.0 if edge < 0.35 else 0.6)
    return elements


def _room_shell(plan: FloorPlan, index: int, room: PlannedRoom, finishes: Finishes, edge: float) -> list[Element]:
    finish = finishes.rooms[index]
    extent = room.polygon.buffer(_OVERLAP, join_style="mitre")
    floor = horizontal(extent, 0.0, finish.floor, edge=edge, up=True)
    ceiling = horizontal(extent, plan.ceiling, finish.ceiling, edge=edge, up=False)
    elements = [
        Element("floor", f"{room.name}/floor", room.name, (floor,)),
        Element("ceiling", f"{room.name}/ceiling", room.name, (ceiling,)),
    ]
    openings = plan.openings_of(index)
    skirting: list[Part] = []
    for side, material in zip(wall_sides(room), finish.walls, strict=True):
        on_side = [opening_on(side, opening) for opening in openings if side.holds(opening)]
        parts = _wall(side, on_side, material, finish, plan.ceiling, edge)
        elements.append(Element("wall", f"{room.name}/{side.name} wall", room.name, tuple(parts)))
        if room.type != "bathroom":
            skirting += _skirting(side, on_side, finishes.skirting, edge)
    if skirting:
        elements.append(Element("baseboard", f"{room.name}/skirting", room.name, (merged(skirting),)))
    return elements


def _wall(
    side: WallSide, holes: list[Rectangle], material: str, finish: RoomFinish, ceiling: float, edge: float
) -> list[Part]:
    """Return one wall of a room with holes, tiled up to the finish's height."""
    lowest, highest = -_OVERLAP, ceiling + _OVERLAP
    tiled = min(finish.tile_height, highest)
    bands = [(tiled, highest, material)] if tiled < highest else []
    if tiled > 0:
        bands.append((lowest, tiled, finish.tiles))
    elif bands:
        bands = [(lowest, highest, material)]
    parts = []
    for low, high, key in bands:
        extent = (-_OVERLAP, low, side.length + _OVERLAP, high)
        inside = [clipped for hole in holes if (clipped := _clip(hole, low, high)) is not None]
        up = (0.0, 0.0, 1.0)
        parts.append(panel(side.origin3, side.along3, up, extent, key, edge=edge, holes=inside))
    return parts


def _clip(hole: Rectangle, low: float, high: float) -> Rectangle | None:
    """Cut a hole to a band of heights; a hole that starts at the floor reaches below it."""
    u0, v0, u1, v1 = hole
    v0 = -_OVERLAP if v0 <= 0 else v0
    v0, v1 = max(v0, low), min(v1, high)
    return (u0, v0, u1, v1) if v1 > v0 else None


def _skirting(side: WallSide, holes: list[Rectangle], material: str, edge: float) -> list[Part]:
    """Return the boards along one wall, interrupted at doors. Two sides stop short of the corner boards."""
    thickness, height = SKIRTING
    doors = sorted((u0, u1) for u0, v0, u1, _ in holes if v0 <= 0)
    inset = thickness if side.normal[0] == 0 else 0.0
    starts = [inset, *(u1 + 0.055 for _, u1 in doors)]
    ends = [*(u0 - 0.055 for u0, _ in doors), side.length - inset]
    parts = []
    for start, end in zip(starts, ends, strict=True):
        if end - start > 0.02:
            low, high = side.box((start, 0.0, -_OVERLAP), (end, thickness, height))
            pieces = max(1, round((end - start) / max(edge, 0.25)))
            parts.append(_board(low, high, material, pieces, side))
    return parts


def _board(low: Array, high: Array, material: str, pieces: int, side: WallSide) -> Part:
    """Return a long thin board in ``pieces`` lengths, so that light varies along it; back and bottom are left out."""
    axis = 0 if side.normal[0] == 0 else 1
    cuts = np.linspace(low[axis], high[axis], pieces + 1)
    hidden = {(0, 1): "y", (0, -1): "Y", (1, 0): "x", (-1, 0): "X"}[(round(side.normal[0]), round(side.normal[1]))]
    parts = []
    for k in range(pieces):
        a, b = low.copy(), high.copy()
        a[axis], b[axis] = cuts[k], cuts[k + 1]
        names = "xXyY"[2 * axis : 2 * axis + 2]
        inner = (names[0] if k else "") + (names[1] if k < pieces - 1 else "")
        faces = "".join(face for face in "xXyYZ" if face not in hidden + inner)
        parts.append(box(a, b, material, faces=faces, along=axis))
    return merged(parts)


def _outside(plan: FloorPlan, finishes: Finishes) -> list[Element]:
    """Return facade and roof, which keep the sun out everywhere but at the windows."""
    top = plan.ceiling + ROOF_THICKNESS
    corners = np.asarray(orient(plan.outline).exterior.coords)
    facade = [_facade(plan, start, end, top, finishes.facade) for start, end in pairwise(corners)]
    roof = horizontal(plan.outline, top, finishes.roof, edge=2.0, up=True)
    return [
        Element("wall", "facade", None, (merged(facade),)),
        Element("roof", "roof", None, (roof,)),
    ]


def _facade(plan: FloorPlan, start: Array, end: Array, top: float, material: str) -> Part:
    length = float(np.linalg.norm(end - start))
    along = (end - start) / length
    axis = 0 if abs(along[0]) > 0.5 else 1
    holes: list[Rectangle] = []
    for opening in plan.openings:
        near = abs(opening.line - start[1 - axis]) < 0.4 and opening.kind in {"window", "entrance"}
        ends = sorted(float(along[axis] * (at - start[axis])) for at in (opening.start, opening.end))
        if near and ends[0] > 0 and ends[1] < length:
            bottom = opening.bottom if opening.bottom > 0 else GROUND_HEIGHT - _OVERLAP
            holes.append((ends[0], bottom, ends[1], opening.top))
    extent = (0.0, GROUND_HEIGHT - _OVERLAP, length, top)
    return panel((*start, 0.0), (*along, 0.0), (0, 0, 1), extent, material, edge=_OUTSIDE_EDGE, holes=holes)
