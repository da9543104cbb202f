"""Place classes: every training image in a cell of its own and in its own class, every view in the nearest it sees."""

from __future__ import annotations

import hashlib
import json
from collections import Counter

import numpy as np
import pytest
from relocbench.datasets.check import check
from relocbench.datasets.generate import generate
from relocbench.datasets.manifest import MANIFEST
from relocbench.datasets.protocols.cross_view.appearance import local_descriptors, nbnn_distance
from relocbench.datasets.protocols.cross_view.candidates import limited_queries
from relocbench.datasets.protocols.cross_view.parameters import PlaceParameters
from relocbench.datasets.protocols.cross_view.places import choose_training_images, place_of, pose_cells, view_angle
from relocbench.datasets.protocols.cross_view.visibility import VisibilityCone
from relocbench.datasets.spec import DatasetSpec
from relocbench.errors import InputError
from relocbench.reports.dataset_overview import draw_overview
from relocbench.sim.geometry import Camera, Pose, covisibility

CAMERA = Camera.from_fov(96, 96, 90.0)


def open_floor(count: int, *, size: float = 6.0, reach: float = 5.0) -> tuple[Pose, list[VisibilityCone]]:
    """Cameras that see equally far everywhere."""
    rng = np.random.default_rng(count)
    poses = Pose.from_planar(rng.uniform(0, size, (count, 2)), height=1.4, yaw=rng.uniform(-np.pi, np.pi, count))
    return poses, [VisibilityCone(CAMERA, p.translation[:2], p.forward[:2], np.full(96, reach)) for p in poses]


def test_every_training_image_has_its_cell_and_its_class():
    poses, cones = open_floor(800)
    spec = PlaceParameters(places=25)
    cells = pose_cells(poses, spec)
    rows, points = choose_training_images(range(800), cells, cones.__getitem__, spec)
    assert len(rows) == len(points) == 25
    assert len({cells[row] for row in rows}) == 25
    assert rows == sorted(rows)  # the most wanted come first
    assert [place_of(cones[row], points, spec) for row in rows] == list(range(25))


def test_a_training_image_sees_more_than_a_wall():
    _, cones = open_floor(50, reach=0.9)
    rows, _ = choose_training_images(range(50), list(range(50)), cones.__getitem__, PlaceParameters(places=5))
    assert rows == []


def test_cells_part_places_and_directions():
    poses = Pose.from_planar([(0.1, 0.1), (1.9, 1.9), (0.1, 0.1), (2.1, 0.1), (0.1, 0.1)], height=1.4, yaw=0.1)
    turned = Pose.from_planar([(0.1, 0.1)] * 2, height=1.4, yaw=np.radians([29.0, 31.0]))
    cells = pose_cells(Pose.stack([poses, turned]), PlaceParameters())
    assert len(set(cells)) == 3
    assert cells[0] == cells[1] == cells[5]
    assert cells[5] != cells[6]


def test_the_view_angle_is_that_of_the_optical_axes_from_above():
    a = Pose.from_planar([(0, 0)] * 5, height=1.0, yaw=np.radians([0, 0, 170, 30, 0]), pitch=0.2)
    b = Pose.from_planar([(1, 2)] * 5, height=1.5, yaw=np.radians([0, 180, -170, -60, 45]), pitch=-0.1)
    assert view_angle(a, b) == pytest.approx([0, 180, 20, 90, 45])
    assert view_angle(b, a) == pytest.approx(view_angle(a, b))


def test_the_table_says_what_was_kept(cross_view_dataset):
    table, record = cross_view_dataset.views.table, cross_view_dataset.manifest.scenes[1].places
    test = table[table["split"] == "test"]
    references, queries = test[test["role"] == "reference"], test[test["role"] == "query"]
    assert sorted(references["place"]) == list(range(6))
    assert (references["density"] == 6).all()
    assert set(test["role"]) == {"reference", "query"}
    assert record.candidates == 160
    assert record.candidates - record.dropped == len(test)
    assert record.views == tuple(Counter(queries["place"])[place] for place in range(6))
    assert "0.5 of the distance" in record.rule
    assert record.centre in references["view"].tolist()
    assert (table[table["split"] == "train"]["place"] == -1).all()
    assert cross_view_dataset.manifest.scenes[0].places is None
    images = {path.relative_to(cross_view_dataset.root).as_posix() for path in cross_view_dataset.root.rglob("*.png")}
    assert images == set(table[["image", "depth", "semantic"]].to_numpy().ravel())
    listed = {path for path in cross_view_dataset.checksums()["path"] if path.endswith(".png")}
    assert listed == images


