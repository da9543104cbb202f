"""Bodies with a profile: through rings of superellipses, and of revolution."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .mesh import Part
from .meshing import grid_part, merged, unit

Array = NDArray[Any]


def loft(rings: ArrayLike, material: str, *, detail: float = 1.0, sides: int = 14, power: float = 2.0,
         crease: float = 45.0, along: bool = False) -> Part:  # fmt: skip
    """Return the surface through horizontal superellipses ``rings`` (K, 5): x, y, z of the centre, radii rx, ry.

    The profile runs counter-clockwise in the (radius, z) half-plane: from the bottom up the outside, then, for a
    vessel, down the inside. ``power`` 2 is an ellipse, larger ones approach a rectangle. Where the profile turns by
    more than ``crease`` degrees the edge is sharp. ``along`` runs the texture's u direction along the profile.
    """
    rings = subdivided(np.asarray(rings, dtype=np.float64), detail)
    count = 4 * max(2, round(sides * np.sqrt(detail) / 4))  # four points are the ends of both axes
    outline, outward = _superellipse(np.linspace(0, 2 * np.pi, count + 1), power, rings[:, 3:].max(axis=0))
    parts = []
    for start, stop, slopes in _runs(rings, crease):
        run = rings[start:stop][::-1]  # rows of a grid run down
        slopes = slopes[::-1]
        points = np.empty((len(run), count + 1, 3))
        points[..., :2] = run[:, None, :2] + outline * run[:, None, 3:]
        points[..., 2] = run[:, None, 2]
        normals = np.concatenate(
            [outward * slopes[:, None, :1], np.broadcast_to(slopes[:, None, 1:], (*points.shape[:2], 1))], -1
        )
        parts.append(
            grid_part(points[None], normals[None], _loft_uvs(points, run, along)[None], material, collapsing=True)
        )
    return merged(parts)


def subdivided(rings: Array, detail: float) -> Array:
    """Return a polyline (K, D) with every segment divided as the level of detail asks."""
    steps = max(1, round(np.sqrt(detail)))
    if steps == 1:
        return rings
    position = np.arange((len(rings) - 1) * steps + 1) / steps
    return np.stack([np.interp(position, np.arange(len(rings)), column) for column in rings.T], axis=-1)


def _superellipse(theta: Array, power: float, radii: Array) -> tuple[Array, Array]:
    """Return points (C, 2) of the unit superellipse, and its unit normals when scaled by ``radii``."""
    cos, sin = np.cos(theta), np.sin(theta)
    cos[-1], sin[-1] = cos[0], sin[0]
    outline = np.stack([np.sign(cos) * np.abs(cos) ** (2 / power), np.sign(sin) * np.abs(sin) ** (2 / power)], axis=-1)
    slope = np.stack([np.sign(cos) * np.abs(cos) ** (2 - 2 / power), np.sign(sin) * np.abs(sin) ** (2 - 2 / power)], -1)
    return outline, unit(slope / radii)


def _runs(rings: Array, crease: float) -> list[tuple[int, int, Array]]:
    """Cut a profile at creases and where its texture mapping must change: (first ring, end, slopes (k, 2))."""
    radius = rings[:, 3:].mean(axis=1)
    steps = np.diff(np.stack([radius, rings[:, 2]], axis=-1), axis=0)
    facing = unit(np.stack([steps[:, 1], -steps[:, 0]], axis=-1))
    turn = np.degrees(np.arccos(np.clip((facing[1:] * facing[:-1]).sum(-1), -1, 1)))
    sharp = turn > crease
    after = facing.copy()  # the slope at the start of every segment, and at its end
    before = facing.copy()
    smooth = np.flatnonzero(~sharp)
    after[smooth + 1] = before[smooth] = unit(facing[smooth] + facing[smooth + 1])
    flat = np.abs(steps[:, 1]) < 0.8 * np.abs(steps[:, 0])
    runs, start = [], 0
    for i in range(len(steps)):
        last = i == len(steps) - 1
        widths = radius[start : i + 3]
        stretched = not flat[i] and not last and widths.max() > 1.7 * max(widths.min(), 1e-6)
        if last or sharp[i] or flat[i] != flat[i + 1] or stretched:
            slopes = np.concatenate([after[start : i + 1], before[i : i + 1]])
            runs.append((start, i + 2, slopes))
            start = i + 1
    return runs


def _loft_uvs(points: Array, run: Array, along: bool) -> Array:
    fall, spread = np.abs(np.ptp(run[:, 2])), np.abs(np.ptp(run[:, 3:].mean(axis=1)))
    if fall < 0.8 * spread:
        return np.stack([points[..., 0], -points[..., 1]], axis=-1)
    around = np.linalg.norm(np.diff(points[:, :, :2], axis=1), axis=-1).mean(axis=0)
    u = np.concatenate([[0.0], np.cumsum(around)])
    profile = np.stack([run[:, 3:].mean(axis=1), run[:, 2]], axis=-1)
    v = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(profile, axis=0), axis=-1))])
    u, v = np.broadcast_arrays(u[None, :], v[:, None])
    return np.stack([v, u] if along else [u, v], axis=-1)


def revolve(profile: ArrayLike, material: str, *, at: ArrayLike = (0.0, 0.0, 0.0), detail: float = 1.0,
            sides: int = 14, crease: float = 45.0, along: bool = False) -> Part:  # fmt: skip
    """Return the body of revolution of ``profile`` (K, 2): radius and height above ``at``; ordered as in `loft`."""
    profile, at = np.asarray(profile, dtype=np.float64), np.asarray(at, dtype=np.float64)
    ones = np.ones(len(profile))
    rings = np.stack([at[0] * ones, at[1] * ones, at[2] + profile[:, 1], profile[:, 0], profile[:, 0]], axis=-1)
    return loft(rings, material, detail=detail, sides=sides, crease=crease, along=along)


def cylinder(base: ArrayLike, radius: float, height: float, material: str, *, top_radius: float | None = None,
             detail: float = 1.0, sides: int = 12, bottom: bool = True, along: bool = False) -> Part:  # fmt: skip
    """Return an upright cylinder, or a cone frustum with ``top_radius``, standing on ``base`` (3,)."""
    top_radius = radius if top_radius is None else top_radius
    profile = [(radius, 0.0), (top_radius, height), (0.0, height)]
    if bottom:
        profile.insert(0, (0.0, 0.0))
    return revolve(profile, material, at=base, detail=detail, sides=sides, along=along)
