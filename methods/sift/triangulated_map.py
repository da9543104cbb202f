"""A sparse 3D map of SIFT points, triangulated by pycolmap from references whose poses are known."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pycolmap
from numpy.typing import NDArray

from ...sim.geometry import Camera, Pose
from ..features.matching import match_descriptors
from ..features.sift import SiftFeatures

Array = NDArray[Any]

# Importing pycolmap installs a crash reporter that answers SIGTERM too, with a stack trace on stderr, in the place of
# any handler set before. A worker that is stopped on purpose has not crashed.
if threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGTERM) or signal.SIG_DFL)


@dataclass(frozen=True, eq=False)
class TriangulatedMap:
    """P points (P, 3) in the world, their descriptors (P, 128), and which references see them.

    ``visible[r]`` are the rows of the points that reference r observes. A point's descriptor is the mean of those of
    its observations, rounded, so that distances stay exact (see :class:`SiftFeatures`).
    """

    points: Array
    descriptors: Array
    visible: list[Array]

    @property
    def nbytes(self) -> int:
        """Size in memory, bytes."""
        return self.points.nbytes + self.descriptors.nbytes + sum(rows.nbytes for rows in self.visible)

    def seen_by(self, references: Iterable[int]) -> Array:
        """Return the rows of the points that at least one of the references observes, ascending."""
        rows = [self.visible[r] for r in references]
        return np.unique(np.concatenate([np.zeros(0, dtype=np.int64), *rows]))


def triangulate_map(
    features: list[SiftFeatures],
    cameras: list[Camera],
    poses: Pose,
    pairs: list[tuple[int, int]],
    *,
    ratio: float,
    max_error: float,
    min_angle: float,
) -> TriangulatedMap:
    """Match the given pairs of references and triangulate what agrees with their known poses.

    A match is mutual, survives the ratio test and an epipolar error below ``max_error`` pixels under the known
    relative pose; a point survives a reprojection error below ``max_error`` pixels and an angle of ``min_angle``
    degrees between some two of its rays. Deterministic: pycolmap's robust estimation runs on a fixed seed.
    """
    graph = pycolmap.CorrespondenceGraph()
    reconstruction = _registered(features, cameras, poses)
    for index, own in enumerate(features):
        graph.add_image(index + 1, len(own))
    for i, j in pairs:
        matches = _verified_matches(features, cameras, poses, i, j, ratio=ratio, max_error=max_error)
        if len(matches):
            geometry = pycolmap.TwoViewGeometry()
            geometry.config = pycolmap.TwoViewGeometryConfiguration.CALIBRATED
            geometry.inlier_matches = matches.astype(np.uint32)
            graph.add_two_view_geometry(i + 1, j + 1, geometry)
    graph.finalize()
    _triangulate(reconstruction, graph, len(features), _angle(max_error, cameras), max_error, min_angle)
    return _as_map(reconstruction, features)


def _registered(features: list[SiftFeatures], cameras: list[Camera], poses: Pose) -> pycolmap.Reconstruction:
    """Return a reconstruction with one camera and one registered image per reference, numbered from 1."""
    reconstruction = pycolmap.Reconstruction()
    camera_from_world = poses.inverse()
    for index, (own, camera) in enumerate(zip(features, cameras, strict=True)):
        number = index + 1
        reconstruction.add_camera_with_trivial_rig(_pycolmap_camera(camera, number))
        image = pycolmap.Image(name=str(number), keypoints=own.keypoints, camera_id=number, image_id=number)
        transform = pycolmap.Rigid3d(camera_from_world[index].matrix[:3].astype(np.float64))
        reconstruction.add_image_with_trivial_frame(image, transform)
    return reconstruction


def _pycolmap_camera(camera: Camera, number: int) -> pycolmap.Camera:
    """Return a camera for pycolmap, which shares this package's pixel convention."""
    params = [camera.fx, camera.fy, camera.cx, camera.cy]
    return pycolmap.Camera(model="PINHOLE", width=camera.width, height=camera.height, params=params, camera_id=number)


