"""Place classes: every training image in a cell of its own and in its own class, every view in the nearest it sees."""

from __future__ import annotations

import hashlib
import json
from collections import Counter

import numpy as np
import pytest
import shapely
from relocbench.bench.tracks import load_track
from relocbench.datasets.check import check
from relocbench.datasets.dataset import Dataset
from relocbench.datasets.generate import generate
from relocbench.datasets.manifest import MANIFEST
from relocbench.datasets.plan import PlacesRecord
from relocbench.datasets.protocols.cross_view.appearance import local_descriptors, nbnn_distance
from relocbench.datasets.protocols.cross_view.parameters import PlaceParameters
from relocbench.datasets.protocols.cross_view.places import choose_training_images, place_of, pose_cells, view_angle
from relocbench.datasets.protocols.cross_view.queries import angle_histogram, drawn_queries
from relocbench.datasets.protocols.cross_view.visibility import VisibilityCone
from relocbench.datasets.spec import DatasetSpec
from relocbench.errors import InputError
from relocbench.reports.dataset_overview import draw_overview
from relocbench.sim.geometry import Camera, Pose, covisibility
from relocbench.sim.scene_files import load_scene

CAMERA = Camera.from_fov(96, 96, 90.0)


def open_floor(count: int, *, size: float = 6.0, reach: float = 5.0) -> tuple[Pose, list[VisibilityCone]]:
    """Cameras that see equally far everywhere."""
    rng = np.random.default_rng(count)
    poses = Pose.from_planar(rng.uniform(0, size, (count, 2)), height=1.4, yaw=rng.uniform(-np.pi, np.pi, count))
    return poses, [VisibilityCone(CAMERA, p.translation[:2], p.forward[:2], np.full(96, reach)) for p in poses]


def assert_every_view_sees_its_place(dataset: Dataset, record: PlacesRecord) -> None:
    points, spec = np.array(record.points), dataset.manifest.spec.protocol
    views = dataset.views.where(split="test")
    assert len(views)
    for view in views:
        cone = VisibilityCone.of(view.depth(), view.pose, view.camera)
        distance = np.linalg.norm(points - view.pose.translation[:2], axis=1)
        visible = cone.contains(points, max_range=spec.max_range, occlusion=True)
        assert visible[view.place]
        assert distance[view.place] == distance[visible].min()


def test_every_training_image_has_its_cell_and_its_class():
    poses, cones = open_floor(800)
    spec = PlaceParameters(places=25)
    cells = pose_cells(poses, spec)
    chosen = choose_training_images(range(800), cells, cones.__getitem__, spec)
    rows, points = chosen.rows, chosen.points
    assert len(rows) == len(points) == 25
    assert len({cells[row] for row in rows}) == 25
    assert rows == sorted(rows)  # the most wanted come first
    assert [place_of(cones[row], points, spec) for row in rows] == list(range(25))


def test_a_training_image_sees_more_than_a_wall():
    _, cones = open_floor(50, reach=0.9)
    chosen = choose_training_images(range(50), list(range(50)), cones.__getitem__, PlaceParameters(places=5))
    assert chosen.rows == []
    assert chosen.passed_over == {"too little is seen ahead": 50}


def test_what_was_passed_over_is_counted_up_to_the_last_place():
    _, cones = open_floor(800)
    looked_at = []

    def cone_of(row: int) -> VisibilityCone:
        looked_at.append(row)
        return cones[row]

    chosen = choose_training_images(range(800), [0, *range(799)], cone_of, PlaceParameters(places=25))
    assert chosen.rows[0] == 0
    assert chosen.passed_over["its cell is taken"] == 1
    assert chosen.tried == chosen.rows[-1] + 1
    assert len(looked_at) == chosen.tried - 1


