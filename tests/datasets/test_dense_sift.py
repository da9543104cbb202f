"""Dense descriptors: where they sit, what they do not see, and that they are SIFT's."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from relocbench.datasets.dense_sift import dense_rootsift
from relocbench.methods.features.sift import rootsift


def noise_image(seed: int, size: int = 96) -> np.ndarray:
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 255, (size // 6, size // 6, 3)).astype(np.uint8)
    return cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)


def dense(image: np.ndarray, **changes: Any) -> np.ndarray:
    return dense_rootsift(image, **({"widths": (16, 24), "step": 4, "min_contrast": 0.0} | changes))


def test_dense_descriptors_have_unit_length() -> None:
    descriptors = dense(noise_image(4))
    assert descriptors.shape[1] == 128
    assert descriptors.dtype == np.float32
    assert np.linalg.norm(descriptors, axis=1) == pytest.approx(1, abs=1e-5)


def test_dense_descriptors_follow_a_shift_of_the_image() -> None:
    """An image shifted by one step has the same descriptors, one grid position further, away from the borders."""
    image = noise_image(5)
    shifted = np.roll(image, (8, 4), axis=(0, 1))
    grids = [dense(i, widths=(16,)).reshape(20, 20, 128) for i in (image, shifted)]
    assert grids[1][6:18, 5:18] == pytest.approx(grids[0][4:16, 4:17], abs=1e-4)


def test_dense_descriptors_do_not_see_brightness_and_contrast() -> None:
    image = noise_image(6) // 2
    assert dense(image + 60) == pytest.approx(dense(image), abs=1e-3)
    assert dense(image * 2) == pytest.approx(dense(image), abs=1e-3)


def test_dense_descriptors_agree_with_opencv_sift() -> None:
    """At the same place, scale and orientation, ours are far closer to OpenCV's SIFT than to one elsewhere."""
    image = noise_image(7, size=128)
    width, step = 32, 8
    ours = dense(image, widths=(width,), step=step)
    positions = [(x + width / 2, y + width / 2) for y in range(0, 96, step) for x in range(0, 96, step)]
    # OpenCV's descriptor region is 12 times the keypoint's scale wide, and that is half of the keypoint's size.
    keypoints = [cv2.KeyPoint(x - 0.5, y - 0.5, 2 * width / 12, 0.0) for x, y in positions]
    _, theirs = cv2.SIFT.create().compute(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), keypoints)
    theirs = rootsift(theirs) / 512
    similarity = theirs @ _opencv_layout(ours).T
    assert (similarity.argmax(axis=1) == np.arange(len(positions))).mean() > 0.9
    assert np.median(np.diag(similarity)) > 0.9


def _opencv_layout(descriptors: np.ndarray) -> np.ndarray:
    """OpenCV measures angles with y upwards: its orientation bins run the other way round."""
    cells = descriptors.reshape(len(descriptors), 4, 4, 8)
    return cells[..., (-np.arange(8)) % 8].reshape(len(descriptors), 128)


def test_flat_regions_are_left_out() -> None:
    image = noise_image(8)
    image[:, :48] = 100
    assert 0 < len(dense(image, min_contrast=0.002)) < len(dense(image))
    assert len(dense(np.full((96, 96, 3), 7, np.uint8), min_contrast=0.002)) == 0


def test_an_image_smaller_than_the_region_has_no_descriptor_of_that_width() -> None:
    assert len(dense(noise_image(9, size=24), widths=(24, 32))) == 0
    assert len(dense(noise_image(9, size=24), widths=(16, 32))) > 0
