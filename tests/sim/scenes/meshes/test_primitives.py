"""Bricks are what they claim: solid, smooth where round, mapped in metres, finer with more detail."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from relocbench.sim.scenes.meshes import primitives
from relocbench.sim.scenes.meshes.mesh import Part

VESSEL = [(0.0, 0.0), (0.03, 0.0), (0.04, 0.1), (0.037, 0.1), (0.027, 0.005), (0.0, 0.005)]
TUB = [(0, 0, 0, 0, 0), (0, 0, 0, 0.7, 0.3), (0, 0, 0.5, 0.8, 0.4), (0, 0, 0.5, 0.75, 0.35), (0, 0, 0.1, 0, 0)]
BENT = primitives.bend([(0, 0, 0), (0, 0, 0.4), (0.3, 0, 0.4)])

#: Closed bricks with their exact volume where it does not depend on the tessellation.
SOLIDS: dict[str, tuple[Callable[[float], Part], float | None]] = {
    "box": (lambda detail: primitives.box((0, 0, 0), (1, 0.5, 0.2), "m", detail=detail), 0.1),
    "rounded box": (lambda detail: primitives.rounded_box((0, 0, 0), (1, 0.5, 0.2), 0.03, "m", detail=detail), None),
    "cushioned": (lambda d: primitives.rounded_box((0, 0, 0), (1, 1, 0.2), 0.03, "m", detail=d, puff=0.02), None),
    "frustum": (lambda d: primitives.frustum((0, 0, 1, 1), 0, (0.25, 0.25, 0.75, 0.75), 1, "m", detail=d), None),
    "cylinder": (lambda detail: primitives.cylinder((0, 0, 0), 0.1, 0.5, "m", detail=detail), None),
    "vessel": (lambda detail: primitives.revolve(VESSEL, "m", detail=detail), None),
    "tub": (lambda detail: primitives.loft(TUB, "m", detail=detail, power=5), None),
    "sphere": (lambda detail: primitives.sphere((0, 0, 0), (0.1, 0.1, 0.2), "m", detail=detail), None),
    "tube": (lambda detail: primitives.tube(BENT, 0.02, "m", detail=detail), None),
    "cushion": (lambda detail: primitives.cushion((0, 0, 0), (0.4, 0.4, 0.12), "m", detail=detail), None),
}


def corners(part: Part) -> np.ndarray:
    return part.vertices[part.triangles]


def doubled_areas(part: Part) -> np.ndarray:
    a, b, c = np.moveaxis(corners(part), 1, 0)
    return np.cross(b - a, c - a)


def volume(part: Part) -> float:
    a, b, c = np.moveaxis(corners(part), 1, 0)
    return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6)


def badly_mapped_share(part: Part) -> float:
    """Return the share of a part's area whose texture is stretched or shrunk by more than a factor of two."""
    uv = part.uvs[part.triangles].astype(np.float64)
    first, second = uv[:, 1] - uv[:, 0], uv[:, 2] - uv[:, 0]
    mapped = np.abs(first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0])
    area = np.linalg.norm(doubled_areas(part), axis=-1)
    scale = np.sqrt(mapped / area)
    return float(area[(scale < 0.5) | (scale > 2)].sum() / area.sum())


@pytest.mark.parametrize("detail", [0.15, 1.0, 5.0])
@pytest.mark.parametrize("name", SOLIDS)
def test_bricks_are_solid_and_face_out(name: str, detail: float) -> None:
    make, exact = SOLIDS[name]
    part = make(detail)
    facing = doubled_areas(part)
    assert np.linalg.norm(facing, axis=-1).min() > 1e-9
    assert np.allclose(np.linalg.norm(part.normals, axis=-1), 1, atol=1e-6)
    assert (np.einsum("ij,ikj->ik", facing, part.normals[part.triangles]) > 0).all()
    assert volume(part) > 0
    if exact is not None:
        assert volume(part) == pytest.approx(exact)
    assert badly_mapped_share(part) < 0.05


@pytest.mark.parametrize("name", SOLIDS)
def test_triangles_grow_about_linearly_with_detail(name: str) -> None:
    make, _ = SOLIDS[name]
    once, many = (len(make(detail).triangles) for detail in (1.0, 16.0))
    assert 7 < many / once < 28


@pytest.mark.parametrize("detail", [0.15, 1.0, 5.0])
def test_extents_do_not_depend_on_detail(detail: float) -> None:
    for name in ("box", "rounded box", "cushioned", "cylinder", "sphere", "cushion"):
        part, reference = SOLIDS[name][0](detail), SOLIDS[name][0](1.0)
        assert np.allclose(np.ptp(part.vertices, axis=0), np.ptp(reference.vertices, axis=0)), name


def test_edges_of_a_box_are_sharp_and_a_sphere_is_smooth() -> None:
    flat = primitives.box((0, 0, 0), (1, 1, 1), "m")
    assert np.allclose(np.sort(np.abs(flat.normals), axis=-1), (0, 0, 1))
    ball = primitives.sphere((0, 0, 0), (1, 1, 1), "m", detail=4)
    aligned = np.einsum("ij,ij->i", ball.vertices, ball.normals) / np.linalg.norm(ball.vertices, axis=-1)
    assert aligned.min() > 0.999


def test_a_front_face_reads_from_left_to_right_and_top_to_bottom() -> None:
    front = primitives.box((0, 0, 0), (2, 1, 1), "m", faces="Y")  # seen from +y, right is -x
    top_left = front.vertices[front.uvs.sum(axis=-1).argmin()]
    assert np.allclose(top_left, (2, 1, 1))


def test_the_grain_follows_the_axis_that_it_is_told() -> None:
    post = primitives.box((0, 0, 0), (0.1, 0.1, 2), "m", along=2)
    assert np.ptp(post.uvs[:, 0]) == pytest.approx(2)
    assert np.ptp(post.uvs[:, 1]) == pytest.approx(0.1)


def test_sheets_show_both_sides_and_close_at_the_rim() -> None:
    x, z = np.meshgrid(np.linspace(1, 0, 9), np.linspace(1, 0, 5))
    points = np.stack([x, 0.03 * np.sin(6 * x), z], axis=-1)
    cloth = primitives.sheets(points[None], "m", thickness=0.004)
    assert volume(cloth) > 0
    assert cloth.normals[:, 1].max() > 0.9
    assert cloth.normals[:, 1].min() < -0.9


def test_moving_turning_and_mirroring_keep_solids_solid() -> None:
    part = SOLIDS["vessel"][0](1.0)
    moved = primitives.moved(primitives.turned(part, 0, 0.7), (1, 2, 3))
    for changed in (moved, primitives.mirrored(part, 1)):
        assert volume(changed) == pytest.approx(volume(part))
        assert (np.einsum("ij,ikj->ik", doubled_areas(changed), changed.normals[changed.triangles]) > 0).all()
    assert volume(primitives.scaled(part, (2, 1, 1))) == pytest.approx(2 * volume(part))


def test_a_bend_keeps_its_ends_and_stays_in_the_corner() -> None:
    assert np.allclose(BENT[[0, -1]], [(0, 0, 0), (0.3, 0, 0.4)])
    assert BENT.min() >= 0
    assert BENT[:, 2].max() <= 0.4
