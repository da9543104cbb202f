"""Poses and pinhole cameras as small immutable values, vectorised over NumPy arrays.

Frames and axes follow the package conventions (see ``relocbench``): a :class:`Pose` is ``world_from_camera`` with the
camera in OpenCV axes, and pixel coordinates put the centre of the top-left pixel at (0.5, 0.5).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.transform import Rotation, Slerp

Array = NDArray[Any]

_ORTHONORMAL_TOLERANCE = 1e-3


@dataclass(frozen=True, eq=False)
class Pose:
    """One rigid transform ``world_from_camera`` (4, 4), or a batch of N (N, 4, 4). The array is read-only.

    Raises ``ValueError`` where the shape is wrong or a matrix is not rigid: its rotation not orthonormal to 1e-3, its
    determinant not +1, its last row not (0, 0, 0, 1), or a value not finite.
    """

    matrix: Array

    def __post_init__(self) -> None:
        matrix = np.array(self.matrix, dtype=np.result_type(self.matrix, np.float32))
        if matrix.shape[-2:] != (4, 4) or matrix.ndim not in (2, 3):
            raise ValueError(f"a pose is (4, 4) or (N, 4, 4), not {matrix.shape}")
        if not np.isfinite(matrix).all():
            raise ValueError("a pose has values that are not finite")
        rotation = matrix[..., :3, :3].astype(np.float64)
        residual = np.abs(np.swapaxes(rotation, -1, -2) @ rotation - np.eye(3)).max(initial=0.0)
        if residual > _ORTHONORMAL_TOLERANCE:
            raise ValueError(f"a pose's rotation is not a rotation (R^T R differs from I by {residual:.2g})")
        if (np.linalg.det(rotation) < 0).any():
            raise ValueError("a pose's rotation is not a rotation but a reflection")
        if not np.array_equal(matrix[..., 3, :], np.broadcast_to([0, 0, 0, 1], matrix[..., 3, :].shape)):
            raise ValueError("a pose's last row is not (0, 0, 0, 1)")
        matrix.flags.writeable = False
        object.__setattr__(self, "matrix", matrix)

    @classmethod
    def identity(cls, count: int | None = None) -> Pose:
        """Return the identity: one transform, or a batch of ``count``."""
        return cls(np.eye(4) if count is None else np.tile(np.eye(4), (count, 1, 1)))

    @classmethod
    def from_rotation_translation(cls, rotation: ArrayLike, translation: ArrayLike) -> Pose:
        """Build from rotation matrices (..., 3, 3) and camera centres (..., 3) in metres."""
        rotation, translation = np.asarray(rotation), np.asarray(translation)
        shape = np.broadcast_shapes(rotation.shape[:-2], translation.shape[:-1])
        matrix = np.zeros((*shape, 4, 4), dtype=np.result_type(rotation, translation, np.float32))
        matrix[..., :3, :3] = rotation
        matrix[..., :3, 3] = translation
        matrix[..., 3, 3] = 1
        return cls(matrix)

    @classmethod
    def from_quaternion(cls, quaternion: ArrayLike, translation: ArrayLike) -> Pose:
        """Build from quaternions (..., 4) in (w, x, y, z) order, any non-zero norm, and centres (..., 3) in metres."""
        quaternion = np.asarray(quaternion, dtype=np.float64)
        rotation = Rotation.from_quat(quaternion, scalar_first=True)
        return cls.from_rotation_translation(rotation.as_matrix(), translation)

    @classmethod
    def look_at(cls, eye: ArrayLike, target: ArrayLike, up: ArrayLike = (0.0, 0.0, 1.0)) -> Pose:
        """Return cameras at ``eye`` (..., 3) whose optical axis meets ``target`` (..., 3), image up towards ``up``.

        Raises ``ValueError`` where eye and target coincide or the viewing direction is parallel to ``up``.
        """
        eye, target = np.asarray(eye, dtype=np.float64), np.asarray(target, dtype=np.float64)
        forward = target - eye
        right = np.cross(forward, np.asarray(up, dtype=np.float64))
        if (np.linalg.norm(forward, axis=-1) < 1e-9).any():
            raise ValueError("look_at: eye and target coincide")
        if (np.linalg.norm(right, axis=-1) < 1e-9 * np.linalg.norm(forward, axis=-1)).any():
            raise ValueError("look_at: the viewing direction is parallel to up")
        forward = forward / np.linalg.norm(forward, axis=-1, keepdims=True)
        right = right / np.linalg.norm(right, axis=-1, keepdims=True)
        down = np.cross(forward, right)
        return cls.from_rotation_translation(np.stack([right, down, forward], axis=-1), eye)

    @classmethod
    def from_planar(
        cls, xy: ArrayLike, *, height: ArrayLike, yaw: ArrayLike, pitch: ArrayLike = 0.0, roll: ArrayLike = 0.0
    ) -> Pose:
        """Return cameras of a robot that drives on the floor.

        ``xy`` (..., 2) and ``height`` (...) in metres; angles in radians: ``yaw`` turns the optical axis from world x
        towards world y, ``pitch`` lifts it above the horizon, ``roll`` turns the camera about its optical axis.
        """
        xy = np.asarray(xy, dtype=np.float64)
        height, yaw, pitch, roll = (np.broadcast_to(a, xy.shape[:-1]) for a in (height, yaw, pitch, roll))
        level = np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])  # body (x ahead, z up) from camera
        angles = np.stack([yaw, -pitch, roll], axis=-1)
        body = Rotation.from_euler("ZYX", angles.reshape(-1, 3)).as_matrix().reshape(*xy.shape[:-1], 3, 3)
        return cls.from_rotation_translation(body @ level, np.concatenate([xy, height[..., None]], axis=-1))

    @classmethod
    def stack(cls, poses: Iterable[Pose]) -> Pose:
        """Return one batch (N, 4, 4) of single poses and batches, in order."""
        matrices = [pose.matrix.reshape(-1, 4, 4) for pose in poses]
        return cls(np.concatenate(matrices) if matrices else np.zeros((0, 4, 4)))

    @property
    def rotation(self) -> Array:
        """Rotation matrices (..., 3, 3) that take camera directions to world directions."""
        return self.matrix[..., :3, :3]

    @property
    def translation(self) -> Array:
        """Camera centres (..., 3) in the world, metres."""
        return self.matrix[..., :3, 3]

    @property
    def forward(self) -> Array:
        """Optical axes (..., 3) in the world, unit length."""
        return self.matrix[..., :3, 2]

    @property
    def quaternion(self) -> Array:
        """Quaternions (..., 4) in (w, x, y, z) order, normalised, w >= 0, float64."""
        if self.matrix.size == 0:
            return np.zeros((0, 4))
        quaternion = Rotation.from_matrix(self.rotation.astype(np.float64)).as_quat(scalar_first=True)
        return np.where(quaternion[..., :1] < 0, -quaternion, quaternion)

    @property
    def is_batch(self) -> bool:
        """Whether this is a batch (N, 4, 4) rather than one transform."""
        return self.matrix.ndim == 3

    def __len__(self) -> int:
        if not self.is_batch:
            raise TypeError("a single pose has no length")
        return len(self.matrix)

    def __getitem__(self, index: Any) -> Pose:
        if not self.is_batch:
            raise TypeError("a single pose cannot be indexed")
        return Pose(self.matrix[index])

    def __iter__(self) -> Iterator[Pose]:
        return (self[i] for i in range(len(self)))

    def __matmul__(self, other: Pose) -> Pose:
        """Compose: ``a_from_b @ b_from_c`` is ``a_from_c``; batches broadcast against single transforms."""
        return Pose(_rigid(self.matrix @ other.matrix))

    def inverse(self) -> Pose:
        """Return ``camera_from_world``."""
        transposed = np.swapaxes(self.rotation, -1, -2)
        centre = -(transposed @ self.translation[..., None])[..., 0]
        return Pose.from_rotation_translation(transposed, centre)

    def relative_to(self, reference: Pose) -> Pose:
        """Return ``reference_from_self``: this camera's pose in the frame of ``reference``."""
        return reference.inverse() @ self

    def transform_points(self, points: ArrayLike) -> Array:
        """Take points from the camera to the world, metres.

        A single pose takes (..., 3); a batch of N takes (N, M, 3), or (M, 3) for every one of its poses.
        """
        return np.asarray(points) @ np.swapaxes(self.rotation, -1, -2) + self._offset()

    def _offset(self) -> Array:
        return self.translation[:, None, :] if self.is_batch else self.translation

    def interpolate(self, other: Pose, fraction: ArrayLike) -> Pose:
        """Return poses between two single ones at ``fraction`` (...,) in [0, 1]: slerp of rotation, line of centres.

        Raises ``ValueError`` where a fraction lies outside [0, 1].
        """
        fraction = np.asarray(fraction, dtype=np.float64)
        if ((fraction < 0) | (fraction > 1)).any():
            raise ValueError("interpolate: fractions lie in [0, 1]")
        ends = Rotation.from_matrix(np.stack([self.rotation, other.rotation]).astype(np.float64))
        rotation = Slerp([0.0, 1.0], ends)(fraction.ravel()).as_matrix().reshape(*fraction.shape, 3, 3)
        step = fraction[..., None] * (other.translation - self.translation)
        return Pose.from_rotation_translation(rotation, self.translation + step)


