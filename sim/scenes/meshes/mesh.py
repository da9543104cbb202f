"""`Part` and `Piece`: textured triangle meshes in local coordinates, before they become part of a `Scene`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Part:
    """A mesh of one material. ``vertices`` (V, 3), ``normals`` (V, 3) unit, ``uvs`` (V, 2) in metres on the surface
    (the material's tile size divides them when the scene is assembled), ``triangles`` (T, 3) int32, counter-clockwise
    seen from outside; ``material`` is a key of the house's ``Materials``."""

    vertices: Array
    normals: Array
    uvs: Array
    triangles: Array
    material: str


@dataclass(frozen=True)
class Surface:
    """A horizontal rectangle of a piece on which small things may stand: local x, y bounds and height, metres."""

    x0: float
    y0: float
    x1: float
    y1: float
    z: float
    headroom: float = 1.0


@dataclass(frozen=True, eq=False)
class Piece:
    """One object of one category in its own frame, metres, z up.

    Where the origin is depends on ``mount``: "floor" and "surface": the centre of the footprint, z = 0 at its bottom;
    "wall": the centre of the back, which lies in the plane y = 0, the piece reaching towards +y; "ceiling": the point
    of attachment, the piece reaching towards -z. Every piece faces +y (its back stands towards -y).
    ``size`` is the (x, y, z) extent of its bounding box. ``front_clearance`` metres must stay free before its +y side.
    """

    category: str
    mount: str
    parts: tuple[Part, ...]
    size: tuple[float, float, float]
    surfaces: tuple[Surface, ...] = ()
    front_clearance: float = 0.0
