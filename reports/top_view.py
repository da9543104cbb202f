"""`TopView`: from where a set of cameras is drawn, so that a picture shows how they lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..sim.geometry import Pose

#: The view along z is kept as long as the cameras spread this much of what they spread at best, in both directions.
LEAST_SPREAD = 0.3


@dataclass(frozen=True, eq=False)
class TopView:
    """An orthographic view. ``axes`` (3, 3) are unit rows in the world: to the right, up in the picture, and towards
    the viewer; ``along_z`` says that these are x, y and z."""

    axes: NDArray[np.float64]
    along_z: bool

    @classmethod
    def of(cls, poses: Pose) -> TopView:
        """Return the view along z, or, where the cameras would lie on a line then, along their direction of least
        spread, from the side to which the tops of the images point. ``poses`` (N, 4, 4) world_from_camera."""
        centres = poses.translation - poses.translation.mean(axis=0)
        several = len(centres) >= 3
        spreads, directions = np.linalg.svd(centres, full_matrices=False)[1:] if several else (np.zeros(3), np.eye(3))
        level = np.linalg.svd(centres[:, :2], compute_uv=False) if several else np.zeros(2)
        if (level >= LEAST_SPREAD * spreads[:2]).all():
            return cls(np.eye(3), True)
        right, _, towards = directions
        image_tops = -poses.matrix[:, :3, 1].mean(axis=0)
        towards = towards if image_tops @ towards >= 0 else -towards
        return cls(np.stack([right, np.cross(towards, right), towards]), False)

    def place(self, points: NDArray[Any]) -> NDArray[Any]:
        """Return points or directions (..., 3) of the world in the picture's axes (..., 3); distances stay."""
        return points @ self.axes.T


WORLD_TOP = TopView(np.eye(3), True)
