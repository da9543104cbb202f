"""Do simulators show the same world? `compare` renders the same poses with each and measures every pair's differences.

Where a surface ends, two renderers may take neighbouring pixels for either side: pixels within ``EDGE_DISTANCE`` of a
jump in depth are left out, and what share that is gets reported. Everywhere else depth and labels must be the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from .camera_placement import sample_poses_planar
from .geometry import Camera, Pose
from .scene import Scene
from .scene_files import load_scene
from .scenes.houses import generate_house
from .simulator import OUTPUTS, Observation, Simulator

Array = NDArray[Any]

CAMERA = Camera.from_fov(320, 240, 80.0)
EDGE_JUMP = 0.05  # of the nearer depth, between neighbouring pixels
EDGE_DISTANCE = 2  # pixels
DEPTH_LIMIT = 1e-3  # metres: the median difference must stay below
LABEL_LIMIT = 0.99  # the share of equal labels must reach


@dataclass(frozen=True)
class PairAgreement:
    """How two simulators differ over all views, away from depth edges.

    Depth is compared where both hit something, and both labels where at least one does: a thing that only one of them
    shows counts as labelled differently. Numbers are NaN where no pixel was left to compare.
    """

    first: str
    second: str
    compared: float
    """Share of all pixels that lie away from depth edges and were hit by both."""
    hit_by_one: float
    """Share of all pixels that lie away from depth edges and were hit by one of the two only."""
    depth_median: float
    """Median absolute difference in metres."""
    depth_p99: float
    """99th percentile of the absolute difference in metres."""
    relative_median: float
    """Median difference as a share of the depth."""
    relative_p99: float
    """99th percentile of the difference as a share of the depth."""
    category: float
    """Share of pixels with the same category."""
    instance: float
    """Share of pixels with the same object."""

    @property
    def complaints(self) -> list[str]:
        """What the two disagree on, none where they agree."""
        found = []
        if not self.depth_median < DEPTH_LIMIT:  # also where it is NaN
            found.append(f"median depth difference {self.depth_median * 1000:.3g} mm (below {DEPTH_LIMIT * 1000:g})")
        for name, share in (("categories", self.category), ("objects", self.instance)):
            if not share >= LABEL_LIMIT:
                found.append(f"equal {name} {share:.2%} (at least {LABEL_LIMIT:.0%})")
        return found


@dataclass(frozen=True, eq=False)
class Agreement:
    """What every simulator showed of the same views of one scene, and how each pair of them differs."""

    scene: Scene
    condition: str
    camera: Camera
    poses: Pose
    observations: Mapping[str, Sequence[Observation]]
    pairs: Sequence[PairAgreement]

    @property
    def complaints(self) -> list[str]:
        """One sentence per pair that disagrees."""
        return [f"{p.first} and {p.second}: {', '.join(p.complaints)}" for p in self.pairs if p.complaints]


def compare(
    scene: Scene,
    simulators: Mapping[str, Simulator],
    *,
    condition: str,
    count: int = 20,
    seed: int = 0,
    camera: Camera = CAMERA,
    progress: Callable[[str], None] = lambda _: None,
) -> Agreement:
    """Render the same ``count`` poses of ``scene`` with every simulator and compare each pair.

    Poses are uniform over the navigable floor and over yaw; pitch and roll vary by several degrees, so that no axis can
    be confused unseen. ``progress`` is told the simulator before each of its frames. Raises ``InputError`` where there
    are fewer than two simulators or the scene has no such condition; what a simulator raises passes through.
    """
    if len(simulators) < 2:
        raise InputError(f"comparing takes two simulators, not {', '.join(simulators) or 'none'}")
    if condition not in scene.conditions:
        raise InputError(f"{scene.name}: has no condition {condition!r}; choose one of: {', '.join(scene.conditions)}")
    rng = np.random.default_rng(seed)
    poses = sample_poses_planar(scene, count, rng, pitch_std=8.0, roll_std=4.0)
    observations = {}
    for name, simulator in simulators.items():
        simulator.load(scene, condition)
        views: list[Observation] = []
        for pose in poses:
            progress(name)
            views += simulator.render(pose, camera, OUTPUTS)
        observations[name] = views
    pairs = [
        compare_views(one, other, observations[one], observations[other]) for one, other in combinations(simulators, 2)
    ]
    return Agreement(scene, condition, camera, poses, observations, pairs)


def named_scene(name: str) -> Scene:
    """Return the generated house whose seed is ``name``, or the scene in the .glb of that path."""
    return generate_house(int(name)) if name.isdecimal() else load_scene(Path(name))


def compare_views(
    first: str, second: str, views: Sequence[Observation], others: Sequence[Observation]
) -> PairAgreement:
    """Return how two simulators' observations (all outputs) of the same poses differ; the names go into the result."""
    differences = [ViewDifference.between(one, other) for one, other in zip(views, others, strict=True)]

    def over(mask: str, values: str) -> Array:
        return np.concatenate([getattr(d, values)[getattr(d, mask)] for d in differences])

    depth_median, depth_p99 = _median_and_p99(over("both", "depth"))
    relative_median, relative_p99 = _median_and_p99(over("both", "relative"))
    return PairAgreement(
        first=first,
        second=second,
        compared=_share(np.concatenate([d.both.ravel() for d in differences])),
        hit_by_one=_share(np.concatenate([(d.seen & ~d.both).ravel() for d in differences])),
        depth_median=depth_median,
        depth_p99=depth_p99,
        relative_median=relative_median,
        relative_p99=relative_p99,
        category=_share(over("seen", "category")),
        instance=_share(over("seen", "instance")),
    )


