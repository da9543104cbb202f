"""How sure it is that a relative-pose network's answer is right about how the query is turned."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..configuration import MethodConfig

Array = NDArray[Any]

_CENTRE = 0.9  # length of a raw quaternion, of networks in the middle of what they answer


class CertaintyConfig(MethodConfig):
    """Log-odds that a reference's rotation is right: ``offset + per_length (length - 0.9) + per_likeness z``.

    ``length`` is that of the raw quaternion: a network that is taught by distances from the true one shortens it where
    it wavers, as the mean of unit vectors is the shorter the more these differ. ``z`` says by how many standard
    deviations of all references of the map this one is more like the query, in the eyes of retrieval. How much the
    answers scatter under dropout says nothing of it: that follows the distance which is answered.

    The values are those with the largest likelihood of the true rotations (`fuse_poses` has the density, and its
    ``concentration`` comes from there too), of `exrenet-small`, over 3,360 pairs of queries and references in houses
    2002 to 2007. Those of `essnet-scale-small` are nearly the same.
    """

    offset: float = -2.1
    """Of a reference of average likeness, whose quaternion has a length of 0.9."""

    per_length: float = 27.6
    """For every 1 of the raw quaternion's length."""

    per_likeness: float = 1.65
    """For every standard deviation of likeness."""

    def of(self, lengths: Array, scores: Array, selected: list[int]) -> Array:
        """Return certainties (K,) in (0, 1) of the references ``selected`` among the N of a map.

        ``lengths`` (K,) of their raw quaternions; ``scores`` (N,) of retrieval, of which only ratios of differences
        matter. Without at least two different scores, likeness says nothing.
        """
        spread = scores.std()
        likeness = (scores - scores.mean()) / spread if spread > 0 else np.zeros(len(scores))
        odds = self.offset + self.per_length * (lengths - _CENTRE) + self.per_likeness * likeness[selected]
        return 1 / (1 + np.exp(-odds))
