"""Scenes that somebody brings, from a file in another unit to a manifest; and pictures that show nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from relocbench.datasets.generate import generate
from relocbench.datasets.manifest import MANIFEST
from relocbench.datasets.spec import DatasetSpec
from relocbench.errors import InputError
from relocbench.sim.scene import Scene
from relocbench.sim.scene_files import load_scene, save_scene


def brought(scene: Scene, folder: Path) -> str:
    """The path of the scene as a file without a sidecar."""
    path = save_scene(scene, folder)
    path.with_suffix(".json").unlink()
    return str(path)


def test_a_file_in_millimetres_far_away_becomes_a_dataset_that_knows_where_it_was(
    make_box_room: Callable[..., Scene], geometry_spec: DatasetSpec, tmp_path: Path
) -> None:
    room = make_box_room()
    place = np.array([3000.0, -2000.0, 40.0])
    file = brought(replace(room, vertices=((room.vertices + place) * 1000).astype(np.float32)), tmp_path)
    scenes = {"test": [{"file": file, "scale": 0.001, "up": "y"}]}
    spec = DatasetSpec.model_validate({**geometry_spec.model_dump(), "scenes": scenes})
    dataset = generate(spec, tmp_path / "set", jobs=1, progress=False)
    (record,) = dataset.manifest.scenes
    assert record.source.file == file
    scene = load_scene(dataset.root / record.file)
    np.testing.assert_allclose(scene.bounds + record.origin, room.bounds + place, atol=1e-3)
    assert scene.origin == record.origin
    assert np.abs(dataset.views.table[["tx", "ty"]].to_numpy()).max() < 20


def test_a_scene_that_was_not_moved_says_nothing_of_an_origin(geometry_dataset) -> None:
    (record,) = json.loads((geometry_dataset.root / MANIFEST).read_text())["scenes"]
    assert "origin" not in record


def test_a_reference_that_shows_nothing_ends_the_generation(
    box_room: Scene, geometry_spec: DatasetSpec, tmp_path: Path
) -> None:
    corners = box_room.vertices[box_room.triangles]
    floor = (np.ptp(corners[..., 2], axis=1) == 0) & (np.abs(corners[..., 2]).max(axis=1) < 0.01)
    kept = {name: getattr(box_room, name)[floor] for name in ("triangles", "triangle_material", "triangle_instance")}
    file = brought(replace(box_room, name="ground", **kept), tmp_path)
    narrow = {"width": 32, "height": 32, "horizontal_fov": 10}  # looks past the floor, at nothing
    spec = DatasetSpec.model_validate({**geometry_spec.model_dump(), "camera": narrow, "scenes": {"test": [file]}})
    with pytest.raises(InputError, match=r"scene ground: reference \S+ shows no surface at all"):
        generate(spec, tmp_path / "set", jobs=1, progress=False)
