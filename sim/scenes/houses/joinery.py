"""Doors and windows: linings, trims, leaves, frames with mullions, sills and the reveals of outside walls."""

from __future__ import annotations

import numpy as np

from ..meshes.mesh import Array, Part
from ..meshes.meshing import merged
from ..meshes.primitives import box
from ..meshes.tessellation import panel
from .element import Element
from .finishes import Finishes
from .floor_plan import GROUND_HEIGHT, HALF_WALL, OUTER_REACH, FloorPlan, Opening

LINING = 0.025
TRIM_WIDTH, TRIM_THICKNESS = 0.05, 0.015
LEAF_THICKNESS = 0.04
SILL_THICKNESS = 0.03
SILL_DEPTH = 0.16  # how deep a window sill is, from the frame to its front edge
SILL_NOSE = 0.005  # how far it reaches into the room: curtains hang before it
_FRAME = 0.05
_LOWEST_SILL = 0.4  # below it a window is a door to the garden and has no sill


def joinery(plan: FloorPlan, finishes: Finishes, *, edge: float) -> list[Element]:
    """Return doors, windows and sills of a whole house."""
    elements: list[Element] = []
    for number, opening in enumerate(plan.openings):
        room = plan.rooms[opening.rooms[-1] if opening.swing is None else opening.swing]
        name = f"{room.name}/{opening.kind} {number}"
        if opening.kind == "window":
            elements += _window(plan, opening, finishes, name, edge)
        else:
            elements += _door(plan, opening, finishes, name)
    return elements


def outward(plan: FloorPlan, opening: Opening) -> float:
    """Return +1 where the outside lies towards higher coordinates across an outside wall, else -1."""
    room = plan.rooms[opening.rooms[0]]
    across = 1 - opening.axis
    return 1.0 if opening.line > (room.cell[across] + room.cell[across + 2]) / 2 else -1.0


def has_sill(opening: Opening) -> bool:
    """Whether a window has a sill that things can stand on."""
    return opening.kind == "window" and opening.bottom > _LOWEST_SILL


def open_leaf(plan: FloorPlan, opening: Opening) -> tuple[Array, Array] | None:
    """Return the box (3,), (3,) of the leaf that stands open at a right angle in its room, or None."""
    if opening.swing is None:
        return None
    room = plan.rooms[opening.swing]
    across = 1 - opening.axis
    inward = 1.0 if (room.cell[across] + room.cell[across + 2]) / 2 > opening.line else -1.0
    edge = opening.end if opening.hinge else opening.start
    middle = edge + (-0.005 if opening.hinge else 0.005)
    near = HALF_WALL + TRIM_THICKNESS + 0.005
    far = near + (opening.end - opening.start - 2 * LINING - 0.01)
    return _across_box(
        opening, (middle - LEAF_THICKNESS / 2, inward * near, 0.008), (middle + LEAF_THICKNESS / 2, inward * far, 2.02)
    )


def _across_box(
    opening: Opening, low: tuple[float, float, float], high: tuple[float, float, float]
) -> tuple[Array, Array]:
    """Return world corners of a box given as (position along the wall, offset across from its line, height)."""
    a, b = np.array(low, dtype=np.float64), np.array(high, dtype=np.float64)
    a[1] += opening.line
    b[1] += opening.line
    if opening.axis == 1:
        a[:2], b[:2] = a[1::-1].copy(), b[1::-1].copy()
    return np.minimum(a, b), np.maximum(a, b)


def _frame(opening: Opening, width: float, near: float, far: float, low: float, material: str, *, sill: bool) -> Part:
    """Return bars of ``width`` along the inside of an opening between two depths, from height ``low``."""
    s, e, top = opening.start, opening.end, opening.top
    bars = [
        _across_box(opening, (s, near, low), (s + width, far, top)),
        _across_box(opening, (e - width, near, low), (e, far, top)),
        _across_box(opening, (s + width, near, top - width), (e - width, far, top)),
    ]
    if sill:
        bars.append(_across_box(opening, (s + width, near, low), (e - width, far, low + width)))
    return merged([box(a, b, material, along=2 if k < 2 else opening.axis) for k, (a, b) in enumerate(bars)])


