"""The recorded-path protocol: the path that a training learns from, and queries all over its rooms."""

from __future__ import annotations

import numpy as np
import pytest
from relocbench.datasets.plan import Plan
from relocbench.datasets.spec import DatasetSpec
from relocbench.datasets.views import pose_from_table
from relocbench.methods.training.sampling import FrameSettings, sample_frame_poses
from relocbench.sim.scene import Scene
from relocbench.sim.scenes.houses import generate_house
from scipy.spatial import cKDTree
from shapely.geometry import Point

SPEC = DatasetSpec(
    protocol={
        "name": "recorded-path",
        "queries_per_room": 40,
        "train_views_per_scene": 7,
        "camera_height": (1.0, 1.8),
        "pitch_std": 5.0,
    },
    scenes={"test": [0]},
)


@pytest.fixture(scope="module")
def house() -> Scene:
    return generate_house(100_005, triangles=20_000)


@pytest.fixture(scope="module")
def plan(house: Scene) -> Plan:
    return SPEC.protocol.plan(house, "test", SPEC)


def test_references_are_the_frames_that_a_training_on_trajectories_sees(house: Scene, plan: Plan) -> None:
    settings = FrameSettings(sampling="trajectory", height=(1.0, 1.8), pitch_std=5.0)
    learned = sample_frame_poses(house, settings, np.random.default_rng(0))
    references = pose_from_table(plan.table[plan.table["role"] == "reference"])
    assert len(references) == len(learned) == 192
    rows = [poses.matrix.reshape(192, 16) for poses in (references, learned)]
    ordered = [each[np.lexsort(each.round(6).T)] for each in rows]  # the dataset goes room by room
    np.testing.assert_allclose(*ordered, atol=1e-6)


def test_a_room_with_a_path_is_a_map_and_its_queries_lie_on_it_and_far_from_it(house: Scene, plan: Plan) -> None:
    far = []
    for _, here in plan.table.groupby("map"):
        assert here["room"].nunique() == 1
        references, queries = (pose_from_table(here[here["role"] == role]) for role in ("reference", "query"))
        assert len(queries) == 40
        assert set(here.loc[here["role"] == "reference", "density"]) == {len(references)}
        polygon = house.room(here["room"].iloc[0]).polygon
        assert all(polygon.buffer(1e-6).contains(Point(x, y)) for x, y in queries.translation[:, :2])
        far.append(cKDTree(references.translation).query(queries.translation)[0])
    distances = np.concatenate(far)
    assert distances.min() < 0.4
    assert distances.max() > 1.2


def test_rooms_without_a_path_are_skipped_with_the_reason(house: Scene, plan: Plan) -> None:
    mapped = set(plan.table["room"])
    assert {skip.room for skip in plan.skipped} == {room.name for room in house.rooms} - mapped
    assert all("no path" in skip.reason for skip in plan.skipped)


def test_training_views_are_sampled_over_the_house(house: Scene) -> None:
    train = SPEC.protocol.plan(house, "train", SPEC)
    assert (train.table["role"] == "train").all()
    assert len(train.table) == 7