def test_points_lie_as_far_as_asked_and_on_the_floor():
    poses, cones = open_floor(800)
    spec, floor = PlaceParameters(places=10, point_range=2.2, least_ahead=4.0), shapely.box(0, 0, 3, 6)
    chosen = choose_training_images(range(800), range(800), cones.__getitem__, spec, floor=floor)
    assert len(chosen.rows) == 10
    assert np.linalg.norm(chosen.points - poses[chosen.rows].translation[:, :2], axis=1) == pytest.approx(2.2)
    assert shapely.contains_xy(floor, *chosen.points.T).all()
    assert chosen.passed_over["its point is off the free floor"] > 0
    far = PlaceParameters(places=10, point_range=2.2, least_ahead=5.1)
    assert choose_training_images(range(800), range(800), cones.__getitem__, far).rows == []


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
    assert_every_view_sees_its_place(cross_view_dataset, cross_view_dataset.manifest.scenes[1].places)
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


def test_a_limit_favours_no_class():
    """Over many draws, each class keeps the same share of its queries."""
    sizes, spec = np.array([40, 90, 25, 60, 50]), PlaceParameters(queries_per_scene=60)
    rows = np.arange(sizes.sum()) + 7
    kept = np.zeros(5)
    for seed in range(400):
        chosen = drawn_queries(rows, 0 * rows, 0 * rows, spec, np.random.default_rng(seed), scene="box")
        assert len(set(chosen)) == 60
        assert set(chosen) <= set(rows)
        kept += np.bincount(np.repeat(np.arange(5), sizes)[chosen - 7])
    share = kept / 400 / sizes
    assert share == pytest.approx(60 / sizes.sum(), abs=4 * np.sqrt(0.25 / 400 / sizes.min()))


