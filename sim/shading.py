"""Compiled kernels that turn a visibility buffer (triangle, barycentrics) into depth and colour.

Nothing here depends on threads or on the order of pixels, and floating point is left strict, so that the same pose
gives the same bits wherever it is rendered.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .lattice import Lattice
from .textures import LINEAR_OF_BYTE, TextureAtlas, linear_to_srgb

Array = NDArray[Any]

_MOST_TAPS = 4  # along a pixel's footprint: enough for floors seen at a grazing angle
_TONE_STEPS = 8192
_SHOULDER = 0.7  # linear light up to here is shown as it is; beyond, it is compressed towards white


class Surfaces(NamedTuple):
    """Triangles as kernels read them; arrays as in :class:`~relocbench.sim.scene.Scene`."""

    vertices: Array
    uvs: Array
    triangles: Array
    materials: Array


class Projection(NamedTuple):
    """One view: rotation (3, 3) and centre (3,) of world_from_camera, float64; intrinsics; offset inside the pixel."""

    rotation: Array
    centre: Array
    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float
    du: float = 0.5
    dv: float = 0.5


def tone_table() -> Array:
    """Return the sRGB byte (S,) uint8 of linear light ``(i / (S - 1)) ** 2``: even steps of the square root."""
    light = (np.arange(_TONE_STEPS) / (_TONE_STEPS - 1)) ** 2
    return np.round(255 * linear_to_srgb(light)).astype(np.uint8)


@njit(cache=True)
def primary_rays(view, origins, directions):  # type: ignore[no-untyped-def]
    """Fill origins and directions (H * W, 3) float32 of a view's rays in the world, scaled to z = 1 in the camera."""
    for row in range(view.height):
        y = (row + view.dv - view.cy) / view.fy
        for column in range(view.width):
            x = (column + view.du - view.cx) / view.fx
            pixel = row * view.width + column
            for k in range(3):
                origins[pixel, k] = view.centre[k]
                directions[pixel, k] = view.rotation[k, 0] * x + view.rotation[k, 1] * y + view.rotation[k, 2]


