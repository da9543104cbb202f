import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from relocbench.sim.geometry import Camera, Pose, covisibility, in_frustum, rotation_error, translation_error
from scipy.spatial.transform import Rotation

seeds = st.integers(0, 2**32 - 1)


def random_poses(seed: int, count: int = 5, *, extent: float = 10.0) -> Pose:
    rng = np.random.default_rng(seed)
    rotation = Rotation.random(count, rng=rng).as_matrix()
    return Pose.from_rotation_translation(rotation, rng.uniform(-extent, extent, (count, 3)))


def assert_same(a: Pose, b: Pose, tolerance: float = 1e-9) -> None:
    np.testing.assert_allclose(a.matrix, b.matrix, atol=tolerance)


@given(seeds)
def test_poses_form_a_group(seed):
    a, b, c = (random_poses(seed + i) for i in range(3))
    assert_same((a @ b) @ c, a @ (b @ c))
    assert_same(a @ a.inverse(), Pose.identity(5))
    assert_same(a.inverse() @ a, Pose.identity(5))
    assert_same(a @ Pose.identity(), a)
    assert_same((a @ b).inverse(), b.inverse() @ a.inverse())


@given(seeds)
def test_composition_acts_on_points_as_one_transform_after_the_other(seed):
    a, b = random_poses(seed), random_poses(seed + 1)
    points = np.random.default_rng(seed).normal(size=(7, 3))
    np.testing.assert_allclose((a @ b).transform_points(points), a.transform_points(b.transform_points(points)))
    np.testing.assert_allclose(a.inverse().transform_points(a.transform_points(points))[0], points, atol=1e-9)


@given(seeds)
def test_errors_do_not_depend_on_the_world_frame(seed):
    estimated, true, other_world = random_poses(seed), random_poses(seed + 1), random_poses(seed + 2)[0]
    moved_estimate, moved_truth = other_world @ estimated, other_world @ true
    np.testing.assert_allclose(
        translation_error(moved_estimate, moved_truth), translation_error(estimated, true), atol=1e-9
    )
    np.testing.assert_allclose(rotation_error(moved_estimate, moved_truth), rotation_error(estimated, true), atol=1e-6)


@given(seeds)
def test_relative_pose_takes_one_camera_to_the_other(seed):
    a, b = random_poses(seed), random_poses(seed + 1)
    assert_same(a @ b.relative_to(a), b)


@given(seeds, st.floats(1e-5, 180.0), st.sampled_from([np.float32, np.float64]))
def test_rotation_error_recovers_the_angle_of_a_known_rotation(seed, degrees, dtype):
    rng = np.random.default_rng(seed)
    axis = rng.normal(size=3)
    axis /= np.linalg.norm(axis)
    base = random_poses(seed, 1).rotation[0]
    turned = base @ Rotation.from_rotvec(np.radians(degrees) * axis).as_matrix()
    a = Pose.from_rotation_translation(base.astype(dtype), np.zeros(3, dtype))
    b = Pose.from_rotation_translation(turned.astype(dtype), np.zeros(3, dtype))
    assert a.matrix.dtype == dtype
    tolerance = 3e-5 if dtype == np.float32 else 1e-7  # float32 entries carry 6e-8, which is 1e-5 degrees
    assert rotation_error(a, b) == pytest.approx(degrees, abs=tolerance)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rotation_error_of_a_pose_with_itself_is_zero(dtype):
    poses = Pose(random_poses(3, 100).matrix.astype(dtype))
    assert rotation_error(poses, poses).max() < 1e-7


def test_opposite_directions_are_180_degrees_apart():
    a = Pose.from_planar([0.0, 0.0], height=1.0, yaw=0.3)
    b = Pose.from_planar([0.0, 0.0], height=1.0, yaw=0.3 + np.pi)
    assert rotation_error(a, b) == pytest.approx(180.0, abs=1e-6)


