"""Cross-view: recognize a place from any direction, given one image of it (paper 000, sections II-A and III).

The paper samples 100,000 views of a house, and defines 100 place classes by representative points on its floor plan: a
view belongs to the nearest point in its visibility cone, and each class has one training image. Which views belong to a
class depends on what is seen, so this plan only samples candidates; once they are rendered, ``candidates.py``
chooses the training images, and with them the classes, and drops the views of none. Left open in the paper, and chosen
here or there:

- the camera is a robot's: uniform over the navigable floor and over yaw, with a little variation in height and pitch;
- points lie at most 1 m before their images, and all views of places are queries alike, as data sets were first
  published; `point_range`, `least_ahead`, `free_floor` and `query_sampling` make places that lie across the room and
  are seen as often from behind as from before;
- a scene of the train split gives plain views, as in the other protocols: there is nothing to classify in it;
- the house is one map, and its references are the training images.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar, Literal

from ....sim.camera_placement import Clearance
from ....sim.scene import Scene
from ...plan import Decision, Plan
from ...planning import generator, planned_views
from ...recorded_task import RecordedTask
from ...spec import DatasetSpec
from ..robot_views import RobotProtocol, robot_poses, rooms_of, train_views
from .candidates import CANDIDATE, decided_views, passes_over_candidates
from .parameters import PlaceParameters
from .queries import ANGLE_BINS


class CrossView(PlaceParameters, RobotProtocol):
    """One image for each of K place classes, and views from anywhere that see the class's representative point."""

    name: Literal["cross-view"] = "cross-view"
    """This protocol."""

    question: ClassVar[str] = "place"
    columns: ClassVar[dict[str, str]] = {
        "reference_angle": "float64",  # queries: degrees between its optical axis and its reference's, from above
        "reference_distance": "float64",  # queries: metres between its camera and its reference's
    }

    def check(self, spec: DatasetSpec) -> None:
        """Raise ``ValueError`` where references would need other lights, nothing shows what looks alike, or too few
        queries are asked for to be even."""
        if spec.query_condition not in (None, spec.condition):
            raise ValueError("query_condition: cross-view chooses references among views that are rendered already")
        if self.training_images == "similar" and "rgb" not in spec.outputs:
            raise ValueError("outputs: without rgb nothing looks alike; add it, or set training_images to random")
        if self.query_sampling == "even" and (self.queries_per_scene or ANGLE_BINS) < ANGLE_BINS:
            raise ValueError(f"queries_per_scene: even queries are at least {ANGLE_BINS}, one of each direction")

    def plan(self, scene: Scene, split: str, spec: DatasetSpec) -> Plan:
        """Plan one scene: training views, or the candidates of a scene to localize in.

        Raises `InputError` where cameras find no free place.
        """
        clearance = Clearance(scene)
        if split == "train":
            return Plan(train_views(clearance, spec, self))
        count = self.views_per_scene
        poses = robot_poses(clearance, None, count, generator(spec, scene.name, "candidate"), self)
        names = [f"view-{index:06d}" for index in range(count)]
        return Plan(
            planned_views(
                spec,
                scene,
                split=split,
                role=CANDIDATE,
                poses=poses,
                names=names,
                rooms=rooms_of(scene, poses),
                map_name=scene.name,
            )
        )

    def passes(
        self, spec: DatasetSpec, root: Path, scenes: Sequence[str]
    ) -> Iterator[tuple[str, Sequence[RecordedTask]]]:
        """Yield the passes that choose training images and assign the other candidates to their places."""
        return passes_over_candidates(self, root, scenes)

    def decide(self, spec: DatasetSpec, root: Path, scene: str) -> Decision | None:
        """Return the views of places; None for a scene to learn from."""
        return decided_views(spec, self, root, scene)
