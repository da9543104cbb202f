"""Where light is computed: a lattice of points on every triangle, shared between neighbours ("mesh colours").

A triangle's lattice is a grid over its two shorter edges, so that a long thin triangle costs a row of points and not a
square of them. Points of different triangles that lie at the same place on the same object, facing the same way, are
one node: neighbours share values, no seam shows, and finely tessellated furniture is not computed vertex by vertex.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[Any]

_INSET = 0.008  # metres: points keep this far from their triangle's edges, off the planes of adjoining walls
_LAYER = 0.008  # metres along the normal within which points may be one node: a rug is not the floor below it
_ENOUGH = 1 - 1e-6


class Lattice(NamedTuple):
    """The lattice of T triangles: ``corner`` (T,) uint8, the grid's origin, opposite to the longest edge; ``columns``,
    ``rows`` (T,) int32, the cells along the edges to the next and the next but one corner; ``start`` (T,) int64, where
    the grid's (rows + 1) * (columns + 1) entries begin in ``node``, int32 node numbers, -1 where not needed."""

    corner: Array
    columns: Array
    rows: Array
    start: Array
    node: Array


class Nodes(NamedTuple):
    """The N places where light is computed: ``position`` (N, 3), ``normal`` (N, 3) unit, shading, and ``facing`` (N, 3)
    unit, geometric, all float32; ``triangle`` (N,) int32, the one it was taken from."""

    position: Array
    normal: Array
    facing: Array
    triangle: Array


def build_lattice(
    vertices: Array, normals: Array, triangles: Array, groups: Array, *, spacing: Array
) -> tuple[Lattice, Nodes]:
    """Lay points at most ``spacing`` (T,) metres apart over triangles (T, 3); ``groups`` (T,) never share a node.

    Points closer than half the spacing that face the same way become one node.
    """
    count = len(triangles)
    corner, columns, rows = np.empty(count, np.uint8), np.empty(count, np.int32), np.empty(count, np.int32)
    _choose_grids(vertices, triangles, spacing, corner, columns, rows)
    entries = (columns.astype(np.int64) + 1) * (rows + 1)
    start = np.concatenate([[0], np.cumsum(entries)])
    points = _count_points(columns, rows)
    entry, displacement = np.empty(points, np.int64), np.empty(points, np.float32)
    position, normal = np.empty((points, 3), np.float32), np.empty((points, 3), np.float32)
    owner, key = np.empty(points, np.int32), np.empty(points, np.uint64)
    grids = (corner, columns, rows, start)
    _lay_points(vertices, normals, triangles, groups, grids, spacing, entry, owner, position, normal, displacement, key)
    order = np.argsort(key, kind="stable")
    node_of_point, representative = _merge(key, order, displacement)
    by_triangle = np.argsort(representative)  # neighbours in space are neighbours in memory
    representative = representative[by_triangle]
    node_of_point = np.argsort(by_triangle).astype(np.int32)[node_of_point]
    node = np.full(int(start[-1]), -1, dtype=np.int32)
    node[entry] = node_of_point
    owner = owner[representative]
    nodes = Nodes(position[representative], normal[representative], _facing(vertices, triangles[owner]), owner)
    return Lattice(corner, columns, rows, start[:-1].copy(), node), nodes


@njit(cache=True)
def _facing(vertices, triangles):  # type: ignore[no-untyped-def]
    """Return the unit normals (N, 3) float32 of triangles (N, 3) by their winding; zero where a triangle has none."""
    out = np.empty((len(triangles), 3), np.float32)
    u, v = np.empty(3), np.empty(3)
    for n in range(len(triangles)):
        for k in range(3):
            u[k] = vertices[triangles[n, 1], k] - vertices[triangles[n, 0], k]
            v[k] = vertices[triangles[n, 2], k] - vertices[triangles[n, 0], k]
        x, y, z = u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]
        length = max(math.sqrt(x * x + y * y + z * z), 1e-30)
        out[n, 0], out[n, 1], out[n, 2] = x / length, y / length, z / length
    return out


@njit(cache=True)
def _choose_grids(vertices, triangles, spacing, corner, columns, rows):  # type: ignore[no-untyped-def]
    """Choose every triangle's origin, opposite to its longest edge, and the cells along its other two edges."""
    for t in range(len(triangles)):
        squared = np.zeros(3)
        for k in range(3):
            for axis in range(3):
                edge = vertices[triangles[t, (k + 1) % 3], axis] - vertices[triangles[t, (k + 2) % 3], axis]
                squared[k] += edge * edge
        origin = int(np.argmax(squared))
        corner[t] = origin
        # the edge from the origin to the next corner is the one opposite to the corner after that
        columns[t] = max(1, math.ceil(math.sqrt(squared[(origin + 2) % 3]) / spacing[t] - 1e-3))
        rows[t] = max(1, math.ceil(math.sqrt(squared[(origin + 1) % 3]) / spacing[t] - 1e-3))


@njit(cache=True, inline="always")
def _needed(i, j, columns, rows):  # type: ignore[no-untyped-def]
    """Tell whether interpolation inside the triangle touches point (i, j): one step back on an axis is inside."""
    if i == 0 and j == 0:
        return True
    back_i = (i - 1) / columns + j / rows if i > 0 else 2.0
    back_j = i / columns + (j - 1) / rows if j > 0 else 2.0
    return min(back_i, back_j) < _ENOUGH


@njit(cache=True)
def _count_points(columns, rows):  # type: ignore[no-untyped-def]
    total = 0
    for t in range(len(columns)):
        for j in range(rows[t] + 1):
            for i in range(columns[t] + 1):
                if _needed(i, j, columns[t], rows[t]):
                    total += 1
    return total