@given(seeds)
def test_quaternions_are_canonical_and_lossless(seed):
    poses = random_poses(seed)
    quaternion = poses.quaternion
    assert (quaternion[:, 0] >= 0).all()
    np.testing.assert_allclose(np.linalg.norm(quaternion, axis=1), 1)
    assert_same(Pose.from_quaternion(quaternion, poses.translation), poses)


@given(seeds)
def test_project_undoes_backproject(seed):
    rng = np.random.default_rng(seed)
    camera = Camera(64, 48, *rng.uniform(20, 90, 2), *rng.uniform(10, 50, 2))
    pixels, depth = rng.uniform(-100, 200, (20, 2)), rng.uniform(0.01, 50, 20)
    points = camera.backproject(pixels, depth)
    np.testing.assert_allclose(points[:, 2], depth)
    np.testing.assert_allclose(camera.project(points), pixels, atol=1e-8)
    np.testing.assert_allclose(camera.matrix @ (points / depth[:, None]).T, np.c_[pixels, np.ones(20)].T, atol=1e-8)


def test_points_behind_the_camera_project_nowhere():
    camera = Camera.from_fov(64, 48, 90)
    assert np.isnan(camera.project([[0.1, 0.2, -1.0], [0.0, 0.0, 0.0]])).all()
    assert not camera.contains(camera.project([0.0, 0.0, -1.0]))


def test_field_of_view_reaches_the_image_border_and_rays_go_through_pixel_centres():
    camera = Camera.from_fov(100, 50, 90)
    np.testing.assert_allclose(camera.project([[1.0, 0.0, 1.0], [-1.0, 0.0, 1.0]]), [[100, 25], [0, 25]], atol=1e-12)
    np.testing.assert_allclose(camera.project(camera.rays() * 3.0), camera.pixel_centres())
    np.testing.assert_allclose(camera.pixel_centres()[0, 0], [0.5, 0.5])


@given(seeds)
def test_look_at_puts_the_target_on_the_axis_and_keeps_the_horizon(seed):
    rng = np.random.default_rng(seed)
    eye, target = rng.normal(size=(2, 4, 3))
    pose = Pose.look_at(eye, target)
    in_camera = pose.inverse().transform_points(target[:, None, :])[:, 0]
    np.testing.assert_allclose(in_camera[:, :2], 0, atol=1e-9)
    assert (in_camera[:, 2] > 0).all()
    np.testing.assert_allclose(pose.matrix[:, 2, 0], 0, atol=1e-9)  # camera x is horizontal
    assert (pose.matrix[:, 2, 1] < 1e-9).all()  # camera y points down


def test_planar_poses_look_where_yaw_and_pitch_say():
    ahead = Pose.from_planar([1.0, 2.0], height=1.5, yaw=0.0)
    np.testing.assert_allclose(ahead.forward, [1, 0, 0], atol=1e-12)
    np.testing.assert_allclose(ahead.rotation @ [0, 1, 0], [0, 0, -1], atol=1e-12)
    np.testing.assert_allclose(ahead.translation, [1, 2, 1.5])
    left_up = Pose.from_planar([0.0, 0.0], height=0.0, yaw=np.pi / 2, pitch=np.radians(30))
    np.testing.assert_allclose(left_up.forward, [0, np.cos(np.radians(30)), 0.5], atol=1e-12)


@given(seeds, st.floats(0, 1))
def test_interpolation_moves_evenly_between_its_ends(seed, fraction):
    a, b = random_poses(seed, 2)
    assert_same(a.interpolate(b, np.array([0.0, 1.0]))[0], a)
    assert_same(a.interpolate(b, 1.0), b)
    between = a.interpolate(b, fraction)
    assert rotation_error(a, between) == pytest.approx(fraction * rotation_error(a, b), abs=1e-5)
    assert translation_error(a, between) == pytest.approx(fraction * translation_error(a, b), abs=1e-9)


