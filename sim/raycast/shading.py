"""Compiled kernels that turn a visibility buffer (triangle, barycentrics) into depth and colour.

Nothing here depends on threads or on the order of pixels, and floating point is left strict, so that the same pose
gives the same bits wherever it is rendered.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..compiled import compiled
from ..projection import plain_view
from ..sky import sky_radiance
from ..srgb import LINEAR_OF_BYTE
from ..tone import shoulder
from .lattice import Lattice

Array = NDArray[Any]

_MOST_TAPS = 4  # along a pixel's footprint: enough for floors seen at a grazing angle


class Surfaces(NamedTuple):
    """Triangles as kernels read them; arrays as in :class:`~relocbench.sim.scene.Scene`."""

    vertices: Array
    uvs: Array
    triangles: Array
    materials: Array


class Light(NamedTuple):
    """Light as it is shown: ``irradiance`` (N, 3) float32 at the nodes of ``lattice``; ``glow`` (M, 3) float32, each
    material's emission after exposure; ``sky`` (3,) float32, radiance after exposure; ``exposure``."""

    lattice: Lattice
    irradiance: Array
    glow: Array
    sky: Array
    exposure: float


@compiled(error_model="numpy")
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
        a, b, c = surfaces.triangles[t, 0], surfaces.triangles[t, 1], surfaces.triangles[t, 2]
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


@compiled(error_model="numpy")
def lookup(triangle, ids, out):  # type: ignore[no-untyped-def]
    """Fill ``out`` (H * W,) with the id of each pixel's triangle, 0 where nothing was hit."""
    for pixel in range(len(triangle)):
        out[pixel] = ids[triangle[pixel]] if triangle[pixel] >= 0 else 0


