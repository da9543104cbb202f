"""Where light is computed: a lattice of points on every triangle, shared between neighbours ("mesh colours").

A triangle's lattice is a grid over its two shorter edges, so that a long thin triangle costs a row of points and not a
square of them. Points of different triangles that lie at the same place on the same object, facing the same way, are
one node: neighbours share values, no seam shows, and finely tessellated furniture is not computed vertex by vertex.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..compiled import compiled

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


@compiled()
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


@compiled()
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


@compiled(inline="always")
def _needed(i, j, columns, rows):  # type: ignore[no-untyped-def]
    """Tell whether interpolation inside the triangle touches point (i, j): one step back on an axis is inside."""
    if i == 0 and j == 0:
        return True
    back_i = (i - 1) / columns + j / rows if i > 0 else 2.0
    back_j = i / columns + (j - 1) / rows if j > 0 else 2.0
    return min(back_i, back_j) < _ENOUGH


@compiled()
def _count_points(columns, rows):  # type: ignore[no-untyped-def]
    total = 0
    for t in range(len(columns)):
        for j in range(rows[t] + 1):
            for i in range(columns[t] + 1):
                if _needed(i, j, columns[t], rows[t]):
                    total += 1
    return total


@compiled()
def _lay_points(  # type: ignore[no-untyped-def]
    vertices, normals, triangles, groups, grids, spacing, entry, owner, position, normal, displacement, key
):
    """Fill, for every needed grid point, where it is, which way it faces, how far it was moved inwards, and its key."""
    corner, columns, rows, start = grids
    place, moved, direction = np.empty(3), np.empty(3), np.empty(3)
    edges, least, weights = np.empty(3), np.empty(3), np.empty(3)
    n = 0
    for t in range(len(triangles)):
        o = corner[t]
        a, b, c = triangles[t, o], triangles[t, (o + 1) % 3], triangles[t, (o + 2) % 3]
        _measure(vertices, a, b, c, edges, least)
        for j in range(rows[t] + 1):
            for i in range(columns[t] + 1):
                if not _needed(i, j, columns[t], rows[t]):
                    continue
                x, y = i / columns[t], j / rows[t]
                weights[0], weights[1], weights[2] = 1 - x - y, x, y
                _move_inside(weights, edges, least)
                shift, length = 0.0, 0.0
                for k in range(3):
                    place[k] = vertices[a, k] * (1 - x - y) + vertices[b, k] * x + vertices[c, k] * y
                    moved[k] = vertices[a, k] * weights[0] + vertices[b, k] * weights[1] + vertices[c, k] * weights[2]
                    direction[k] = normals[a, k] * weights[0] + normals[b, k] * weights[1] + normals[c, k] * weights[2]
                    shift += (moved[k] - place[k]) ** 2
                    length += direction[k] ** 2
                for k in range(3):
                    position[n, k] = moved[k]
                    direction[k] /= max(math.sqrt(length), 1e-12)
                    normal[n, k] = direction[k]
                entry[n] = start[t] + j * (columns[t] + 1) + i
                owner[n] = t
                displacement[n] = math.sqrt(shift)
                key[n] = _place_key(place, direction, groups[t], spacing[t] / 2, _LAYER, 3.0)
                n += 1


@compiled()
def _measure(vertices, a, b, c, edges, least):  # type: ignore[no-untyped-def]
    """Fill the length of the edge opposite to each corner, and the least barycentric weight of each corner that keeps
    a point ``_INSET`` away from that edge (less where the triangle is too thin for it)."""
    squared = np.zeros(3)
    area2 = 0.0
    for k in range(3):
        u, v = vertices[b, k] - vertices[a, k], vertices[c, k] - vertices[a, k]
        u2, v2 = (
            vertices[b, (k + 1) % 3] - vertices[a, (k + 1) % 3],
            vertices[c, (k + 1) % 3] - vertices[a, (k + 1) % 3],
        )
        area2 += (u * v2 - u2 * v) ** 2
        squared[0] += (v - u) ** 2
        squared[1] += v * v
        squared[2] += u * u
    for k in range(3):
        edges[k] = math.sqrt(squared[k])
        height = math.sqrt(area2) / max(edges[k], 1e-12)
        least[k] = min(0.3, _INSET / max(height, 1e-12))


@compiled()
def _move_inside(weights, edges, least):  # type: ignore[no-untyped-def]
    """Raise each barycentric weight towards its least without moving the point far.

    What is added to one corner is taken from the nearer of the others, at most to an equal share, then from the farther
    one, at most two insets' length: in a long thin triangle a point keeps its place along it. A negative weight, of a
    grid point beyond the triangle, is always brought to zero.
    """
    for k in range(3):
        near, far = (k + 1) % 3, (k + 2) % 3
        if edges[near] < edges[far]:  # the edge from k to ``near`` is the one opposite to ``far``
            near, far = far, near
        taken = max(min(least[k] - weights[k], (weights[near] - weights[k]) / 2), 0.0)
        weights[k] += taken
        weights[near] -= taken
        reach = max(2 * _INSET / max(edges[near], 1e-12), -weights[k])
        taken = max(min(least[k] - weights[k], reach, weights[far] - least[far]), 0.0)
        weights[k] += taken
        weights[far] -= taken


@compiled(inline="always")
def _mix(h, value):  # type: ignore[no-untyped-def]
    """Fold an integer into a 64-bit hash (the finaliser of splitmix64)."""
    h = (h ^ np.uint64(value & 0xFFFFFFFF)) * np.uint64(0x9E3779B97F4A7C15)
    h = (h ^ (h >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    return h ^ (h >> np.uint64(27))


@compiled()
def place_keys(position, normal, group, cell, layer, bins):  # type: ignore[no-untyped-def]
    """Return a 64-bit key (N,) of each place (N, 3): places with the same key lie in one cell and face the same way.

    Places are quantised to ``cell`` (N,) metres along the surface and ``layer`` (N,) across it, ``normal`` (N, 3) by
    its main axis and to ``bins`` steps per unit; places of another ``group`` (N,) have other keys.
    """
    keys = np.empty(len(position), np.uint64)
    for n in range(len(position)):
        keys[n] = _place_key(position[n], normal[n], group[n], cell[n], layer[n], bins)
    return keys


@compiled()
def _place_key(place, direction, group, cell, layer, bins):  # type: ignore[no-untyped-def]
    main = 0
    for k in range(1, 3):
        if abs(direction[k]) > abs(direction[main]) + 1e-3:
            main = k
    h = _mix(np.uint64(0x243F6A8885A308D3), np.int64(group))
    h = _mix(h, np.int64(2 * main + (direction[main] > 0)))
    h = _mix(h, np.int64(cell * 1e6))  # cells of another size are other cells
    for k in range(3):
        size = layer if k == main else cell
        h = _mix(h, np.int64(math.floor(place[k] / size + 0.37)))
        h = _mix(h, np.int64(math.floor(direction[k] * bins + 0.5)))
    return h


@compiled()
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
