"""Pairs of frames to learn relative pose from: what overlaps, which pixels match, and where frames are taken."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from relocbench.methods.box_room import SIZE, box_maps, random_poses
from relocbench.methods.exrenet.pairs import DENSE, SPARSE, PairRule, pixel_matches, scene_overlap, training_pairs
from relocbench.methods.training.frames import HouseFrames, RenderHouse
from relocbench.methods.training.sampling import FrameSettings, sample_frame_poses
from relocbench.sim.camera_placement import Clearance
from relocbench.sim.geometry import Camera, Pose, rotation_error, translation_error
from relocbench.sim.raycast import Raycaster
from relocbench.sim.scene import Scene
from relocbench.sim.scenes.houses import generate_house
from scipy.spatial import cKDTree

Array = NDArray[Any]

SIDE = 64
CAMERA = Camera.from_fov(SIDE, SIDE, 90.0)
SETTINGS = FrameSettings(frames=48, side=SIDE)


def frames_of(depth: Array, poses: Pose) -> HouseFrames:
    none = np.zeros(0)
    rgb = np.zeros((len(depth), 0), np.uint8)
    return HouseFrames(rgb, depth.astype(np.float16), none, poses.matrix, none, none)


def box_frames(count: int) -> HouseFrames:
    """Frames of a box, the first of them blind on its left side."""
    poses = random_poses(np.random.default_rng(5), count)
    depth = np.stack([box_maps(pose, CAMERA)[0] for pose in poses])
    depth[0, :, : SIDE // 2] = 0
    return frames_of(depth, poses)


def brute_force_overlap(house: HouseFrames) -> Array:
    points = Pose(house.poses).transform_points(
        (CAMERA.rays() * house.depth[..., None].astype(np.float64)).reshape(len(house.depth), -1, 3)
    )
    hit = house.depth.reshape(len(points), -1) > 0
    asked = np.zeros((SIDE, SIDE), dtype=bool)
    asked[2::4, 2::4] = True  # the centres of 16 x 16 cells
    trees = [cKDTree(own[at]) for own, at in zip(points, hit, strict=True)]
    some = [own[at & asked.ravel()] for own, at in zip(points, hit, strict=True)]
    return np.array([[(tree.query(own)[0] <= 0.2).mean() for tree in trees] for own in some])


def test_overlap_is_the_share_of_scene_coordinates_near_one_of_the_other_frame() -> None:
    house = box_frames(12)
    expected = brute_force_overlap(house)
    overlap = scene_overlap(house, CAMERA)
    assert 0.1 < expected.mean() < 0.9
    assert np.abs(overlap - expected).mean() < 0.015
    assert np.abs(overlap - expected).max() < 0.1
    assert (np.diag(overlap) == 1).all()  # the points that hit nothing do not count


def test_a_frame_that_hit_nothing_overlaps_with_none() -> None:
    house = box_frames(3)
    house.depth[1] = 0
    overlap = scene_overlap(house, CAMERA)
    assert not overlap[1].any()
    assert not overlap[:, 1].any()
    assert overlap[2, 2] == 1


def test_pairs_keep_each_limit_of_their_rule() -> None:
    house = box_frames(30)
    every = training_pairs(house, PairRule(min_overlap=-1.0), CAMERA)[0]
    assert len(every) == 30 * 29 // 2
    overlap = scene_overlap(house, CAMERA)
    first, second = (Pose(house.poses[column]) for column in every.T)
    shared = (overlap[every[:, 0], every[:, 1]] + overlap[every[:, 1], every[:, 0]]) / 2
    near, turned = translation_error(first, second), rotation_error(first, second)
    for rule in (SPARSE, DENSE, PairRule(0.2, 1.5, 180.0), PairRule(0.2, 9.0, 60.0)):
        kept = (shared > rule.min_overlap) & (near <= rule.max_distance) & (turned <= rule.max_angle)
        np.testing.assert_array_equal(training_pairs(house, rule, CAMERA)[0], every[kept])
        assert rule is DENSE or 0 < kept.sum() < len(every)


def tensors(*arrays: Array) -> list[torch.Tensor]:
    return [torch.from_numpy(np.array(array)) for array in arrays]


@pytest.mark.parametrize("step", [1, 3])
def test_matches_are_where_exact_geometry_puts_them(step: int) -> None:
    poses = random_poses(np.random.default_rng(7), 12)
    depth = np.stack([box_maps(pose, CAMERA)[0] for pose in poses])
    arguments = tensors(depth[:6], poses.matrix[:6], depth[6:], poses.matrix[6:])
    source, target, valid = pixel_matches(*arguments, CAMERA, step=step)
    assert source.dtype == target.dtype == torch.float32
    assert torch.isfinite(target).all()
    some = 0
    for one in range(6):
        first, other = poses[one], poses[6 + one]
        pixels = source[one].numpy()
        rays = CAMERA.backproject(pixels, 1.0) @ first.rotation.T
        # the box is met where the first of its faces ahead is reached
        faces = np.where(rays > 0, np.array(SIZE), 0.0)
        points = first.translation + rays * ((faces - first.translation) / rays).min(axis=1)[:, None]
        exact = CAMERA.project(other.inverse().transform_points(points))
        seen = valid[one].numpy()
        some += seen.sum()
        assert np.abs(target[one].numpy() - exact)[seen].max(initial=0.0) < 0.1
        inside = CAMERA.contains(exact)
        assert not (seen & ~inside).any()
        assert (seen | ~inside).mean() > 0.97  # nothing hides anything in a box, but depth is that of a whole pixel
    assert some > 100


def test_every_pixel_of_a_frame_matches_itself() -> None:
    pose = random_poses(np.random.default_rng(8), 1)
    both = tensors(box_maps(pose[0], CAMERA)[0][None], pose.matrix)
    source, target, valid = pixel_matches(*both, *both, CAMERA)
    assert source.shape == (1, (SIDE // 2) ** 2, 2)
    assert valid.all()
    torch.testing.assert_close(target, source, atol=1e-3, rtol=0)
    assert {0.5} == set((source % 1).unique().tolist())


def test_hidden_points_behind_the_camera_and_pixels_without_depth_are_no_matches() -> None:
    wall, screen = np.full((SIDE, SIDE), 4.0, np.float32), np.full((SIDE, SIDE), 4.0, np.float32)
    wall[:8] = 0
    screen[:, SIDE // 2 :] = 3.5  # before the right half of the other frame
    screen[-8:] = 3.9  # within the tolerance of 5 %
    ahead, behind = np.eye(4), np.diag([-1.0, 1.0, -1.0, 1.0])
    arguments = tensors(np.stack([wall, wall]), np.stack([ahead, ahead]), np.stack([screen, screen]))
    source, _, valid = pixel_matches(*arguments, *tensors(np.stack([ahead, behind])), CAMERA, step=1)
    x, y = source[0].T
    assert torch.equal(valid[0], (y > 8) & ((x < SIDE // 2) | (y > SIDE - 8)))
    assert not valid[1].any()


@pytest.fixture(scope="module")
def house() -> tuple[Scene, Clearance]:
    scene = generate_house(100_003, triangles=20_000)
    return scene, Clearance(scene)


@pytest.mark.parametrize("sampling", ["planar", "6dof", "trajectory"])
def test_cameras_keep_clear_and_a_seed_decides_where_they_are(house: tuple[Scene, Clearance], sampling: Any) -> None:
    scene, clearance = house
    settings = replace(SETTINGS, sampling=sampling)
    poses, again, others = (sample_frame_poses(scene, settings, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert len(poses) == settings.frames
    assert clearance.is_clear(poses.translation).all()
    np.testing.assert_array_equal(poses.matrix, again.matrix)
    assert np.array_equal(poses.matrix, others.matrix) == (sampling == "trajectory")  # which is the house's own


def test_frames_of_the_dense_set_make_dense_pairs(house: tuple[Scene, Clearance]) -> None:
    poses = sample_frame_poses(house[0], replace(SETTINGS, sampling="6dof"), np.random.default_rng(1))
    caster = Raycaster()
    caster.load(house[0], min(house[0].conditions))
    depth = np.stack([seen.depth for seen in caster.render(poses, CAMERA, frozenset({"depth"}))])
    pairs, _ = training_pairs(frames_of(depth, poses), DENSE, CAMERA)
    assert len(pairs) >= 3 * len(poses)
    upright = poses.matrix[:, 2, 0]  # how far the image's rows are from level
    assert np.abs(upright).max() > 0.2  # six degrees of freedom: cameras roll too


def test_settings_that_render_other_frames_have_other_caches() -> None:
    def name(settings: FrameSettings) -> str:
        path = RenderHouse(7, settings, Path("cache")).path
        assert path is not None
        return path.name

    assert name(replace(SETTINGS, frames=SETTINGS.frames)) == name(SETTINGS)
    others = [replace(SETTINGS, sampling=sampling) for sampling in ("6dof", "trajectory")]
    others += [SETTINGS, replace(SETTINGS, simulator="blenderproc"), replace(SETTINGS, frames=49)]
    assert len({name(settings) for settings in others}) == len(others)