@compiled(error_model="numpy")
def shade(view, surfaces, atlas, light, hits, shown):  # type: ignore[no-untyped-def]
    """Add the light shown (H * W, 3) float32 by each pixel: tone curve of exposure * (albedo / pi * E + emission)."""
    # numba counts references whenever a tuple of arrays is passed on; plain arrays and numbers make this 3x as fast
    vertices, uvs, triangles, materials = surfaces.vertices, surfaces.uvs, surfaces.triangles, surfaces.materials
    texels, start, size, levels = atlas.texels, atlas.start, atlas.size, atlas.levels
    lattice, irradiance, glow, sky = light.lattice, light.irradiance, light.glow, light.sky
    corner, columns, rows, first, node = lattice.corner, lattice.columns, lattice.rows, lattice.start, lattice.node
    triangle, bary_u, bary_v = hits.triangle, hits.u, hits.v
    frame = plain_view(view)
    scale = np.float32(light.exposure / math.pi)
    for pixel in range(len(triangle)):
        t = triangle[pixel]
        x = (pixel % view.width + view.du - view.cx) * frame[12]
        y = (pixel // view.width + view.dv - view.cy) * frame[13]
        if t < 0:
            r, g, b = sky_radiance(frame, x, y, sky)
        else:
            u, v = bary_u[pixel], bary_v[pixel]
            m = materials[t]
            corners = (triangles[t, 0], triangles[t, 1], triangles[t, 2])
            r, g, b = _albedo(frame, vertices, uvs, texels, start, size, levels, corners, m, u, v, x, y)
            er, eg, eb = irradiance_at(corner[t], columns[t], rows[t], first[t], node, irradiance, u, v)
            r = r * er * scale + glow[m, 0]
            g = g * eg * scale + glow[m, 1]
            b = b * eb * scale + glow[m, 2]
        shown[pixel, 0] += shoulder(r)
        shown[pixel, 1] += shoulder(g)
        shown[pixel, 2] += shoulder(b)


@compiled(error_model="numpy")
def _normal(vertices, a, b, c):  # type: ignore[no-untyped-def]
    """Return the cross product of two edges in float64: the normal times twice the area."""
    ux = np.float64(vertices[b, 0]) - vertices[a, 0]
    uy = np.float64(vertices[b, 1]) - vertices[a, 1]
    uz = np.float64(vertices[b, 2]) - vertices[a, 2]
    vx = np.float64(vertices[c, 0]) - vertices[a, 0]
    vy = np.float64(vertices[c, 1]) - vertices[a, 1]
    vz = np.float64(vertices[c, 2]) - vertices[a, 2]
    return uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx


@compiled(error_model="numpy")
def irradiance_at(corner, columns, rows, first, node, irradiance, u, v):  # type: ignore[no-untyped-def]
    """Interpolate irradiance at barycentrics (u, v): bilinear in a cell of the lattice, linear in half a cell."""
    w = np.float32(1.0) - u - v
    if corner == 0:
        x, y = u, v
    elif corner == 1:
        x, y = v, w
    else:
        x, y = w, u
    x = max(x, np.float32(0.0)) * columns
    y = max(y, np.float32(0.0)) * rows
    i, j = min(int(x), columns - 1), min(int(y), rows - 1)
    x, y = x - i, y - j
    first += j * (columns + 1) + i
    right, below, far = node[first + 1], node[first + columns + 1], node[first + columns + 2]
    near = node[first]
    w00, w10, w01, w11 = 1 - x - y, x, y, x * 0
    if far < 0:
        far = near  # weighs nothing: cells without a far corner lie half outside of the triangle
    elif (i + 1) * rows + (j + 1) * columns <= rows * columns:
        w11 = x * y
        w00, w10, w01 = w00 + w11, w10 - w11, w01 - w11
    elif x + y > 1:
        w00, w10, w01, w11 = x * 0, 1 - y, 1 - x, x + y - 1
    return (
        w00 * irradiance[near, 0] + w10 * irradiance[right, 0] + w01 * irradiance[below, 0] + w11 * irradiance[far, 0],
        w00 * irradiance[near, 1] + w10 * irradiance[right, 1] + w01 * irradiance[below, 1] + w11 * irradiance[far, 1],
        w00 * irradiance[near, 2] + w10 * irradiance[right, 2] + w01 * irradiance[below, 2] + w11 * irradiance[far, 2],
    )


@compiled(error_model="numpy")
def _albedo(frame, vertices, uvs, texels, start, size, levels, corners, m, u, v, x, y):  # type: ignore[no-untyped-def]
    """Return the texture's linear colour over a pixel's footprint: mip level from its width, taps along its length."""
    width, height = size[m, 0, 0], size[m, 0, 1]
    if width == 1 and height == 1:
        return _texel(texels, start[m, 0])
    a, b, c = corners
    w = np.float32(1.0) - u - v
    s = w * uvs[a, 0] + u * uvs[b, 0] + v * uvs[c, 0]
    q = w * uvs[a, 1] + u * uvs[b, 1] + v * uvs[c, 1]
    sx, qx, sy, qy = _footprint(frame, vertices, uvs, a, b, c, x, y)
    across = math.sqrt((sx * width) ** 2 + (qx * height) ** 2)
    down = math.sqrt((sy * width) ** 2 + (qy * height) ** 2)
    if across < down:
        sx, qx, across, down = sy, qy, down, across
    taps = min(_MOST_TAPS, max(1, int(across / max(down, 1e-6) + 0.5)))
    level = min(max(math.log2(max(across / taps, 1e-6)), 0.0), levels[m] - 1.0)
    lower = int(level)
    upper, blend = min(lower + 1, levels[m] - 1), np.float32(level - lower)
    red, green, blue = np.float32(0.0), np.float32(0.0), np.float32(0.0)
    for tap in range(taps):
        shift = (tap + 0.5) / taps - 0.5
        ts, tq = s + shift * sx, q + shift * qx
        ts, tq = np.float32(ts - math.floor(ts)), np.float32(tq - math.floor(tq))
        r, g, bl = _bilinear(texels, start[m, lower], size[m, lower, 0], size[m, lower, 1], ts, tq)
        if blend > 0.02:
            r2, g2, b2 = _bilinear(texels, start[m, upper], size[m, upper, 0], size[m, upper, 1], ts, tq)
            r, g, bl = r + blend * (r2 - r), g + blend * (g2 - g), bl + blend * (b2 - bl)
        red, green, blue = red + r, green + g, blue + bl
    return red / taps, green / taps, blue / taps


@compiled(error_model="numpy")
def _footprint(frame, vertices, uvs, a, b, c, x, y):  # type: ignore[no-untyped-def]
    """Return how far texture coordinates move over one pixel to the right (ds, dq) and one pixel down (ds, dq)."""
    px, py, pz = vertices[a, 0], vertices[a, 1], vertices[a, 2]
    ux, uy, uz = vertices[b, 0] - px, vertices[b, 1] - py, vertices[b, 2] - pz
    vx, vy, vz = vertices[c, 0] - px, vertices[c, 1] - py, vertices[c, 2] - pz
    nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
    dx = frame[0] * x + frame[1] * y + frame[2]
    dy = frame[3] * x + frame[4] * y + frame[5]
    dz = frame[6] * x + frame[7] * y + frame[8]
    facing = nx * dx + ny * dy + nz * dz
    area2 = nx * nx + ny * ny + nz * nz
    if area2 == 0.0 or facing == 0.0:
        return 0.0, 0.0, 0.0, 0.0
    distance = (nx * (px - frame[9]) + ny * (py - frame[10]) + nz * (pz - frame[11])) / facing
    # gradients of the two barycentrics on the plane, times |n|^2: v x n and n x u
    gx, gy, gz = vy * nz - vz * ny, vz * nx - vx * nz, vx * ny - vy * nx
    hx, hy, hz = ny * uz - nz * uy, nz * ux - nx * uz, nx * uy - ny * ux
    s1, q1, s2, q2 = uvs[b, 0] - uvs[a, 0], uvs[b, 1] - uvs[a, 1], uvs[c, 0] - uvs[a, 0], uvs[c, 1] - uvs[a, 1]
    slip = (nx * frame[0] + ny * frame[3] + nz * frame[6]) / facing
    mx, my, mz = frame[0] - slip * dx, frame[3] - slip * dy, frame[6] - slip * dz
    step = distance * frame[12] / area2
    g, h = step * (gx * mx + gy * my + gz * mz), step * (hx * mx + hy * my + hz * mz)
    s_right, q_right = s1 * g + s2 * h, q1 * g + q2 * h
    slip = (nx * frame[1] + ny * frame[4] + nz * frame[7]) / facing
    mx, my, mz = frame[1] - slip * dx, frame[4] - slip * dy, frame[7] - slip * dz
    step = distance * frame[13] / area2
    g, h = step * (gx * mx + gy * my + gz * mz), step * (hx * mx + hy * my + hz * mz)
    return s_right, q_right, s1 * g + s2 * h, q1 * g + q2 * h


@compiled(error_model="numpy")
def _texel(texels, n):  # type: ignore[no-untyped-def]
    return LINEAR_OF_BYTE[texels[n, 0]], LINEAR_OF_BYTE[texels[n, 1]], LINEAR_OF_BYTE[texels[n, 2]]


@compiled(error_model="numpy")
def _bilinear(texels, first, width, height, s, q):  # type: ignore[no-untyped-def]
    """Return the linear colour of one mip level at texture coordinates in [0, 1], repeating at the borders."""
    x, y = s * width - np.float32(0.5), q * height - np.float32(0.5)
    i0, j0 = math.floor(x), math.floor(y)
    fx, fy = np.float32(x - i0), np.float32(y - j0)
    i1, j1 = (i0 + 1 if i0 + 1 < width else 0), (j0 + 1 if j0 + 1 < height else 0)
    i0, j0 = (i0 if i0 >= 0 else width - 1), (j0 if j0 >= 0 else height - 1)
    r00, g00, b00 = _texel(texels, first + j0 * width + i0)
    r10, g10, b10 = _texel(texels, first + j0 * width + i1)
    r01, g01, b01 = _texel(texels, first + j1 * width + i0)
    r11, g11, b11 = _texel(texels, first + j1 * width + i1)
    w11 = fx * fy
    w10, w01 = fx - w11, fy - w11
    w00 = np.float32(1.0) - fx - fy + w11
    return (
        w00 * r00 + w10 * r10 + w01 * r01 + w11 * r11,
        w00 * g00 + w10 * g10 + w01 * g01 + w11 * g11,
        w00 * b00 + w10 * b10 + w01 * b01 + w11 * b11,
    )
