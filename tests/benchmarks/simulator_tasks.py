"""What the workers of ``test_simulators.py`` do; they import this module by name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from relocbench.sim.camera_placement import sample_poses_planar
from relocbench.sim.geometry import Camera
from relocbench.sim.scene_files import load_scene
from relocbench.sim.simulators import open_simulator

CAMERA = Camera.from_fov(256, 256, 90)
OUTPUTS = frozenset({"rgb", "depth", "semantic"})


@dataclass(frozen=True)
class Frames:
    """Render so many frames of the house in a file; the simulator, the house and the poses are kept for the next."""

    simulator: str
    scene: Path
    count: int
    affinity: str  # one per worker: each keeps its share

    @property
    def name(self) -> str:
        return f"{self.count} frames of {self.scene.stem} with {self.simulator}"

    def perform(self, state: dict[str, Any]) -> int:
        if not state:
            scene = load_scene(self.scene)
            state["simulator"] = open_simulator(self.simulator)
            state["simulator"].load(scene, "day")
            state["poses"] = sample_poses_planar(scene, 100, np.random.default_rng(int(self.affinity)))
        return sum(1 for _ in state["simulator"].render(state["poses"][: self.count], CAMERA, OUTPUTS))
