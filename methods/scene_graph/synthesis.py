"""What a training image shows from viewpoints where nobody stood: its point cloud, seen by virtual cameras.

Paper 000, section II-C: depth makes an image a point cloud; a virtual camera's z-buffer tells which of its pixels are
seen there, and where. Appearance is not rendered: parts and patches keep the descriptors of the real image. That is
what limits them: learning from pictures that the simulator rendered at 170 such viewpoints, the classifier reached an
MRR of 52.5 % beyond 90 degrees in houses 2000 and 2001 of cross-view-v2, from views synthesized at the same viewpoints
44.3 %, hardly more than the 43.6 % of NBNN alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ...datasets.protocols.cross_view.parameters import PlaceParameters
from ...datasets.protocols.cross_view.places import place_of
from ...datasets.protocols.cross_view.visibility import VisibilityCone
from ...sim.geometry import Camera, Pose

Array = NDArray[Any]

#: A virtual view is valid where less than this share of it is margin, onto which nothing projects (paper, II-C).
MOST_MARGIN = 0.8
#: A surface this much farther than what is seen on both sides of it (a share of its depth) shows through a gap between
#: points that spread as the camera came nearer: it is hidden.
GAP = 0.05
#: Radians of the pitch of virtual cameras, one standard deviation.
PITCH = np.radians(3.0)
#: The share of `reach` that virtual cameras keep from the representative point at least.
NEAREST = 0.05
_LEAST_DEPTH = 0.05  # metres
_TRIES = 4  # viewpoints per view that is wanted; those that look past the cloud, or see no class's point, are invalid

_TRIES_WITHIN = 16  # more than half of the viewpoints lie in walls or furniture, or outside
_FARTHEST = 8.0  # metres from which a training image tells free floor

_BEYOND = np.float32(1e9)  # metres: farther than anything
_NOTHING = np.uint64(np.iinfo(np.uint64).max)


@dataclass(frozen=True, eq=False)
class PointCloud:
    """The surface points of one image: ``points`` (N, 3) float32 world, metres; ``pixel`` (N,) int32 says which pixel,
    counted row by row, each comes from."""

    points: Array
    pixel: Array

    @classmethod
    def of(cls, depth: Array, pose: Pose, camera: Camera, *, step: int = 1) -> PointCloud:
        """Lift z-depth (H, W), metres, 0 where unknown, by the pinhole camera; every ``step``-th row and column only.

        A virtual camera of as much lower a resolution sees as dense a cloud, and parts that lie as they would.
        """
        chosen = np.zeros(depth.shape, dtype=bool)
        chosen[step // 2 :: step, step // 2 :: step] = True
        pixel = np.flatnonzero(chosen & (depth > 0)).astype(np.int32)
        in_camera = camera.rays().reshape(-1, 3)[pixel] * depth.ravel()[pixel, None]
        return cls(pose.transform_points(in_camera).astype(np.float32), pixel)


def joined_clouds(clouds: Sequence[PointCloud], pixels: int) -> PointCloud:
    """Return the clouds of images of ``pixels`` pixels each as one, whose pixels are counted through all images."""
    numbers = [cloud.pixel + number * pixels for number, cloud in enumerate(clouds)]
    return PointCloud(np.concatenate([cloud.points for cloud in clouds]), np.concatenate(numbers).astype(np.int32))


@dataclass(frozen=True, eq=False)
class VirtualView:
    """What a virtual camera sees of a point cloud.

    ``source`` (H, W) int32: the pixel of the real image that is seen at each pixel, -1 in the margin; ``depth`` (H, W)
    float32: its z-depth in metres, 0 in the margin.
    """

    pose: Pose
    camera: Camera
    source: Array
    depth: Array

    @property
    def margin(self) -> float:
        """The share of the view onto which nothing projects."""
        return float((self.source < 0).mean())

    def locate(self, points: Array) -> tuple[Array, Array]:
        """Return where world points (P, 3) appear, (P, 2) pixels, and which of them (P,) are seen rather than hidden.

        A point that stands within `GAP` of the nearest surface at its pixel is seen.
        """
        in_camera = self.pose.inverse().transform_points(points)
        pixels = self.camera.project(in_camera)
        inside = self.camera.contains(pixels)
        column, row = np.where(inside[:, None], pixels, 0.0).astype(int).T
        surface = np.where(self.depth > 0, self.depth, _BEYOND)[row, column]
        return pixels, inside & (in_camera[:, 2] <= (1 + GAP) * surface)


def look_at_cloud(cloud: PointCloud, pose: Pose, camera: Camera) -> VirtualView:
    """Project a point cloud into a virtual camera and keep the nearest point of every pixel (z-buffer)."""
    camera_from_world = pose.inverse()
    rotation, offset = camera_from_world.rotation.astype(np.float32), camera_from_world.translation.astype(np.float32)
    x, y, z = (cloud.points @ rotation.T + offset).T
    ahead = np.flatnonzero(z > _LEAST_DEPTH)
    x, y, z = x[ahead], y[ahead], z[ahead]
    u, v = camera.fx * x / z + camera.cx, camera.fy * y / z + camera.cy
    inside = np.flatnonzero((u >= 0) & (u < camera.width) & (v >= 0) & (v < camera.height))
    target = v[inside].astype(np.int32) * camera.width + u[inside].astype(np.int32)
    # Depth above, the point's number below: positive floats order as their bits do, so that one minimum finds both.
    keys = (z[inside].astype(np.float32).view(np.uint32).astype(np.uint64) << np.uint64(32)) | ahead[inside].astype(
        np.uint64
    )
    nearest = np.full(camera.height * camera.width, _NOTHING)
    np.minimum.at(nearest, target, keys)
    return _view_of_nearest(cloud, pose, camera, nearest)


def _view_of_nearest(cloud: PointCloud, pose: Pose, camera: Camera, nearest: Array) -> VirtualView:
    shape = (camera.height, camera.width)
    covered = (nearest != _NOTHING).reshape(shape)
    depth = (nearest >> np.uint64(32)).astype(np.uint32).view(np.float32).reshape(shape)
    depth = np.where(covered, depth, _BEYOND)
    # Opening takes away what is far and narrower than 3 pixels, and leaves slopes such as a floor's as they are.
    beside = cv2.morphologyEx(depth, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    seen = covered & (depth <= (1 + GAP) * beside)
    source = np.full(shape, -1, dtype=np.int32)
    source[seen] = cloud.pixel[(nearest.reshape(shape)[seen] & np.uint64(0xFFFFFFFF)).astype(np.int64)]
    return VirtualView(pose, camera, source, np.where(seen, depth, np.float32(0)))


def virtual_views(
    cloud: PointCloud,
    camera: Camera,
    points: Array,
    own: int,
    *,
    height: float,
    count: int,
    reach: float,
    rng: np.random.Generator,
    within: Sequence[VisibilityCone] = (),
) -> Iterator[tuple[VirtualView, int]]:
    """Yield up to ``count`` valid views of an image's point cloud from around its representative point, with the class
    of each.

    ``points`` (K, 2) are the representative points of all classes, ``own`` is the index of the image's own, ``height``
    that of the cameras in metres. A view is valid where its margin is small enough and it has a class at all. Its class
    follows from the rule that all views of the dataset follow (paper, II-A): the nearest point that its own depth
    leaves in sight. A third of them belong to a neighbour's class, and they are what a classifier learns most from:
    that a place may look like another one's only image, seen so. The paper gives a view the class that it was placed
    around, whatever else it sees. With views of each image's own class alone, the classifier ended below Patch-NetVLAD
    (validation house 2001: MRR 36.3 %, against 43.1 % by NBNN and 49.0 % with all views, each of its own class).

    With the cones ``within``, cameras stand only where one of them sees the floor plan: not in walls and outside.
    """
    left, tries = count, _TRIES_WITHIN if within else _TRIES
    poses = viewpoints_around(points[own], height=height, camera=camera, count=tries * count, reach=reach, rng=rng)
    for pose in poses[_standing(poses, within)] if within else poses:
        if left == 0:
            return
        view = look_at_cloud(cloud, pose, camera)
        if view.margin >= MOST_MARGIN:
            continue
        place = place_of(VisibilityCone.of(view.depth, pose, camera), points, PlaceParameters())
        if place >= 0:
            left -= 1
            yield view, place


def _standing(poses: Pose, within: Sequence[VisibilityCone]) -> Array:
    eyes = poses.translation[:, :2]
    return np.any([cone.contains(eyes, max_range=_FARTHEST, occlusion=True) for cone in within], axis=0)


def viewpoints_around(
    point: Array, *, height: float, camera: Camera, count: int, reach: float, rng: np.random.Generator
) -> Pose:
    """Return ``count`` cameras in all directions around a point (2,) of the floor plan, which lies in their sight.

    Distance, up to ``reach`` metres, bearing and the point's place in the field of view are uniform. The paper says
    "surrounding". In validation house 2000 of cross-view-v1 nineteen of twenty queries stand within 1.5 m of the point
    of their class, and viewpoints from up to 3 m taught a first, linear classifier less (MRR 50.6 %, not 53.0 %). In
    houses 2000 and 2001 of cross-view-v2 reaches of 1.5 to 5 m cannot be told apart (beyond 90 degrees 43.0 to 44.6 %).
    """
    distance = reach * rng.uniform(NEAREST, 1.0, count)
    bearing = rng.uniform(-np.pi, np.pi, count)
    half_angle = np.arctan(camera.width / 2 / camera.fx)
    eye = point - distance[:, None] * np.stack([np.cos(bearing), np.sin(bearing)], axis=1)
    yaw = bearing + rng.uniform(-half_angle, half_angle, count)
    return Pose.from_planar(eye, height=height, yaw=yaw, pitch=rng.normal(0.0, PITCH, count))
