"""Place classes on a floor plan: which views become training images, and which class a view belongs to.

Paper 000, sections II-A and III. A class's representative point follows from its training image (`POINT_SHARE`). Chosen
here, where the paper is silent: a candidate is passed over, too, where its class would take another training image away
from its own class, or lose its own image to a nearer point. So every training image belongs to its class by the rule
that all views follow. That bounds how many places a house has: nothing nearer than a point may be in sight of its
training image, and with points 2 m away 9 to 10 places fill 38 square metres and some 28 fill 115.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from ....sim.geometry import Pose
from .parameters import PlaceParameters
from .queries import ANGLE_BIN
from .visibility import VisibilityCone

#: Where a class's point lies on its training image's optical axis: at this share of the distance to what is seen
#: there, and no farther than the parameter `point_range`. Nearer points would say little about what the image shows;
#: farther ones have so many others before them that few training images could keep their own.
POINT_SHARE = 0.5

Array = NDArray[Any]


def rule(spec: PlaceParameters, horizontal_fov: float) -> str:
    """Return how the classes of a dataset were made, in words for its manifest."""
    behind = ", and not behind what fills its image column" if spec.occlusion else ", walls or not"
    how = "GIST" if spec.alike_in == "gist" else "NBNN distance"
    chosen = f"the candidates most like a random one ({how})"
    chosen = chosen if spec.training_images == "similar" else "random candidates"
    floor = ", that lies on the navigable floor" if spec.free_floor else ""
    even = (
        f" Queries are as many from each {ANGLE_BIN:g} degrees of view angle, and from all distances."
        if spec.query_sampling == "even"
        else ""
    )
    return (
        f"A place's point lies on the floor plan on its training image's optical axis, at {POINT_SHARE:g} of the "
        f"distance to the farthest surface seen there, at most {spec.point_range:g} m away{floor}. A view belongs to "
        f"the nearest point within its horizontal field of view ({horizontal_fov:g} degrees) and {spec.max_range:g} m"
        f"{behind}. "
        f"Training images are {chosen}, at most one per cell of {spec.cell_size:g} m x {spec.cell_size:g} m x "
        f"{spec.cell_angle:g} degrees of yaw, that see {spec.least_ahead:g} m ahead and each belong to their own "
        f"place.{even}"
    )


@dataclass(frozen=True, eq=False)
class ChosenImages:
    """The ``rows`` of training images, the representative ``points`` (K, 2) of each, and why candidates before the last
    of them were ``passed_over``, with how many for each reason."""

    rows: list[int]
    points: Array
    passed_over: dict[str, int]

    @property
    def tried(self) -> int:
        """How many candidates were looked at."""
        return len(self.rows) + sum(self.passed_over.values())


def choose_training_images(
    order: Sequence[int] | Array,
    cells: Sequence[Any],
    cone_of: Callable[[int], VisibilityCone],
    spec: PlaceParameters,
    *,
    floor: BaseGeometry | None = None,
) -> ChosenImages:
    """Return up to ``spec.places`` rows, in that order, with the representative point of each.

    ``order`` lists candidates, the most wanted first; ``cells`` gives the grid cell of each row; ``floor`` is where
    points may lie, anywhere by default. A candidate is passed over where its cell is taken, where it stands before a
    wall, where its point is off the floor, and where it and the images chosen before it would not each belong to their
    own class.
    """
    rows: list[int] = []
    cones: list[VisibilityCone] = []
    points = np.zeros((0, 2))
    taken = set()
    passed_over: Counter[str] = Counter()
    for row in map(int, order):
        if len(rows) == spec.places:
            break
        if cells[row] in taken:
            passed_over["its cell is taken"] += 1
            continue
        cone = cone_of(row)
        if cone.free_distance < spec.least_ahead:
            passed_over["too little is seen ahead"] += 1
            continue
        point = representative_point(cone, point_range=spec.point_range)
        if floor is not None and not shapely.contains_xy(floor, *point):
            passed_over["its point is off the free floor"] += 1
            continue
        extended = np.concatenate([points, point[None]])
        if place_of(cone, extended, spec) != len(rows) or any(
            place_of(other, extended[[place, -1]], spec) for place, other in enumerate(cones)
        ):
            passed_over["its place and another would take each other's image"] += 1
            continue
        taken.add(cells[row])
        rows.append(row)
        cones.append(cone)
        points = extended
    return ChosenImages(rows, points, dict(passed_over))


def representative_point(cone: VisibilityCone, *, point_range: float) -> Array:
    """Return the point (2,) of the floor plan that stands for what a training image shows, at most ``point_range``
    metres away."""
    return cone.point_ahead(min(POINT_SHARE * cone.free_distance, point_range))


def place_of(cone: VisibilityCone, points: Array, spec: PlaceParameters) -> int:
    """Return the index of the nearest of the points (K, 2) that a view sees, -1 where it sees none."""
    seen = cone.contains(points, max_range=spec.max_range, occlusion=spec.occlusion)
    return int(np.argmin(np.where(seen, cone.distance(points), np.inf))) if seen.any() else -1


def pose_cells(poses: Pose, spec: PlaceParameters) -> list[tuple[int, ...]]:
    """Return the cell of the grid over x, y and yaw that each pose lies in."""
    x, y = (poses.translation[:, :2] // spec.cell_size).T
    yaw = np.degrees(np.arctan2(poses.forward[:, 1], poses.forward[:, 0])) % 360 // spec.cell_angle
    return [tuple(cell) for cell in np.stack([x, y, yaw], axis=1).astype(int).tolist()]


def view_angle(a: Pose, b: Pose) -> Array:
    """Return the angles (N,) between the optical axes of two batches as seen from above, degrees in [0, 180]."""
    (ax, ay), (bx, by) = a.forward[:, :2].T, b.forward[:, :2].T
    return np.degrees(np.abs(np.arctan2(ax * by - ay * bx, ax * bx + ay * by)))