def _rigid(matrix: Array) -> Array:
    """Restore the exact last row that a product of float matrices keeps only up to rounding."""
    matrix[..., 3, :] = (0, 0, 0, 1)
    return matrix


def translation_error(estimated: Pose, true: Pose) -> Array:
    """Return the distances (...) between camera centres, metres; batches broadcast."""
    difference = estimated.translation.astype(np.float64) - true.translation.astype(np.float64)
    return np.linalg.norm(difference, axis=-1)


def rotation_error(estimated: Pose, true: Pose) -> Array:
    """Return the angles (...) of the rotations between two poses, degrees in [0, 180]; batches broadcast.

    The angle comes from ``atan2`` of the relative quaternion's vector and scalar parts. ``arccos`` of the trace loses
    half of the digits near 0 and near 180 degrees, and in float32 cannot tell 0.02 degrees from none. The rotations are
    taken to the nearest orthonormal matrix first, so that float32 rounding does not show as an angle.
    """
    a, b = (pose.rotation.reshape(-1, 3, 3).astype(np.float64) for pose in (estimated, true))
    shape = np.broadcast_shapes(estimated.matrix.shape[:-2], true.matrix.shape[:-2])
    if a.size == 0 or b.size == 0:
        return np.zeros(shape)
    relative = (Rotation.from_matrix(b).inv() * Rotation.from_matrix(a)).as_quat()
    angle = 2 * np.arctan2(np.linalg.norm(relative[..., :3], axis=-1), np.abs(relative[..., 3]))
    return np.degrees(angle).reshape(shape)