@njit(cache=True)
def _lay_points(  # type: ignore[no-untyped-def]
    vertices, normals, triangles, groups, grids, spacing, entry, owner, position, normal, displacement, key
):
    """Fill, for every needed grid point, where it is, which way it faces, how far it was moved inwards, and its key."""
    corner, columns, rows, start = grids
    place, moved, direction, heights = np.empty(3), np.empty(3), np.empty(3), np.empty(3)
    n = 0
    for t in range(len(triangles)):
        o = corner[t]
        a, b, c = triangles[t, o], triangles[t, (o + 1) % 3], triangles[t, (o + 2) % 3]
        inset = _edge_heights(vertices, a, b, c, heights)
        for j in range(rows[t] + 1):
            for i in range(columns[t] + 1):
                if not _needed(i, j, columns[t], rows[t]):
                    continue
                x, y = i / columns[t], j / rows[t]
                w0, w1, w2 = _inside(x, y, heights, inset)
                shift, length = 0.0, 0.0
                for k in range(3):
                    place[k] = vertices[a, k] * (1 - x - y) + vertices[b, k] * x + vertices[c, k] * y
                    moved[k] = vertices[a, k] * w0 + vertices[b, k] * w1 + vertices[c, k] * w2
                    direction[k] = normals[a, k] * w0 + normals[b, k] * w1 + normals[c, k] * w2
                    shift += (moved[k] - place[k]) ** 2
                    length += direction[k] ** 2
                for k in range(3):
                    position[n, k] = moved[k]
                    direction[k] /= max(math.sqrt(length), 1e-12)
                    normal[n, k] = direction[k]
                entry[n] = start[t] + j * (columns[t] + 1) + i
                owner[n] = t
                displacement[n] = math.sqrt(shift)
                key[n] = place_key(place, direction, groups[t], spacing[t] / 2, _LAYER, 3.0)
                n += 1


@njit(cache=True)
def _edge_heights(vertices, a, b, c, heights):  # type: ignore[no-untyped-def]
    """Fill the distance of each corner from the opposite edge; return how far points keep from the edges."""
    ux, uy, uz = vertices[b, 0] - vertices[a, 0], vertices[b, 1] - vertices[a, 1], vertices[b, 2] - vertices[a, 2]
    vx, vy, vz = vertices[c, 0] - vertices[a, 0], vertices[c, 1] - vertices[a, 1], vertices[c, 2] - vertices[a, 2]
    cx, cy, cz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
    area2 = math.sqrt(cx * cx + cy * cy + cz * cz)
    la = math.sqrt((vx - ux) ** 2 + (vy - uy) ** 2 + (vz - uz) ** 2)
    lb, lc = math.sqrt(vx * vx + vy * vy + vz * vz), math.sqrt(ux * ux + uy * uy + uz * uz)
    heights[0], heights[1], heights[2] = area2 / max(la, 1e-12), area2 / max(lb, 1e-12), area2 / max(lc, 1e-12)
    return min(_INSET, 0.5 * area2 / max(la + lb + lc, 1e-12))


@njit(cache=True, inline="always")
def _inside(x, y, heights, inset):  # type: ignore[no-untyped-def]
    """Return barycentrics of (x, y) moved into the triangle, ``inset`` away from its edges."""
    w0 = max(1 - x - y, min(0.3, inset / max(heights[0], 1e-12)))
    w1 = max(x, min(0.3, inset / max(heights[1], 1e-12)))
    w2 = max(y, min(0.3, inset / max(heights[2], 1e-12)))
    total = w0 + w1 + w2
    return w0 / total, w1 / total, w2 / total


@njit(cache=True, inline="always")
def _mix(h, value):  # type: ignore[no-untyped-def]
    """Fold an integer into a 64-bit hash (the finaliser of splitmix64)."""
    h = (h ^ np.uint64(value & 0xFFFFFFFF)) * np.uint64(0x9E3779B97F4A7C15)
    h = (h ^ (h >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    return h ^ (h >> np.uint64(27))


@njit(cache=True)
def place_key(place, direction, group, cell, layer, bins):  # type: ignore[no-untyped-def]
    """Return a 64-bit key of a place, quantised to ``cell`` metres along and ``layer`` across the surface, of its
    normal, its main axis and ``bins`` steps per unit, and of its group."""
    main = 0
    for k in range(1, 3):
        if abs(direction[k]) > abs(direction[main]) + 1e-3:
            main = k
    h = _mix(np.uint64(0x243F6A8885A308D3), np.int64(group))
    h = _mix(h, np.int64(2 * main + (direction[main] > 0)))
    for k in range(3):
        size = layer if k == main else cell
        h = _mix(h, np.int64(math.floor(place[k] / size + 0.37)))
        h = _mix(h, np.int64(math.floor(direction[k] * bins + 0.5)))
    return h


@njit(cache=True)
def _merge(key, order, displacement):  # type: ignore[no-untyped-def]
    """Return each point's node and each node's representative point: the one that was moved least."""
    node = np.empty(len(key), np.int32)
    representative = np.empty(len(key), np.int64)
    count = 0
    for rank in range(len(order)):
        point = order[rank]
        if rank == 0 or key[point] != key[order[rank - 1]]:
            representative[count] = point
            count += 1
        elif displacement[point] < displacement[representative[count - 1]] - 1e-5:
            representative[count - 1] = point
        node[point] = count - 1
    return node, representative[:count].copy()
