"""A protocol: references and queries are taken alternately on one stroll through the whole scene."""

from typing import ClassVar, Literal

from pydantic import Field
from relocbench.datasets.plan import Plan
from relocbench.datasets.planning import generator, joined, planned_views
from relocbench.datasets.protocols.robot_views import rooms_of
from relocbench.datasets.spec import DatasetSpec, Protocol
from relocbench.sim.camera_placement import Clearance, sample_poses_planar
from relocbench.sim.scene import Scene


class Stroll(Protocol):
    """Views along a stroll, every other one a reference."""

    name: Literal["stroll"] = "stroll"
    """This protocol."""
    steps: int = Field(default=8, ge=2)
    """Views of every scene."""

    question: ClassVar[str] = "whereabouts"
    columns: ClassVar[dict[str, str]] = {"step": "int32"}

    def plan(self, scene: Scene, split: str, spec: DatasetSpec) -> Plan:
        """Plan one scene."""
        poses = sample_poses_planar(
            scene, self.steps, generator(spec, scene.name), height=(1.4, 1.4), pitch_std=0.0, clearance=Clearance(scene)
        )
        tables = []
        for first, role in enumerate(("reference", "query")):
            steps = range(first, self.steps, 2)
            own = poses[list(steps)]
            names = [f"step-{step}" for step in steps]
            rooms = rooms_of(scene, own)
            density = len(own) if role == "reference" else 0
            table = planned_views(
                spec,
                scene,
                split=split,
                role=role,
                poses=own,
                names=names,
                rooms=rooms,
                map_name=scene.name,
                density=density,
            )
            tables.append(table.assign(step=list(steps)).astype({"step": "int32"}))
        return Plan(joined(tables))