def test_every_view_belongs_to_the_nearest_point_that_it_sees(cross_view_dataset):
    """Training images, too; and no other view of a class is a reference."""
    record = cross_view_dataset.manifest.scenes[1].places
    points, spec = np.array(record.points), cross_view_dataset.manifest.spec.protocol
    for view in cross_view_dataset.views.where(split="test"):
        cone = VisibilityCone.of(view.depth(), view.pose, view.camera)
        distance = np.linalg.norm(points - view.pose.translation[:2], axis=1)
        visible = cone.contains(points, max_range=spec.max_range, occlusion=True)
        assert visible[view.place]
        assert distance[view.place] == distance[visible].min()
    references = cross_view_dataset.views.where(role="reference").table
    assert references["place"].is_unique


def test_queries_are_compared_with_the_image_of_their_own_place(cross_view_dataset):
    references = {view.place: view for view in cross_view_dataset.views.where(role="reference")}
    queries = cross_view_dataset.views.where(role="query")
    for view, row in zip(queries[:12], queries.table.iloc[:12].itertuples(), strict=True):
        own = references[view.place]
        assert row.covisible_reference == own.id
        assert row.covisibility == pytest.approx(
            covisibility(view.depth(), view.pose, own.depth(), own.pose, view.camera), abs=1e-6
        )
        ahead = [np.append(pose.forward[:2], 0) / np.linalg.norm(pose.forward[:2]) for pose in (view.pose, own.pose)]
        assert row.reference_angle == pytest.approx(
            np.degrees(np.arccos(np.clip(ahead[0] @ ahead[1], -1, 1))), abs=1e-3
        )
        assert row.reference_distance == pytest.approx(np.linalg.norm(view.pose.translation - own.pose.translation))
    assert queries.table["reference_angle"].between(0, 180).all()
    assert queries.table["reference_angle"].max() > 90  # views of a place come from all sides
    assert cross_view_dataset.views.where(role="reference").table["reference_angle"].isna().all()


def test_training_images_look_more_alike_than_random_ones(
    cross_view_dataset, cross_view_spec, with_parameters, tmp_path
):
    spec = with_parameters(cross_view_spec, training_images="random")
    other = generate(spec, tmp_path / "random", jobs=2, progress=False)
    assert other.manifest.scenes[1].places.centre is None
    record = cross_view_dataset.manifest.scenes[1].places
    (centre,) = [view for view in cross_view_dataset.views.where(role="reference") if view.id == record.centre]
    prototype = local_descriptors(centre.image())
    alike, random = (
        [nbnn_distance(local_descriptors(view.image()), prototype) for view in dataset.views.where(role="reference")]
        for dataset in (cross_view_dataset, other)
    )
    assert np.median(alike) < np.median(random)


def test_images_that_look_alike_in_another_space_are_others(
    cross_view_dataset, cross_view_spec, with_parameters, tmp_path
):
    spec = with_parameters(cross_view_spec, alike_in="gist")
    other = generate(spec, tmp_path / "gist", jobs=2, progress=False)
    places, published = (dataset.manifest.scenes[1].places for dataset in (other, cross_view_dataset))
    assert places.centre == published.centre, "the first view with texture, in the same random order"
    assert "most like a random one (GIST)" in places.rule
    assert "(NBNN distance)" in published.rule
    chosen, before = (set(dataset.views.where(role="reference").ids) for dataset in (other, cross_view_dataset))
    assert places.centre in chosen & before
    assert chosen != before
    assert check(other.root, jobs=1).ok


def test_the_space_of_published_data_sets_is_not_named_in_their_specs(cross_view_spec, with_parameters):
    assert "alike_in" not in cross_view_spec.canonical()
    assert DatasetSpec.model_validate_json(cross_view_spec.canonical()) == cross_view_spec
    other = with_parameters(cross_view_spec, alike_in="gist")
    assert DatasetSpec.model_validate_json(other.canonical()) == other != cross_view_spec


def test_the_check_accepts_it_and_finds_a_query_of_another_place(cross_view_dataset, copy_of, sealed_with):
    assert check(cross_view_dataset.root, jobs=1).ok
    folder = copy_of(cross_view_dataset)
    table = cross_view_dataset.views.table.copy()
    query = table.index[table["role"] == "query"][0]
    table.loc[query, "place"] = (table.loc[query, "place"] + 1) % 6
    sealed_with(folder, table)
    problems = check(folder, jobs=1).problems
    assert any(table.loc[query, "view"] in problem and "another place" in problem for problem in problems)


