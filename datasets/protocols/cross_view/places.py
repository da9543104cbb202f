"""Place classes on a floor plan: which views become training images, and which class a view belongs to.

Paper 000, sections II-A and III. A class's representative point follows from its training image (`POINT_SHARE`). Chosen
here, where the paper is silent: a candidate is passed over, too, where its class would take another training image away
from its own class, or lose its own image to a nearer point. So every training image belongs to its class by the rule
that all views follow.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....sim.geometry import Pose
from .parameters import PlaceParameters
from .visibility import VisibilityCone

#: Where a class's point lies on its training image's optical axis: at this share of the distance to what is seen
#: there, and no farther than so many metres. Nearer points would say little about what the image shows; farther ones
#: have so many others before them that few training images could keep their own.
POINT_SHARE, POINT_RANGE = 0.5, 1.0
#: Metres that a training image must see ahead: without this, most images alike would be walls from half a metre.
LEAST_AHEAD = 1.0

Array = NDArray[Any]


def rule(spec: PlaceParameters, horizontal_fov: float) -> str:
    """Return how the classes of a dataset were made, in words for its manifest."""
    behind = ", and not behind what fills its image column" if spec.occlusion else ", walls or not"
    how = "GIST" if spec.alike_in == "gist" else "NBNN distance"
    chosen = f"the candidates most like a random one ({how})"
    chosen = chosen if spec.training_images == "similar" else "random candidates"
    return (
        f"A place's point lies on the floor plan on its training image's optical axis, at {POINT_SHARE:g} of the "
        f"distance to the farthest surface seen there, at most {POINT_RANGE:g} m away. A view belongs to the nearest "
        f"point within its horizontal field of view ({horizontal_fov:g} degrees) and {spec.max_range:g} m{behind}. "
        f"Training images are {chosen}, at most one per cell of {spec.cell_size:g} m x {spec.cell_size:g} m x "
        f"{spec.cell_angle:g} degrees of yaw, that see {LEAST_AHEAD:g} m ahead and each belong to their own place."
    )


def choose_training_images(
    order: Sequence[int] | Array, cells: Sequence[Any], cone_of: Callable[[int], VisibilityCone], spec: PlaceParameters
) -> tuple[list[int], Array]:
    """Return up to ``spec.places`` rows, in that order, and the representative point (K, 2) of each.

    ``order`` lists candidates, the most wanted first; ``cells`` gives the grid cell of each row. A candidate is passed
    over where its cell is taken, where it stands before a wall, and where it and the images chosen before it would not
    each belong to their own class.
    """
    rows: list[int] = []
    cones: list[VisibilityCone] = []
    points = np.zeros((0, 2))
    taken = set()
    for row in map(int, order):
        if len(rows) == spec.places:
            break
        if cells[row] in taken:
            continue
        cone = cone_of(row)
        if cone.free_distance < LEAST_AHEAD:
            continue
        extended = np.concatenate([points, representative_point(cone)[None]])
        if place_of(cone, extended, spec) != len(rows) or any(
            place_of(other, extended[[place, -1]], spec) for place, other in enumerate(cones)
        ):
            continue
        taken.add(cells[row])
        rows.append(row)
        cones.append(cone)
        points = extended
    return rows, points


def representative_point(cone: VisibilityCone) -> Array:
    """Return the point (2,) of the floor plan that stands for what a training image shows."""
    return cone.point_ahead(min(POINT_SHARE * cone.free_distance, POINT_RANGE))


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
