"""The visibility cone, against the walls, the doorway and the furniture of a room whose plan is known."""

from __future__ import annotations

import numpy as np
import pytest
from relocbench.datasets.protocols.cross_view.statistics import rooms_in_sight
from relocbench.datasets.protocols.cross_view.visibility import VisibilityCone
from relocbench.sim.geometry import Camera, Pose
from relocbench.sim.raycast import Raycaster

CAMERA = Camera.from_fov(96, 96, 90.0)


@pytest.fixture(scope="module")
def look(box_room):
    """A function that returns the cone of a camera in the box room."""
    simulator = Raycaster()
    simulator.load(box_room, "day")

    def cone(x: float, y: float, yaw: float, pitch: float = 0.0) -> VisibilityCone:
        pose = Pose.from_planar((x, y), height=1.4, yaw=np.radians(yaw), pitch=np.radians(pitch))
        (seen,) = simulator.render(Pose.stack([pose]), CAMERA, frozenset({"depth"}))
        return VisibilityCone.of(seen.depth, pose, CAMERA)

    return cone


def seen(cone: VisibilityCone, *points: tuple[float, float], max_range: float = 20.0, occlusion: bool = True):
    return cone.contains(np.array(points), max_range=max_range, occlusion=occlusion).tolist()


@pytest.mark.parametrize("pitch", [-8.0, 0.0, 8.0])
def test_a_wall_hides_what_is_behind_it_and_a_doorway_does_not(look, pitch):
    ahead = look(2.0, 2.0, 0.0, pitch)  # through the doorway at x = 5, which is 1.2 m wide around y = 2
    through, behind_the_wall, before_it = (6.5, 2.0), (7.0, 3.9), (4.6, 3.6)
    assert seen(ahead, through, behind_the_wall, before_it) == [True, False, True]
    assert seen(ahead, through, behind_the_wall, before_it, occlusion=False) == [True, True, True]


def test_furniture_hides_nothing(look):
    over_the_table = look(2.8, 1.5, 90.0)
    assert seen(over_the_table, (2.8, 3.2), (2.8, 3.8), (2.8, 4.3)) == [True, True, False]


def test_the_field_of_view_and_the_range_bound_the_cone(look):
    cone = look(2.0, 2.0, 0.0)
    assert seen(cone, (3.0, 2.9), (3.0, 3.1), (1.0, 2.0)) == [True, False, False]
    assert seen(cone, (4.0, 2.0), (4.4, 2.0), max_range=2.2) == [True, False]


def test_the_ends_of_a_view_lie_just_before_what_it_sees(look):
    ends = look(3.0, 1.8, 90.0).ends
    assert len(ends) == CAMERA.width
    assert (ends >= 0).all()
    assert (ends <= [5.0, 4.0]).all()
    assert ends[48] == pytest.approx([3.0, 3.9], abs=0.05)
    assert ends[0, 0] < 3.0 < ends[-1, 0]


def test_a_doorway_brings_a_second_room_into_sight(look, box_room):
    assert rooms_in_sight(look(2.0, 2.0, 0.0), box_room.rooms) == 2
    assert rooms_in_sight(look(2.0, 2.0, 180.0), box_room.rooms) == 1
    assert rooms_in_sight(look(4.5, 2.0, 0.0), box_room.rooms) == 2


@pytest.mark.parametrize("pitch", [-10.0, 0.0, 10.0])
def test_the_free_distance_is_that_to_the_wall(look, pitch):
    assert look(3.0, 1.8, 90.0, pitch).free_distance == pytest.approx(2.2, abs=0.02)


def test_right_and_left_are_not_confused(look):
    beside_the_west_wall = look(1.0, 2.0, 90.0)  # which is to the left of somebody who looks along y
    assert beside_the_west_wall.reach[8] < beside_the_west_wall.reach[88] - 0.5
    assert seen(beside_the_west_wall, (-0.5, 3.6), (2.5, 3.6)) == [False, True]
    assert seen(look(2.5, 2.0, 45.0), (3.5, 2.1), (2.6, 3.0), (3.5, 1.8), (2.3, 3.0)) == [True, True, False, False]


def test_a_view_of_nothing_sees_nothing():
    cone = VisibilityCone.of(np.zeros((96, 96), np.float32), Pose.from_planar((0, 0), height=1, yaw=0.0), CAMERA)
    assert seen(cone, (1.0, 0.0)) == [False]
