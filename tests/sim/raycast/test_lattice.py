from __future__ import annotations

import numpy as np
import pytest
from relocbench.sim.raycast.lattice import build_lattice
from relocbench.sim.raycast.shading import irradiance_at


@pytest.fixture(scope="module")
def triangles() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Triangles apart from each other, of all shapes from slivers to a metre, with the normals of their planes."""
    random = np.random.default_rng(1)
    centre = np.arange(300)[:, None, None] * [3.0, 0, 0]
    corners = random.normal(size=(300, 3, 3)) * random.uniform(0.01, 0.6, (300, 1, 1))
    corners[::3, 2] = corners[::3, 1] + random.normal(size=(100, 3)) * 0.005
    corners += centre
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    vertices = corners.reshape(-1, 3).astype(np.float32)
    return vertices, np.repeat(normal, 3, axis=0).astype(np.float32), np.arange(900, dtype=np.int32).reshape(-1, 3)


def test_nodes_lie_in_their_triangles(triangles):
    vertices, normals, corners = triangles
    _, nodes = build_lattice(vertices, normals, corners, np.zeros(300, np.int64), spacing=np.full(300, 0.05))
    p0, p1, p2 = (vertices[corners[nodes.triangle, k]].astype(float) for k in range(3))
    total = np.linalg.norm(np.cross(p1 - p0, p2 - p0), axis=1)
    parts = [np.linalg.norm(np.cross(a - nodes.position, b - nodes.position), axis=1) for a, b in
             [(p0, p1), (p1, p2), (p2, p0)]]  # fmt: skip
    # the three triangles over the edges cover the whole, and no more, up to what float32 says 900 m from the origin
    extent = np.maximum(np.linalg.norm(p1 - p0, axis=1), np.linalg.norm(p2 - p0, axis=1))
    assert (sum(parts) <= total + 4e-4 * extent).all()


@pytest.mark.parametrize("widening", [1.0, 4.0])
def test_a_linear_function_of_place_is_interpolated_to_less_than_a_cell(triangles, widening):
    vertices, normals, corners = triangles
    spacing = np.where(np.arange(300) % 2, 0.05, 0.05 * widening)
    lattice, nodes = build_lattice(vertices, normals, corners, np.zeros(300, np.int64), spacing=spacing)
    random = np.random.default_rng(2)
    for t in range(300):
        u, v = random.dirichlet([1, 1, 1])[:2]
        place = (1 - u - v) * vertices[corners[t, 0]] + u * vertices[corners[t, 1]] + v * vertices[corners[t, 2]]
        found = irradiance_at(
            lattice.corner[t], lattice.columns[t], lattice.rows[t], lattice.start[t], lattice.node,
            nodes.position, np.float32(u), np.float32(v),
        )  # fmt: skip
        assert np.linalg.norm(np.array(found) - place) < 1.5 * spacing[t]


def test_neighbours_share_nodes_and_groups_do_not():
    quad = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], np.float32)
    up = np.tile(np.float32([0, 0, 1]), (4, 1))
    corners = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    spacing = np.full(2, 0.1)
    _, shared = build_lattice(quad, up, corners, np.array([0, 0]), spacing=spacing)
    _, apart = build_lattice(quad, up, corners, np.array([0, 1]), spacing=spacing)
    assert len(shared.position) == 11 * 11
    assert len(apart.position) > 11 * 11


def test_a_finer_mesh_needs_no_more_nodes(make_box_room):
    counts = []
    for edge in (1.0, 0.02):
        room = make_box_room(edge=edge)
        spacing = np.full(len(room.triangles), 0.1)
        _, nodes = build_lattice(
            room.vertices, room.normals, room.triangles, room.triangle_instance.astype(np.int64), spacing=spacing
        )
        counts.append(len(nodes.position))
    assert counts[1] < 4 * counts[0]  # at half the spacing points become one: at most four times as many