@dataclass(frozen=True)
class Camera:
    """A pinhole camera without distortion; intrinsics in pixels, the top-left pixel's centre at (0.5, 0.5).

    Raises ``ValueError`` where the size is not positive or a focal length is not positive and finite.
    """

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise ValueError(f"a camera's size must be positive, not {self.width} x {self.height}")
        if not all(np.isfinite([self.fx, self.fy, self.cx, self.cy])) or self.fx <= 0 or self.fy <= 0:
            raise ValueError(f"a camera's intrinsics must be finite and fx, fy positive: {self}")

    @classmethod
    def from_fov(cls, width: int, height: int, horizontal_fov: float) -> Camera:
        """Build with square pixels and a centred principal point from a horizontal field of view in degrees.

        Raises ``ValueError`` where the field of view does not lie in (0, 180).
        """
        if not 0 < horizontal_fov < 180:
            raise ValueError(f"a horizontal field of view lies in (0, 180) degrees, not {horizontal_fov}")
        focal = width / 2 / np.tan(np.radians(horizontal_fov) / 2)
        return cls(width, height, float(focal), float(focal), width / 2, height / 2)

    @property
    def matrix(self) -> Array:
        """The calibration matrix K (3, 3)."""
        return np.array([[self.fx, 0.0, self.cx], [0.0, self.fy, self.cy], [0.0, 0.0, 1.0]])

    def resized(self, width: int, height: int) -> Camera:
        """Return the camera of the same view resampled to another size."""
        sx, sy = width / self.width, height / self.height
        return Camera(width, height, self.fx * sx, self.fy * sy, self.cx * sx, self.cy * sy)

    def project(self, points: ArrayLike) -> Array:
        """Project points in the camera frame (..., 3) to pixels (..., 2); NaN where not in front (z <= 0)."""
        points = np.asarray(points)
        z = np.where(points[..., 2] > 0, points[..., 2], np.nan)
        return np.stack([self.fx * points[..., 0] / z + self.cx, self.fy * points[..., 1] / z + self.cy], axis=-1)

    def backproject(self, pixels: ArrayLike, depth: ArrayLike) -> Array:
        """Lift pixels (..., 2) at z-depth (...) in metres to points in the camera frame (..., 3)."""
        pixels, depth = np.asarray(pixels), np.asarray(depth)
        x = (pixels[..., 0] - self.cx) / self.fx * depth
        y = (pixels[..., 1] - self.cy) / self.fy * depth
        return np.stack([x, y, np.broadcast_to(depth, x.shape)], axis=-1)

    def pixel_centres(self) -> Array:
        """Return the centres (H, W, 2) of all pixels, float64."""
        u, v = np.meshgrid(np.arange(self.width) + 0.5, np.arange(self.height) + 0.5)
        return np.stack([u, v], axis=-1)

    def rays(self) -> Array:
        """Return the viewing directions (H, W, 3) of all pixels in the camera frame, scaled to z = 1, float64.

        A point at z-depth d along pixel (r, c) is ``d * rays()[r, c]``.
        """
        return self.backproject(self.pixel_centres(), 1.0)

    def contains(self, pixels: ArrayLike) -> Array:
        """Return whether pixels (..., 2) lie in the image, (...) bool; NaN does not."""
        pixels = np.asarray(pixels)
        u, v = pixels[..., 0], pixels[..., 1]
        return (u >= 0) & (u < self.width) & (v >= 0) & (v < self.height)


