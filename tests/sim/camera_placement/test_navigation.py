"""Cameras are put where they touch nothing, in houses and in scenes that somebody brought."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import trimesh
from relocbench.errors import InputError
from relocbench.sim.camera_placement import (
    Clearance,
    free_point_near,
    navigable_floor,
    sample_poses_6dof,
    sample_poses_planar,
)
from relocbench.sim.camera_placement.clearance import point_triangle_distance
from relocbench.sim.scene import Scene
from shapely.geometry import MultiPolygon, Point


def brute_force_distance(scene: Scene, points: np.ndarray) -> np.ndarray:
    """Distances to the whole mesh by another library's closest points, without any acceleration."""
    corners = scene.vertices[scene.triangles].astype(np.float64)
    distances = []
    for point in points:
        closest = trimesh.triangles.closest_point(corners, np.broadcast_to(point, (len(corners), 3)))
        distances.append(np.linalg.norm(closest - point, axis=1).min())
    return np.array(distances)


@pytest.fixture(scope="module")
def clearance(box_room: Scene) -> Clearance:
    return Clearance(box_room)


def test_point_triangle_distance_agrees_with_another_library() -> None:
    rng = np.random.default_rng(0)
    triangles, points = rng.normal(size=(500, 3, 3)), rng.normal(size=(500, 3))
    triangles[:50, 2] = triangles[:50, 1]  # triangles without area
    expected = np.linalg.norm(trimesh.triangles.closest_point(triangles, points) - points, axis=1)
    found = point_triangle_distance(points, triangles)
    assert found[50:] == pytest.approx(expected[50:], abs=1e-9)
    assert np.isfinite(found).all()


def test_distance_is_exact(box_room: Scene, clearance: Clearance) -> None:
    points = np.random.default_rng(1).uniform((0.1, 0.1, 0.1), (9.0, 3.9, 2.4), size=(60, 3))
    expected = np.minimum(brute_force_distance(box_room, points), 0.8)
    assert clearance.distance(points, limit=0.8) == pytest.approx(expected, abs=1e-6)


def test_the_inside_of_furniture_is_not_free(clearance: Clearance) -> None:
    inside_bed, above_bed = (8.1, 3.0, 0.25), (8.1, 3.0, 1.2)
    outside, in_wall = (-2.0, 2.0, 1.2), (5.06, 0.5, 1.2)
    assert clearance.distance([inside_bed])[0] >= 0.2
    assert clearance.is_clear([inside_bed, above_bed, outside, in_wall]).tolist() == [False, True, False, False]


@pytest.mark.parametrize("sample", [sample_poses_planar, sample_poses_6dof])
@pytest.mark.parametrize("room", ["living", "bedroom"])
def test_poses_keep_their_distance_and_room(box_room: Scene, clearance: Clearance, sample, room: str) -> None:  # type: ignore[no-untyped-def]
    poses = sample(box_room, 40, np.random.default_rng(2), room=room, clearance=clearance)
    assert len(poses) == 40
    assert brute_force_distance(box_room, poses.translation).min() >= 0.2
    polygon = box_room.room(room).polygon
    assert all(polygon.contains(Point(x, y)) for x, y, _ in poses.translation)


def test_planar_poses_are_those_of_a_robot(box_room: Scene, clearance: Clearance) -> None:
    poses = sample_poses_planar(
        box_room, 400, np.random.default_rng(3), height=(1.0, 1.3), pitch_std=3.0, clearance=clearance
    )
    assert ((poses.translation[:, 2] >= 1.0) & (poses.translation[:, 2] <= 1.3)).all()
    pitch = np.degrees(np.arcsin(poses.forward[:, 2]))
    assert 2.5 < pitch.std() < 3.5
    assert np.abs(poses.rotation[:, 2, 0]).max() < 1e-9  # no roll: the image's x axis stays level
    quadrants = np.histogram(np.arctan2(poses.forward[:, 1], poses.forward[:, 0]), bins=4, range=(-np.pi, np.pi))[0]
    assert quadrants.min() > 60


def test_the_same_generator_gives_the_same_poses(box_room: Scene, clearance: Clearance) -> None:
    a, b = (sample_poses_6dof(box_room, 20, np.random.default_rng(4), clearance=clearance) for _ in range(2))
    assert np.array_equal(a.matrix, b.matrix)


def test_a_scene_without_rooms_has_a_floor_too(box_room: Scene) -> None:
    bare = replace(box_room, rooms=(), navigable=MultiPolygon(), floor_height=0.0)
    floor = navigable_floor(bare)
    assert 10.0 < floor.area < sum(room.polygon.area for room in box_room.rooms)
    poses = sample_poses_planar(bare, 30, np.random.default_rng(5))
    assert brute_force_distance(bare, poses.translation).min() >= 0.2


def test_navigable_floor_keeps_clear_of_furniture(box_room: Scene) -> None:
    floor = navigable_floor(box_room)
    assert not floor.contains(Point(2.8, 3.2))  # the table
    assert floor.contains(Point(2.0, 1.2))
    points = np.random.default_rng(6).uniform((0, 0), (9, 4), size=(400, 2))
    points = points[[floor.contains(Point(*p)) for p in points]]
    for height in (0.3, 1.0, 1.6):
        assert brute_force_distance(box_room, np.column_stack([points, np.full(len(points), height)])).min() >= 0.2


def test_a_corner_camera_moves_to_the_nearest_free_point(box_room: Scene, clearance: Clearance) -> None:
    room = box_room.room("living").polygon
    already_free = np.array([2.0, 1.2])
    assert free_point_near(clearance, already_free, height=1.5, polygon=room) == pytest.approx(already_free)
    moved = free_point_near(clearance, (0.05, 0.05), height=1.5, polygon=room)
    assert np.linalg.norm(moved - 0.05) < 0.3
    assert brute_force_distance(box_room, np.array([[*moved, 1.5]]))[0] >= 0.2


def test_where_nothing_is_free_the_error_says_so(box_room: Scene, clearance: Clearance) -> None:
    with pytest.raises(InputError, match="bedroom"):
        sample_poses_planar(
            box_room, 3, np.random.default_rng(7), room="bedroom", height=(5.0, 6.0), clearance=clearance
        )
    with pytest.raises(InputError, match="no free space"):
        free_point_near(clearance, (1.0, 1.0), height=9.0)
    with pytest.raises(KeyError, match="attic"):
        sample_poses_planar(box_room, 3, np.random.default_rng(8), room="attic", clearance=clearance)