def _trim(opening: Opening, face: float, direction: float, material: str) -> Part:
    """Return the flat boards around a door on one face of its wall."""
    s, e, top = opening.start + LINING - 0.008, opening.end - LINING + 0.008, opening.top - LINING + 0.008
    near, far = face, face + direction * TRIM_THICKNESS
    reach = TRIM_WIDTH + LINING - 0.008
    bars = [
        _across_box(opening, (s - reach, near, -0.005), (s, far, top)),
        _across_box(opening, (e, near, -0.005), (e + reach, far, top)),
        _across_box(opening, (s - reach, near, top), (e + reach, far, top + reach)),
    ]
    return merged([box(a, b, material, along=2 if k < 2 else opening.axis) for k, (a, b) in enumerate(bars)])


def _door(plan: FloorPlan, opening: Opening, finishes: Finishes, name: str) -> list[Element]:
    room = name.split("/")[0]
    faces = [-HALF_WALL, HALF_WALL]
    parts: list[Part] = []
    if opening.kind == "entrance":
        sign = outward(plan, opening)
        faces = sorted([-sign * HALF_WALL, sign * OUTER_REACH])
        inner = -sign * HALF_WALL
        parts.append(_trim(opening, inner, -sign, finishes.frame))
        low, high = _across_box(
            opening,
            (opening.start + LINING, inner + sign * 0.12, 0.004),
            (opening.end - LINING, inner + sign * 0.17, opening.top - LINING),
        )
        leaf = Element("door", f"{name} leaf", room, tuple(_leaf(low, high, 1 - opening.axis, finishes, front=True)))
    else:
        parts += [_trim(opening, faces[0], -1.0, finishes.frame), _trim(opening, faces[1], 1.0, finishes.frame)]
        standing = open_leaf(plan, opening)
        leaf = None
        if standing is not None:
            parts_of_leaf = _leaf(*standing, opening.axis, finishes, front=False)
            leaf = Element("door", f"{name} leaf", room, tuple(parts_of_leaf))
    parts.append(_frame(opening, LINING, faces[0] - 0.003, faces[1] + 0.003, -0.005, finishes.frame, sill=False))
    foot = GROUND_HEIGHT - 0.02 if opening.kind == "entrance" else -0.05
    low, high = _across_box(opening, (opening.start, faces[0] - 0.004, foot), (opening.end, faces[1] + 0.004, 0.004))
    parts.append(box(low, high, finishes.sill, faces="xXyYZ", along=opening.axis))
    frame = Element("doorframe", name, room, tuple(parts))
    return [frame] if leaf is None else [frame, leaf]


def _leaf(low: Array, high: Array, thin: int, finishes: Finishes, *, front: bool) -> list[Part]:
    """Return a door leaf in the box ``low`` to ``high``, thin along the axis ``thin``: slab, two fields, handles."""
    wide = 1 - thin
    material = finishes.front_door if front else finishes.leaf
    parts = [box(low, high, material, along=2)]
    relief = []
    for z0, z1 in ((0.12, 0.9), (1.08, 1.92)):
        a, b = low.copy(), high.copy()
        a[wide], b[wide] = low[wide] + 0.13, high[wide] - 0.13
        a[thin], b[thin] = low[thin] - 0.006, high[thin] + 0.006
        a[2], b[2] = z0, z1
        relief.append(box(a, b, material, along=2))
    handles = []
    # The handle sits at the end that is away from the hinge; which of the two that is does not matter to the eye.
    grip = high[wide] - 0.07
    for face, direction in ((low[thin], -1.0), (high[thin], 1.0)):
        for depth, length, thickness in ((0.03, 0.02, 0.01), (0.045, 0.12, 0.008)):
            a, b = low.copy(), high.copy()
            a[wide], b[wide] = grip - length, grip
            start = face if length < 0.05 else face + direction * 0.03
            a[thin], b[thin] = sorted((start, face + direction * depth))
            a[2], b[2] = 1.02 - thickness, 1.02 + thickness
            handles.append(box(a, b, finishes.handle))
    return [merged([*parts, *relief]), merged(handles)]