def _verified_matches(
    features: list[SiftFeatures],
    cameras: list[Camera],
    poses: Pose,
    i: int,
    j: int,
    *,
    ratio: float,
    max_error: float,
) -> Array:
    matches = match_descriptors(features[i].descriptors, features[j].descriptors, ratio=ratio, mutual=True)
    error = epipolar_error(
        features[i].keypoints[matches[:, 0]],
        features[j].keypoints[matches[:, 1]],
        (cameras[i], cameras[j]),
        poses[j].relative_to(poses[i]),
    )
    return matches[error < max_error]


def epipolar_error(first: Array, second: Array, cameras: tuple[Camera, Camera], first_from_second: Pose) -> Array:
    """Return the larger distance (M,), pixels, of matched pixels (M, 2) to each other's epipolar lines."""
    tx, ty, tz = first_from_second.translation
    skew = np.array([[0, -tz, ty], [tz, 0, -tx], [-ty, tx, 0]])
    inverses = [np.linalg.inv(camera.matrix) for camera in cameras]
    fundamental = inverses[0].T @ skew @ first_from_second.rotation @ inverses[1]
    a, b = (np.concatenate([pixels, np.ones((len(pixels), 1))], axis=1) for pixels in (first, second))
    lines_a, lines_b = b @ fundamental.T, a @ fundamental
    residual = np.abs(np.einsum("md,md->m", a, lines_a))
    lengths = [np.maximum(np.linalg.norm(lines[:, :2], axis=1), 1e-12) for lines in (lines_a, lines_b)]
    return residual / np.minimum(*lengths)


def _angle(pixels: float, cameras: list[Camera]) -> float:
    """Return the angle in degrees that an error in pixels amounts to in the image centre of the coarsest camera."""
    return float(np.degrees(np.arctan(pixels / min(min(camera.fx, camera.fy) for camera in cameras))))


def _triangulate(
    reconstruction: pycolmap.Reconstruction,
    graph: pycolmap.CorrespondenceGraph,
    images: int,
    max_angle_error: float,
    max_error: float,
    min_angle: float,
) -> None:
    options = pycolmap.IncrementalTriangulatorOptions()
    options.ignore_two_view_tracks = False  # with four references, nearly every track is seen by two
    options.create_max_angle_error = options.continue_max_angle_error = max_angle_error
    options.complete_max_reproj_error = options.merge_max_reproj_error = max_error
    options.min_angle = min_angle
    options.random_seed = 0
    observations = pycolmap.ObservationManager(reconstruction, graph)
    triangulator = pycolmap.IncrementalTriangulator(graph, reconstruction, observations)
    for number in range(1, images + 1):
        triangulator.triangulate_image(options, number)
    triangulator.complete_all_tracks(options)
    triangulator.merge_all_tracks(options)
    observations.filter_all_points3D(max_error, min_angle)


def _as_map(reconstruction: pycolmap.Reconstruction, features: list[SiftFeatures]) -> TriangulatedMap:
    points, descriptors = [], []
    visible: list[set[int]] = [set() for _ in features]
    for row, number in enumerate(sorted(reconstruction.point3D_ids())):
        point = reconstruction.point3D(number)
        observed = [(element.image_id - 1, element.point2D_idx) for element in point.track.elements]
        points.append(point.xyz)
        descriptors.append(np.rint(np.mean([features[r].descriptors[k] for r, k in sorted(observed)], axis=0)))
        for reference, _ in observed:
            visible[reference].add(row)
    return TriangulatedMap(
        np.array(points, dtype=np.float64).reshape(-1, 3),
        np.array(descriptors, dtype=np.float32).reshape(-1, 128),
        [np.array(sorted(rows), dtype=np.int64) for rows in visible],
    )
