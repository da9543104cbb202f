"""The sparse-reference protocol's plans: where its cameras stand, what they face, and what never moves them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from relocbench.datasets.plan import Plan
from relocbench.datasets.spec import DatasetSpec
from relocbench.datasets.views import pose_from_table
from relocbench.errors import InputError
from relocbench.sim.camera_placement import Clearance
from relocbench.sim.scene import Scene
from shapely.geometry import Point


def planned(scene: Scene, split: str = "test", **parameters: object) -> Plan:
    own = {"name": "sparse-reference", "queries_per_room": 8, "train_views_per_scene": 30}
    own |= {key: value for key, value in parameters.items() if key not in DatasetSpec.model_fields}
    others = {key: value for key, value in parameters.items() if key in DatasetSpec.model_fields}
    spec = DatasetSpec(**{"protocol": own, "scenes": {"test": [0]}, **others})
    return spec.protocol.plan(scene, split, spec)


@pytest.fixture(scope="module")
def plan(box_room: Scene) -> Plan:
    return planned(box_room, references_per_room=(4, 8))


def rows(plan: Plan, **equal: object) -> pd.DataFrame:
    keep = np.logical_and.reduce([plan.table[column] == value for column, value in equal.items()])
    return plan.table[keep]


def test_every_room_is_a_map_of_four_references_and_its_queries(plan, box_room):
    assert plan.skipped == ()
    for room in box_room.rooms:
        here = rows(plan, map=f"{box_room.name}/{room.name}")
        assert (here["room"] == room.name).all()
        assert here["role"].value_counts().to_dict() == {"reference": 8, "query": 8}
        assert rows(plan, room=room.name, density=4).shape[0] == 4


def test_references_stand_in_the_four_corners_and_face_the_centre(plan, box_room):
    for room in box_room.rooms:
        poses = pose_from_table(rows(plan, room=room.name, density=4))
        x0, y0, x1, y1 = room.polygon.bounds
        corners = np.array([(x0, y0), (x0, y1), (x1, y0), (x1, y1)])
        distances = np.linalg.norm(poses.translation[:, None, :2] - corners, axis=-1)
        assert set(distances.argmin(axis=1)) == {0, 1, 2, 3}
        assert (distances.min(axis=1) < 1.5).all()  # furniture may keep a camera out of its corner
        centre = np.array(room.polygon.centroid.coords[0])
        towards = centre - poses.translation[:, :2]
        ahead = poses.forward[:, :2] / np.linalg.norm(poses.forward[:, :2], axis=1, keepdims=True)
        assert np.allclose(ahead, towards / np.linalg.norm(towards, axis=1, keepdims=True))
        assert np.allclose(poses.translation[:, 2], 1.6)
        assert np.allclose(poses.rotation[:, 2, 0], 0)  # level: the image's x axis is horizontal


def test_queries_move_like_a_robot(box_room):
    table = rows(planned(box_room, queries_per_room=300, camera_height=(1.0, 1.3), pitch_std=2.0), role="query")
    poses = pose_from_table(table)
    assert poses.translation[:, 2].min() >= 1.0
    assert poses.translation[:, 2].max() <= 1.3
    pitch = np.degrees(np.arcsin(poses.forward[:, 2]))
    assert 1.7 < pitch.std() < 2.3
    yaw = np.arctan2(poses.forward[:, 1], poses.forward[:, 0])
    assert np.histogram(yaw, bins=6, range=(-np.pi, np.pi))[0].min() > 0.1 * len(table)
    for name, x, y in zip(table["room"], *poses.translation[:, :2].T, strict=True):
        assert box_room.room(name).polygon.contains(Point(x, y))


def test_no_camera_is_inside_or_close_to_anything(plan, box_room):
    clearance = Clearance(box_room)
    assert clearance.is_clear(pose_from_table(plan.table).translation).all()
    train = planned(box_room, "train")
    assert clearance.is_clear(pose_from_table(train.table).translation).all()


def test_a_sweep_only_adds_references(plan, box_room):
    longer = planned(box_room, references_per_room=(4, 8, 32))
    kept = longer.table[longer.table["density"] <= 8].reset_index(drop=True)
    pd.testing.assert_frame_equal(kept, plan.table)
    assert rows(longer, room="living", role="reference").shape[0] == 32
    assert longer.table["view"].is_unique


def test_more_queries_move_no_reference_and_the_other_way_round(plan, box_room):
    more = planned(box_room, references_per_room=(4, 8), queries_per_room=20)
    pd.testing.assert_frame_equal(
        rows(more, role="reference").reset_index(drop=True), rows(plan, role="reference").reset_index(drop=True)
    )
    fewer = planned(box_room)
    pd.testing.assert_frame_equal(
        rows(fewer, role="query").reset_index(drop=True), rows(plan, role="query").reset_index(drop=True)
    )


def test_plans_are_decided_by_the_seed(plan, box_room):
    pd.testing.assert_frame_equal(planned(box_room, references_per_room=(4, 8)).table, plan.table)
    other = planned(box_room, references_per_room=(4, 8), seed=1)
    assert not np.allclose(rows(other, role="query")["tx"], rows(plan, role="query")["tx"])
    assert np.allclose(rows(other, density=4)["tx"], rows(plan, density=4)["tx"])  # corners leave nothing to chance


def test_poses_are_stored_as_they_will_be_rendered(plan):
    norm = np.linalg.norm(plan.table[["qw", "qx", "qy", "qz"]], axis=1)
    assert np.abs(norm - 1).max() < 1e-12
    assert (plan.table["qw"] >= 0).all()


def test_small_rooms_are_skipped_and_recorded(box_room):
    plan = planned(box_room, min_room_area=18)
    assert [skip.room for skip in plan.skipped] == ["bedroom"]
    assert "16.0 square metres" in plan.skipped[0].reason
    assert set(plan.table["room"]) == {"living"}
    with pytest.raises(InputError, match=r"no room suits .*bedroom.*living|no room suits .*living.*bedroom"):
        planned(box_room, min_room_width=9)


def test_a_room_without_free_space_is_skipped(box_room):
    cramped = dataclasses.replace(
        box_room.rooms[1], polygon=box_room.rooms[1].polygon.intersection(Point(8.1, 3.0).buffer(0.9, quad_segs=1))
    )  # on top of the bed, where no robot drives
    scene = dataclasses.replace(box_room, rooms=(box_room.rooms[0], cramped))
    plan = planned(scene, min_room_area=0, min_room_width=0)
    assert [skip.room for skip in plan.skipped] == ["bedroom"]


def test_a_scene_can_be_one_map(box_room):
    table = planned(box_room, map="scene").table
    assert set(table["map"]) == {box_room.name}
    assert set(table["room"]) == {"living", "bedroom"}


def test_training_views_cover_the_house(box_room):
    table = planned(box_room, "train", train_views_per_scene=200).table
    assert set(table["role"]) == {"train"}
    assert set(table["room"]) >= {"living", "bedroom"}
    assert (table["map"] == "").all()


def test_names_that_are_no_file_names_stay_apart(box_room):
    rooms = tuple(
        dataclasses.replace(room, name=name) for room, name in zip(box_room.rooms, ["a/b", "a b"], strict=True)
    )
    table = planned(dataclasses.replace(box_room, rooms=rooms)).table
    assert table["view"].is_unique
    assert table["map"].nunique() == 2
    assert not table["view"].str.removeprefix(f"{box_room.name}/").str.contains("[/ ]").any()
