"""`blind-ahead`, `blind-mean`, `blind-middle`: where queries are before anybody has looked at one.

They know how data sets of this kind are made: a robot drives through the room that the references show, with its camera
level. "Better than retrieval" is no achievement where these are, too.

Their distances come from houses 1000 to 1003, from which tracks take views to learn from, planned as
`sparse-reference-v1` at size small plans houses to localize in: 24 rooms with 50 queries each, seen from four corners.
Seen by a corner camera, the average query is 2.30 m ahead of it, and within a centimetre of its optical axis; and of
all points on that axis, the one 1.9 m ahead has the smallest median distance to a query (1.26 m; 1.27 m at 2.2 m).
Which way a query looks cannot be known: the error of a camera turned by a constant from a reference's has a median of
89 to 91 degrees for every turn in steps of 30. That it is level can, and is worth a fifth more queries within 10
degrees.
``tests/methods/test_blind_constants.py`` measures all of this again.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ...datasets.views import ViewSet
from ...sim.geometry import Pose
from ..configuration import ConfigT, MethodConfig
from ..method import Estimate, Method, Query

Array = NDArray[Any]


class _BlindPose(Method[ConfigT]):
    """Answers with a level camera, from the references' poses and the query's seed alone. It ranks nothing."""

    baseline = "blind"

    def build_map(self, references: ViewSet) -> None:
        """Keep the references' poses."""
        self._references = references.poses

    def localize(self, query: Query) -> Estimate:
        """Answer without looking."""
        return Estimate(self._pose(query.seed))

    @abstractmethod
    def _pose(self, seed: int) -> Pose:
        """Return the answer to a query with this seed."""


class AheadConfig(MethodConfig):
    """Settings of `blind-ahead`."""

    distance: float = Field(default=1.9, ge=0)
    """Metres ahead of the reference."""


class BlindAhead(_BlindPose[AheadConfig]):
    """Straight ahead of a reference, some metres away, and looking the same way as it does.

    Which reference is drawn by the query's seed: each of them equally often.
    """

    name = "blind-ahead"

    def _pose(self, seed: int) -> Pose:
        reference = self._references[int(np.random.default_rng(seed).integers(len(self._references)))]
        return _level_pose(_ahead_of(reference, self.config.distance), reference.forward)


class MeanConfig(MethodConfig):
    """Settings of `blind-mean`."""

    distance: float = Field(default=2.3, ge=0)
    """Metres between a reference and the queries' mean, which lies straight ahead of it."""


class BlindMean(_BlindPose[MeanConfig]):
    """The mean query pose: where queries are on average, seen from each reference, averaged over the references."""

    name = "blind-mean"

    def _pose(self, seed: int) -> Pose:
        return _level_pose(_ahead_of(self._references, self.config.distance).mean(axis=0), _heading(self._references))


class BlindMiddle(_BlindPose[MethodConfig]):
    """The middle of the references, at their mean height, looking the way they do on average. It has no constants."""

    name = "blind-middle"

    def _pose(self, seed: int) -> Pose:
        return _level_pose(self._references.translation.mean(axis=0), _heading(self._references))


def _ahead_of(references: Pose, distance: float) -> Array:
    """Return the points (..., 3) on the optical axes of references (..., 4, 4), so many metres from their centres."""
    return references.translation + distance * references.forward


def _heading(references: Pose) -> Array:
    """Return the direction (3,) in which references (N, 4, 4) look on average.

    Where they look in all directions, this is as good as any.
    """
    return references.forward.mean(axis=0)


def _level_pose(centre: Array, heading: Array) -> Pose:
    """Return a level camera at ``centre`` (3,) that looks towards ``heading`` (3,) as far as the horizon allows."""
    return Pose.from_planar(centre[:2], height=centre[2], yaw=np.arctan2(heading[1], heading[0]))