@dataclass(frozen=True, eq=False)
class ViewDifference:
    """How two observations of one view differ, pixel by pixel: every array is (H, W)."""

    seen: Array
    """Away from the depth edges of both, and hit by at least one: where labels are compared."""
    both: Array
    """Away from the depth edges of both, and hit by both: where depth is compared."""
    depth: Array
    """The absolute difference in metres."""
    relative: Array
    """The same as a share of the nearer depth."""
    category: Array
    """Whether the categories are equal."""
    instance: Array
    """Whether the objects are equal."""

    @classmethod
    def between(cls, one: Observation, other: Observation) -> ViewDifference:
        """Compare two observations with depth, semantic and instance."""
        here, there = np.asarray(one.depth, np.float64), np.asarray(other.depth, np.float64)
        away = ~(near_edge(here) | near_edge(there))
        both = away & (here > 0) & (there > 0)
        difference = np.abs(here - there)
        relative = difference / np.where(both, np.minimum(here, there), np.inf)
        return cls(
            seen=away & ((here > 0) | (there > 0)),
            both=both,
            depth=difference,
            relative=relative,
            category=np.asarray(one.semantic) == np.asarray(other.semantic),
            instance=np.asarray(one.instance) == np.asarray(other.instance),
        )


def near_edge(depth: Array) -> Array:
    """Return which pixels (H, W) lie within ``EDGE_DISTANCE`` of a jump in ``depth`` (H, W), or of a miss (0)."""
    jumps = np.zeros(depth.shape, dtype=np.uint8)
    for axis in (0, 1):
        nearer = np.minimum(*_neighbours(depth, axis))
        jump = np.abs(np.diff(depth, axis=axis)) > EDGE_JUMP * nearer
        for side in _neighbours(jumps, axis):
            side |= jump
    # The pixels on either side of a jump are half a pixel away from it.
    reach = 2 * EDGE_DISTANCE - 1
    return cv2.dilate(jumps, np.ones((reach, reach), np.uint8)).astype(bool)


def _neighbours(image: Array, axis: int) -> tuple[Array, Array]:
    """Return views of all pixels but the last, and of all but the first, along ``axis``."""
    moved = np.moveaxis(image, axis, 0)
    return np.moveaxis(moved[:-1], 0, axis), np.moveaxis(moved[1:], 0, axis)


def _median_and_p99(values: Array) -> tuple[float, float]:
    if not values.size:
        return float("nan"), float("nan")
    median, p99 = np.percentile(values, [50, 99])
    return float(median), float(p99)


def _share(flags: Array) -> float:
    return float(flags.mean()) if flags.size else float("nan")