def _window(plan: FloorPlan, opening: Opening, finishes: Finishes, name: str, edge: float) -> list[Element]:
    room = plan.rooms[opening.rooms[0]].name
    sign = outward(plan, opening)
    outer, inner = sign * OUTER_REACH, -sign * HALF_WALL
    near, far = sorted((outer - sign * 0.08, outer - sign * 0.14))
    parts = [_frame(opening, _FRAME, near, far, opening.bottom, finishes.frame, sill=True)]
    parts += _mullions(opening, near, far, finishes.frame)
    elements = [
        Element("windowpane", name, room, tuple(parts)),
        Element("wall", f"{name} reveal", room, (_reveal(opening, inner, outer, finishes.reveal, edge),)),
    ]
    if has_sill(opening):
        front = inner - sign * SILL_NOSE
        low, high = _across_box(
            opening,
            (opening.start, front, opening.bottom),
            (opening.end, front + sign * SILL_DEPTH, opening.bottom + SILL_THICKNESS),
        )
        board = box(low, high, finishes.sill, along=opening.axis)
        elements.append(Element("windowsill", f"{name} sill", room, (board,)))
    return elements


def _mullions(opening: Opening, near: float, far: float, material: str) -> list[Part]:
    """Return the bars that divide a wide window into sashes, and a tall one into two rows."""
    s, e = opening.start + _FRAME, opening.end - _FRAME
    low, high = opening.bottom + _FRAME, opening.top - _FRAME
    sashes = max(1, round((e - s) / 0.75))
    bars = []
    for k in range(1, sashes):
        at = s + (e - s) * k / sashes
        bars.append(_across_box(opening, (at - 0.03, near, low), (at + 0.03, far, high)))
    if high - low > 1.7:
        at = low + 0.72 * (high - low)
        for k in range(sashes):
            a, b = s + (e - s) * k / sashes, s + (e - s) * (k + 1) / sashes
            a, b = a + 0.03 * (k > 0), b - 0.03 * (k < sashes - 1)
            bars.append(_across_box(opening, (a, near + 0.01, at - 0.02), (b, far - 0.01, at + 0.02)))
    return [merged([box(a, b, material) for a, b in bars])] if bars else []


def _reveal(opening: Opening, inner: float, outer: float, material: str, edge: float) -> Part:
    """Return the four faces of a hole through an outside wall."""
    (x0, y0, z0), (x1, y1, z1) = _across_box(
        opening, (opening.start, inner, opening.bottom), (opening.end, outer, opening.top)
    )
    up, down = ((1, 0, 0), (0, 1, 0)), ((1, 0, 0), (0, -1, 0))
    parts = [
        panel((0, 0, z0), *up, (x0, y0, x1, y1), material, edge=edge),
        panel((0, 0, z1), *down, (x0, -y1, x1, -y0), material, edge=edge),
    ]
    if opening.axis == 0:
        parts.append(panel((x0, 0, 0), (0, 1, 0), (0, 0, 1), (y0, z0, y1, z1), material, edge=edge))
        parts.append(panel((x1, 0, 0), (0, -1, 0), (0, 0, 1), (-y1, z0, -y0, z1), material, edge=edge))
    else:
        parts.append(panel((0, y0, 0), (-1, 0, 0), (0, 0, 1), (-x1, z0, -x0, z1), material, edge=edge))
        parts.append(panel((0, y1, 0), (1, 0, 0), (0, 0, 1), (x0, z0, x1, z1), material, edge=edge))
    return merged(parts)
