"""How sure it is that a relative-pose network's answer is right about how the query is turned."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ..configuration import MethodConfig
from .settings import RotationForm

Array = NDArray[Any]

_LENGTH = 0.9  # of a rotation, in the middle of what networks answer


@dataclass(frozen=True)
class Certainty:
    """Log-odds that a reference's answer is right: ``offset + per_length (length - 0.9) + per_likeness z``.

    ``length`` is that of the answered rotation (`rotation_lengths`): a network that is taught by distances from the
    true quaternion shortens it where it wavers, as the mean of unit vectors is the shorter the more these differ.
    ``z`` says by how many standard deviations of all references of the map this one is more like the query, in the eyes
    of retrieval. How much answers scatter under dropout says nothing of it: that follows the distance that is answered.

    ``concentration`` is that of a right answer around the true rotation, of von Mises (`fuse_poses`).
    """

    offset: float
    per_length: float
    per_likeness: float
    concentration: float

    def of(self, lengths: Array, scores: Array, selected: list[int]) -> Array:
        """Return certainties (K,) in (0, 1) of the references ``selected`` among the N of a map.

        ``lengths`` (K,) of their answers; ``scores`` (N,) of retrieval, of which only ratios of differences matter.
        Without at least two different scores, likeness says nothing.
        """
        spread = scores.std()
        likeness = (scores - scores.mean()) / spread if spread > 0 else np.zeros(len(scores))
        odds = self.offset + self.per_length * (lengths - _LENGTH) + self.per_likeness * likeness[selected]
        return 1 / (1 + np.exp(-odds))


#: By what a network answers rotations with, the values of largest likelihood of the true rotations, between queries
#: and references in houses 2002 to 2007. Quaternions: of `exrenet-small`, over 2,800 pairs. Bins: over 1,120, of a
#: network that learned them for 360 steps and is not shipped. Its distributions are too sure by themselves, and the low
#: concentration blurs them.
FITTED: dict[RotationForm, Certainty] = {
    "quaternion": Certainty(offset=-1.0, per_length=17.0, per_likeness=1.35, concentration=5.8),
    "yaw": Certainty(offset=3.3, per_length=0.0, per_likeness=10.0, concentration=5.3),
}


class CertaintyConfig(MethodConfig):
    """What makes an answer sure, see `Certainty`; what is not given is as fitted for the network's form of answer."""

    offset: float | None = None
    """Log-odds that an answer of length 0.9 is right, of a reference that is as much like the query as all are."""

    per_length: float | None = None
    """What every 1 of length adds."""

    per_likeness: float | None = None
    """What every standard deviation of likeness adds."""

    concentration: float | None = Field(default=None, gt=0)
    """Of right answers around the true rotation."""

    def for_form(self, rotation: RotationForm) -> Certainty:
        """Return the values for networks that answer rotations in one of both forms."""
        given = {name: value for name, value in self.model_dump().items() if value is not None}
        return replace(FITTED[rotation], **given)
