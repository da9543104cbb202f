"""What the BlenderProc adapter converts at its door: no Blender is needed here."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from relocbench.errors import InputError
from relocbench.sim import gltf
from relocbench.sim.blenderproc.adapter import BlenderProc, encode_numbered, light_request, view_request
from relocbench.sim.geometry import Camera, Pose
from relocbench.sim.scene import Instance, Lamp, Lighting, Scene
from relocbench.sim.simulators import open_simulator


def test_a_view_shows_points_at_the_same_pixels_in_blender_s_conventions(camera: Camera) -> None:
    pose = Pose.look_at([1.0, 2.0, 1.5], [4.0, -1.0, 0.7])
    points = pose.transform_points(np.random.default_rng(0).uniform([-2, -2, 1], [2, 2, 6], (50, 3)))
    request = view_request(pose.matrix, camera, frozenset({"rgb"}))
    in_opengl = np.c_[points, np.ones(50)] @ np.linalg.inv(request["opengl_pose"]).T
    x, y, z = in_opengl[:, 0], -in_opengl[:, 1], -in_opengl[:, 2]  # OpenGL's camera looks along -z, y is up
    (fx, _, cx), (_, fy, cy), _ = request["intrinsics"]
    whole_at_centres = np.stack([fx * x / z + cx, fy * y / z + cy], axis=-1)
    np.testing.assert_allclose(
        whole_at_centres + 0.5, camera.project(pose.inverse().transform_points(points)), atol=1e-9
    )


def test_labels_are_rendered_as_one_picture_of_object_numbers(camera: Camera) -> None:
    asked = view_request(np.eye(4), camera, frozenset({"semantic", "instance", "depth"}))["outputs"]
    assert asked == ["depth", "object"]
    assert view_request(np.eye(4), camera, frozenset({"rgb"}))["outputs"] == ["rgb"]


def test_the_exported_scene_is_the_scene_with_objects_and_materials_numbered(house: Scene) -> None:
    strange = replace(house, instances=tuple(replace(i, id=70_000 + 3 * i.id) for i in house.instances))
    content = encode_numbered(strange)
    geometry = gltf.decode_glb(content)
    np.testing.assert_array_equal(geometry.vertices, house.vertices)
    np.testing.assert_array_equal(geometry.triangles, house.triangles)
    np.testing.assert_array_equal(geometry.triangle_instance, house.triangle_instance)
    document, _ = gltf.split_container(content)
    assert [int(node["name"].split("_")[0]) for node in document["nodes"]] == list(range(1, len(house.instances) + 1))
    assert [material["name"] for material in document["materials"]] == [str(k) for k in range(len(house.materials))]


def test_more_objects_than_blender_can_number_are_refused(plane: Scene) -> None:
    crowd = replace(plane, instances=tuple(Instance(k + 1, 0, "x") for k in range(40_000)))
    with pytest.raises(InputError, match="40000 objects, blenderproc tells 32767 apart"):
        encode_numbered(crowd)


def test_the_materials_of_lamp_shades_are_told(plane: Scene, house: Scene) -> None:
    assert light_request(plane, plane.conditions["lamp"])["shades"] == []
    below = Lighting(lamps=(Lamp((-17.0, 17.0, 0.1), (1, 1, 1)),))  # at the centre of one triangle
    assert light_request(plane, below)["shades"] == [0]
    shades = light_request(house, house.conditions["evening"])["shades"]
    assert shades
    assert all(max(house.materials[number].emission) > 0 for number in shades)


def test_a_scene_is_exported_once_and_leaves_nothing_half_written(plane: Scene, tmp_path: Path) -> None:
    simulator = open_simulator("blenderproc", cache_folder=tmp_path)
    simulator.load(plane, "sky")
    (written,) = tmp_path.iterdir()
    before = written.stat()
    other = open_simulator("blenderproc", cache_folder=tmp_path)
    other.load(replace(plane), "lamp")
    assert list(tmp_path.iterdir()) == [written]
    assert written.stat() == before
    other.load(replace(plane, uvs=plane.uvs + 1), "sky")
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize(
    ("options", "complaint"),
    [({"samples": 0}, "samples"), ({"seed": -1}, "seed"), ({"bounces": "many"}, "bounces"), ({"gpu": True}, "gpu")],
)
def test_options_that_are_wrong_are_named(options: dict, complaint: str) -> None:
    with pytest.raises(InputError, match=f"'blenderproc': option '{complaint}'"):
        open_simulator("blenderproc", options=options)


def test_the_worker_begins_as_blenderproc_s_launcher_demands() -> None:
    lines = (line.strip() for line in BlenderProc.worker_file.read_text().splitlines())
    first = next(line for line in lines if line and not line.startswith("#"))
    assert "import blenderproc" in first