@njit(cache=True)
def depth_of_hits(view, surfaces, triangle, distance, depth):  # type: ignore[no-untyped-def]
    """Fill z-depth (H * W,) float32 by intersecting each pixel's ray with its triangle's plane in float64.

    Embree's distance is float32 arithmetic, whose error at grazing angles would show in a reprojection. Where the
    plane is not defined (a sliver), the two disagree and Embree's is kept.
    """
    for pixel in range(len(triangle)):
        t = triangle[pixel]
        if t < 0:
            depth[pixel] = 0.0
            continue
        x = (pixel % view.width + view.du - view.cx) / view.fx
        y = (pixel // view.width + view.dv - view.cy) / view.fy
        a, b, c = surfaces.triangles[t]
        nx, ny, nz = _normal(surfaces.vertices, a, b, c)
        numerator = 0.0
        denominator = 0.0
        for k, n in enumerate((nx, ny, nz)):
            numerator += n * (surfaces.vertices[a, k] - view.centre[k])
            denominator += n * (view.rotation[k, 0] * x + view.rotation[k, 1] * y + view.rotation[k, 2])
        z = distance[pixel]
        if denominator != 0.0 and abs(numerator / denominator - z) < 1e-3 * z + 1e-6:
            z = numerator / denominator
        depth[pixel] = z


@njit(cache=True)
def lookup(triangle, ids, out):  # type: ignore[no-untyped-def]
    """Fill ``out`` (H * W,) with the id of each pixel's triangle, 0 where nothing was hit."""
    for pixel in range(len(triangle)):
        out[pixel] = ids[triangle[pixel]] if triangle[pixel] >= 0 else 0


@njit(cache=True)
def shade(view, surfaces, atlas, lattice, irradiance, glow, sky, exposure, triangle, bary_u, bary_v, shown):  # type: ignore[no-untyped-def]
    """Add the light shown (H * W, 3) float32 by each pixel: tone curve of exposure * (albedo / pi * E + emission)."""
    scale = np.float32(exposure / math.pi)
    for pixel in range(len(triangle)):
        t = triangle[pixel]
        x = (pixel % view.width + view.du - view.cx) / view.fx
        y = (pixel // view.width + view.dv - view.cy) / view.fy
        if t < 0:
            r, g, b = _background(view, x, y, sky)
            r, g, b = r * exposure, g * exposure, b * exposure
        else:
            u, v = bary_u[pixel], bary_v[pixel]
            m = surfaces.materials[t]
            r, g, b = _albedo(view, surfaces, atlas, t, m, u, v, x, y)
            er, eg, eb = _irradiance(lattice, irradiance, t, u, v)
            r = r * er * scale + glow[m, 0]
            g = g * eg * scale + glow[m, 1]
            b = b * eb * scale + glow[m, 2]
        shown[pixel, 0] += _shoulder(r)
        shown[pixel, 1] += _shoulder(g)
        shown[pixel, 2] += _shoulder(b)


@njit(cache=True)
def to_bytes(shown, samples, table, rgb):  # type: ignore[no-untyped-def]
    """Fill rgb (N, 3) uint8 from the summed light (N, 3) of ``samples`` samples per pixel."""
    top = len(table) - 1
    for i in range(shown.shape[0]):
        for k in range(3):
            rgb[i, k] = table[int(math.sqrt(min(shown[i, k] / samples, np.float32(1.0))) * top + 0.5)]


@njit(cache=True, inline="always")
def _shoulder(light):  # type: ignore[no-untyped-def]
    if light <= _SHOULDER:
        return light
    return _SHOULDER + (1 - _SHOULDER) * (1 - math.exp((_SHOULDER - light) / (1 - _SHOULDER)))


@njit(cache=True, inline="always")
def _normal(vertices, a, b, c):  # type: ignore[no-untyped-def]
    """Return the cross product of two edges in float64: the normal times twice the area."""
    ux = np.float64(vertices[b, 0]) - vertices[a, 0]
    uy = np.float64(vertices[b, 1]) - vertices[a, 1]
    uz = np.float64(vertices[b, 2]) - vertices[a, 2]
    vx = np.float64(vertices[c, 0]) - vertices[a, 0]
    vy = np.float64(vertices[c, 1]) - vertices[a, 1]
    vz = np.float64(vertices[c, 2]) - vertices[a, 2]
    return uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx


@njit(cache=True)
def _background(view, x, y, sky):  # type: ignore[no-untyped-def]
    """Return the sky's radiance: brightest at the horizon, a dim ground below it."""
    length = math.sqrt(x * x + y * y + 1.0)
    up = (view.rotation[2, 0] * x + view.rotation[2, 1] * y + view.rotation[2, 2]) / length
    if up >= 0:
        level = 1.15 - 0.45 * up
        return sky[0] * level, sky[1] * level, sky[2] * level
    ground = 0.3 * (sky[0] + sky[1] + sky[2]) / 3
    blend = math.exp(up * 12.0)
    return (
        ground + (1.15 * sky[0] - ground) * blend,
        ground + (1.15 * sky[1] - ground) * blend,
        ground + (1.15 * sky[2] - ground) * blend,
    )


@njit(cache=True)
def _irradiance(lattice, irradiance, t, u, v):  # type: ignore[no-untyped-def]
    """Interpolate irradiance over the half cell of triangle t's lattice around barycentrics (u, v)."""
    corner = lattice.corner[t]
    w = np.float32(1.0) - u - v
    if corner == 0:
        x, y = u, v
    elif corner == 1:
        x, y = v, w
    else:
        x, y = w, u
    columns, rows = lattice.columns[t], lattice.rows[t]
    x = max(x, np.float32(0.0)) * columns
    y = max(y, np.float32(0.0)) * rows
    i, j = min(int(x), columns - 1), min(int(y), rows - 1)
    x, y = x - i, y - j
    first = lattice.start[t] + j * (columns + 1) + i
    right, below = lattice.node[first + 1], lattice.node[first + columns + 1]
    far = lattice.node[first + columns + 2]
    if x + y <= 1 or far < 0:
        corner_node, wx, wy = lattice.node[first], x, y
    else:
        corner_node, wx, wy = far, 1 - y, 1 - x
    rest = 1 - wx - wy
    return (
        rest * irradiance[corner_node, 0] + wx * irradiance[right, 0] + wy * irradiance[below, 0],
        rest * irradiance[corner_node, 1] + wx * irradiance[right, 1] + wy * irradiance[below, 1],
        rest * irradiance[corner_node, 2] + wx * irradiance[right, 2] + wy * irradiance[below, 2],
    )


@njit(cache=True)
def _albedo(view, surfaces, atlas, t, m, u, v, x, y):  # type: ignore[no-untyped-def]
    """Return the texture's linear colour over a pixel's footprint: mip level from its width, taps along its length."""
    a, b, c = surfaces.triangles[t]
    uv = surfaces.uvs
    w = np.float32(1.0) - u - v
    s = w * uv[a, 0] + u * uv[b, 0] + v * uv[c, 0]
    q = w * uv[a, 1] + u * uv[b, 1] + v * uv[c, 1]
    width, height = atlas.size[m, 0, 0], atlas.size[m, 0, 1]
    if width == 1 and height == 1:
        texel = atlas.start[m, 0]
        return (
            LINEAR_OF_BYTE[atlas.texels[texel, 0]],
            LINEAR_OF_BYTE[atlas.texels[texel, 1]],
            LINEAR_OF_BYTE[atlas.texels[texel, 2]],
        )
    sx, qx, sy, qy = _footprint(view, surfaces, a, b, c, x, y)
    across, down = math.hypot(sx * width, qx * height), math.hypot(sy * width, qy * height)
    if across < down:
        sx, qx, across, down = sy, qy, down, across
    narrow = max(down, 1e-6)
    taps = min(_MOST_TAPS, max(1, int(across / narrow + 0.5)))
    level = min(max(math.log2(max(across / taps, 1e-6)), 0.0), atlas.levels[m] - 1.0)
    lower = int(level)
    blend = np.float32(level - lower)
    red, green, blue = np.float32(0.0), np.float32(0.0), np.float32(0.0)
    for tap in range(taps):
        shift = (tap + 0.5) / taps - 0.5
        ts, tq = s + shift * sx, q + shift * qx
        ts, tq = np.float32(ts - math.floor(ts)), np.float32(tq - math.floor(tq))
        r, g, bl = _bilinear(atlas, m, lower, ts, tq)
        if blend > 0.02:
            r2, g2, b2 = _bilinear(atlas, m, min(lower + 1, atlas.levels[m] - 1), ts, tq)
            r, g, bl = r + blend * (r2 - r), g + blend * (g2 - g), bl + blend * (b2 - bl)
        red, green, blue = red + r, green + g, blue + bl
    return red / taps, green / taps, blue / taps


@njit(cache=True, inline="always")
def _footprint(view, surfaces, a, b, c, x, y):  # type: ignore[no-untyped-def]
    """Return how far texture coordinates move over one pixel to the right (ds, dq) and one pixel down (ds, dq)."""
    p = surfaces.vertices
    nx, ny, nz = _normal(p, a, b, c)
    area2 = nx * nx + ny * ny + nz * nz
    r = view.rotation
    dx = r[0, 0] * x + r[0, 1] * y + r[0, 2]
    dy = r[1, 0] * x + r[1, 1] * y + r[1, 2]
    dz = r[2, 0] * x + r[2, 1] * y + r[2, 2]
    facing = nx * dx + ny * dy + nz * dz
    if area2 == 0.0 or facing == 0.0:
        return 0.0, 0.0, 0.0, 0.0
    t = (nx * (p[a, 0] - view.centre[0]) + ny * (p[a, 1] - view.centre[1]) + nz * (p[a, 2] - view.centre[2])) / facing
    s1, q1 = surfaces.uvs[b, 0] - surfaces.uvs[a, 0], surfaces.uvs[b, 1] - surfaces.uvs[a, 1]
    s2, q2 = surfaces.uvs[c, 0] - surfaces.uvs[a, 0], surfaces.uvs[c, 1] - surfaces.uvs[a, 1]
    ux, uy, uz = p[b, 0] - p[a, 0], p[b, 1] - p[a, 1], p[b, 2] - p[a, 2]
    vx, vy, vz = p[c, 0] - p[a, 0], p[c, 1] - p[a, 1], p[c, 2] - p[a, 2]
    # gradients of the two barycentrics on the plane: (v x n) / |n|^2 and (n x u) / |n|^2
    gx, gy, gz = vy * nz - vz * ny, vz * nx - vx * nz, vx * ny - vy * nx
    hx, hy, hz = ny * uz - nz * uy, nz * ux - nx * uz, nx * uy - ny * ux
    ax, ay, az = (s1 * gx + s2 * hx) / area2, (s1 * gy + s2 * hy) / area2, (s1 * gz + s2 * hz) / area2
    bx, by, bz = (q1 * gx + q2 * hx) / area2, (q1 * gy + q2 * hy) / area2, (q1 * gz + q2 * hz) / area2
    step = t / view.fx
    slip = (nx * r[0, 0] + ny * r[1, 0] + nz * r[2, 0]) / facing
    mx, my, mz = step * (r[0, 0] - slip * dx), step * (r[1, 0] - slip * dy), step * (r[2, 0] - slip * dz)
    ds_right, dq_right = ax * mx + ay * my + az * mz, bx * mx + by * my + bz * mz
    step = t / view.fy
    slip = (nx * r[0, 1] + ny * r[1, 1] + nz * r[2, 1]) / facing
    mx, my, mz = step * (r[0, 1] - slip * dx), step * (r[1, 1] - slip * dy), step * (r[2, 1] - slip * dz)
    return ds_right, dq_right, ax * mx + ay * my + az * mz, bx * mx + by * my + bz * mz


@njit(cache=True, inline="always")
def _bilinear(atlas, m, level, s, q):  # type: ignore[no-untyped-def]
    """Return the linear colour of one mip level at texture coordinates in [0, 1), repeating at the borders."""
    width, height = atlas.size[m, level, 0], atlas.size[m, level, 1]
    x, y = s * width - np.float32(0.5), q * height - np.float32(0.5)
    i0, j0 = int(math.floor(x)), int(math.floor(y))
    fx, fy = np.float32(x - i0), np.float32(y - j0)
    i1, j1 = i0 + 1, j0 + 1
    if i0 < 0:
        i0 += width
    if j0 < 0:
        j0 += height
    if i1 >= width:
        i1 -= width
    if j1 >= height:
        j1 -= height
    i0, j0 = min(i0, width - 1), min(j0, height - 1)
    first = atlas.start[m, level]
    n00, n10 = first + j0 * width + i0, first + j0 * width + i1
    n01, n11 = first + j1 * width + i0, first + j1 * width + i1
    w11 = fx * fy
    w10, w01 = fx - w11, fy - w11
    w00 = np.float32(1.0) - fx - fy + w11
    texels = atlas.texels
    return (
        w00 * LINEAR_OF_BYTE[texels[n00, 0]] + w10 * LINEAR_OF_BYTE[texels[n10, 0]]
        + w01 * LINEAR_OF_BYTE[texels[n01, 0]] + w11 * LINEAR_OF_BYTE[texels[n11, 0]],
        w00 * LINEAR_OF_BYTE[texels[n00, 1]] + w10 * LINEAR_OF_BYTE[texels[n10, 1]]
        + w01 * LINEAR_OF_BYTE[texels[n01, 1]] + w11 * LINEAR_OF_BYTE[texels[n11, 1]],
        w00 * LINEAR_OF_BYTE[texels[n00, 2]] + w10 * LINEAR_OF_BYTE[texels[n10, 2]]
        + w01 * LINEAR_OF_BYTE[texels[n01, 2]] + w11 * LINEAR_OF_BYTE[texels[n11, 2]],
    )  # fmt: skip
