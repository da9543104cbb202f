"""What all bricks share: grids that become parts, and parts that are merged, moved, turned, stretched and mirrored."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .mesh import Part

Array = NDArray[Any]

_SMALLEST_AREA = 1e-9  # square metres; what is smaller is a seam or a pole that collapsed


SUBDIVIDED = 1.5  # the level of detail from which flat faces are divided


def cells(across: float, down: float, detail: float) -> tuple[int, int]:
    """Divide a flat face into about ``detail`` cells, as square as they can be."""
    if detail < SUBDIVIDED or min(across, down) <= 0:
        return 1, 1
    columns = int(np.clip(round(np.sqrt(detail * across / down)), 1, round(detail)))
    return columns, max(1, round(detail / columns))


def grid_part(points: Array, normals: Array, uvs: Array, material: str, *, collapsing: bool = False) -> Part:
    """Mesh N grids (N, R, C, .) whose rows run down and columns right as seen from outside.

    Where the grid is ``collapsing`` (at a pole, a tip), cells without area are left out.
    """
    count, rows, columns = points.shape[:3]
    pattern = _grid_triangles(rows, columns)
    if count > 1:
        starts = rows * columns * np.arange(count, dtype=np.int32)
        pattern = (starts[:, None, None] + pattern).reshape(-1, 3)
    vertices = points.reshape(-1, 3)
    if collapsing:
        a, b, c = (vertices[pattern[:, k]] for k in range(3))
        twice = np.linalg.norm(cross(b - a, c - a), axis=-1)
        pattern = pattern[twice > 2 * _SMALLEST_AREA]
    return Part(vertices, normals.reshape(-1, 3), uvs.reshape(-1, 2), pattern, material)


@lru_cache(maxsize=512)
def unit_grid(rows: int, columns: int) -> tuple[Array, Array]:
    """Return coordinates 0..1 to the right and down (rows + 1, columns + 1) of a grid's points."""
    s, t = np.meshgrid(np.linspace(0, 1, columns + 1), np.linspace(0, 1, rows + 1))
    return s, t


@lru_cache(maxsize=512)
def _grid_triangles(rows: int, columns: int) -> Array:
    cell = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).ravel()
    pattern = np.concatenate([cell[:, None] + (0, columns, columns + 1), cell[:, None] + (0, columns + 1, 1)])
    return pattern.astype(np.int32)


def cross(a: Array, b: Array) -> Array:
    """Return a x b over the last axis (`numpy.cross` spends most of its time on generality)."""
    ax, ay, az = a[..., 0], a[..., 1], a[..., 2]
    bx, by, bz = b[..., 0], b[..., 1], b[..., 2]
    return np.stack([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx], axis=-1)


def unit(vectors: Array) -> Array:
    """Return vectors (..., 3) scaled to length one."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)


def merged(parts: Iterable[Part]) -> Part:
    """Return one part of several that share a material."""
    parts = list(parts)
    if len(parts) == 1:
        return parts[0]
    offsets = np.cumsum([0] + [len(part.vertices) for part in parts[:-1]])
    return Part(
        np.concatenate([part.vertices for part in parts]),
        np.concatenate([part.normals for part in parts]),
        np.concatenate([part.uvs for part in parts]),
        np.concatenate([part.triangles + offset for part, offset in zip(parts, offsets, strict=True)]).astype(np.int32),
        parts[0].material,
    )


def moved(part: Part, offset: ArrayLike) -> Part:
    """Return the part translated by ``offset`` (3,), metres."""
    return replace(part, vertices=part.vertices + np.asarray(offset))


def turned(part: Part, axis: int, angle: float, about: ArrayLike = (0.0, 0.0, 0.0)) -> Part:
    """Return the part turned by ``angle`` radians, right-handed, about the coordinate ``axis`` through a point."""
    a, b = ((1, 2), (2, 0), (0, 1))[axis]
    rotation = np.eye(3)
    rotation[a, a] = rotation[b, b] = np.cos(angle)
    rotation[b, a], rotation[a, b] = np.sin(angle), -np.sin(angle)
    about = np.asarray(about)
    vertices = (part.vertices - about) @ rotation.T + about
    return replace(part, vertices=vertices, normals=part.normals @ rotation.T)


def scaled(part: Part, factors: ArrayLike) -> Part:
    """Return the part stretched by positive ``factors`` (3,) about the origin; texture coordinates stay."""
    factors = np.asarray(factors, dtype=np.float64)
    return replace(part, vertices=part.vertices * factors, normals=unit(part.normals / factors))


def mirrored(part: Part, axis: int) -> Part:
    """Return the part reflected in the plane through the origin normal to ``axis``."""
    flip = np.where(np.arange(3) == axis, -1.0, 1.0)
    return replace(part, vertices=part.vertices * flip, normals=part.normals * flip, triangles=part.triangles[:, ::-1])
