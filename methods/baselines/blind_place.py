"""`blind-place`: the places that most views show, before anybody has looked at one."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ...datasets.views import ViewSet
from ..configuration import MethodConfig
from ..method import Estimate, Method, Query

Array = NDArray[Any]

#: Cameras between a reference and its point, and directions in which each of them looks.
_STANDS, _DIRECTIONS = 7, 72


class BlindPlaceConfig(MethodConfig):
    """Settings of `blind-place`."""

    point_range: float = Field(default=1.0, ge=0)
    """Metres between a reference and the point ahead of it that stands for its place. Between the two nothing is in the
    way: a robot may stand there."""

    max_range: float = Field(default=5.0, gt=0)
    """Metres from which a view still shows a place's point."""


class BlindPlace(Method[BlindPlaceConfig]):
    """The most frequent place: the same ranking for every query, by how many views would show a place.

    It knows the rule of the cross-view protocol, that a view belongs to the nearest point that it sees, and where the
    references stand. Cameras are put between each reference and its point, and turned all around; a place counts for as
    much as its point is the nearest of those in their field of view. Walls are not known, and the points are taken to
    lie as far ahead as they may.

    On house 2000, the validation house of `cross-view-v1` at size small, its MRR is 8.5 % where chance has 5.2 % and
    the best of all fixed rankings 10.4 %; there this rule was chosen. How far a place's point is from others, or from
    the middle of all, came to 7.5 % and less. House 2001 with 80 places, which had no say in it: 10.7 %, chance 6.2 %,
    best of all 12.5 %. ``confidence`` is the share of the views that the first place has.
    """

    name = "blind-place"
    baseline = "blind"

    def build_map(self, references: ViewSet) -> None:
        """Rank the references."""
        camera = references[0].camera
        half_angle = float(np.arctan(camera.width / 2 / camera.fx))
        shares = self._shares(references.poses.translation[:, :2], references.poses.forward[:, :2], half_angle)
        self._answer = Estimate.ranked(references.ids, references.poses, shares)

    def localize(self, query: Query) -> Estimate:
        """Answer without looking."""
        return self._answer

    def _shares(self, centres: Array, forward: Array, half_angle: float) -> Array:
        """Return the share (N,) of views that each place has, from references at ``centres`` (N, 2) that look along
        ``forward`` (N, 2), with cameras that see ``half_angle`` radians to either side."""
        ahead = forward / np.maximum(np.linalg.norm(forward, axis=1, keepdims=True), 1e-9)
        points = centres + self.config.point_range * ahead
        steps = np.linspace(0, self.config.point_range, _STANDS, endpoint=False)
        yaws = (np.arange(_DIRECTIONS) + 0.5) * 2 * np.pi / _DIRECTIONS
        views = np.zeros(len(points))
        for eye in (centres[:, None] + steps[:, None] * ahead[:, None]).reshape(-1, 2):
            offset = points - eye
            metres = np.linalg.norm(offset, axis=1)
            near = np.flatnonzero(metres <= self.config.max_range)
            near = near[np.argsort(metres[near], kind="stable")]
            turned = np.arctan2(offset[near, 1], offset[near, 0]) - yaws[:, None]
            seen = np.cos(turned) >= np.cos(half_angle)
            np.add.at(views, near[seen.argmax(axis=1)[seen.any(axis=1)]], 1)
        return views / max(views.sum(), 1.0)
