from __future__ import annotations

from pathlib import Path

import pytest
from relocbench.bench.tracks import SIZES, list_tracks, load_track
from relocbench.errors import InputError
from relocbench.methods.networks.checkpoints import about_checkpoint
from relocbench.methods.registry import make_method
from relocbench.methods.weights import PACKAGED

DOCUMENTED = sorted((Path(__file__).parents[2] / "docs" / "tracks").glob("*.yaml"))


def test_no_scene_of_any_tracks_test_split_is_learned_from_or_tuned_on_anywhere():
    scenes = [size.dataset.scenes for track in list_tracks() for size in track.sizes.values()]
    test = {entry for spec in scenes for entry in spec.test}
    train = {entry for spec in scenes for entry in spec.train}
    val = {entry for spec in scenes for entry in spec.val}
    assert test
    assert train
    assert not test & train
    assert not test & val
    assert not train & val


@pytest.mark.parametrize("track", list_tracks(), ids=lambda track: track.name)
def test_published_tracks_are_complete(track):
    assert set(track.sizes) == set(SIZES)
    assert load_track(track.name) == track
    test = [set(track.sizes[size].dataset.scenes.test) for size in ("small", "full")]
    assert test[0] <= test[1]
    labels = [entry.label for entry in track.methods]
    assert {"random", "oracle-nearest"} <= set(labels)
    for entry in track.methods:
        make_method(entry.name, entry.config)


def test_track_files_of_the_docs_show_no_network_of_the_package_a_house_that_it_learned_from():
    tracks = [load_track(path) for path in DOCUMENTED]
    houses = {scene for track in tracks for size in track.sizes.values() for scene in size.dataset.scenes.test}
    checkpoints = [about_checkpoint(weights) for weights in PACKAGED.glob("*.safetensors")]
    assert houses
    assert checkpoints
    for first, last in (about["training_houses"] for about in checkpoints):
        assert not houses & set(range(first, last + 1))


def test_a_size_lays_its_dataset_over_the_shared_one(tmp_path):
    path = tmp_path / "t.yaml"
    path.write_text(
        """
        {name: t, version: 1, protocol: sparse-reference, description: d, methods: [random],
         dataset: {seed: 5, camera: {width: 64, height: 48}},
         sizes: {mini: {dataset: {scenes: {test: [house.glb]}, camera: {width: 32}}}}}
        """
    )
    dataset = load_track(path).size("mini").dataset
    assert (dataset.seed, dataset.camera.width, dataset.camera.height) == (5, 32, 48)
    assert dataset.scenes.test == (str(tmp_path / "house.glb"),)


def test_methods_in_files_are_found_beside_the_track(tmp_path, tiny_track):
    tiny_track.write_text(tiny_track.read_text().replace("[random, oracle-nearest]", "[{name: 'm.py:M', as: mine}]"))
    assert load_track(tiny_track).methods[0].name == f"{tmp_path / 'm.py'}:M"


#: Eight lines that stand for nine to the eighth values.
REPEATING = "x0: &x0 [0, 0, 0, 0, 0, 0, 0, 0, 0]\n" + "\n".join(
    f"x{i}: &x{i} [{', '.join([f'*x{i - 1}'] * 9)}]" for i in range(1, 8)
)

SWEEP = "sweeps: [{{name: views, axis: Synthesized views, values: {0}}}]\n"


