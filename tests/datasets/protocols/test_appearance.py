"""Likeness: an image is like itself, and the direction of the comparison matters."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from relocbench.datasets.protocols.cross_view.appearance import local_descriptors, nbnn_distance


def picture(seed: int, size: int = 160) -> np.ndarray:
    coarse = np.random.default_rng(seed).integers(0, 255, (size // 8, size // 8, 3)).astype(np.uint8)
    return cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)


def test_an_image_is_nearest_to_itself():
    sets = [local_descriptors(picture(seed)) for seed in range(4)]
    distances = np.array([[nbnn_distance(a, b) for b in sets] for a in sets])
    assert np.diag(distances) == pytest.approx(0, abs=1e-3)
    assert distances[~np.eye(4, dtype=bool)].min() > 0.1


def test_every_part_must_find_its_like_and_not_the_reverse():
    a, b = local_descriptors(picture(1)), local_descriptors(picture(2))
    assert nbnn_distance(a, np.concatenate([a, b])) == pytest.approx(0, abs=1e-3)
    assert nbnn_distance(np.concatenate([a, b]), a) > 0.05


def test_the_order_of_descriptors_does_not_matter():
    a, b = local_descriptors(picture(1)), local_descriptors(picture(2))
    assert nbnn_distance(a[::-1], b[::-1]) == pytest.approx(nbnn_distance(a, b))


def test_a_blank_image_resembles_nothing():
    wall = np.full((160, 160, 3), 120, np.uint8)
    wall[:, 80:] = 90  # an edge is no texture
    assert local_descriptors(wall).shape == (0, 128)
    assert nbnn_distance(local_descriptors(wall), local_descriptors(picture(0))) == np.inf
    assert nbnn_distance(local_descriptors(picture(0)), local_descriptors(wall)) == np.inf


def test_large_images_are_compared_at_one_size():
    small, large = (cv2.resize(picture(3), (size, size), interpolation=cv2.INTER_AREA) for size in (128, 512))
    assert len(local_descriptors(small)) == len(local_descriptors(large))