def in_frustum(points: ArrayLike, pose: Pose, camera: Camera, *, max_range: float = np.inf) -> Array:
    """Return which world points (M, 3) fall into a view's image, within ``max_range`` metres of z-depth.

    Walls are not considered. (M,) bool for a single pose, (N, M) for a batch.
    """
    in_camera = pose.inverse().transform_points(points)
    return camera.contains(camera.project(in_camera)) & (in_camera[..., 2] <= max_range)


def covisibility(
    depth_a: Array, pose_a: Pose, depth_b: Array, pose_b: Pose, camera: Camera, *, tolerance: float = 0.05
) -> float:
    """Return the share of view a's pixels whose surface point view b sees too, in [0, 1].

    ``depth_a``, ``depth_b`` are z-depth (H, W) in metres of the same ``camera``; pixels that hit nothing do not count.
    A point counts as seen by b where b's own depth at its pixel agrees within ``tolerance`` times the point's depth,
    which excludes what is hidden behind a wall. Returns 0 where a hit nothing.
    """
    depth = depth_a.ravel().astype(np.float32)
    hits = np.count_nonzero(depth > 0)
    if hits == 0:
        return 0.0
    b_from_a = pose_a.relative_to(pose_b)
    # Single precision is far finer than the tolerance, and this runs for every pair of query and reference.
    pixels = (camera.matrix @ b_from_a.rotation).astype(np.float32) @ pixel_directions(camera)
    pixels *= depth
    pixels += (camera.matrix @ b_from_a.translation).astype(np.float32)[:, None]
    u, v, z = pixels
    in_front = np.maximum(z, np.float32(1e-6))
    u, v = u / in_front, v / in_front
    inside = (depth > 0) & (z > 0) & (u >= 0) & (u < camera.width) & (v >= 0) & (v < camera.height)
    row, column, z = v[inside].astype(np.int32), u[inside].astype(np.int32), z[inside]
    seen = np.abs(depth_b[row, column] - z) < tolerance * z
    return float(np.count_nonzero(seen) / hits)


@lru_cache(maxsize=4)
def pixel_directions(camera: Camera) -> Array:
    """Return the viewing directions (3, H * W) float32 of all pixels in row order, scaled to z = 1."""
    directions = np.ascontiguousarray(camera.rays().reshape(-1, 3).T, dtype=np.float32)
    directions.flags.writeable = False
    return directions
