"""The export of a scene to habitat-sim: its axes, its colours, its light, without habitat-sim."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh
from relocbench.errors import InputError
from relocbench.sim.gltf import decode_glb, to_y_up
from relocbench.sim.habitat.stage import export_stage, instance_colour, mean_light, sky_colour, vertex_light
from relocbench.sim.scene import Instance, Lamp, Lighting, Scene


@pytest.fixture(scope="session")
def stage(house: Scene, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export_stage(house, "day", tmp_path_factory.mktemp("stages"))


def srgb_bytes(linear: np.ndarray) -> np.ndarray:
    """What habitat-sim makes of a vertex colour: sRGB, rounded, in single precision as there."""
    linear = linear.astype(np.float32)
    srgb = np.where(
        linear <= np.float32(0.0031308), np.float32(12.92) * linear, np.float32(1.055) * linear ** np.float32(1 / 2.4)
        - np.float32(0.055),
    )  # fmt: skip
    return np.round(np.clip(srgb, 0, 1) * np.float32(255)).astype(int)


def colours(path: Path) -> np.ndarray:
    """The file's COLOR_0 (V, 3), read from where its first accessor points, not by our own reader."""
    content = path.read_bytes()
    length = int.from_bytes(content[12:16], "little")
    document = json.loads(content[20 : 20 + length])
    (primitive,) = document["meshes"][0]["primitives"]
    accessor = document["accessors"][primitive["attributes"]["COLOR_0"]]
    assert (accessor["componentType"], accessor["type"]) == (5126, "VEC3")
    begin = 28 + length + document["bufferViews"][accessor["bufferView"]]["byteOffset"] + accessor["byteOffset"]
    return np.frombuffer(content, "<f4", 3 * accessor["count"], begin).reshape(-1, 3)


def test_every_colour_is_another_one_and_none_is_black() -> None:
    seen = {instance_colour(number) for number in range(1, 0x10000)}
    assert len(seen) == 0xFFFF
    assert (0, 0, 0) not in seen


def test_each_corner_of_the_semantic_mesh_has_its_instance_s_colour_to_the_bit(house: Scene, stage: Path) -> None:
    geometry = decode_glb((stage.parent / "scene.semantic.glb").read_bytes())
    seen = srgb_bytes(colours(stage.parent / "scene.semantic.glb"))[geometry.triangles]
    wanted = np.array([instance_colour(1 + place) for place in range(len(house.instances))])
    half = len(house.triangles)
    np.testing.assert_array_equal(seen[:half], np.repeat(wanted[house.triangle_instance][:, None], 3, axis=1))
    np.testing.assert_array_equal(seen[half:], seen[:half, ::-1])


def test_the_descriptor_names_every_instance_in_order(house: Scene, stage: Path) -> None:
    header, *lines = (stage.parent / "scene.semantic.txt").read_text().splitlines()
    assert header == "HM3D Semantic Annotations"
    assert len(lines) == len(house.instances)
    for number, (line, instance) in enumerate(zip(lines, house.instances, strict=True), 1):
        found = re.fullmatch(r'(\d+),([0-9A-F]{6}),"([^"]+)",(\d+)', line)
        assert found is not None, line
        assert int(found[1]) == number
        assert tuple(bytes.fromhex(found[2])) == instance_colour(number)
        assert found[3] == house.categories[instance.category]


def test_the_meshes_are_y_up_where_the_config_says_so_and_two_sided(house: Scene, stage: Path) -> None:
    config = json.loads(stage.read_text())
    assert config["up"] == config["semantic_up"] == [0, 1, 0]
    assert config["front"] == config["semantic_front"] == [0, 0, -1]
    assert config["shader_type"] == "flat"  # nothing is lit twice, and no image-based light is computed at the start
    bounds = to_y_up(house.bounds)
    for asset in (config["render_asset"], config["semantic_asset"]):
        loaded = trimesh.load_scene(stage.parent / asset, process=False)
        np.testing.assert_allclose(loaded.bounds, [bounds.min(axis=0), bounds.max(axis=0)], atol=1e-5)
        assert sum(len(mesh.faces) for mesh in loaded.geometry.values()) == 2 * len(house.triangles)
        facing = sum(mesh.face_normals.T @ mesh.area_faces for mesh in loaded.geometry.values())
        np.testing.assert_allclose(facing, 0, atol=1e-3)  # each triangle's side is met by its other one


def test_an_export_is_there_once_for_each_condition(house: Scene, stage: Path) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in stage.parent.iterdir()}
    assert export_stage(house, "day", stage.parent.parent) == stage
    other = export_stage(house, "evening", stage.parent.parent)
    assert other.parent == stage.parent
    assert other != stage
    after = {path.name: path.stat().st_mtime_ns for path in stage.parent.iterdir()}
    for name in ("0.glb", "0.stage_config.json", "scene.semantic.glb", "scene.semantic.txt"):
        assert after[name] == before[name]


def test_the_day_is_brighter_than_lamplight_and_nothing_is_black(house: Scene) -> None:
    shown = {name: vertex_light(house, lighting) for name, lighting in house.conditions.items()}
    assert shown["day"].mean() > max(shown["evening"].mean(), shown["dim"].mean()) + 0.1
    assert abs(shown["evening"].mean() - shown["dim"].mean()) > 0.02
    assert all(0.2 < light.min() <= light.max() <= 1.0 for light in shown.values())


def test_a_lamp_makes_a_scene_brighter_in_its_colour(house: Scene) -> None:
    red, none = Lighting(lamps=(Lamp((1.0, 1.0, 2.0), (30.0, 0.0, 0.0)),)), Lighting()
    brighter = vertex_light(house, red) - vertex_light(house, none)
    assert (brighter[:, 0] > 0.02).all()
    np.testing.assert_allclose(brighter[:, 1:], 0, atol=1e-7)


def test_light_is_a_sum_and_exposure_scales_nothing_before_it(house: Scene) -> None:
    lit = Lighting(sky=(1.0, 2.0, 3.0), ambient=(0.5, 0.5, 0.5))
    double = replace(lit, sky=(2.0, 4.0, 6.0), ambient=(1.0, 1.0, 1.0), exposure=7.0)
    np.testing.assert_allclose(mean_light(house, double), 2 * mean_light(house, lit))
    assert sky_colour(Lighting()) == (0, 0, 0)


def test_more_instances_than_semantic_ids_are_refused(house: Scene, tmp_path: Path) -> None:
    many = replace(house, instances=tuple(Instance(i + 1, 0, str(i)) for i in range(0x10000)))
    with pytest.raises(InputError, match="65536 instances are more than"):
        export_stage(many, "day", tmp_path)
