"""Furniture at the level of detail that a number of triangles asks for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..meshes.mesh import Part, Piece
from ..meshes.solids import corners_of, overlapping, placed_boxes
from .element import Element
from .floor_plan import FloorPlan
from .room_space import RESTING_GAP, Placement, footprint_points
from .supplier import PLACING_DETAIL, Supplier

_SHARE = (0.25, 0.75)  # of all triangles
_LEAST_DETAIL, _MOST_DETAIL = 0.05, 40.0
_REST_SLACK = 0.001  # metres by which what stands on a piece may come to rest lower or higher


def furniture_elements(
    plan: FloorPlan, placements: Sequence[Sequence[Placement]], supplier: Supplier, *, triangles: int
) -> list[Element]:
    """Return all furniture of a house with a fair share of ``triangles``.

    Where even the coarsest has more, the smallest things are left out.
    """
    detail = _detail_for(placements, supplier, triangles)
    rooms = []
    for room, placed in zip(plan.rooms, placements, strict=True):
        pieces = _refined(room.interior, placed, supplier, detail)
        rooms.append(
            [
                Element(
                    piece.category,
                    f"{room.name}/{piece.category} {number}",
                    room.name,
                    tuple(_in_world(part, placement) for part in piece.parts),
                )
                for number, (piece, placement) in enumerate(zip(pieces, placed, strict=True))
            ]
        )
    return _largest(placements, rooms, _SHARE[1] * triangles)


def _detail_for(placements: Sequence[Sequence[Placement]], supplier: Supplier, triangles: int) -> float:
    """Search a detail at which the furniture has a fair share of all triangles; that of placing where it will do."""
    orders = [placement.order for room in placements for placement in room]
    detail, low, high = PLACING_DETAIL, _LEAST_DETAIL, _MOST_DETAIL
    for _ in range(5):
        count = sum(len(part.triangles) for order in orders for part in supplier.make(order, detail=detail).parts)
        share = count / triangles
        if _SHARE[0] <= share <= _SHARE[1]:
            break
        low, high = (detail, high) if share < _SHARE[0] else (low, detail)
        if high < 1.1 * low:
            break
        detail = round(float(np.clip(detail * np.mean(_SHARE) / share, 1.04 * low, high / 1.04)), 3)
    return detail


def _refined(
    interior: tuple[float, float, float, float], placements: Sequence[Placement], supplier: Supplier, detail: float
) -> list[Piece]:
    """Return a room's pieces at a level of detail, each as it was placed where the other would not fit.

    A design may grow by millimetres, or have its shelves elsewhere, when it is meshed more finely.
    """
    pieces = [supplier.make(placement.order) for placement in placements]
    if detail == PLACING_DETAIL:
        return pieces
    solids = [placed_boxes(supplier.boxes(p.order), p.x, p.y, p.z, p.yaw) for p in placements]
    for number, placement in enumerate(placements):
        piece = supplier.make(placement.order, detail=detail)
        boxes = supplier.boxes(placement.order, detail=detail)
        placed = placed_boxes(boxes, placement.x, placement.y, placement.z, placement.yaw)
        others = np.concatenate([np.zeros((0, 8)), *solids[:number], *solids[number + 1 :]])
        if (
            _no_further_out(placed, solids[number], interior)
            and not overlapping(placed, others).any()
            and _carries_as_before(supplier, placements, number, detail)
        ):
            pieces[number], solids[number] = piece, placed
    return pieces


def _carries_as_before(supplier: Supplier, placements: Sequence[Placement], number: int, detail: float) -> bool:
    """Whether everything that stands on a piece would come to rest at the same height on the finer or coarser one."""
    host = placements[number]
    for placement in placements:
        if placement.support == number:
            outline = placed_boxes(
                supplier.outline(placement.order), placement.x, placement.y, placement.z, placement.yaw
            )
            points = footprint_points(outline[0], host)
            rest = supplier.resting_height(host.order, points, placement.z - host.z, detail=detail)
            if rest is None or abs(host.z + rest + RESTING_GAP - placement.z) > _REST_SLACK:
                return False
    return True


def _no_further_out(new: np.ndarray, old: np.ndarray, interior: tuple[float, float, float, float]) -> bool:
    """Whether boxes lie within the room, or reach no further out of it than before, up or down included."""
    x0, y0, x1, y1 = interior
    low, high = corners_of(new).min(axis=(0, 1)), corners_of(new).max(axis=(0, 1))
    old_low, old_high = corners_of(old).min(axis=(0, 1)), corners_of(old).max(axis=(0, 1))
    sideways = (low >= np.minimum(old_low, (x0, y0)) - 1e-6).all() and (
        high <= np.maximum(old_high, (x1, y1)) + 1e-6
    ).all()
    upright = new[:, 6].min() >= old[:, 6].min() - 1e-4 and new[:, 7].max() <= old[:, 7].max() + 0.01
    return bool(sideways and upright)


def _in_world(part: Part, placement: Placement) -> Part:
    """Return a part of a piece in world coordinates."""
    cos, sin = np.cos(placement.yaw), np.sin(placement.yaw)
    turn = np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])
    vertices = part.vertices @ turn.T + (placement.x, placement.y, placement.z)
    return Part(vertices, part.normals @ turn.T, part.uvs, part.triangles, part.material)


def _largest(
    placements: Sequence[Sequence[Placement]], furniture: Sequence[Sequence[Element]], most: float
) -> list[Element]:
    """Return the furniture without the smallest things where all of it has more triangles than ``most``.

    What stands on something goes before that does.
    """
    count = sum(element.triangle_count for room in furniture for element in room)
    order = sorted(
        (_volume(element), room, number)
        for room, elements in enumerate(furniture)
        for number, element in enumerate(elements)
    )
    dropped: set[tuple[int, int]] = set()
    for _, room, number in order:
        if count <= most:
            break
        if placements[room][number].order.category == "rug":
            continue  # what stands on it would float
        for gone in _with_dependents(placements[room], number):
            if (room, gone) not in dropped:
                dropped.add((room, gone))
                count -= furniture[room][gone].triangle_count
    return [e for r, room in enumerate(furniture) for n, e in enumerate(room) if (r, n) not in dropped]


def _with_dependents(placements: Sequence[Placement], number: int) -> list[int]:
    """Return a placement and all that stands on it; what stands on something has a higher number than that."""
    gone = {number}
    for later in range(number + 1, len(placements)):
        if placements[later].support in gone:
            gone.add(later)
    return sorted(gone)


def _volume(element: Element) -> float:
    low = np.min([part.vertices.min(axis=0) for part in element.parts], axis=0)
    high = np.max([part.vertices.max(axis=0) for part in element.parts], axis=0)
    return float(np.prod(np.maximum(high - low, 0.02)))
