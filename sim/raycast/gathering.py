"""Compiled kernels of the light bake: hemisphere rays, what they hit, and interpolation between gather points."""

from __future__ import annotations

import math

import numpy as np

from ..compiled import compiled

SKY, INSIDE = -1, -2  # what a gather ray met when it met no node: the sky, or a surface from behind
_OFFSET = 0.002  # metres off the surface at which rays start
_TWIST = 2.399963229728653  # golden angle: even coverage of a disc by a spiral


@compiled()
def choose_points(keys, order, position):  # type: ignore[no-untyped-def]
    """Return for each cell the node next to its nodes' mean and, as a second choice, the one farthest from the mean."""
    first, second = np.empty(len(keys), np.int64), np.empty(len(keys), np.int64)
    count, begin = 0, 0
    mean = np.empty(3)
    while begin < len(order):
        end = begin
        mean[:] = 0
        while end < len(order) and keys[order[end]] == keys[order[begin]]:
            mean += position[order[end]]
            end += 1
        mean /= end - begin
        nearest, farthest = 1e30, -1.0
        for rank in range(begin, end):
            n = order[rank]
            distance = np.sum((position[n] - mean) ** 2)
            if distance < nearest:
                nearest, first[count] = distance, n
            if distance > farthest:
                farthest, second[count] = distance, n
        count += 1
        begin = end
    return first[:count].copy(), second[:count].copy()


@compiled()
def hemisphere_rays(points, seeds, nodes, count, origins, directions):  # type: ignore[no-untyped-def]
    """Fill ``count`` cosine-weighted rays for each of ``points`` (indices of nodes), (P * count, 3) float32.

    One low-discrepancy set (Roberts' R2 sequence) is shifted by each point's seed (P,) uint64, a hash of its place, so
    that rays depend on nothing but where the point is.
    """
    tangent, bitangent = np.empty(3), np.empty(3)
    for p in range(len(points)):
        n = points[p]
        normal = nodes.normal[n]
        _tangents(normal, tangent, bitangent)
        shift_a = np.float64(seeds[p] & np.uint64(0xFFFFFF)) / 16777216.0
        shift_b = np.float64((seeds[p] >> np.uint64(24)) & np.uint64(0xFFFFFF)) / 16777216.0
        for k in range(count):
            a = (shift_a + k * 0.7548776662466927) % 1.0
            angle = 2 * math.pi * ((shift_b + k * 0.5698402909980532) % 1.0)
            across, up = math.sqrt(a), math.sqrt(1 - a)
            ray = p * count + k
            for axis in range(3):
                side = tangent[axis] * math.cos(angle) + bitangent[axis] * math.sin(angle)
                directions[ray, axis] = across * side + up * normal[axis]
                origins[ray, axis] = nodes.position[n, axis] + _OFFSET * nodes.facing[n, axis]


@compiled()
def _tangents(normal, tangent, bitangent):  # type: ignore[no-untyped-def]
    """Fill two unit vectors that complete ``normal`` to a right-handed frame (Duff et al. 2017)."""
    sign = 1.0 if normal[2] >= 0 else -1.0
    a = -1.0 / (sign + normal[2])
    b = normal[0] * normal[1] * a
    tangent[0], tangent[1], tangent[2] = 1.0 + sign * normal[0] * normal[0] * a, sign * b, -sign * normal[0]
    bitangent[0], bitangent[1], bitangent[2] = b, sign + normal[1] * normal[1] * a, -normal[1]


@compiled()
def record_hits(lattice, directions, triangle, u, v, distance, facing, two_sided, met, openness):  # type: ignore[no-untyped-def]
    """Fill ``met`` (P, count) int32, the node each ray met, SKY or INSIDE, and ``openness`` (P,) in [0, 1].

    Openness is the mean, over rays, of the free distance up to one metre: what ambient occlusion needs.
    """
    count = met.shape[1]
    for p in range(met.shape[0]):
        free, valid = 0.0, 0
        for k in range(count):
            ray = p * count + k
            t = triangle[ray]
            if t < 0:
                met[p, k] = SKY
                free += 1.0
                valid += 1
            elif not two_sided and _along(facing[ray], directions[ray]):
                met[p, k] = INSIDE
            else:
                met[p, k] = nearest_node(lattice, t, u[ray], v[ray])
                free += min(1.0, distance[ray])
                valid += 1
        openness[p] = free / max(valid, 1)


@compiled(inline="always")
def _along(normal, direction):  # type: ignore[no-untyped-def]
    return normal[0] * direction[0] + normal[1] * direction[1] + normal[2] * direction[2] > 0


@compiled(inline="always")
def nearest_node(lattice, t, u, v):  # type: ignore[no-untyped-def]
    """Return the node of triangle t nearest to barycentrics (u, v)."""
    corner = lattice.corner[t]
    w = 1.0 - u - v
    if corner == 0:
        x, y = u, v
    elif corner == 1:
        x, y = v, w
    else:
        x, y = w, u
    columns, rows = lattice.columns[t], lattice.rows[t]
    i = min(max(int(x * columns + 0.5), 0), columns)
    j = min(max(int(y * rows + 0.5), 0), rows)
    node = lattice.node[lattice.start[t] + j * (columns + 1) + i]
    if node < 0:
        i, j = min(max(int(x * columns), 0), columns), min(max(int(y * rows), 0), rows)
        node = lattice.node[lattice.start[t] + j * (columns + 1) + i]
    return node


