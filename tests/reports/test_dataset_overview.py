"""The overview is a picture of what the dataset holds: views, rooms and places are where they belong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from numpy.typing import NDArray
from relocbench.bench.store import RunStore
from relocbench.datasets.dataset import Dataset
from relocbench.datasets.views import CAMERA_COLUMNS, ViewSet, pose_columns
from relocbench.errors import InputError
from relocbench.reports.camera_plan import REFERENCE, draw_cameras, frustum_outlines, paths, spaced
from relocbench.reports.dataset_overview import (
    contact_rows,
    draw_overview,
    draw_plan,
    furniture_outlines,
    write_overview,
)
from relocbench.reports.top_view import TopView
from relocbench.sim.geometry import Camera, Pose
from relocbench.sim.scene import Scene
from shapely.geometry import Point, Polygon


@pytest.fixture(scope="module")
def dataset(made_up_run: Path) -> Dataset:
    """A dataset of photographs with poses: its scenes have no mesh."""
    made_up = RunStore.open(made_up_run).dataset
    scenes = tuple(record.model_copy(update={"file": None}) for record in made_up.manifest.scenes)
    return Dataset(made_up.root, made_up.manifest.model_copy(update={"scenes": scenes}))


def with_poses(views: ViewSet, poses: Pose, camera: Camera) -> ViewSet:
    """The same views taken elsewhere."""
    cameras = {name: getattr(camera, name) for name in CAMERA_COLUMNS}
    table = views.table.iloc[: len(poses)].assign(**pose_columns(poses), **cameras)
    return ViewSet(table, views.root, depth_unit=views.depth_unit)


def test_frusta_start_at_the_camera_and_open_by_its_field_of_view(dataset: Dataset) -> None:
    poses = Pose.from_planar([[1.0, 2.0], [3.0, -1.0]], height=1.5, yaw=np.radians([30.0, -120.0]))
    wide, narrow = Camera.from_fov(64, 48, 80.0), Camera.from_fov(64, 48, 40.0)
    views = [with_poses(dataset.views, poses[i : i + 1], camera) for i, camera in enumerate((wide, narrow))]
    for view, fov in zip(views, (80, 40), strict=True):
        (outline,) = frustum_outlines(view, 2.0)
        (eye,), (ahead,) = view.poses.translation[:, :2], view.poses.forward[:, :2]
        wedge = Polygon(outline)
        assert wedge.buffer(1e-6).contains(Point(eye))
        assert wedge.contains(Point(eye + 1.9 * ahead))
        assert not wedge.contains(Point(eye + 2.1 * ahead))
        assert wedge.area == pytest.approx(4 * np.tan(np.radians(fov / 2)), rel=1e-6)


def test_furniture_is_outlined_and_walls_are_not(box_room: Scene) -> None:
    outlines = furniture_outlines(box_room)
    assert any(outline.contains(Point(0.5, 2.0)) for outline in outlines)  # the sofa
    assert not any(outline.contains(Point(1.5, 2.0)) for outline in outlines)  # free floor


def test_a_plan_names_every_room_inside_it_and_shows_a_mark_per_view(box_room: Scene, dataset: Dataset) -> None:
    axis = Figure().subplots()
    views = dataset.views.where(scene="house-9")
    draw_plan(axis, box_room, views)
    names = {text.get_text(): Point(text.get_position()) for text in axis.texts}
    for room in box_room.rooms:
        assert room.polygon.contains(names[room.name])
    drawn = np.concatenate([c.get_offsets() for c in axis.collections if len(c.get_offsets()) > 1])
    assert {*map(tuple, views.poses.translation[:, :2].round(9))} == {*map(tuple, np.asarray(drawn).round(9))}


def test_without_a_scene_cameras_lie_as_far_apart_as_they_are_and_the_bar_is_as_long_as_it_says(
    dataset: Dataset,
) -> None:
    axis = Figure().subplots()
    views = dataset.views.where(map="house-9/office")
    draw_cameras(axis, views)
    drawn = np.concatenate([c.get_offsets() for c in axis.collections if len(c.get_offsets()) > 1])
    spread = np.ptp(views.poses.translation[:, :2], axis=0)
    assert np.ptp(np.asarray(drawn), axis=0) == pytest.approx(spread)
    (length,) = [float(text.get_text().removesuffix(" m")) for text in axis.texts if text.get_text().endswith(" m")]
    assert np.ptp(axis.lines[-1].get_xdata()) == pytest.approx(length)
    (x0, x1), (y0, y1) = axis.get_xlim(), axis.get_ylim()
    assert ((np.asarray(drawn) >= [x0, y0]) & (np.asarray(drawn) <= [x1, y1])).all()


@given(st.integers(0, 1000), st.floats(0.1, 50))
def test_a_path_is_found_whatever_its_scale_and_cut_where_it_jumps(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    walk = scale * np.cumsum(rng.uniform(0.5, 1.5, (60, 1)) * [[1.0, 0.2, 0.0]], axis=0)
    assert [len(stretch) for stretch in paths(walk)] == [60]
    walk[25:] += scale * np.array([0.0, 40.0, 0.0])
    assert [len(stretch) for stretch in paths(walk)] == [25, 35]
    assert paths(rng.permutation(walk)) == []


@given(st.integers(2, 80), st.floats(0.05, 2.0))
def test_marks_stand_apart_and_none_is_left_out_without_need(count: int, least: float) -> None:
    points = np.random.default_rng(count).uniform(0, 3, (count, 2))
    kept = points[spaced(points, least)]
    between = np.linalg.norm(kept[:, None] - kept[None], axis=-1)
    assert (between[~np.eye(len(kept), dtype=bool)] >= least).all()
    assert (np.linalg.norm(points[:, None] - kept[None], axis=-1).min(axis=1) < max(least, 1e-9)).all()


def tilted(angle: float) -> tuple[NDArray[np.float64], Pose]:
    """Cameras that walk a rectangle on a floor, and the same in a world whose floor is tilted by that many degrees."""
    t = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    floor = np.column_stack([4 * np.cos(t), 2 * np.sin(t)])
    poses = Pose.from_planar(floor, height=1.5, yaw=t)
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    turn = np.eye(4)
    turn[1:3, 1:3] = [[c, -s], [s, c]]
    return floor, Pose(turn @ poses.matrix)


@pytest.mark.parametrize("angle", [0, 90, -90, 180, 85])
def test_a_world_that_lies_on_its_side_is_still_seen_from_above(angle: float) -> None:
    floor, poses = tilted(angle)
    top = TopView.of(poses)
    assert top.along_z == (angle in (0, 180))
    assert np.allclose(top.axes @ top.axes.T, np.eye(3), atol=1e-9)
    assert np.linalg.det(top.axes) == pytest.approx(1)
    seen = top.place(poses.translation)[:, :2]
    between, expected = (np.linalg.norm(p[:, None] - p[None], axis=-1) for p in (seen, floor))
    assert np.allclose(between, expected, atol=1e-6)
    if not top.along_z:  # heads up: the tops of the images point towards the viewer
        assert (top.place(-poses.matrix[:, :3, 1])[:, 2] > 0.99).all()


def test_the_contact_sheet_shows_every_map_and_never_a_view_twice(dataset: Dataset) -> None:
    rows = contact_rows(dataset.views.table)
    assert {title for title, _ in rows if title} == {"bedroom", "living", "office"}
    shown = [view for _, table in rows for view in table["view"]]
    assert len(shown) == len(set(shown))
    for _, table in rows:
        assert table["map"].nunique() == 1
        assert {"reference", "query"} >= set(table["role"])


def test_an_overview_has_a_row_per_map_and_the_colours_of_its_roles(dataset: Dataset, tmp_path: Path) -> None:
    one, all_maps = draw_overview(dataset, scenes=1), draw_overview(dataset, scenes=3)
    row = (all_maps.shape[0] - one.shape[0]) / 2
    assert one.shape[0] == pytest.approx(row, rel=0.15)
    colour = np.array([int(REFERENCE[i : i + 2], 16) for i in (1, 3, 5)])
    left = all_maps[:, : int(0.4 * all_maps.shape[1])]
    per_row = [(np.abs(part.astype(int) - colour).max(axis=-1) < 8).sum() for part in np.array_split(left, 3)]
    assert min(per_row) > 20
    with pytest.raises(InputError, match=r"ends in \.png"):
        write_overview(dataset.root, tmp_path / "overview.pdf")
