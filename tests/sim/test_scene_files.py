from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import trimesh
from relocbench.errors import InputError
from relocbench.sim.scene import Scene
from relocbench.sim.scene_files import load_scene, save_scene, scene_fingerprint, scene_sha256

ARRAYS = ("vertices", "normals", "uvs", "triangles", "triangle_material", "triangle_instance")


def shuffled(scene: Scene) -> Scene:
    """The same scene with its triangles in another order and two materials per object: nothing is contiguous."""
    order = np.random.default_rng(3).permutation(len(scene.triangles))
    return replace(
        scene,
        name="shuffled",
        triangles=scene.triangles[order],
        triangle_material=(scene.triangle_material[order] + order % 2).astype(np.int32) % len(scene.materials),
        triangle_instance=scene.triangle_instance[order],
    )


@pytest.mark.parametrize("change", [lambda scene: scene, shuffled])
def test_a_saved_scene_loads_bit_for_bit(box_room: Scene, tmp_path: Path, change):
    scene = change(box_room)
    loaded = load_scene(save_scene(scene, tmp_path))
    for name in ARRAYS:
        before, after = getattr(scene, name), getattr(loaded, name)
        assert before.dtype == after.dtype, name
        assert np.array_equal(before, after), name
    for before, after in zip(scene.materials, loaded.materials, strict=True):
        assert (before.name, before.emission) == (after.name, after.emission)
        assert np.array_equal(before.texture, after.texture)
    assert scene_fingerprint(loaded) == scene_fingerprint(scene)


def test_what_gltf_has_no_place_for_is_in_the_sidecar(box_room: Scene, tmp_path: Path):
    loaded = load_scene(save_scene(box_room, tmp_path))
    compared = {"name", "instances", "categories", "conditions", "floor_height", "generator"}
    for field in fields(Scene):
        if field.name in compared:
            assert getattr(loaded, field.name) == getattr(box_room, field.name), field.name
    assert loaded.navigable.equals_exact(box_room.navigable, 0)
    for before, after in zip(box_room.rooms, loaded.rooms, strict=True):
        assert (before.name, before.type) == (after.name, after.type)
        assert before.polygon.equals_exact(after.polygon, 0)


def test_the_same_scene_gives_the_same_files(make_box_room, tmp_path: Path):
    first, second = (save_scene(make_box_room(5), tmp_path / name) for name in ("a", "b"))
    assert first.read_bytes() == second.read_bytes()
    assert first.with_suffix(".json").read_bytes() == second.with_suffix(".json").read_bytes()
    assert scene_sha256(first) == scene_sha256(second)
    assert scene_sha256(save_scene(make_box_room(6), tmp_path)) != scene_sha256(first)
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["box-room-5.glb", "box-room-5.json"]


def test_another_reader_finds_the_objects_where_they_are(box_room: Scene, tmp_path: Path):
    read = trimesh.load_scene(save_scene(box_room, tmp_path), process=False)
    expected = {f"{i.id}_{box_room.categories[i.category]}" for i in box_room.instances}
    assert set(read.graph.nodes_geometry) == expected
    low, high = box_room.bounds
    np.testing.assert_allclose(read.bounds, [[low[0], low[2], -high[1]], [high[0], high[2], -low[1]]], atol=1e-6)
    sofa = next(i for i in box_room.instances if box_room.categories[i.category] == "sofa")
    mesh = read.geometry[read.graph[f"{sofa.id}_sofa"][1]]
    assert mesh.area == pytest.approx(2 * (0.8 * 1.9 + 0.8 * 0.7 + 1.9 * 0.7), rel=1e-5)
    texture = box_room.materials[sofa.id - 1].texture
    assert np.array_equal(np.asarray(mesh.visual.material.baseColorTexture.convert("RGB")), texture)


def test_without_its_sidecar_a_scene_loads_as_anybody_elses(box_room: Scene, tmp_path: Path):
    path = save_scene(shuffled(box_room), tmp_path)
    path.with_suffix(".json").unlink()
    loaded = load_scene(path)
    assert len(loaded.instances) == len(box_room.instances)
    assert set(loaded.categories) == set(box_room.categories)
    assert len(loaded.triangles) == len(box_room.triangles)
    np.testing.assert_allclose(loaded.bounds, box_room.bounds, atol=1e-6)
    assert scene_fingerprint(load_scene(path)) == scene_fingerprint(loaded)


def test_unusable_files_are_named(box_room: Scene, tmp_path: Path):
    with pytest.raises(InputError, match=r"nowhere\.glb"):
        load_scene(tmp_path / "nowhere.glb")
    with pytest.raises(InputError, match=r"nowhere\.glb"):
        scene_sha256(tmp_path / "nowhere.glb")
    (tmp_path / "noise.glb").write_bytes(b"glTF, or so it says")
    with pytest.raises(InputError, match=r"noise\.glb"):
        load_scene(tmp_path / "noise.glb")
    path = save_scene(box_room, tmp_path)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"box-room-0\.json describes"):
        load_scene(path)


def test_unusable_sidecars_are_named(box_room: Scene, tmp_path: Path):
    path = save_scene(box_room, tmp_path)
    side = path.with_suffix(".json")
    document = json.loads(side.read_text())
    for change, message in [
        ({"schema_version": 99}, "schema_version is 99"),
        ({"surprise": 1}, "surprise"),
        ({"instances": "none"}, "instances"),
    ]:
        side.write_text(json.dumps({**document, **change}))
        with pytest.raises(InputError, match=message):
            load_scene(path)
    side.write_text("{")
    with pytest.raises(InputError, match="not JSON"):
        load_scene(path)


def test_the_fingerprint_sees_everything_that_is_rendered(box_room: Scene):
    moved = box_room.vertices.copy()
    moved[0, 0] += 1e-3
    brighter = {name: replace(light, exposure=9.0) for name, light in box_room.conditions.items()}
    glowing = (replace(box_room.materials[0], emission=(1.0, 0.0, 0.0)), *box_room.materials[1:])
    changed = [replace(box_room, vertices=moved), replace(box_room, conditions=brighter)]
    changed.append(replace(box_room, materials=glowing))
    fingerprints = {scene_fingerprint(scene) for scene in [box_room, *changed]}
    assert len(fingerprints) == 4
    assert scene_fingerprint(replace(box_room, name="renamed")) == scene_fingerprint(box_room)
