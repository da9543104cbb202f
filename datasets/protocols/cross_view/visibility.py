"""What of the floor plan a view sees: its visibility cone, cut off where its own depth map shows walls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....sim.geometry import Camera, Pose, pixel_directions

Array = NDArray[Any]

_HAND = 0.1  # metres


@dataclass(frozen=True, eq=False)
class VisibilityCone:
    """The part of the floor plan that one view looks at.

    ``eye`` (2,) world x, y; ``ahead`` (2,) the optical axis on the floor plan, unit length; ``reach`` (W,) metres: how
    far the view sees along the bearing of each image column; ``camera`` gives the columns.
    """

    camera: Camera
    eye: Array
    ahead: Array
    reach: Array

    @classmethod
    def of(cls, depth: Array, pose: Pose, camera: Camera) -> VisibilityCone:
        """Measure the cone of a view from its z-depth (H, W) in metres.

        The reach along a bearing is the farthest horizontal distance of anything that is seen there: a wall fills its
        columns from floor to ceiling, but a table leaves the wall behind it to be seen. Pixels that hit nothing tell
        nothing.
        """
        ahead = pose.forward[:2] / np.linalg.norm(pose.forward[:2])
        axes = np.stack([ahead, [ahead[1], -ahead[0]]])  # ahead and to the right
        forward, right = ((axes @ pose.rotation[:2]).astype(np.float32)) @ pixel_directions(camera)
        metres = depth.ravel() * np.sqrt(forward * forward + right * right)
        usable = (metres > 0) & (forward > 0)
        column = _column(camera, forward[usable], right[usable])
        inside = (column >= 0) & (column < camera.width)
        reach = np.zeros(camera.width, dtype=np.float32)
        np.maximum.at(reach, column[inside], metres[usable][inside])
        return cls(camera, pose.translation[:2], ahead, reach)

    @property
    def free_distance(self) -> float:
        """How far the view sees along its optical axis, metres."""
        return float(self.reach[int(self.camera.cx)])

    @property
    def ends(self) -> Array:
        """Return where on the floor plan the view ends along each image column, (W, 2), a hand's breadth before what
        fills it; the camera's own place where a column shows nothing."""
        right = np.array([self.ahead[1], -self.ahead[0]])
        beside = (np.arange(self.camera.width) + 0.5 - self.camera.cx) / self.camera.fx
        bearing = self.ahead + beside[:, None] * right
        bearing /= np.linalg.norm(bearing, axis=1, keepdims=True)
        return self.eye + np.maximum(self.reach - _HAND, 0)[:, None] * bearing

    def point_ahead(self, metres: float) -> Array:
        """Return the point (2,) of the floor plan that lies ``metres`` along the optical axis."""
        return self.eye + metres * self.ahead

    def distance(self, points: Array) -> Array:
        """Return the horizontal distance (P,) of points (P, 2) from the camera, metres."""
        return np.linalg.norm(points - self.eye, axis=-1)

    def contains(self, points: Array, *, max_range: float, occlusion: bool) -> Array:
        """Return which points (P, 2) of the floor plan lie in the cone, (P,) bool.

        A point must lie within the horizontal field of view and ``max_range`` metres, and with ``occlusion`` not
        behind what fills its column.
        """
        offset = points - self.eye
        forward, right = offset @ self.ahead, offset @ np.array([self.ahead[1], -self.ahead[0]])
        in_front = forward > 0
        column = _column(self.camera, np.where(in_front, forward, 1.0), right)
        metres = self.distance(points)
        seen = in_front & (column >= 0) & (column < self.camera.width) & (metres <= max_range)
        if occlusion:
            seen &= metres <= self.reach[np.clip(column, 0, self.camera.width - 1)]
        return seen


def _column(camera: Camera, forward: Array, right: Array) -> Array:
    """Return the image column of directions on the floor plan, as a level camera would see them."""
    return np.floor(np.clip(camera.fx * right / forward + camera.cx, -1, camera.width)).astype(np.int32)
