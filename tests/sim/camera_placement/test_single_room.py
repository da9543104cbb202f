from dataclasses import replace

import numpy as np
import pytest
from relocbench.errors import InputError
from relocbench.sim.camera_placement import Clearance, sample_poses_planar
from relocbench.sim.camera_placement.single_room import as_one_room
from relocbench.sim.scene_files import load_scene, save_scene
from shapely.geometry import MultiPolygon, Point


def test_a_file_without_a_sidecar_becomes_one_room_in_which_cameras_find_places(box_room, tmp_path):
    path = save_scene(box_room, tmp_path)
    path.with_suffix(".json").unlink()
    scene = as_one_room(load_scene(path))
    (room,) = scene.rooms
    largest = max(box_room.rooms, key=lambda known: known.polygon.area)
    assert room.polygon.intersection(largest.polygon).area > 0.7 * largest.polygon.area
    assert scene.floor_height == pytest.approx(box_room.floor_height, abs=0.02)
    clearance = Clearance(scene)
    poses = sample_poses_planar(
        scene, 20, np.random.default_rng(0), room=room.name, height=(1.2, 1.6), clearance=clearance
    )
    assert all(room.polygon.contains(Point(centre[:2])) for centre in poses.translation)
    assert clearance.distance(poses.translation).min() >= 0.2


def test_a_scene_without_a_floor_is_refused_in_one_line(box_room):
    walls_only = np.abs(box_room.normals[box_room.triangles[:, 0], 2]) < 0.5
    bare = replace(
        box_room,
        triangles=box_room.triangles[walls_only],
        triangle_material=box_room.triangle_material[walls_only],
        triangle_instance=box_room.triangle_instance[walls_only],
        rooms=(),
        navigable=MultiPolygon(),
    )
    with pytest.raises(InputError, match="no level floor"):
        as_one_room(bare)
