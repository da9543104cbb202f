"""A made-up run for the reports to read: seeded errors of known shape, and images that are plainly synthetic."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from relocbench.bench.records import ESTIMATE_COLUMNS, MAP_COLUMNS, SPAN_COLUMNS
from relocbench.datasets.views import POSE_COLUMNS, pose_columns
from relocbench.sim.geometry import Pose, rotation_error, translation_error

#: name: (scale of the translation error in metres, share of failures at no covisibility, milliseconds per query)
METHODS = {
    "oracle-nearest": (0.8, 0.0, 0.05),
    "sift-pnp": (0.03, 0.7, 38.0),
    "sift-5pt": (0.1, 0.9, 95.0),
    "sift-5pt+fallback": (0.1, 0.0, 99.0),
    "dense-vlad": (1.4, 0.0, 22.0),
    "random": (3.0, 0.0, 0.02),
}
ROLES = {"oracle-nearest": "oracle", "random": "chance"}
STAGES = {
    "sift-pnp": {"features": 0.45, "matching": 0.3, "absolute pose": 0.2},
    "sift-5pt": {"retrieval": 0.05, "retrieval/features": 0.2, "features": 0.25, "matching": 0.3, "relative pose": 0.15},
    "sift-5pt+fallback": {"retrieval": 0.05, "retrieval/features": 0.2, "features": 0.25, "matching": 0.3},
    "dense-vlad": {"features": 0.8, "vlad": 0.1, "search": 0.05},
}
REASONS = ("too few matches", "no consistent pair of references", "timeout after 60 s")
ROOMS = {"house-7/living": (0.0, 0.0, 5.0, 4.0), "house-7/bedroom": (5.1, 0.0, 9.1, 4.0), "house-9/office": (0, 0, 4, 3)}


@pytest.fixture(scope="session")
def estimates() -> pd.DataFrame:
    """Records of six methods over three rooms at one density; ``sift-*`` fail more where covisibility is low."""
    return made_up_estimates(seed=1)


@pytest.fixture(scope="session")
def spans(estimates: pd.DataFrame) -> pd.DataFrame:
    """Spans that add up to most of each estimate's latency."""
    return made_up_spans(estimates, seed=2)


def made_up_estimates(seed: int, *, per_room: int = 40, densities: tuple[int, ...] = (4,)) -> pd.DataFrame:
    """Draw a table of ``ESTIMATE_COLUMNS``. More references help the methods a little."""
    random = np.random.default_rng(seed)
    rows: list[pd.DataFrame] = []
    for room, (x0, y0, x1, y1) in ROOMS.items():
        true = Pose.from_planar(
            random.uniform([x0 + 0.4, y0 + 0.4], [x1 - 0.4, y1 - 0.4], (per_room, 2)),
            height=1.3,
            yaw=random.uniform(-np.pi, np.pi, per_room),
        )
        covisibility = random.beta(1.6, 1.8, per_room)
        for density in densities:
            for method, (scale, failing, cost) in METHODS.items():
                gain = (4 / density) ** 0.4 if method != "random" else 1.0
                fails = random.uniform(size=per_room) < failing * gain * (1 - covisibility)
                rows.append(_room_rows(random, room, method, density, true, covisibility, scale * gain, fails, cost))
    table = pd.concat(rows, ignore_index=True)
    return table[list(ESTIMATE_COLUMNS)]


def _room_rows(random, room, method, density, true, covisibility, scale, fails, cost) -> pd.DataFrame:
    n = len(true)
    offset = random.normal(size=(n, 2)) * scale * (1.4 - covisibility)[:, None]
    yaw = np.arctan2(true.forward[:, 1], true.forward[:, 0]) + random.normal(size=n) * scale * 0.15
    estimated = Pose.from_planar(true.translation[:, :2] + offset, height=1.3, yaw=yaw)
    references = [f"{room}-r{i}" for i in range(density)]
    fallback = (method == "sift-5pt+fallback") & (random.uniform(size=n) < 0.4)
    reasons = np.where(random.uniform(size=n) < 0.7, REASONS[0], REASONS[1])
    ranks = random.integers(1, density + 1, n).astype(float)
    est = np.column_stack(list(pose_columns(estimated).values()))
    est[fails] = np.nan
    return pd.DataFrame(
        {
            "method": method,
            "role": ROLES.get(method, ""),
            "scene": room.split("/")[0],
            "map": room,
            "room": room.split("/")[1],
            "density": density,
            "query": [f"{room}-q{i:03}" for i in range(n)],
            "status": np.where(fails, "failure", "ok"),
            "reason": np.where(fails, reasons, ""),
            "flags": np.where(fallback & ~fails, "fallback", ""),
            "confidence": np.where(fails, np.nan, random.uniform(size=n)),
            **{f"est_{c}": est[:, i] for i, c in enumerate(POSE_COLUMNS)},
            **pose_columns(true, "true_"),
            "translation_error": np.where(fails, np.inf, translation_error(estimated, true)),
            "rotation_error": np.where(fails, np.inf, rotation_error(estimated, true)),
            "ranking": [list(random.permutation(references)[:5]) for _ in range(n)],
            "relevant_rank": ranks,
            "top1_distance": random.uniform(0.5, 4, n),
            "nearest_distance": random.uniform(0.3, 2, n),
            "references": density,
            "covisibility": covisibility,
            "load_seconds": 0.001,
            "seconds": cost / 1e3 * random.lognormal(0, 0.25, n),
            "warm": np.arange(n) >= 1,
            "machine": "8-cores-aa11",
        }
    )


def made_up_spans(estimates: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Draw a table of ``SPAN_COLUMNS`` for the methods that name their stages."""
    random = np.random.default_rng(seed)
    parts = []
    for method, shares in STAGES.items():
        rows = estimates[estimates["method"] == method]
        for stage, share in shares.items():
            own = rows["seconds"] * share * random.uniform(0.8, 1.0, len(rows))
            inner = sum(s for name, s in shares.items() if name.startswith(stage + "/"))
            part = rows[["method", "map", "density", "query", "warm", "machine"]].copy()
            parts.append(part.assign(stage=stage, seconds=own + inner * rows["seconds"], exclusive_seconds=own))
    return pd.concat(parts, ignore_index=True)[list(SPAN_COLUMNS)]


def made_up_maps(estimates: pd.DataFrame) -> pd.DataFrame:
    """Return a table of ``MAP_COLUMNS``: one row per method, map and density."""
    maps = estimates.groupby(["method", "scene", "map", "density"], as_index=False)["references"].first()
    built = {"start_seconds": 1.2, "build_seconds": 0.4, "map_bytes": 2_500_000, "peak_memory_bytes": 310_000_000, "machine": "8-cores-aa11"}
    return maps.assign(**built)[list(MAP_COLUMNS)]
