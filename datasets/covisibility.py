"""How much of each query its references see, from the depth files that were just rendered, in constant memory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import RunError
from ..sim.geometry import Pose, covisibility
from .manifest import DEPTH_UNIT
from .rendering import SHARD, RenderState, file_paths
from .views import pose_from_table
from .writer import read_record, write_record


@dataclass(frozen=True)
class MeasureCovisibility:
    """A task: for some queries, which of their references sees most of each, and how much."""

    scene: str
    number: int
    rows: tuple[int, ...]
    references: tuple[int, ...]

    @property
    def name(self) -> str:
        """What an error message calls it."""
        return f"covisibility of shard {self.number} of scene {self.scene}"

    @property
    def affinity(self) -> str:
        """The scene, whose plan the worker keeps."""
        return self.scene

    @property
    def record(self) -> str:
        """Where the result lies."""
        return f"covisibility/{self.scene}-{self.number:05d}.json"

    def perform(self, state: RenderState) -> int:
        """Write (row, covisibility, view id of the reference) of each query, and return how many there are."""
        if read_record(state.root, self.record) is None:
            write_record(state.root, self.record, self._measure(state))
        return len(self.rows)

    def _measure(self, state: RenderState) -> list[tuple[int, float, str]]:
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
        return read_depth(path), pose_from_table(table.iloc[[row]])[0]


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


def read_depth(path: Path) -> NDArray[Any]:
    """Return a stored depth map in metres (H, W) float32; raises `RunError` where it is gone."""
    steps = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if steps is None:
        raise RunError(f"{path}: disappeared while the dataset was generated; run the same command again")
    return steps.astype(np.float32) * np.float32(DEPTH_UNIT)
