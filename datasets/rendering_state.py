"""`RenderState`: what a worker of a generation keeps between tasks."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from ..sim.processes.executor import check_shared
from ..sim.processes.whole_files import disk_errors
from ..sim.simulator import Simulator
from .spec import DatasetSpec
from .writer import WORK

if TYPE_CHECKING:
    from ..sim.scene import Scene


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
        check_shared(state["root"] / WORK)
        self.__init__(**state)  # type: ignore[misc]

    def plan(self, scene: str) -> pd.DataFrame:
        """Return the planned views of a scene."""
        if self._plan is None or self._plan[0] != scene:
            self._plan = scene, read_plan(self.root, scene)
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


def scene_file(scene: str) -> str:
    """Return where a scene of a generated dataset lies, relative to its folder."""
    return f"scenes/{scene}.glb"


def plan_file(scene: str) -> str:
    """Return where a scene's planned views lie, relative to the working area."""
    return f"plans/{scene}.parquet"


def read_plan(root: Path, scene: str) -> pd.DataFrame:
    """Return the planned views of a scene of an unfinished dataset."""
    return pd.read_parquet(root / WORK / plan_file(scene))


def _open_simulator(spec: DatasetSpec, cache: Path) -> Simulator:
    from ..sim.simulators import open_simulator

    with disk_errors(cache):
        cache.mkdir(parents=True, exist_ok=True)
    return open_simulator(spec.simulator.name, cache_folder=cache, options=spec.simulator.options)
