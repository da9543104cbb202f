"""What the blind baselines know of the pose question, measured again on the houses that they have it from.

Nothing is rendered: where queries and references are is decided before.
"""

from __future__ import annotations

import numpy as np
import pytest
from relocbench.bench.tracks import load_track
from relocbench.datasets.views import pose_from_table
from relocbench.methods.baselines.blind_pose import AheadConfig, MeanConfig
from relocbench.sim.geometry import Pose, rotation_error
from relocbench.sim.scenes.houses import generate_house

pytestmark = pytest.mark.slow

Maps = list[tuple[Pose, Pose]]


@pytest.fixture(scope="module")
def maps() -> Maps:
    """References and queries of every room of the training houses, planned as those of validation houses are."""
    spec = load_track("sparse-reference-v1").size("small").dataset
    found = []
    for seed in spec.scenes.train:
        table = spec.protocol.plan(generate_house(seed, triangles=20_000), "val", spec).table
        for _, views in table.groupby("map"):
            found.append(tuple(pose_from_table(views[views["role"] == role]) for role in ("reference", "query")))
    return found


def test_the_mean_query_lies_on_the_optical_axis(maps: Maps) -> None:
    seen = [queries.relative_to(corner).translation for references, queries in maps for corner in references]
    right, down, ahead = np.concatenate(seen).mean(axis=0)
    assert abs(right) < 0.02
    assert abs(down) < 0.02
    assert ahead == pytest.approx(MeanConfig().distance, abs=0.05)


def test_no_other_distance_ahead_is_nearer_to_queries(maps: Maps) -> None:
    def median(distance: float) -> float:
        errors = []
        for references, queries in maps:
            centres = references.translation + distance * references.forward
            errors.append(np.linalg.norm(queries.translation[:, None] - centres, axis=-1).ravel())
        return float(np.median(np.concatenate(errors)))

    chosen = median(AheadConfig().distance)
    assert min(map(median, np.arange(1.0, 3.0, 0.1))) > chosen - 0.01


def test_no_turn_tells_where_a_query_looks_but_level_is_better(maps: Maps) -> None:
    def errors(turn: float | None) -> np.ndarray:
        found = []
        for references, queries in maps:
            for corner in references:
                yaw = np.arctan2(corner.forward[1], corner.forward[0]) + np.radians(turn or 0.0)
                guess = corner if turn is None else Pose.from_planar(corner.translation[:2], height=1.4, yaw=yaw)
                found.append(rotation_error(guess, queries))
        return np.concatenate(found)

    assert all(88 < np.median(errors(turn)) < 92 for turn in range(0, 360, 30))
    assert (errors(0.0) <= 10).mean() > 1.1 * (errors(None) <= 10).mean()
