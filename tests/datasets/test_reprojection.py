"""Reprojection residuals on scenes whose geometry is known in closed form: a room that is an empty box."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from relocbench.datasets.reprojection import DepthView, compare, frustum_overlap, reproject
from relocbench.sim.geometry import Camera, Pose

CAMERA = Camera.from_fov(96, 80, 90)
SIZE = np.array([4.0, 3.0, 2.5])  # of the room, metres
centres = st.tuples(*(st.floats(0.2 * side, 0.8 * side) for side in SIZE))
angles = st.floats(-np.pi, np.pi)

DEPTH_UNIT = 0.0005  # metres


def box_depth(pose: Pose, camera: Camera = CAMERA) -> np.ndarray:
    """The z-depth (H, W) of the walls around a camera inside the box, from the formula of a ray and a plane."""
    rays = camera.rays() @ pose.rotation.T
    with np.errstate(divide="ignore"):
        to_walls = np.where(rays > 0, (SIZE - pose.translation) / rays, -pose.translation / rays)
    return to_walls.min(axis=-1)


def view(pose: Pose, *, labels: np.ndarray | None = None) -> DepthView:
    stored = np.rint(box_depth(pose) / DEPTH_UNIT) * DEPTH_UNIT
    return DepthView(CAMERA, pose, stored.astype(np.float32), labels)


def pose_at(centre: tuple[float, ...], yaw: float, pitch: float = 0.0) -> Pose:
    return Pose.from_planar(centre[:2], height=centre[2], yaw=yaw, pitch=pitch)


@given(centres, centres, angles, st.floats(-0.8, 0.8))
@settings(max_examples=40, deadline=None)
def test_two_views_of_one_box_agree_to_the_rounding_of_their_depth(one, other, yaw, turn):
    residuals = reproject(view(pose_at(one, yaw)), view(pose_at(other, yaw + turn)))
    assert residuals.contradictions == 0
    if len(residuals.metres) > 50:
        assert np.median(residuals.metres) < 2 * DEPTH_UNIT
        assert np.median(residuals.pixels) < 0.05


def test_a_view_agrees_with_itself_everywhere_but_at_edges():
    a = view(pose_at((1, 1.5, 1.2), 0.3))
    residuals = reproject(a, a)
    assert residuals.agreement == 1.0
    assert residuals.metres.max() < 1e-6
    assert len(residuals.metres) > 0.8 * (96 // 4) * (80 // 4)


@given(st.floats(0, 2 * np.pi))
@settings(max_examples=20, deadline=None)
def test_a_displaced_camera_shows(direction):
    pose = pose_at((1, 1.2, 1.3), 0.5, pitch=-0.1)
    offset = 0.005 * np.array([np.cos(direction), np.sin(direction), 0])
    wrong = Pose.from_rotation_translation(pose.rotation, pose.translation + offset)
    a, b = view(pose_at((1.8, 1.6, 1.1), 0.3)), view(pose)
    residuals = reproject(a, DepthView(CAMERA, wrong, b.depth))
    assert np.quantile(residuals.metres, 0.75) > 1e-3


def test_a_gross_error_is_a_contradiction():
    pose = pose_at((1, 1.2, 1.3), 0.5)
    a = view(pose_at((1.8, 1.6, 1.1), 0.3))
    for offset in np.concatenate([np.eye(3), -np.eye(3)]) * 0.3:
        wrong = Pose.from_rotation_translation(pose.rotation, pose.translation + offset)
        assert compare(a, DepthView(CAMERA, wrong, view(pose).depth)).agreement < 0.98


def test_points_are_compared_only_within_their_label():
    a, b = pose_at((1, 1.5, 1.2), 0.3), pose_at((1.2, 1.5, 1.2), 0.4)
    ones, twos = np.ones((80, 96), np.uint16), np.full((80, 96), 2, np.uint16)
    assert len(reproject(view(a, labels=ones), view(b, labels=ones)).metres) > 100
    nothing = reproject(view(a, labels=ones), view(b, labels=twos))
    assert len(nothing.metres) == nothing.contradictions == 0
    assert nothing.agreement == 1.0


def test_frusta_overlap_when_cameras_look_at_the_same_place():
    poses = Pose.stack([pose_at((1, 1, 1), 0.0), pose_at((1.1, 1, 1), 0.1), pose_at((1, 1, 1), np.pi)])
    overlap = frustum_overlap(poses, [CAMERA] * len(poses))
    assert np.allclose(overlap, overlap.T)
    assert np.allclose(np.diag(overlap), 1)
    assert overlap[0, 1] > 0.7
    assert overlap[0, 2] == 0


def curtain_seen_from(side: float) -> DepthView:
    """A view of the face, 1 mm from x = 0, of a thin curtain, at 1.5 m from it on the given side."""
    pose = pose_at((1.5 * side, 0.0, 1.2), 0.3 if side < 0 else np.pi - 0.3)
    rays = CAMERA.rays() @ pose.rotation.T
    depth = (0.001 * side - pose.translation[0]) / rays[..., 0]
    return DepthView(CAMERA, pose, np.where((depth > 0) & (depth < 6), depth, 0).astype(np.float32))


def test_the_two_faces_of_a_thin_sheet_are_not_compared():
    left, right = curtain_seen_from(-1.0), curtain_seen_from(1.0)
    assert len(reproject(left, left).metres) > 100
    assert len(reproject(left, right).metres) == 0
    assert compare(left, right).contradictions == 0
