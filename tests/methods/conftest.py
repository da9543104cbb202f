"""One small textured box with references and queries, rendered once for all method tests."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from relocbench.datasets.views import ViewSet
from relocbench.methods import box_room
from relocbench.sim.geometry import Camera


@dataclass(frozen=True)
class BoxWorld:
    """Views of one box, and of another one to learn from."""

    train: ViewSet
    references: ViewSet
    queries: ViewSet


@pytest.fixture(scope="session")
def box_world(tmp_path_factory: pytest.TempPathFactory) -> BoxWorld:
    folder = tmp_path_factory.mktemp("box_world")
    rng = np.random.default_rng(5)
    camera = Camera.from_fov(200, 150, 90.0)

    def views(count: int, seed: int, role: str) -> ViewSet:
        return box_room.write_views(
            folder, box_room.random_poses(rng, count), seed=seed, role=role, name=role, camera=camera
        )

    return BoxWorld(train=views(16, 1, "train"), references=views(24, 2, "reference"), queries=views(12, 2, "query"))


@pytest.fixture(scope="session")
def fitted_folder(box_world: BoxWorld, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what dense-vlad and the methods that share its fit learned from the training box."""
    from relocbench.methods.registry import make_method

    folder = tmp_path_factory.mktemp("fitted")
    method = make_method("dense-vlad", {"words": 32})
    method.fit(box_world.train)
    method.save(folder)
    return folder