@compiled()
def gather(met, leaving, sky, arriving):  # type: ignore[no-untyped-def]
    """Fill irradiance ``arriving`` (P, 3) from the radiance ``leaving`` (N, 3) the nodes that each point's rays met."""
    for p in range(met.shape[0]):
        red, green, blue, valid = 0.0, 0.0, 0.0, 0
        for k in range(met.shape[1]):
            n = met[p, k]
            if n == INSIDE:
                continue
            valid += 1
            if n == SKY:
                red, green, blue = red + sky[0], green + sky[1], blue + sky[2]
            else:
                red, green, blue = red + leaving[n, 0], green + leaving[n, 1], blue + leaving[n, 2]
        scale = math.pi / max(valid, 1)
        arriving[p, 0], arriving[p, 1], arriving[p, 2] = red * scale, green * scale, blue * scale


@compiled()
def cell_keys(position, cell):  # type: ignore[no-untyped-def]
    """Return the key (N,) int64 of the cube of side ``cell`` that each position (N, 3) lies in."""
    keys = np.empty(len(position), np.int64)
    for n in range(len(position)):
        x, y, z = (
            math.floor(position[n, 0] / cell),
            math.floor(position[n, 1] / cell),
            math.floor(position[n, 2] / cell),
        )
        keys[n] = _cell_key(int(x), int(y), int(z))
    return keys


@compiled(inline="always")
def _cell_key(x, y, z):  # type: ignore[no-untyped-def]
    return ((x & 0x1FFFFF) << 42) | ((y & 0x1FFFFF) << 21) | (z & 0x1FFFFF)


@compiled()
def find_neighbours(nodes, group, asked, points, chosen, cells, begins, cell, neighbour, weight):  # type: ignore[no-untyped-def]
    """Fill the gather points ``neighbour`` (N, K) int32, -1 for none, and their ``weight`` (N, K), best first, of the
    nodes ``asked`` (M,).

    ``points`` (P,) are nodes; ``chosen`` the numbers of those that may be taken, sorted by their cube's key; ``cells``
    (C,) the distinct keys and ``begins`` (C + 1,) where each cube's points begin. Weights fall off with distance, with
    the angle between normals and with the distance from each other's tangent plane, so that light does not bleed
    around edges; less so within one ``group`` (N,), where the folds of a curtain help each other out.
    """
    places, normals = nodes.position[points[chosen]], nodes.normal[points[chosen]]
    groups = group[points[chosen]]
    around = np.zeros((27, 2), np.int64)
    here = np.full(3, np.iinfo(np.int64).min)
    reach2, thickness = (1.5 * cell) ** 2, 0.1 * cell
    for n in asked:
        px, py, pz = nodes.position[n, 0], nodes.position[n, 1], nodes.position[n, 2]
        x, y, z = math.floor(px / cell), math.floor(py / cell), math.floor(pz / cell)
        if x != here[0] or y != here[1] or z != here[2]:  # nodes come triangle by triangle: mostly the same cube
            here[0], here[1], here[2] = x, y, z
            _look_around(x, y, z, cells, begins, around)
        for step in range(27):
            for rank in range(around[step, 0], around[step, 1]):
                dx, dy, dz = places[rank, 0] - px, places[rank, 1] - py, places[rank, 2] - pz
                squared = dx * dx + dy * dy + dz * dz
                if squared < reach2:
                    near = 1 - squared / reach2
                    bend = _agreement(nodes.normal, n, normals, rank, dx, dy, dz, thickness, group[n] == groups[rank])
                    if near * near * bend > weight[n, -1]:
                        _insert(neighbour, weight, n, chosen[rank], near * near * bend)


