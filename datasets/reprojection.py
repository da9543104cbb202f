"""Does the geometry of two views agree? Their depth maps, reprojected into each other, say so.

A point of view a, taken to view b, must lie on the surface that b's depth map shows there, and the surface point that
b shows there must project back onto the pixel of a that it came from. Half a pixel of disagreement between renderer
and camera model, 5 mm in a camera centre or 0.2 degrees in a rotation show as residuals far above the rounding of a
stored depth map (half a step: 0.25 mm where the step is 0.5 mm).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..sim.geometry import Camera, Pose, in_frustum

Array = NDArray[Any]

#: A point that lies farther than this behind the surface that b sees is hidden there; farther in front, a and b
#: contradict each other. Metres, and metres per metre of depth: above what small errors of pose leave, and below the
#: relief of shelves and frames, behind whose edges points hide.
TOLERANCE = (0.003, 0.003)

#: Tangent of the steepest angle to the image plane at which surfaces are compared: the rounding of depth grows with it.
_STEEPEST = 3.0
#: Surfaces that view b sees so much more obliquely than view a are not compared either: a's rounding, along its
#: ray, shows so many times larger along b's.
_MOST_AMPLIFIED = 2.0
#: Bend of inverse depth between three pixels in a row, relative to it, that is an edge, a crease or a strong curve.
_BEND = 0.001


@dataclass(frozen=True, eq=False)
class Residuals:
    """Residuals of one pair: ``metres`` (P,) and ``pixels`` (P,) of the points that b sees too, as absolute values;
    ``contradictions``: points of a that lie where b sees through to something farther."""

    metres: Array
    pixels: Array
    contradictions: int

    @property
    def agreement(self) -> float:
        """Share of the comparable points that agree, 1 where none could be compared."""
        comparable = len(self.metres) + self.contradictions
        return len(self.metres) / comparable if comparable else 1.0


@dataclass(frozen=True, eq=False)
class DepthView:
    """What the test needs of a view: camera, pose, z-depth (H, W) in metres, labels (H, W) or None.

    ``unit`` is the step, in metres, to which the depth was rounded when it was stored.
    """

    camera: Camera
    pose: Pose
    depth: Array
    labels: Array | None = None
    unit: float = 0.0005

    @cached_property
    def smooth(self) -> Array:
        """Which pixels (H, W) lie on a flat surface: inverse depth is linear in the image there."""
        depth = np.pad(self.depth.astype(np.float32), 1, mode="edge")
        inverse = 1 / np.where(depth > 0, depth, np.float32(1e-3))
        middle = inverse[1:-1, 1:-1]
        rounding = 4 * (self.unit / 2) * middle  # of the three depths that a bend is computed from
        smooth = self.depth > 0
        for before, after in ((inverse[1:-1, :-2], inverse[1:-1, 2:]), (inverse[:-2, 1:-1], inverse[2:, 1:-1])):
            smooth = smooth & (np.abs(before - 2 * middle + after) <= (_BEND + rounding) * middle)
        return smooth


def compare(a: DepthView, b: DepthView) -> Residuals:
    """Return the residuals of a pair, both ways: a camera that is too far back sees surfaces which hide everything
    that the other one saw, and only the way back contradicts it."""
    there, back = reproject(a, b), reproject(b, a)
    return Residuals(
        np.concatenate([there.metres, back.metres]),
        np.concatenate([there.pixels, back.pixels]),
        there.contradictions + back.contradictions,
    )


def reproject(a: DepthView, b: DepthView, *, stride: int = 4) -> Residuals:
    """Compare every ``stride``-th pixel of view a, in both directions of the image, with view b.

    The depth of b between its pixels is interpolated linearly in inverse depth, which is exact on a plane; points are
    compared only where the four pixels around them lie on a smooth surface with the label that a's pixel has.
    """
    pixels = a.camera.pixel_centres()[stride // 2 :: stride, stride // 2 :: stride].reshape(-1, 2)
    column, row = pixels.astype(int).T
    hit = a.depth[row, column] > 0
    pixels, row, column = pixels[hit], row[hit], column[hit]
    world = a.pose.transform_points(a.camera.backproject(pixels, a.depth[row, column].astype(np.float64)))
    in_b = b.pose.inverse().transform_points(world)
    there = b.camera.project(in_b)
    rays = a.camera.backproject(pixels, 1.0) @ (b.pose.rotation.T @ a.pose.rotation).T  # of a, in b's frame
    surface = _depth_between_pixels(b, there, rays, None if a.labels is None else a.labels[row, column])
    difference = surface - in_b[:, 2]
    limit = max(TOLERANCE[0], a.unit + b.unit) + TOLERANCE[1] * in_b[:, 2]
    agree = np.abs(difference) <= limit  # NaN, where nothing can be compared, is neither
    back = b.pose.transform_points(b.camera.backproject(there[agree], surface[agree]))
    returned = a.camera.project(a.pose.inverse().transform_points(back))
    return Residuals(
        metres=np.abs(difference[agree]),
        pixels=np.linalg.norm(returned - pixels[agree], axis=-1),
        contradictions=int((difference > limit).sum()),
    )


def _depth_between_pixels(view: DepthView, pixels: Array, rays: Array, labels: Array | None) -> Array:
    """Return depth (P,) at continuous pixels (P, 2), float64, NaN where the four around do not show one smooth surface,
    do not have the label (P,) of the point, if given, or show a surface that ``rays`` (P, 3), with which another view
    measured the points, meet much less obliquely."""
    height, width = view.depth.shape
    grid = np.nan_to_num(pixels, nan=-10.0, posinf=-10.0, neginf=-10.0) - 0.5  # pixel centres are whole numbers now
    column, row = np.floor(grid).astype(int).T
    inside = (column >= 0) & (column < width - 1) & (row >= 0) & (row < height - 1)
    column, row = np.where(inside, column, 0), np.where(inside, row, 0)
    corners = [(row, column), (row, column + 1), (row + 1, column), (row + 1, column + 1)]
    usable = inside & np.all([view.smooth[corner] for corner in corners], axis=0)
    if labels is not None and view.labels is not None:
        usable &= np.all([view.labels[corner] == labels for corner in corners], axis=0)
    around = np.stack([view.depth[corner] for corner in corners]).astype(np.float64)
    inverse = 1 / np.where(usable, around, 1.0)
    focal = min(view.camera.fx, view.camera.fy)
    usable &= inverse.max(axis=0) - inverse.min(axis=0) <= _STEEPEST / focal * inverse.mean(axis=0)
    across, down = grid[:, 0] - column, grid[:, 1] - row
    top = inverse[0] * (1 - across) + inverse[1] * across
    bottom = inverse[2] * (1 - across) + inverse[3] * across
    between = top * (1 - down) + bottom * down
    slope_u = (inverse[1] - inverse[0]) * (1 - down) + (inverse[3] - inverse[2]) * down
    slope_v = bottom - top
    amplification = _amplification(view.camera, pixels, between, slope_u, slope_v, rays)
    usable &= (amplification > 0) & (amplification <= _MOST_AMPLIFIED)
    return np.where(usable, 1 / between, np.nan)


def _amplification(camera: Camera, pixels: Array, inverse: Array, slope_u: Array, slope_v: Array, rays: Array) -> Array:
    """Return how much farther a point moves off a surface along the camera's ray than it was moved along ``rays``.

    On a plane n X = d, inverse depth is n r / d along the ray r = (x, y, 1): its value and its slopes in the image give
    n / d, and a step along another ray q shows n q / n r times as large. Negative where q meets the surface's other
    side: curtains and panes are thin, but their two faces are not one. All (P,), ``pixels`` (P, 2), ``rays`` (P, 3).
    """
    normal_x, normal_y = camera.fx * slope_u, camera.fy * slope_v
    normal_z = inverse - normal_x * (pixels[:, 0] - camera.cx) / camera.fx
    normal_z = normal_z - normal_y * (pixels[:, 1] - camera.cy) / camera.fy
    return (normal_x * rays[:, 0] + normal_y * rays[:, 1] + normal_z * rays[:, 2]) / inverse


def frustum_overlap(poses: Pose, cameras: Sequence[Camera], *, ranges: tuple[float, ...] = (1.0, 2.0, 3.5)) -> Array:
    """Return (N, N) the share of a grid of points in front of view i that fall into the image of view j.

    Walls are not considered; the smaller of both directions is returned, so that the result is symmetric.
    """
    points = {camera: _before(camera, ranges) for camera in set(cameras)}
    world = np.stack([pose.transform_points(points[camera]) for pose, camera in zip(poses, cameras, strict=True)])
    shares = np.stack(
        [
            in_frustum(world.reshape(-1, 3), pose, camera).reshape(len(poses), -1).mean(axis=1)
            for pose, camera in zip(poses, cameras, strict=True)
        ],
        axis=1,
    )
    return np.minimum(shares, shares.T)


def _before(camera: Camera, ranges: tuple[float, ...]) -> Array:
    """Return a grid of points (P, 3) in front of a camera, in its own axes."""
    u, v = np.meshgrid(np.linspace(0, camera.width, 6)[1:-1], np.linspace(0, camera.height, 6)[1:-1])
    pixels = np.stack([u.ravel(), v.ravel()], axis=-1)
    return np.concatenate([camera.backproject(pixels, np.full(len(pixels), depth)) for depth in ranges])