def test_a_sweep_gives_a_number_to_some_of_the_methods(tiny_track):
    text = tiny_track.read_text()
    tiny_track.write_text(SWEEP.format("{random: 0, oracle-nearest: 10}") + text)
    (sweep,) = load_track(tiny_track).sweeps
    assert sweep.values == {"random": 0, "oracle-nearest": 10}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("seed: 11", "sed: 11", "unknown key 'sed'"),
        ("test: [2, 3]", "tset: [2, 3]", "tset"),
        ("test: [2, 3]", "test: [1]", "splits are disjoint"),
        ("[random, oracle-nearest]", "[random, random]", "two methods are called 'random'"),
        ("[random, oracle-nearest]", "[]", "methods"),
        ("seed: 11", "primary: speed", "is ranked by auc_joint_2m_20deg in every track, not by speed"),
        ("  mini:", "  tiny:", "sizes.tiny"),
        ("name: tiny", "name: [", "cannot be read as YAML"),
        ("version: 1", "version: one", "version"),
        ("version: 1", "version: 1\nversion: 2", "the key 'version' stands twice, in lines 3 and 4"),
        ("train: [1], test", "train: [1], train: [4], test", "the key 'train' stands twice"),
        ("{outputs: [rgb]}", "[rgb]", "dataset is a mapping"),
        ("  mini: ", "  - mini: ", "sizes is a mapping of mini, small, full"),
        ("  mini: {", "  mini: [], small: {", "cannot be read as YAML"),
        ("[random, oracle-nearest]", "random", "methods: Input should be a list"),
        ("seed: 11", "query_timeout: .inf", "query_timeout: Input should be a finite number"),
        ("seed: 11", "map_timeout: .nan", "map_timeout: Input should be a finite number"),
        (
            "{outputs: [rgb]}",
            "{camera: {horizontal_fov: .inf}}",
            "camera.horizontal_fov: Input should be a finite number",
        ),
        ("seed: 11", "seed: 2020-13-45", "cannot be read as YAML: month must be in 1..12"),
        ("seed: 11", f"seed: {'[' * 3000}{']' * 3000}", "is nested too deeply"),
        ("seed: 11", "seed: &all [*all]", "is nested too deeply, or in itself"),
        ("seed: 11", REPEATING, "its aliases repeat each other"),
        ("methods:", SWEEP.format("{random: 0, novel: 5}") + "methods:", "sweep 'views' names the method 'novel'"),
        ("methods:", SWEEP.format("{random: 5, oracle-nearest: 5}") + "methods:", "stand at the same number"),
        ("methods:", SWEEP.format("{random: 5}") + "methods:", "sweeps.0.values"),
    ],
)
def test_a_wrong_track_gets_one_line_that_names_file_and_key(tiny_track, old, new, message):
    tiny_track.write_text(tiny_track.read_text().replace(old, new))
    with pytest.raises(InputError) as error:
        load_track(tiny_track)
    assert message in str(error.value)
    assert str(tiny_track) in str(error.value)
    assert "\n" not in str(error.value)


def test_a_track_in_another_encoding_is_named(tiny_track):
    tiny_track.write_bytes(tiny_track.read_text().replace("A test", "Küche").encode("latin-1"))
    with pytest.raises(InputError, match=rf"^{tiny_track}: is not UTF-8 \(byte \d+\)"):
        load_track(tiny_track)


def test_marks_that_editors_leave_are_no_matter(tiny_track):
    before = load_track(tiny_track)
    tiny_track.write_bytes(b"\xef\xbb\xbf" + tiny_track.read_text().replace("\n", "\r\n").encode())
    assert load_track(tiny_track) == before


def test_an_alias_may_be_laid_over(tiny_track):
    text = tiny_track.read_text().replace("dataset: {outputs", "dataset: &shared {outputs")
    tiny_track.write_text(text.replace("{dataset: {scenes", "{dataset: {<<: *shared, outputs: [rgb, depth], scenes"))
    assert load_track(tiny_track).size("mini").dataset.outputs == ("rgb", "depth")


def test_a_track_of_one_size_is_for_that_size(tiny_track):
    assert load_track(tiny_track).default_size == "mini"
    assert load_track("sparse-reference-v1").default_size == "small"


def test_unknown_names_list_the_known_ones(tiny_track):
    known = "cross-view-ablations-v1, cross-view-v1, cross-view-v2, exrenet-references-v1, exrenet-v1, quickstart, "
    known += "sparse-reference-v1"
    with pytest.raises(InputError, match=f"unknown track 'nope'; known: {known}"):
        load_track("nope")
    with pytest.raises(InputError, match="no such track file"):
        load_track("nope.yaml")
    with pytest.raises(InputError, match="no size 'full'; it has mini"):
        load_track(tiny_track).size("full")
