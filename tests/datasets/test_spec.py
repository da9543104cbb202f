"""A spec is validated at the door, and an error names the file and the key."""

from __future__ import annotations

import pytest
import yaml
from relocbench.datasets.protocols.sparse_reference.protocol import SparseReference
from relocbench.datasets.spec import DatasetSpec, parse_spec
from relocbench.errors import InputError

MINIMAL = {"protocol": "sparse-reference", "scenes": {"test": [7]}}


def test_defaults_are_the_papers_setting():
    spec = parse_spec(MINIMAL, where="track.yaml")
    assert (spec.camera.width, spec.camera.height, spec.camera.horizontal_fov) == (256, 256, 90)
    assert spec.protocol.references_per_room == (4,)
    assert spec.condition_of("query") == spec.condition_of("reference") == "day"


def test_a_spec_survives_json_and_yaml():
    spec = parse_spec({**MINIMAL, "query_condition": "evening", "references_per_room": [4, 16]}, where="x")
    assert DatasetSpec.model_validate_json(spec.model_dump_json()) == spec
    assert parse_spec(yaml.safe_load(yaml.safe_dump(spec.model_dump(mode="json"))), where="x") == spec
    assert spec.condition_of("query") == "evening"
    assert spec.condition_of("reference") == "day"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"querys_per_room": 3}, "track.yaml: unknown key 'querys_per_room'; known keys are .*queries_per_room"),
        ({"camera": {"fov": 90}}, "track.yaml: unknown key 'camera.fov'"),
        ({"references_per_room": [8, 16]}, "references_per_room: densities start with 4"),
        ({"references_per_room": [4, 16, 8]}, "references_per_room: densities start with 4.* and grow"),
        ({"scenes": {"train": [1, 2], "test": [2]}}, "scenes: scene 2 is in train and again in test"),
        ({"scenes": {}}, "scenes: no scene is named"),
        ({"scenes": {"test": [-1]}}, "scenes.test.0"),
        ({"camera_height": [1.6, 1.2]}, "camera_height: a range is"),
        ({"image_format": "webp"}, "image_format: "),
        ({"outputs": ["rgb", "rgb"]}, "outputs: name at least one output, each once"),
        ({"protocol": "dense"}, "protocol: "),
        ({"protocol": ["dense"]}, "protocol: a protocol is its name"),
        ({"cross_view": {"places": 9}}, "unknown key 'cross_view'"),
        ({"protocol": {"name": "cross-view", "place": 9}}, "protocol: unknown key 'place'; known keys are .*places"),
        ({"protocol": "cross-view", "cross_view": 9}, "cross_view: holds the parameters"),
        ({"camera_height": [1.2, float("inf")]}, "camera_height.1: Input should be a finite number"),
        ({"camera": {"horizontal_fov": float("nan")}}, "camera.horizontal_fov: Input should be a finite number"),
        ({"protocol": "cross-view", "outputs": ["depth"]}, "without rgb nothing looks alike"),
        (
            {"protocol": "cross-view", "cross_view": {"query_sampling": "even", "queries_per_scene": 5}},
            "queries_per_scene: even queries are at least 6",
        ),
        ({"protocol": "cross-view", "query_condition": "evening"}, "query_condition: cross-view chooses"),
    ],
)
def test_bad_values_are_named(change, message):
    with pytest.raises(InputError, match=message) as caught:
        parse_spec({**MINIMAL, **change}, where="track.yaml")
    assert "\n" not in str(caught.value)


def test_a_protocol_cannot_write_over_what_every_view_has(monkeypatch):
    monkeypatch.setattr(SparseReference, "columns", {"pose": "int32", "room": "string", "qw": "float64"})
    with pytest.raises(InputError, match=r"^track.yaml: protocol: 'sparse-reference' .* every view has: qw, room;"):
        parse_spec(MINIMAL, where="track.yaml")


def test_parameters_stand_in_the_protocol_beside_it_or_under_its_name():
    inside = {"protocol": {"name": "cross-view", "places": 9, "pitch_std": 1}, "scenes": {"test": [7]}}
    beside = {"protocol": "cross-view", "cross_view": {"places": 9}, "pitch_std": 1, "scenes": {"test": [7]}}
    assert parse_spec(inside, where="x") == parse_spec(beside, where="x")


def test_relative_scenes_belong_to_the_folder_of_the_file(tmp_path):
    spec = parse_spec({**MINIMAL, "scenes": {"test": ["scenes/a.glb", 3]}}, where="x", folder=tmp_path)
    assert spec.scenes.test == (str(tmp_path / "scenes/a.glb"), 3)


def test_a_file_may_come_with_its_unit_and_its_upward_axis(tmp_path):
    given = {"file": "a.glb", "scale": 0.001, "up": "z"}
    spec = parse_spec({**MINIMAL, "scenes": {"train": ["a.glb"], "test": [given]}}, where="x", folder=tmp_path)
    (entry,) = spec.scenes.test
    assert (entry.file, entry.scale, entry.up) == (str(tmp_path / "a.glb"), 0.001, "z")
    assert parse_spec(yaml.safe_load(spec.model_dump_json()), where="x") == spec
    for wrong, said in (({"scale": 0}, "scale: "), ({"scale": float("inf")}, "scale: "), ({"up": "x"}, "up: ")):
        with pytest.raises(InputError, match=f"track.yaml: scenes.test.0.*{said}"):
            parse_spec({**MINIMAL, "scenes": {"test": [given | wrong]}}, where="track.yaml")
