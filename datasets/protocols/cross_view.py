"""Cross-view: recognize a place from any direction, given one image of it (paper 000, sections II-A and III).

The paper samples 100,000 views of a house, and defines 100 place classes by representative points on its floor plan: a
view belongs to the nearest point in its visibility cone, and each class has one training image. Which views belong to a
class depends on what is seen, so this plan only samples candidates; once they are rendered, ``datasets.candidates``
chooses the training images, and with them the classes, and drops the views of none. Left open in the paper, and chosen
here or there:

- the camera is a robot's: uniform over the navigable floor and over yaw, with a little variation in height and pitch;
- a scene of the train split gives plain views, as in the other protocols: there is nothing to classify in it;
- the house is one map, and its references are the training images.
"""

from __future__ import annotations

from ...sim.camera_placement import Clearance
from ...sim.scene import Scene
from ..candidates import CANDIDATE
from ..planning import Plan, generator, planned_views
from ..spec import DatasetSpec
from .robot_views import robot_poses, rooms_of, train_views


def plan_cross_view(scene: Scene, split: str, spec: DatasetSpec) -> Plan:
    """Plan one scene: training views, or the candidates of a scene to localize in.

    Raises `InputError` where cameras find no free place.
    """
    clearance = Clearance(scene)
    if split == "train":
        return Plan(train_views(clearance, spec))
    count = spec.cross_view.views_per_scene
    poses = robot_poses(clearance, None, count, generator(spec, scene.name, "candidate"), spec)
    return Plan(
        planned_views(
            spec,
            scene,
            split=split,
            role=CANDIDATE,
            poses=poses,
            names=[f"view-{index:06d}" for index in range(count)],
            rooms=rooms_of(scene, poses),
            map_name=scene.name,
        )
    )
