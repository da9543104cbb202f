"""The box that methods are tried out in: what its maps say is where its walls are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from relocbench.methods.box_room import CAMERA, DEPTH_UNIT, SIZE, box_maps, random_poses, write_views


@pytest.mark.parametrize("seed", range(3))
def test_every_pixel_lies_on_the_face_that_its_category_names(seed: int) -> None:
    pose = random_poses(np.random.default_rng(seed), 1)[0]
    depth, semantic = box_maps(pose, CAMERA)
    points = pose.translation + (CAMERA.rays() * depth[..., None]) @ pose.rotation.T
    face = semantic.astype(int) - 1
    axis, high = face // 2, face % 2
    assert np.unique(face).min() >= 0
    assert face.max() <= 5
    on_axis = np.take_along_axis(points, axis[..., None], axis=-1)[..., 0]
    assert np.abs(on_axis - np.where(high == 1, np.array(SIZE)[axis], 0.0)).max() < 1e-5
    assert (points > -1e-5).all()
    assert (points < np.array(SIZE) + 1e-5).all()


def test_the_floor_is_below_and_the_ceiling_above() -> None:
    level = random_poses(np.random.default_rng(0), 1)
    _, semantic = box_maps(level[0], CAMERA)
    assert {5} == set(np.unique(semantic[-1])) & {5, 6}
    assert {6} == set(np.unique(semantic[0])) & {5, 6}


def test_views_on_disk_have_the_same_maps(tmp_path: Path) -> None:
    poses = random_poses(np.random.default_rng(4), 2)
    for view in write_views(tmp_path, poses, seed=1, role="query", name="queries"):
        depth, semantic = box_maps(view.pose, CAMERA)
        assert np.abs(view.depth() - depth).max() <= DEPTH_UNIT / 2 + 1e-6
        assert np.array_equal(view.semantic(), semantic)
        assert view.image().shape == (CAMERA.height, CAMERA.width, 3)