@pytest.mark.parametrize("limit", [None, 60, 99])
def test_even_queries_look_as_often_from_behind_as_from_before(limit):
    rng = np.random.default_rng(1)
    angle = np.append(180 * rng.beta(1, 2, 599), 180.0)  # most from the front, one from right behind
    distance = rng.exponential(1.5, 600)
    spec = PlaceParameters(query_sampling="even", queries_per_scene=limit)
    rows = drawn_queries(np.arange(600), angle, distance, spec, np.random.default_rng(2), scene="box")
    there = np.histogram(angle, np.arange(0, 181, 30))[0]
    each = there.min() if limit is None else min(there.min(), limit // 6)
    assert len(set(rows)) == 6 * each
    assert (angle_histogram(angle[rows]) == each).all()
    for low in range(0, 180, 30):  # no metre of distance is drawn from twice as often while another has queries left
        own = (angle >= low) & ((angle < low + 30) | (low == 150))
        available = np.bincount(distance[own].astype(int))
        drawn = np.bincount(distance[rows[own[rows]]].astype(int), minlength=len(available))
        left = available > drawn
        assert not left.any() or drawn.max() <= drawn[left].min() + 1
    again = drawn_queries(np.arange(600), angle, distance, spec, np.random.default_rng(2), scene="box")
    other = drawn_queries(np.arange(600), angle, distance, spec, np.random.default_rng(3), scene="box")
    assert np.array_equal(rows, again)
    assert not np.array_equal(np.sort(rows), np.sort(other))


def test_queries_that_cannot_be_even_say_what_is_missing():
    spec, angle = PlaceParameters(query_sampling="even"), np.linspace(0, 119, 40)
    with pytest.raises(InputError, match="scene box: 0 of 40 views see their place from 120 to 150 degrees"):
        drawn_queries(np.arange(40), angle, 0 * angle, spec, np.random.default_rng(0), scene="box")


def test_places_across_the_room_are_seen_from_the_other_side(far_dataset):
    record, spec = far_dataset.manifest.scenes[0].places, far_dataset.manifest.spec.protocol
    table, stats = far_dataset.views.table, record.statistics
    references = far_dataset.views.where(role="reference")
    queries = table[table["role"] == "query"]
    eyes = references.poses.translation[np.argsort(references.table["place"]), :2]
    ahead = np.linalg.norm(np.array(record.points) - eyes, axis=1)
    assert ahead.min() >= spec.least_ahead / 2
    assert ahead.max() <= spec.point_range + 1e-9
    assert stats.point_distance == pytest.approx(np.percentile(ahead, [10, 50, 90]), abs=1e-3)
    assert len(set(stats.view_angles)) == 1
    assert stats.view_angles == tuple(np.histogram(queries["reference_angle"], np.arange(0, 181, 30))[0])
    assert sum(stats.view_angles) == len(queries) == sum(record.views) > 30
    assert stats.query_distance == pytest.approx(np.percentile(queries["reference_distance"], [10, 50, 90]), abs=1e-3)
    assert stats.tried == spec.places + sum(stats.passed_over.values())
    assert set(stats.rooms_in_sight) <= {1, 2}
    assert "on the navigable floor" in record.rule
    scene = load_scene(far_dataset.root / far_dataset.manifest.scenes[0].file)
    assert shapely.contains_xy(scene.navigable, *np.array(record.points).T).all()
    assert check(far_dataset.root, jobs=1).ok


def test_every_view_of_a_place_across_the_room_sees_it(far_dataset):
    assert_every_view_sees_its_place(far_dataset, far_dataset.manifest.scenes[0].places)


def test_the_seed_decides_places_across_the_room(far_spec, far_dataset, tmp_path):
    again = generate(far_spec, tmp_path / "again", jobs=2, progress=False)
    other = generate(far_spec.model_copy(update={"seed": 1}), tmp_path / "other", jobs=1, progress=False)
    assert again.sha256 == far_dataset.sha256 != other.sha256


def test_a_house_without_enough_room_says_what_was_tried(far_spec, with_parameters, tmp_path):
    with pytest.raises(InputError, match=r"not 30 \(.*too little is seen ahead: \d+.*\); .* or a larger house$"):
        generate(with_parameters(far_spec, places=30), tmp_path / "d", jobs=1, progress=False)


#: SHA-256 of the specs of cross-view-v1, computed before the protocol had any of its later parameters.
V1_SPECS = {
    "mini": "634bcf458b271817506a2b584000d149cb923d116d982064c240bc0f557a6ff3",
    "small": "48dcf5dfc6bfa98ef9584b6fd04dd8c5d6c662ad637933e4dcfd0f32a606010b",
    "full": "1d1f62854ecb19f78aa85d35ca1d9b3e611c7a6d5bf24e42b9fbf5e1976d12f4",
}


@pytest.mark.parametrize(("size", "digest"), V1_SPECS.items())
def test_the_published_track_keeps_its_data(size, digest):
    """A spec decides every byte, and what is written about places beside it is what was written then."""
    spec = load_track("cross-view-v1").size(size).dataset
    assert hashlib.sha256(spec.canonical().encode()).hexdigest() == digest


def test_places_as_first_published_have_no_statistics(blind_dataset):
    assert "statistics" not in json.loads((blind_dataset.root / MANIFEST).read_text())["scenes"][0]["places"]
    rows, angle = np.arange(300) + 9, np.linspace(0, 180, 300)
    spec = PlaceParameters(queries_per_scene=40)
    drawn = drawn_queries(rows, angle, angle, spec, np.random.default_rng(4), scene="box")
    assert np.array_equal(drawn, np.random.default_rng(4).permutation(rows)[:40]), "as queries were drawn then"


@pytest.mark.slow
def test_the_track_from_the_other_side_is_that(tmp_path):
    """Its smallest size: points 2 m away and more, queries from all sides alike, several rooms in sight."""
    spec = load_track("cross-view-v2").size("mini").dataset
    dataset = generate(spec, tmp_path / "d", jobs=2, progress=False)
    record = dataset.manifest.scenes[1].places
    stats = record.statistics
    assert stats.point_distance[0] >= 2
    assert len(set(stats.view_angles)) == 1
    assert stats.query_distance[1] > 2
    assert stats.query_distance[2] > 4
    assert stats.several_rooms >= 0.5
    assert_every_view_sees_its_place(dataset, record)


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
