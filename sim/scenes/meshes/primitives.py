"""The bricks that furniture is built from: textured meshes of boxes, rounded boxes, lofts, tubes, sheets and cushions.

Every brick returns a :class:`Part`: metres, unit normals that face out, triangles counter-clockwise seen from outside,
texture coordinates in metres on the surface with v running down on upright faces. ``detail`` scales the number of
triangles about linearly: edges are divided by its square root, flat faces too, so that a scan's density can be reached.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import Akima1DInterpolator, PchipInterpolator

from .lofts import cylinder, loft, revolve, subdivided
from .mesh import Part
from .meshing import (
    SUBDIVIDED,
    cells,
    cross,
    grid_part,
    merged,
    mirrored,
    moved,
    scaled,
    turned,
    unit,
    unit_grid,
)

__all__ = [
    "ALL_FACES",
    "bend",
    "box",
    "boxes",
    "curve",
    "cushion",
    "cylinder",
    "frustum",
    "loft",
    "merged",
    "mirrored",
    "moved",
    "quad",
    "revolve",
    "rounded_box",
    "scaled",
    "sheets",
    "sphere",
    "tube",
    "turned",
]

Array = NDArray[Any]

# Per face of a box: its name, the axis it is normal to, the side, and (axis, sign) of u (right) and of v (down) as
# seen from outside.
_FACES = (
    ("X", 0, 1, (1, 1), (2, -1)),
    ("x", 0, 0, (1, -1), (2, -1)),
    ("Y", 1, 1, (0, -1), (2, -1)),
    ("y", 1, 0, (0, 1), (2, -1)),
    ("Z", 2, 1, (0, 1), (1, -1)),
    ("z", 2, 0, (0, -1), (1, -1)),
)
ALL_FACES = "xXyYzZ"

# The four corners of a face in the order of a one-cell grid, and the two triangles between them.
_CORNER_U, _CORNER_V = np.array([0.0, 1.0, 0.0, 1.0]), np.array([0.0, 0.0, 1.0, 1.0])
_CELL = np.array([[0, 2, 3], [0, 3, 1]], dtype=np.int32)


def _corner_sides(face: tuple[Any, ...]) -> list[list[bool]]:
    """Return which corners (4, 3) of a face lie on the high side of each axis."""
    _, axis, side, (u_axis, u_sign), (v_axis, v_sign) = face
    along = {u_axis: (_CORNER_U > 0) == (u_sign > 0), v_axis: (_CORNER_V > 0) == (v_sign > 0), axis: [bool(side)] * 4}
    return [[bool(along[i][k]) for i in range(3)] for k in range(4)]


_CORNER_SIDE = np.array([_corner_sides(face) for face in _FACES])
_FACE_NORMAL = np.array([np.eye(3)[face[1]] * (2 * face[2] - 1) for face in _FACES])
_FACE_AXES = np.array([(face[3][0], face[4][0]) for face in _FACES])


def box(low: ArrayLike, high: ArrayLike, material: str, *, detail: float = 1.0, faces: str = ALL_FACES,
        along: int | None = None) -> Part:  # fmt: skip
    """Return the box between two corners (3,); see :func:`boxes`."""
    return boxes(np.asarray(low)[None], np.asarray(high)[None], material, detail=detail, faces=faces, along=along)


def boxes(lows: ArrayLike, highs: ArrayLike, material: str, *, detail: float = 1.0, faces: str = ALL_FACES,
          along: int | None = None) -> Part:  # fmt: skip
    """Return N boxes between corners ``lows`` and ``highs`` (N, 3).

    ``faces`` names the sides that exist ("x" the low one, "X" the high one, ...); ``along`` is the axis that the
    texture's u direction follows wherever it can (the grain of wood), None for upright textures.
    """
    corners = np.stack([np.asarray(lows, dtype=np.float64), np.asarray(highs, dtype=np.float64)])
    if detail < SUBDIVIDED:
        return _plain_boxes(corners, faces, material, along)
    parts = [_box_face(corners, face, material, detail, along) for face in _FACES if face[0] in faces]
    return merged(parts)


def _plain_boxes(corners: Array, faces: str, material: str, along: int | None) -> Part:
    """Mesh boxes of one cell per face, all faces at once: most of a house is made of these."""
    chosen = [i for i, face in enumerate(_FACES) if face[0] in faces]
    side, normal, (u_axis, v_axis) = _CORNER_SIDE[chosen], _FACE_NORMAL[chosen], _FACE_AXES[chosen].T
    points = np.where(side[:, None], corners[1][None, :, None], corners[0][None, :, None])  # (F, N, 4, 3)
    lengths = corners[1] - corners[0]
    u, v = lengths.T[u_axis][..., None] * _CORNER_U, lengths.T[v_axis][..., None] * _CORNER_V
    turn = (v_axis == along)[:, None, None] if along is not None else np.zeros((1, 1, 1), dtype=bool)
    uvs = np.stack([np.where(turn, v, u), np.where(turn, u, v)], axis=-1)
    normals = np.broadcast_to(normal[:, None, None], points.shape)
    first = 4 * np.arange(points.shape[0] * points.shape[1], dtype=np.int32)
    triangles = (first[:, None, None] + _CELL).reshape(-1, 3)
    return Part(points.reshape(-1, 3), normals.reshape(-1, 3), uvs.reshape(-1, 2), triangles, material)


def _box_face(corners: Array, face: tuple[Any, ...], material: str, detail: float, along: int | None) -> Part:
    _, axis, side, (u_axis, u_sign), (v_axis, v_sign) = face
    lengths = corners[1] - corners[0]
    columns, rows = cells(lengths[:, u_axis].mean(), lengths[:, v_axis].mean(), detail)
    s, t = unit_grid(rows, columns)
    points = np.empty((len(lengths), *s.shape, 3))
    points[..., axis] = corners[side, :, axis][:, None, None]
    for fraction, a, sign in ((s, u_axis, u_sign), (t, v_axis, v_sign)):
        towards = fraction if sign > 0 else 1 - fraction
        points[..., a] = corners[0, :, a][:, None, None] + towards * lengths[:, a][:, None, None]
    normals = np.zeros_like(points)
    normals[..., axis] = 2 * side - 1
    u, v = s * lengths[:, u_axis][:, None, None], t * lengths[:, v_axis][:, None, None]
    uvs = np.stack([v, u] if along == v_axis else [u, v], axis=-1)
    return grid_part(points, normals, uvs, material)


def rounded_box(low: ArrayLike, high: ArrayLike, radius: float, material: str, *, detail: float = 1.0,
                puff: float = 0.0, puff_axis: int = 2, along: int | None = None) -> Part:  # fmt: skip
    """Return a box with rounded edges of ``radius``, its bounding box exactly ``low`` to ``high``.

    ``puff`` metres bulge the two faces normal to ``puff_axis``, as upholstery does. Below detail 0.35 the edges are
    sharp: nobody sees them at the distance from which so few triangles are looked at.
    """
    low, high = np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64)
    if detail < 0.35:
        return box(low, high, material, along=along)
    half = (high - low) / 2
    half[puff_axis] -= puff
    radius = min(radius, 0.999 * half.min())
    steps = max(1, round(np.sqrt(detail)))
    lines = [_rounded_lines(h, radius, steps, 2 * ((steps + 1) // 2) if puff else steps) for h in half]
    parts = []
    for _, axis, side, (u_axis, u_sign), (v_axis, v_sign) in _FACES:
        grid = np.empty((len(lines[v_axis]), len(lines[u_axis]), 3))
        grid[..., axis] = (2 * side - 1) * half[axis]
        grid[..., u_axis] = u_sign * lines[u_axis]
        grid[..., v_axis] = v_sign * lines[v_axis][:, None]
        uvs = np.stack([u_sign * grid[..., u_axis], v_sign * grid[..., v_axis]], axis=-1)
        core = np.clip(grid, -(half - radius), half - radius)
        normals = unit(grid - core)
        points, normals = _puffed(core + radius * normals, normals, half, puff, puff_axis)
        if along == v_axis:
            uvs = uvs[..., ::-1]
        parts.append(grid_part((points + (low + high) / 2)[None], normals[None], uvs[None], material))
    return merged(parts)


def _rounded_lines(half: float, radius: float, edge_steps: int, middle_steps: int) -> Array:
    edge = np.linspace(-half, radius - half, edge_steps + 1)
    middle = np.linspace(radius - half, half - radius, middle_steps + 1)[1:-1]
    return np.concatenate([edge, middle, -edge[::-1]])


def _puffed(points: Array, normals: Array, half: Array, puff: float, axis: int) -> tuple[Array, Array]:
    if puff == 0:
        return points, normals
    a, b = (i for i in range(3) if i != axis)
    x, y = points[..., a] / half[a], points[..., b] / half[b]
    lift = puff * np.clip(1 - x**2, 0, 1) * np.clip(1 - y**2, 0, 1) * (points[..., axis] / half[axis])
    points, normals = points.copy(), normals.copy()
    points[..., axis] += lift
    up = np.abs(normals[..., axis])
    normals[..., a] += up * 2 * puff * x * (1 - y**2) / half[a]
    normals[..., b] += up * 2 * puff * y * (1 - x**2) / half[b]
    return points, unit(normals)


def frustum(bottom: ArrayLike, z0: float, top: ArrayLike, z1: float, material: str, *, detail: float = 1.0,
            faces: str = ALL_FACES, upright: bool = False) -> Part:  # fmt: skip
    """Return the solid between two rectangles (x0, y0, x1, y1) at two heights: tapered legs, hoods, shades.

    ``upright`` lets the texture's u direction run upwards on the sides (the grain of a leg).
    """
    rectangles = np.array([bottom, top], dtype=np.float64)
    parts = []
    for name, axis, side, (u_axis, u_sign), (v_axis, v_sign) in _FACES:
        if name not in faces:
            continue
        corner = np.empty((2, 2, 3))  # rows from v = 0, columns from u = 0
        for row, column in np.ndindex(2, 2):
            sides = {axis: side, u_axis: column if u_sign > 0 else 1 - column, v_axis: row if v_sign > 0 else 1 - row}
            rectangle = rectangles[sides[2]]
            corner[row, column] = (rectangle[2 * sides[0]], rectangle[2 * sides[1] + 1], (z0, z1)[sides[2]])
            corner[row, column, 0] = rectangle[0 if sides[0] == 0 else 2]
            corner[row, column, 1] = rectangle[1 if sides[1] == 0 else 3]
        parts.append(quad(corner, material, detail=detail, swap=upright and axis != 2))
    return merged(parts)


def quad(corners: ArrayLike, material: str, *, detail: float = 1.0, swap: bool = False) -> Part:
    """Return the flat patch of ``corners`` (2, 2, 3): rows run down, columns right, as seen from its front.

    ``swap`` exchanges u and v.
    """
    corners = np.asarray(corners, dtype=np.float64)
    across = np.linalg.norm(corners[:, 1] - corners[:, 0], axis=-1).mean()
    down = np.linalg.norm(corners[1] - corners[0], axis=-1).mean()
    columns, rows = cells(across, down, detail)
    s, t = unit_grid(rows, columns)
    s, t = s[..., None], t[..., None]
    upper = corners[0, 0] * (1 - s) + corners[0, 1] * s
    lower = corners[1, 0] * (1 - s) + corners[1, 1] * s
    points = upper * (1 - t) + lower * t
    diagonals = cross(corners[1, 1] - corners[0, 0], corners[0, 1] - corners[1, 0])
    normals = np.broadcast_to(unit(diagonals), points.shape)
    uvs = np.concatenate([t * down, s * across] if swap else [s * across, t * down], axis=-1)
    return grid_part(points[None], normals[None], uvs[None], material)


def sphere(centre: ArrayLike, radii: ArrayLike, material: str, *, detail: float = 1.0) -> Part:
    """Return an ellipsoid with radii (3,), mapped like a cube so that no pole pinches its texture."""
    steps = max(2, round(3 * np.sqrt(detail)))
    line = np.tan(np.linspace(-np.pi / 4, np.pi / 4, steps + 1))
    radii, parts = np.asarray(radii, dtype=np.float64), []
    reach = 1 / np.sqrt(1 + 2 * np.abs(line).min() ** 2)  # how far the outermost vertices lie along an axis
    for _, axis, side, (u_axis, u_sign), (v_axis, v_sign) in _FACES:
        cube = np.empty((steps + 1, steps + 1, 3))
        cube[..., axis] = 2 * side - 1
        cube[..., u_axis] = u_sign * line
        cube[..., v_axis] = v_sign * line[:, None]
        outward = unit(cube)
        angle = np.pi / 4 * np.linspace(-1, 1, steps + 1)
        u, v = np.meshgrid(angle * radii[u_axis], angle * radii[v_axis])
        points = np.asarray(centre) + outward * radii / reach
        parts.append(grid_part(points[None], unit(outward / radii)[None], np.stack([u, v], -1)[None], material))
    return merged(parts)


def tube(path: ArrayLike, radius: ArrayLike, material: str, *, detail: float = 1.0, sides: int = 7,
         caps: bool = True, along: bool = True) -> Part:  # fmt: skip
    """Return a round bar along ``path`` (K, 3), its ``radius`` one number or one per point (K,).

    Frames are carried along without twist; a path that turns sharply wants points on its bend (see `curve`).
    """
    path = np.asarray(path, dtype=np.float64)
    radius = np.broadcast_to(np.asarray(radius, dtype=np.float64), len(path))
    track = _rounded(np.column_stack([path, radius]), detail)
    path, radius = track[:, :3], track[:, 3]
    count = max(5, round(sides * np.sqrt(detail)))
    theta = np.linspace(0, 2 * np.pi, count + 1)
    theta[-1] = 0
    side, other, tangent = _carried_frames(path)
    spokes = np.cos(theta)[None, :, None] * side[:, None] + np.sin(theta)[None, :, None] * other[:, None]
    points = path[:, None] + radius[:, None, None] * spokes
    u = np.linspace(0, 2 * np.pi * radius.mean(), count + 1)
    v = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=-1))])
    u, v = np.broadcast_arrays(u[None, :], v[::-1, None])
    uvs = np.stack([v, u] if along else [u, v], axis=-1)
    parts = [grid_part(points[::-1][None], spokes[::-1][None], uvs[None], material)]
    if caps:
        for end, direction in ((0, -1), (-1, 1)):
            rim = np.stack([np.broadcast_to(path[end], points[end].shape), points[end]])
            facing = np.broadcast_to(direction * tangent[end], rim.shape)
            flat = np.stack([(rim - path[end]) @ side[end], (rim - path[end]) @ other[end]], axis=-1)
            if direction < 0:
                rim, flat = rim[:, ::-1], flat[:, ::-1]
            parts.append(grid_part(rim[None], facing[None], flat[None], material, collapsing=True))
    return merged(parts)


def _rounded(track: Array, detail: float) -> Array:
    """Divide a path like `subdivided`, but along a curve: at a corner, rings set closely would cut into each other."""
    steps = max(1, round(np.sqrt(detail)))
    if steps == 1 or len(track) < 3:
        return subdivided(track, detail)
    lengths = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(track[:, :3], axis=0), axis=-1))])
    samples = np.interp(np.arange((len(track) - 1) * steps + 1) / steps, np.arange(len(track)), lengths)
    return Akima1DInterpolator(lengths, track)(samples)


def _carried_frames(path: Array) -> tuple[Array, Array, Array]:
    """Return two normals and the tangent (K, 3) at each point of a path, carried along it without twist."""
    steps = unit(np.diff(path, axis=0))
    tangent = unit(np.concatenate([steps[:1], steps[:-1] + steps[1:], steps[-1:]]))
    side = np.empty_like(tangent)
    start = np.eye(3)[np.abs(tangent[0]).argmin()]
    for i, direction in enumerate(tangent):
        start = start - (start @ direction) * direction
        start = side[i] = start / np.linalg.norm(start)
    return side, cross(tangent, side), tangent


def sheets(points: ArrayLike, material: str, *, thickness: float = 0.0, along: bool = False) -> Part:
    """Return N smooth sheets through grids of ``points`` (N, R, C, 3): rows run down, columns right, from the front.

    With a ``thickness`` in metres each has a back of its own behind it, close to it at the rim: both sides are seen,
    and no gap shows between them.
    """
    points = np.asarray(points, dtype=np.float64)
    across, down = np.gradient(points, axis=2), np.gradient(points, axis=1)
    normals = cross(down, across)
    typical = unit(normals.sum(axis=(1, 2), keepdims=True) + 1e-12)
    collapsed = np.linalg.norm(normals, axis=-1, keepdims=True) < 1e-9
    normals = unit(np.where(collapsed, typical, normals))
    u = _mean_arc_length(points, axis=2)
    v = _mean_arc_length(points.swapaxes(1, 2), axis=2)
    u, v = np.broadcast_arrays(u[:, None, :], v[:, :, None])
    uvs = np.stack([v, u] if along else [u, v], axis=-1)
    front = grid_part(points, normals, uvs, material, collapsing=True)
    if thickness == 0:
        return front
    # The back repeats the front's triangles, and keeps a hair's breadth away even at the rim: nowhere do they coincide.
    depth = np.full((*points.shape[1:3], 1), 0.25 * thickness)
    depth[1:-1, 1:-1] = thickness
    behind = grid_part(points - depth * normals, -normals, uvs, material, collapsing=True)
    return merged([front, replace(behind, triangles=behind.triangles[:, ::-1])])


def _mean_arc_length(points: Array, axis: int) -> Array:
    steps = np.linalg.norm(np.diff(points, axis=axis), axis=-1).mean(axis=1)
    return np.concatenate([np.zeros((len(points), 1)), np.cumsum(steps, axis=1)], axis=1)


def cushion(low: ArrayLike, high: ArrayLike, material: str, *, detail: float = 1.0, pinch: float = 0.06) -> Part:
    """Return a pillow that fills the box ``low`` to ``high``: two sheets sewn at the rim, its sides drawn in by
    ``pinch`` of its width between the corners."""
    low, high = np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64)
    steps = max(3, round(5 * np.sqrt(detail)))
    line = np.sin(np.linspace(-np.pi / 2, np.pi / 2, steps + 1))
    s, t = np.meshgrid(line, -line)
    height = np.sqrt(np.clip((1 - s**4) * (1 - t**4), 0, 1))
    outline = np.stack([s * (1 - pinch * (1 - t**2)), t * (1 - pinch * (1 - s**2))], axis=-1)
    upper = np.concatenate([outline, height[..., None]], axis=-1)
    lower = upper[:, ::-1] * (1, 1, -1)
    scale = np.abs(upper.reshape(-1, 3)).max(axis=0)
    return sheets(np.stack([upper, lower]) / scale * (high - low) / 2 + (low + high) / 2, material)


def curve(points: ArrayLike, detail: float = 1.0, *, steps: float = 3.0) -> Array:
    """Return a smooth path through control ``points`` (K, D), about ``steps`` times sqrt(detail) points per span."""
    points = np.asarray(points, dtype=np.float64)
    count = max(len(points), round((len(points) - 1) * min(steps * np.sqrt(min(detail, 1.0)), 12.0)) + 1)
    spans = np.linalg.norm(np.diff(points, axis=0), axis=-1)
    position = np.concatenate([[0.0], np.cumsum(np.maximum(spans, 1e-9))])
    # At least one sample per control point, evenly spaced in between: the control points are the silhouette.
    samples = np.interp(np.linspace(0, len(points) - 1, count), np.arange(len(points)), position)
    return PchipInterpolator(position, points)(samples)


def bend(points: ArrayLike, detail: float = 1.0) -> Array:
    """Return a path that rounds the corners of a polyline ``points`` (K, D) between its ends (Chaikin, 1974)."""
    path = np.asarray(points, dtype=np.float64)
    for _ in range(2 if detail >= 0.5 else 1):
        cuts = np.stack([0.75 * path[:-1] + 0.25 * path[1:], 0.25 * path[:-1] + 0.75 * path[1:]], axis=1)
        path = np.concatenate([path[:1], cuts.reshape(-1, path.shape[1])[1:-1], path[-1:]])
    return path