def test_batches_behave_like_their_members():
    a, b = random_poses(1), random_poses(2)
    for i in range(len(a)):
        assert_same((a @ b)[i], a[i] @ b[i])
        assert_same(a.inverse()[i], a[i].inverse())
    assert_same(Pose.stack([a, b[0]])[5], b[0])
    assert len(Pose.stack([])) == 0
    assert next(p.matrix.shape for p in a) == (4, 4)


def test_poses_are_immutable_and_checked():
    pose = Pose.identity()
    with pytest.raises(ValueError, match="read-only"):
        pose.matrix[0, 3] = 1.0
    with pytest.raises(ValueError, match="not a rotation"):
        Pose(np.diag([1.0, 1.0, -1.0, 1.0]))
    with pytest.raises(ValueError, match="not a rotation"):
        Pose(np.diag([2.0, 2.0, 2.0, 1.0]))
    with pytest.raises(ValueError, match="not finite"):
        Pose(np.full((4, 4), np.nan))
    with pytest.raises(ValueError, match="last row"):
        Pose(np.eye(4)[[0, 1, 2, 2]] * [1, 1, 1, 1] + np.diag([0, 0, 0, 1.0]))
    with pytest.raises(ValueError, match=r"\(4, 4\)"):
        Pose(np.eye(3))
    with pytest.raises(ValueError, match="coincide"):
        Pose.look_at([0, 0, 0], [0, 0, 0])
    with pytest.raises(ValueError, match="parallel"):
        Pose.look_at([0, 0, 0], [0, 0, 1])


@pytest.mark.parametrize(("fov", "width"), [(0, 10), (180, 10), (90, 0)])
def test_impossible_cameras_are_refused(fov, width):
    with pytest.raises(ValueError, match=r"field of view|size"):
        Camera.from_fov(width, 10, fov)


@settings(max_examples=25)
@given(seeds)
def test_frustum_agrees_with_projection(seed):
    camera, poses = Camera.from_fov(64, 64, 90), random_poses(seed, 3)
    points = np.random.default_rng(seed).uniform(-15, 15, (200, 3))
    inside = in_frustum(points, poses, camera, max_range=8.0)
    assert inside.shape == (3, 200)
    direction = points[None] - poses.translation[:, None]
    ahead = np.einsum("nmk,nk->nm", direction, poses.forward)
    angle_limit = np.arctan(np.sqrt(2)) + 1e-9  # the frustum's corners
    off_axis = np.arccos(np.clip(ahead / np.linalg.norm(direction, axis=-1), -1, 1))
    assert (ahead[inside] <= 8.0).all()
    assert (off_axis[inside] <= angle_limit).all()
    assert inside[(off_axis < np.pi / 4) & (ahead < 8.0)].all()  # the frustum holds its inscribed cone


def plane_depth(pose: Pose, camera: Camera, wall_x: float) -> np.ndarray:
    """Z-depth of an infinite wall x = wall_x."""
    direction = camera.rays() @ pose.rotation.T
    depth = (wall_x - pose.translation[0]) / direction[..., 0]
    return np.where(depth > 0, depth, 0)


def test_covisibility_is_the_overlap_of_two_views_of_a_wall():
    camera = Camera.from_fov(200, 200, 90)
    at = [Pose.from_planar([0.0, y], height=0.0, yaw=0.0) for y in (0.0, 2.0, 10.0)]
    depth = [plane_depth(pose, camera, 4.0) for pose in at]  # each sees 8 m of the wall
    assert covisibility(depth[0], at[0], depth[0], at[0], camera) == 1.0
    assert covisibility(depth[0], at[0], depth[1], at[1], camera) == pytest.approx(6 / 8, abs=0.01)
    assert covisibility(depth[0], at[0], depth[2], at[2], camera) == 0.0
    hidden = plane_depth(at[1], camera, 2.0)  # something stands before the wall
    assert covisibility(depth[0], at[0], hidden, at[1], camera) == 0.0