@compiled()
def _look_around(x, y, z, cells, begins, around):  # type: ignore[no-untyped-def]
    """Fill ``around`` (27, 2) with where the points of a cube and its neighbours begin and end."""
    for step in range(27):
        key = _cell_key(x + step % 3 - 1, y + step // 3 % 3 - 1, z + step // 9 - 1)
        slot = np.searchsorted(cells, key)
        found = slot < len(cells) and cells[slot] == key
        around[step, 0] = begins[slot] if found else 0
        around[step, 1] = begins[slot + 1] if found else 0


@compiled(error_model="numpy")
def _agreement(normal, n, normals, rank, dx, dy, dz, thickness, alike):  # type: ignore[no-untyped-def]
    """Return how much the surfaces at two places, (dx, dy, dz) apart, are one surface: 0 or more."""
    ax, ay, az = normal[n, 0], normal[n, 1], normal[n, 2]
    bx, by, bz = normals[rank, 0], normals[rank, 1], normals[rank, 2]
    cosine = ax * bx + ay * by + az * bz
    agreement = max((cosine - 0.4) / 0.6, 0.0)
    if alike:
        agreement = max(agreement, 0.1 * cosine)
    off = max(abs(ax * dx + ay * dy + az * dz), abs(bx * dx + by * dy + bz * dz)) / thickness
    return (3.0 if alike else 1.0) * agreement * agreement / (1 + off * off)


@compiled()
def _insert(neighbour, weight, n, point, w):  # type: ignore[no-untyped-def]
    place = weight.shape[1] - 1
    while place > 0 and weight[n, place - 1] < w:
        weight[n, place], neighbour[n, place] = weight[n, place - 1], neighbour[n, place - 1]
        place -= 1
    weight[n, place], neighbour[n, place] = w, point


@compiled()
def neighbour_rays(first, nodes, points, neighbour, weight, origins, directions, pair):  # type: ignore[no-untyped-def]
    """Fill rays from nodes, beginning with ``first``, to their gather points, until the arrays are full.

    Return the node to go on with and the number of rays; ``pair`` (R,) is each ray's place in ``weight``, flattened.
    """
    lift = 0.01
    count = 0
    most = neighbour.shape[1]
    n = first
    while n < len(neighbour) and count + most <= len(pair):
        for k in range(most):
            if weight[n, k] <= 0:
                break
            q = points[neighbour[n, k]]
            if q == n:
                continue
            for axis in range(3):
                start = nodes.position[n, axis] + lift * nodes.facing[n, axis]
                origins[count, axis] = start
                directions[count, axis] = nodes.position[q, axis] + lift * nodes.facing[q, axis] - start
            pair[count] = n * most + k
            count += 1
        n += 1
    return n, count


@compiled()
def interpolate(neighbour, weight, values, out):  # type: ignore[no-untyped-def]
    """Fill ``out`` (N, 3) with the weighted mean of the gather points' ``values`` (P, 3); weights sum to one."""
    for n in range(len(neighbour)):
        red, green, blue = 0.0, 0.0, 0.0
        for k in range(neighbour.shape[1]):
            w = weight[n, k]
            if w > 0:
                q = neighbour[n, k]
                red, green, blue = red + w * values[q, 0], green + w * values[q, 1], blue + w * values[q, 2]
        out[n, 0], out[n, 1], out[n, 2] = red, green, blue


@compiled()
def range_at_neighbours(neighbour, weight, values):  # type: ignore[no-untyped-def]
    """Return the least and the greatest of ``values`` (P,) among each node's gather points, (N,) float32 each."""
    lowest, highest = np.empty(len(neighbour), np.float32), np.empty(len(neighbour), np.float32)
    for n in range(len(neighbour)):
        low, high = 1.0, 0.0
        for k in range(neighbour.shape[1]):
            if weight[n, k] > 0:
                low, high = min(low, values[neighbour[n, k]]), max(high, values[neighbour[n, k]])
        lowest[n], highest[n] = low, high
    return lowest, highest


@compiled()
def unshadowed(nodes, light):  # type: ignore[no-untyped-def]
    """Return the irradiance (N,) of a light of unit power that nothing hides: cosine and inverse-square laws."""
    received = np.empty(len(nodes.position), np.float32)
    for n in range(len(received)):
        squared, facing = 0.0, 0.0
        for axis in range(3):
            towards = light[axis] - (nodes.position[n, axis] if light[4] == 0 else 0.0)
            squared += towards * towards
            facing += towards * nodes.normal[n, axis]
        cosine = max(facing, 0.0) / math.sqrt(max(squared, 1e-12))
        received[n] = cosine if light[4] == 1 else cosine / max(squared, light[3] ** 2)
    return received


@compiled()
def light_rays(asked, light, nodes, count, origins, directions, reach):  # type: ignore[no-untyped-def]
    """Fill ``count`` shadow rays from each of the nodes ``asked`` (M,), spread over the light's disc by a spiral.

    ``light`` (5,): position and radius of a lamp and 0, or direction towards the sun, tangent of its radius, and 1.
    Rays to a lamp end at its surface.
    """
    tangent, bitangent, towards = np.empty(3), np.empty(3), np.empty(3)
    for p in range(len(asked)):
        n = asked[p]
        for axis in range(3):
            start = nodes.position[n, axis] + _OFFSET * nodes.facing[n, axis]
            towards[axis] = light[axis] - (start if light[4] == 0 else 0.0)
        length = max(math.sqrt(towards[0] ** 2 + towards[1] ** 2 + towards[2] ** 2), 1e-6)
        _tangents(towards / length, tangent, bitangent)
        for k in range(count):
            radius, angle = light[3] * math.sqrt((k + 0.5) / count), k * _TWIST
            ray = p * count + k
            for axis in range(3):
                side = tangent[axis] * math.cos(angle) + bitangent[axis] * math.sin(angle)
                origins[ray, axis] = nodes.position[n, axis] + _OFFSET * nodes.facing[n, axis]
                directions[ray, axis] = towards[axis] + radius * side
            reach[ray] = 1e30 if light[4] == 1 else max(0.0, 1 - light[3] / length)
