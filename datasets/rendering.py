"""Rendering planned views, shard by shard: the generic half of every protocol."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import InputError, RunError
from ..sim.processes.whole_files import disk_errors
from ..sim.simulator import Observation
from .recorded_task import ShardTask
from .rendering_state import RenderState
from .spec import DatasetSpec
from .views import pose_from_table
from .writer import (
    WORK,
    FileRecord,
    encode_depth,
    encode_image,
    encode_semantic,
    read_record,
    write_file,
)

SHARD = 32  # views: a few seconds of work, which is what a kill costs at most

FOLDERS = {"rgb": "images", "depth": "depth", "semantic": "semantic"}
COLUMNS = {"rgb": "image", "depth": "depth", "semantic": "semantic"}


@dataclass(frozen=True)
class RenderShard(ShardTask):
    """A task: render some views of one scene under one condition and write their files.

    ``categories`` is the dataset's list; the scene's own ids are translated to it.
    """

    scene_file: str
    condition: str
    categories: tuple[str, ...]

    doing: ClassVar[str] = "rendering"
    folder: ClassVar[str] = "shards"

    @property
    def affinity(self) -> str:
        """The scene under its condition: loading one takes longer than rendering a shard."""
        return f"{self.scene}|{self.condition}"

    def done(self, root: Path) -> bool:
        """Return whether the files of all views are there and whole."""
        content = read_record(root, self.record)
        return content is not None and all(FileRecord(**file).holds(root) for file in content)

    def files(self, root: Path) -> list[FileRecord]:
        """Return the files that were written; raises `RunError` where the shard is not finished."""
        return [FileRecord(**file) for file in self.result(root)]

    def work(self, state: RenderState) -> list[dict[str, Any]]:
        """Write the files and return their records."""
        table = state.plan(self.scene).iloc[list(self.rows)]
        simulator = state.simulator(self.scene_file, self.condition)
        ids = translation(state.scene(self.scene_file).categories, self.categories)
        outputs = frozenset(state.spec.outputs) | {"depth"}  # covisibility needs depth, kept or not
        observations = simulator.render(pose_from_table(table), state.spec.camera.camera, outputs)
        files: list[FileRecord] = []
        with disk_errors(state.root):  # the simulator keeps baked light on the same disk
            for view, role, observation in zip(table["view"], table["role"], observations, strict=True):
                if role == "reference" and not np.any(observation.depth):
                    raise InputError(
                        f"scene {self.scene}: reference {view} shows no surface at all; is its camera inside the scene?"
                    )
                seen = _translated(observation, ids)
                for output, path in file_paths(state.spec, view).items():
                    files.append(write_file(state.root, path, encoded(seen, output, state.spec)))
        return [asdict(file) for file in files]


def shards(scene: str, scene_file: str, conditions: pd.Series, categories: tuple[str, ...]) -> list[RenderShard]:
    """Cut the views of a scene into shards of up to `SHARD` views that share a condition."""
    rows = [
        tuple(int(row) for row in group[start : start + SHARD])
        for condition in dict.fromkeys(conditions)
        for group in [np.flatnonzero(conditions == condition)]
        for start in range(0, len(group), SHARD)
    ]
    return [
        RenderShard(scene, number, chunk, scene_file, str(conditions.iloc[chunk[0]]), categories)
        for number, chunk in enumerate(rows)
    ]


def file_paths(spec: DatasetSpec, view: str) -> dict[str, str]:
    """Return the path of each rendered output of a view; depth that is not asked for goes to the working area."""
    outputs = [*spec.outputs, *([] if "depth" in spec.outputs else ["depth"])]
    folders = {output: f"{FOLDERS[output]}" for output in outputs}
    if "depth" not in spec.outputs:
        folders["depth"] = f"{WORK}/depth"
    return {output: f"{folders[output]}/{view}.{extension(spec, output)}" for output in outputs}


def extension(spec: DatasetSpec, output: str) -> str:
    """Return the file name extension of an output."""
    return spec.image_format if output == "rgb" else "png"


def encoded(observation: Observation, output: str, spec: DatasetSpec) -> bytes:
    """Return the file content of one output of an observation."""
    array = getattr(observation, output)
    if array is None:
        raise RunError(f"the simulator gave no {output}, though it was asked for")
    if output == "rgb":
        return encode_image(array, spec.image_format)
    return encode_depth(array, spec.depth_unit) if output == "depth" else encode_semantic(array)


def translation(own: tuple[str, ...], dataset: tuple[str, ...]) -> NDArray[Any]:
    """Return the dataset's id (uint16) of each of a scene's category ids."""
    ids = {category: index for index, category in enumerate(dataset)}
    return np.array([ids[category] for category in own], dtype=np.uint16)


def _translated(observation: Observation, ids: NDArray[Any]) -> Observation:
    if observation.semantic is None:
        return observation
    return replace(observation, semantic=ids[observation.semantic])
