"""Upright boxes intersect exactly where polygons and height intervals say so."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from relocbench.sim.scenes.meshes.primitives import box as box_part
from relocbench.sim.scenes.meshes.solids import component_boxes, corners_of, distance_to_box, overlapping, placed_boxes
from shapely.geometry import Point, Polygon

numbers = st.floats(-1.5, 1.5)
half = st.floats(0.05, 1.0)
angle = st.floats(-4.0, 4.0)


def upright(x: float, y: float, hx: float, hy: float, yaw: float, z0: float = 0.0, z1: float = 1.0) -> np.ndarray:
    local = np.array([[(-hx, -hy, z0), (hx, hy, z1)]])
    return placed_boxes(local, x, y, 0.0, yaw)


@settings(max_examples=200, deadline=None)
@given(numbers, numbers, half, half, angle, numbers, numbers, half, half, angle)
def test_overlap_agrees_with_polygons(
    ax: float, ay: float, ahx: float, ahy: float, at: float, bx: float, by: float, bhx: float, bhy: float, bt: float
) -> None:
    a, b = upright(ax, ay, ahx, ahy, at), upright(bx, by, bhx, bhy, bt)
    pa, pb = Polygon(corners_of(a)[0]), Polygon(corners_of(b)[0])
    if pa.distance(pb) > 0.003:
        assert not overlapping(a, b).any()
    if pa.buffer(-0.004).intersects(pb.buffer(-0.004)):
        assert overlapping(a, b).all()


def test_boxes_at_different_heights_do_not_overlap() -> None:
    low, high = upright(0, 0, 1, 1, 0.3), upright(0, 0, 1, 1, 0.7, 1.0, 2.0)
    assert not overlapping(low, high).any()
    assert overlapping(low, upright(0, 0, 1, 1, 0.7, 0.9, 2.0)).all()


@settings(max_examples=100, deadline=None)
@given(numbers, numbers, half, half, angle, numbers, numbers)
def test_distance_agrees_with_polygons(
    x: float, y: float, hx: float, hy: float, yaw: float, px: float, py: float
) -> None:
    placed = upright(x, y, hx, hy, yaw)
    expected = Polygon(corners_of(placed)[0]).distance(Point(px, py))
    assert distance_to_box(np.array([[px, py]]), placed[0])[0] == pytest.approx(expected, abs=1e-9)


def test_a_table_leaves_the_space_between_its_legs() -> None:
    legs = [box_part((x, y, 0.0), (x + 0.05, y + 0.05, 0.7), "wood") for x in (0, 1) for y in (0, 0.8)]
    top = box_part((0, 0, 0.7), (1.05, 0.85, 0.75), "wood")
    boxes = component_boxes([*legs, top])
    assert len(boxes) == 5
    under = placed_boxes(np.array([[(0.3, 0.3, 0.0), (0.7, 0.6, 0.68)]]), 0, 0, 0, 0)
    assert not overlapping(placed_boxes(boxes, 0, 0, 0, 0), under).any()


def test_boxes_contain_every_vertex() -> None:
    parts = [box_part((x, 0.1 * x, 0.0), (x + 0.5, 0.1 * x + 0.2, 0.3 + 0.1 * x), "wood") for x in range(50)]
    boxes = component_boxes(parts)
    vertices = np.concatenate([part.vertices for part in parts])
    inside = ((vertices[:, None] >= boxes[None, :, 0] - 1e-9) & (vertices[:, None] <= boxes[None, :, 1] + 1e-9)).all(-1)
    assert inside.any(axis=1).all()
