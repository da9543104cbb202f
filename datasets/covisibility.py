"""How much of each query its references see, from the depth files that were just rendered, in constant memory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import RunError
from ..sim.geometry import Pose, covisibility
from .recorded_task import ShardTask
from .rendering import SHARD, file_paths
from .rendering_state import RenderState
from .views import pose_from_table


@dataclass(frozen=True)
class MeasureCovisibility(ShardTask):
    """A task: for some queries, which of their references sees most of each, and how much."""

    references: tuple[int, ...]

    doing: ClassVar[str] = "covisibility"
    folder: ClassVar[str] = "covisibility"

    def work(self, state: RenderState) -> list[tuple[int, float, str]]:
        """Return (row, covisibility, view id of the reference) of each query."""
        table = state.plan(self.scene)
        camera = state.spec.camera.camera
        references = [self._view(state, table, row) for row in self.references]
        result = []
        for row in self.rows:
            depth, pose = self._view(state, table, row)
            shares = [covisibility(depth, pose, *reference, camera) for reference in references]
            best = int(np.argmax(shares))
            result.append((row, shares[best], str(table["view"].iloc[self.references[best]])))
        return result

    def _view(self, state: RenderState, table: pd.DataFrame, row: int) -> tuple[NDArray[Any], Pose]:
        path = state.root / file_paths(state.spec, table["view"].iloc[row])["depth"]
        return read_depth(path, state.spec.depth_unit), pose_from_table(table.iloc[[row]])[0]


def covisibility_tasks(scene: str, views: pd.DataFrame) -> list[MeasureCovisibility]:
    """Cut the queries of every map of a scene into tasks; maps without references give none.

    ``views`` has the plan's rows as its index. A query's references are those of the first density, and of its own
    place where the protocol has places.
    """
    tasks: list[MeasureCovisibility] = []
    for _, here in views.groupby(["map", "place"], sort=False):
        references = here[here["role"] == "reference"]
        first = references.index[references["density"] == references["density"].min()]
        queries = here.index[here["role"] == "query"] if len(first) else first
        for start in range(0, len(queries), SHARD):
            rows = tuple(queries[start : start + SHARD].tolist())
            tasks.append(MeasureCovisibility(scene, len(tasks), rows, tuple(first.tolist())))
    return tasks


def read_depth(path: Path, unit: float) -> NDArray[Any]:
    """Return a depth map (H, W) float32 in metres, stored in steps of ``unit``; raises `RunError` where it is gone."""
    steps = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if steps is None:
        raise RunError(f"{path}: disappeared while the dataset was generated; run the same command again")
    return steps.astype(np.float32) * np.float32(unit)
