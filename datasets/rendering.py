"""Rendering planned views, shard by shard: the generic half of every protocol."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import RunError
from ..sim.simulator import Observation, Simulator
from .spec import DatasetSpec
from .views import pose_from_table
from .writer import (
    WORK,
    FileRecord,
    disk_errors,
    encode_depth,
    encode_image,
    encode_semantic,
    read_record,
    write_file,
    write_record,
)

if TYPE_CHECKING:
    from ..sim.scene import Scene

SHARD = 32  # views: a few seconds of work, which is what a kill costs at most

FOLDERS = {"rgb": "images", "depth": "depth", "semantic": "semantic"}
COLUMNS = {"rgb": "image", "depth": "depth", "semantic": "semantic"}


@dataclass
class RenderState:
    """What a rendering worker keeps between tasks: one loaded simulator, and the plan of one scene."""

    root: Path
    spec: DatasetSpec
    _simulator: Simulator | None = field(default=None, repr=False)
    _scene: tuple[str, Scene] | None = field(default=None, repr=False)
    _condition: str = ""
    _plan: tuple[str, pd.DataFrame] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {"root": self.root, "spec": self.spec}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]

    def plan(self, scene: str) -> pd.DataFrame:
        """Return the planned views of a scene."""
        if self._plan is None or self._plan[0] != scene:
            self._plan = scene, pd.read_parquet(self.root / WORK / plan_file(scene))
        return self._plan[1]

    def scene(self, file: str) -> Scene:
        """Return a scene of the dataset, by the path of its file."""
        from ..sim.scene_files import load_scene

        if self._scene is None or self._scene[0] != file:
            self._scene, self._condition = (file, load_scene(self.root / file)), ""
        return self._scene[1]

    def simulator(self, scene_file: str, condition: str) -> Simulator:
        """Return the simulator with a scene loaded under a condition."""
        if self._simulator is None:
            self._simulator = _open_simulator(self.spec, self.root / WORK / "cache")
        scene = self.scene(scene_file)
        if self._condition != condition:
            self._simulator.load(scene, condition)
            self._condition = condition
        return self._simulator


@dataclass(frozen=True)
class RenderShard:
    """A task: render some views of one scene under one condition and write their files, unless that is done.

    ``categories`` is the dataset's list; the scene's own ids are translated to it.
    """

    scene: str
    scene_file: str
    condition: str
    number: int
    rows: tuple[int, ...]
    categories: tuple[str, ...]

    @property
    def name(self) -> str:
        """What an error message calls it."""
        return f"rendering shard {self.number} of scene {self.scene}"

    @property
    def affinity(self) -> str:
        """The scene under its condition: loading one takes longer than rendering a shard."""
        return f"{self.scene}|{self.condition}"

    @property
    def record(self) -> str:
        """Where the record of the finished shard lies."""
        return f"shards/{self.scene}-{self.number:05d}.json"

    def perform(self, state: RenderState) -> int:
        """Return the number of views, all of whose files are there and whole."""
        done = shard_files(state.root, self.record)
        if done is None or not all(file.holds(state.root) for file in done):
            write_record(state.root, self.record, [asdict(file) for file in self._render(state)])
        return len(self.rows)

    def _render(self, state: RenderState) -> list[FileRecord]:
        table = state.plan(self.scene).iloc[list(self.rows)]
        simulator = state.simulator(self.scene_file, self.condition)
        ids = translation(state.scene(self.scene_file).categories, self.categories)
        outputs = frozenset(state.spec.outputs) | {"depth"}  # covisibility needs depth, kept or not
        observations = simulator.render(pose_from_table(table), state.spec.camera.camera, outputs)
        files: list[FileRecord] = []
        with disk_errors(state.root):  # the simulator keeps baked light on the same disk
            for view, observation in zip(table["view"], observations, strict=True):
                seen = _translated(observation, ids)
                for output, path in file_paths(state.spec, view).items():
                    files.append(write_file(state.root, path, encoded(seen, output, state.spec.image_format)))
        return files


def shards(scene: str, scene_file: str, conditions: pd.Series, categories: tuple[str, ...]) -> list[RenderShard]:
    """Cut the views of a scene into shards of up to `SHARD` views that share a condition."""
    rows = [
        tuple(int(row) for row in group[start : start + SHARD])
        for condition in dict.fromkeys(conditions)
        for group in [np.flatnonzero(conditions == condition)]
        for start in range(0, len(group), SHARD)
    ]
    return [
        RenderShard(scene, scene_file, str(conditions.iloc[chunk[0]]), number, chunk, categories)
        for number, chunk in enumerate(rows)
    ]


def shard_files(root: Path, record: str) -> list[FileRecord] | None:
    """Return the files that a finished shard wrote, None where it is not finished."""
    content = read_record(root, record)
    return None if content is None else [FileRecord(**file) for file in content]


def plan_file(scene: str) -> str:
    """Return where a scene's planned views lie, relative to the working area."""
    return f"plans/{scene}.parquet"


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


def encoded(observation: Observation, output: str, image_format: str) -> bytes:
    """Return the file content of one output of an observation."""
    array = getattr(observation, output)
    if array is None:
        raise RunError(f"the simulator gave no {output}, though it was asked for")
    if output == "rgb":
        return encode_image(array, image_format)
    return encode_depth(array) if output == "depth" else encode_semantic(array)


def translation(own: tuple[str, ...], dataset: tuple[str, ...]) -> NDArray[Any]:
    """Return the dataset's id (uint16) of each of a scene's category ids."""
    ids = {category: index for index, category in enumerate(dataset)}
    return np.array([ids[category] for category in own], dtype=np.uint16)


def _translated(observation: Observation, ids: NDArray[Any]) -> Observation:
    if observation.semantic is None:
        return observation
    return replace(observation, semantic=ids[observation.semantic])


def _open_simulator(spec: DatasetSpec, cache: Path) -> Simulator:
    from ..sim.simulators import open_simulator

    with disk_errors(cache):
        cache.mkdir(parents=True, exist_ok=True)
    return open_simulator(spec.simulator.name, cache_folder=cache, options=spec.simulator.options)
