"""Likeness: an image is like itself, and the direction of the comparison matters."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from relocbench.datasets.protocols.cross_view.appearance import describe, local_descriptors, nbnn_distance
from relocbench.datasets.protocols.cross_view.gist import gist


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


def distance_in_gist(a: np.ndarray, b: np.ndarray) -> float:
    return nbnn_distance(gist(a), gist(b))


def test_gist_knows_layout_orientation_and_colour():
    image = picture(5)
    assert distance_in_gist(image, image) == pytest.approx(0, abs=1e-3)
    noisy = np.clip(image + np.random.default_rng(0).normal(0, 4, image.shape), 0, 255).astype(np.uint8)
    slight = distance_in_gist(image, noisy)
    assert slight < 0.1
    for other in (image[:, ::-1], np.roll(image, 80, axis=0), image[..., ::-1]):
        assert distance_in_gist(image, other) > 2 * slight


@pytest.mark.parametrize("period", [10, 20, 40])
def test_gist_tells_the_direction_of_waves_and_not_where_they_begin(period):
    phase = 2 * np.pi * np.arange(160) / period
    wave, shifted = (np.tile(128 + 70 * np.sin(phase + shift), (160, 1)).astype(np.uint8) for shift in (0, np.pi / 2))
    along, later, across = (np.repeat(each[..., None], 3, axis=2) for each in (wave, shifted, wave.T))
    assert distance_in_gist(along, across) > 1
    assert distance_in_gist(along, later) < distance_in_gist(along, across) / 2


def test_what_is_blank_is_blank_in_every_space():
    wall = np.full((160, 160, 3), 120, np.uint8)
    assert len(describe(wall, "gist")) == len(describe(wall, "rootsift")) == 0
    assert describe(picture(0), "gist").shape == (1, 336)
    assert np.array_equal(describe(picture(0), "rootsift"), local_descriptors(picture(0)))
