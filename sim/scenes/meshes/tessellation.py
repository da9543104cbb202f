"""Flat rectangular surfaces with holes, cut into cells no longer than a given edge."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike
from shapely import contains_xy
from shapely.geometry import Polygon

from .mesh import Array, Part

#: u0, v0, u1, v1 in metres along a panel's axes.
Rectangle = tuple[float, float, float, float]

# Coordinates that are multiples of this are exact in float32 up to 1 km, so that panels which meet share their edge
# exactly and no ray slips through.
_LATTICE = 2.0**-13


def panel(
    origin: ArrayLike,
    u_axis: ArrayLike,
    v_axis: ArrayLike,
    extent: Rectangle,
    material: str,
    *,
    edge: float,
    holes: Sequence[Rectangle] = (),
    keep: Callable[[Array], Array] | None = None,
) -> Part:
    """Return a rectangle in the plane through ``origin`` (3,) spanned by two unit axes, seen from ``u x v``.

    Cell borders run along the edges of ``holes``, which are left out, and cells are at most ``edge`` metres long.
    ``keep`` decides over further cells by their centres (C, 2) in u, v. Texture coordinates are metres along u and
    downwards along v, so that a texture continues over the whole panel.
    """
    origin, u_axis, v_axis = (np.asarray(a, dtype=np.float64) for a in (origin, u_axis, v_axis))
    us = _grid_lines(extent[0], extent[2], [h[i] for h in holes for i in (0, 2)], edge)
    vs = _grid_lines(extent[1], extent[3], [h[i] for h in holes for i in (1, 3)], edge)
    u_mid, v_mid = np.meshgrid((us[1:] + us[:-1]) / 2, (vs[1:] + vs[:-1]) / 2)
    solid = np.ones(u_mid.shape, dtype=bool)
    for u0, v0, u1, v1 in holes:
        solid &= ~((u_mid > u0) & (u_mid < u1) & (v_mid > v0) & (v_mid < v1))
    if keep is not None:
        solid &= keep(np.stack([u_mid.ravel(), v_mid.ravel()], axis=-1)).reshape(solid.shape)
    u, v = (a.ravel() for a in np.meshgrid(us, vs))
    vertices = origin + u[:, None] * u_axis + v[:, None] * v_axis
    rows, columns = np.nonzero(solid)
    first = rows * len(us) + columns
    corners = np.stack([first, first + 1, first + 1 + len(us), first + len(us)], axis=-1)
    triangles = np.concatenate([corners[:, [0, 1, 2]], corners[:, [0, 2, 3]]])
    return _compact(vertices, np.cross(u_axis, v_axis), np.stack([u, -v], axis=-1), triangles, material)


def _grid_lines(low: float, high: float, breaks: Sequence[float], edge: float) -> Array:
    fixed = np.unique(_on_lattice([low, high, *(b for b in breaks if low < b < high)]))
    lines = [np.linspace(a, b, max(1, int(np.ceil((b - a) / edge - 1e-6))), endpoint=False) for a, b in pairwise(fixed)]
    return _on_lattice(np.concatenate([*lines, fixed[-1:]]))


def _on_lattice(values: ArrayLike) -> Array:
    return np.round(np.asarray(values, dtype=np.float64) / _LATTICE) * _LATTICE


def _compact(vertices: Array, normal: Array, uvs: Array, triangles: Array, material: str) -> Part:
    """Drop vertices that only holes used."""
    used, inverse = np.unique(triangles, return_inverse=True)
    normals = np.broadcast_to(normal, (len(used), 3)).copy()
    return Part(_on_lattice(vertices[used]), normals, uvs[used], inverse.reshape(-1, 3).astype(np.int32), material)


def horizontal(outline: Polygon, z: float, material: str, *, edge: float, up: bool) -> Part:
    """Return a rectilinear polygon, which may have holes, at height ``z``, facing up or down."""
    x0, y0, x1, y1 = outline.bounds
    rings = [outline.exterior, *outline.interiors]
    xs, ys = np.concatenate([np.asarray(ring.coords) for ring in rings]).T
    # Corner coordinates become cell borders as if they were edges of holes outside the polygon.
    borders = [(x, y, x, y) for x, y in zip(xs, ys, strict=True)]

    def keep(centres: Array) -> Array:
        return contains_xy(outline, centres[:, 0], centres[:, 1] * (1 if up else -1))

    if up:
        return panel((0, 0, z), (1, 0, 0), (0, 1, 0), (x0, y0, x1, y1), material, edge=edge, holes=borders, keep=keep)
    mirrored = [(a, -d, c, -b) for a, b, c, d in borders]
    return panel((0, 0, z), (1, 0, 0), (0, -1, 0), (x0, -y1, x1, -y0), material, edge=edge, holes=mirrored, keep=keep)