def test_the_overview_shows_places(cross_view_dataset):
    picture = draw_overview(cross_view_dataset, scenes=1)
    place = np.array([0xCC, 0x79, 0xA7])
    assert (np.abs(picture.astype(int) - place).max(axis=-1) < 8).sum() > 100


def test_too_many_places_say_how_many_there_are(blind_spec, with_parameters, tmp_path):
    with pytest.raises(InputError, match=r"of 200 candidates in \d+ cells, \d+ can be training images .* not 90"):
        generate(with_parameters(blind_spec, places=90), tmp_path / "d", jobs=1, progress=False)


def test_without_occlusion_fewer_views_are_dropped(blind_spec, blind_dataset, with_parameters, tmp_path):
    spec = with_parameters(blind_spec, occlusion=False)
    dataset = generate(spec, tmp_path / "d", jobs=1, progress=False)
    with_walls, without = (d.manifest.scenes[0].places for d in (blind_dataset, dataset))
    assert without.dropped < with_walls.dropped
    assert "walls or not" in without.rule


def test_a_limit_keeps_that_many_queries_and_moves_no_class(blind_dataset, limited_dataset):
    (all_of_them, some), columns = (
        [d.views.table.set_index("view") for d in (blind_dataset, limited_dataset)],
        ["role", "place", "covisibility", "covisible_reference", "reference_angle", "image", "depth"],
    )
    assert (some["role"] == "query").sum() == 60
    assert (all_of_them["role"] == "query").sum() > 120
    assert some[columns].equals(all_of_them.loc[some.index, columns])  # and the queries that are kept are unchanged
    for role, table in (("reference", some), ("query", some)):
        assert table[table["role"] == role].index.is_monotonic_increasing
    assert (some["role"] == "reference").sum() == (all_of_them["role"] == "reference").sum()
    before, after = (d.manifest.scenes[0].places for d in (blind_dataset, limited_dataset))
    assert (before.points, before.candidates, before.dropped) == (after.points, after.candidates, after.dropped)
    assert before.over_limit == 0
    assert after.over_limit == sum(before.views) - 60
    assert sum(after.views) == 60
    assert after.candidates == after.dropped + after.over_limit + 60 + 5
    images = {path.relative_to(limited_dataset.root).as_posix() for path in limited_dataset.root.rglob("*.png")}
    assert images == set(some["depth"])


def test_a_limit_favours_no_class(blind_dataset, limited_spec):
    """Over many draws, each class keeps the same share of its queries."""
    sizes = np.array(blind_dataset.manifest.scenes[0].places.views)
    assigned = np.repeat([-1, *range(5)], [30, *(sizes + 1)])
    training = np.array([np.flatnonzero(assigned == place)[0] for place in range(5)])
    kept = np.zeros(5)
    for seed in range(400):
        spec = limited_spec.model_copy(update={"seed": seed})
        rows = limited_queries(spec, spec.protocol, "box", assigned, training)
        assert len(set(rows)) == 60
        assert not set(rows) & set(training)
        kept += np.bincount(assigned[rows], minlength=5)
    share = kept / 400 / sizes
    assert share == pytest.approx(60 / sizes.sum(), abs=4 * np.sqrt(0.25 / 400 / sizes.min()))


def test_a_dataset_of_version_2_still_opens_and_is_the_same(blind_dataset, blind_spec, copy_of):
    """There, every protocol's parameters stood in the spec, and all datasets were generated."""
    folder = copy_of(blind_dataset)
    content = json.loads((folder / MANIFEST).read_text())
    spec = content.pop("origin")["spec"]
    parameters = spec.pop("protocol")
    del parameters["queries_per_scene"], spec["depth_unit"]
    shared = {name: parameters.pop(name) for name in ("train_views_per_scene", "camera_height", "pitch_std")}
    spec |= {"protocol": parameters.pop("name"), "cross_view": parameters, **shared, "references_per_room": [4]}
    content |= {"version": 2, "spec": spec, "depth_max": 32.7675}
    content["sha256"] = hashlib.sha256(
        json.dumps({key: value for key, value in content.items() if key != "sha256"}, sort_keys=True).encode()
    ).hexdigest()
    (folder / MANIFEST).write_text(json.dumps(content))
    opened = generate(blind_spec, folder, progress=False)
    assert opened.sha256 == content["sha256"]
    assert opened.manifest.scenes == blind_dataset.manifest.scenes
    assert opened.views.ids == blind_dataset.views.ids
