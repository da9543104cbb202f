"""Upright boxes that stand in for meshes where pieces must not intersect."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from .mesh import Array, Part

_MOST_BOXES = 32

#: Columns of an array of upright boxes: centre x, y; half extents along the box's own axes; cosine and sine of its
#: turn about z; lowest and highest z.
BOX_COLUMNS = 8


def component_boxes(parts: Sequence[Part]) -> Array:
    """Return axis-aligned boxes (K, 2, 3) that together contain a piece: one around each connected piece of mesh.

    That lets a chair stand between the legs of a table. A piece that falls apart into very many (books, leaves) is
    taken part by part, or as a whole.
    """
    boxes = np.concatenate([_boxes_of(part) for part in parts])
    if len(boxes) > _MOST_BOXES:
        boxes = np.stack([np.stack([part.vertices.min(axis=0), part.vertices.max(axis=0)]) for part in parts])
    boxes = _without_contained(boxes)
    if len(boxes) > _MOST_BOXES:
        boxes = np.stack([boxes[:, 0].min(axis=0), boxes[:, 1].max(axis=0)])[None]
    return boxes


def _boxes_of(part: Part) -> Array:
    _, point = np.unique(np.round(part.vertices, 4), axis=0, return_inverse=True)
    corners = point.reshape(-1)[part.triangles]
    pairs = np.concatenate([corners[:, :2], corners[:, 1:]])
    size = int(corners.max()) + 1
    graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(size, size))
    count, labels = connected_components(graph, directed=False)
    label = labels[point.reshape(-1)]
    low, high = np.full((count, 3), np.inf), np.full((count, 3), -np.inf)
    np.minimum.at(low, label, part.vertices)
    np.maximum.at(high, label, part.vertices)
    return np.stack([low, high], axis=1)


def _without_contained(boxes: Array) -> Array:
    """Drop boxes that lie inside another one; of equal ones the first stays."""
    starts_in = np.all(boxes[:, None, 0] >= boxes[None, :, 0] - 1e-6, axis=-1)
    ends_in = np.all(boxes[:, None, 1] <= boxes[None, :, 1] + 1e-6, axis=-1)
    inside: Array = np.logical_and(starts_in, ends_in)
    np.fill_diagonal(inside, False)
    mutual = inside & inside.T & np.triu(np.ones_like(inside), 1)
    return boxes[~(inside & ~mutual).any(axis=1)]


def placed_boxes(boxes: Array, x: float, y: float, z: float, yaw: float) -> Array:
    """Return local boxes (K, 2, 3) as world boxes (K, 8), turned by ``yaw`` about z and moved."""
    middle, half = boxes.mean(axis=1), (boxes[:, 1] - boxes[:, 0]) / 2
    cos, sin = np.cos(yaw), np.sin(yaw)
    placed = np.empty((len(boxes), BOX_COLUMNS))
    placed[:, 0] = x + cos * middle[:, 0] - sin * middle[:, 1]
    placed[:, 1] = y + sin * middle[:, 0] + cos * middle[:, 1]
    placed[:, 2:4] = half[:, :2]
    placed[:, 4], placed[:, 5] = cos, sin
    placed[:, 6], placed[:, 7] = z + boxes[:, 0, 2], z + boxes[:, 1, 2]
    return placed


def aligned_box(low: ArrayLike, high: ArrayLike) -> Array:
    """Return the axis-aligned world box between two corners (3,) as (1, 8)."""
    return placed_boxes(np.stack([np.asarray(low, dtype=float), np.asarray(high, dtype=float)])[None], 0, 0, 0, 0)


def overlapping(a: Array, b: Array, *, slack: float = 1e-4) -> Array:
    """Return which boxes a (K, 8) and b (M, 8) interpenetrate by more than ``slack`` metres, (K, M) bool.

    Separating axes: two upright boxes are apart where their heights are, or their shadows on one of the four
    directions of their sides.
    """
    a, b = a[:, None, :], b[None, :, :]
    apart = (a[..., 6] > b[..., 7] - slack) | (b[..., 6] > a[..., 7] - slack)
    delta = b[..., :2] - a[..., :2]
    cross_cos = a[..., 4] * b[..., 4] + a[..., 5] * b[..., 5]
    cross_sin = a[..., 4] * b[..., 5] - a[..., 5] * b[..., 4]
    c, s = np.abs(cross_cos), np.abs(cross_sin)
    for one, other in ((a, b), (b, a)):
        along = np.abs(delta[..., 0] * one[..., 4] + delta[..., 1] * one[..., 5])
        across = np.abs(delta[..., 1] * one[..., 4] - delta[..., 0] * one[..., 5])
        apart = apart | (along > one[..., 2] + c * other[..., 2] + s * other[..., 3] - slack)
        apart = apart | (across > one[..., 3] + s * other[..., 2] + c * other[..., 3] - slack)
    return ~apart


def corners_of(boxes: Array) -> Array:
    """Return the corners (K, 4, 2) of boxes (K, 8) in x, y, counter-clockwise."""
    signs = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)])
    local = signs[None] * boxes[:, None, 2:4]
    cos, sin = boxes[:, None, 4], boxes[:, None, 5]
    x = cos * local[..., 0] - sin * local[..., 1]
    y = sin * local[..., 0] + cos * local[..., 1]
    return np.stack([x, y], axis=-1) + boxes[:, None, :2]


def distance_to_box(points: Array, placed: Array) -> Array:
    """Return the distances (N,) of points (N, 2) in x, y to one box (8,), 0 inside."""
    delta = points - placed[:2]
    along = np.abs(delta[:, 0] * placed[4] + delta[:, 1] * placed[5]) - placed[2]
    across = np.abs(delta[:, 1] * placed[4] - delta[:, 0] * placed[5]) - placed[3]
    return np.hypot(np.maximum(along, 0), np.maximum(across, 0))
