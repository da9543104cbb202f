from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from relocbench.methods.features.matching import match_descriptors
from relocbench.methods.features.sift import SiftConfig, extract_sift, rootsift
from relocbench.methods.features.vlad import Whitening, learn_vocabulary, vlad


def blob_image(centre: tuple[float, float], *, sigma: float = 4.0, size: int = 64) -> np.ndarray:
    """Return an image with one bright blob centred at ``centre`` in continuous pixels."""
    x, y = np.meshgrid(np.arange(size) + 0.5, np.arange(size) + 0.5)
    bump = np.exp(-((x - centre[0]) ** 2 + (y - centre[1]) ** 2) / (2 * sigma**2))
    return np.repeat((40 + 200 * bump).astype(np.uint8)[..., None], 3, axis=2)


def noise_image(seed: int, size: int = 96) -> np.ndarray:
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 255, (size // 6, size // 6, 3)).astype(np.uint8)
    return cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)


@pytest.mark.parametrize("centre", [(32.0, 32.0), (30.5, 33.5), (28.25, 35.75)])
def test_a_keypoint_lies_where_its_blob_is(centre: tuple[float, float]) -> None:
    features = extract_sift(blob_image(centre), SiftConfig())
    distance = np.linalg.norm(features.keypoints - centre, axis=1)
    assert distance.min() < 0.15


def test_an_image_without_texture_has_no_features() -> None:
    features = extract_sift(np.full((64, 64, 3), 90, dtype=np.uint8), SiftConfig())
    assert features.keypoints.shape == (0, 2)
    assert features.descriptors.shape == (0, 128)


def test_the_strongest_keypoints_are_kept() -> None:
    image = noise_image(0)
    every, few = extract_sift(image, SiftConfig()), extract_sift(image, SiftConfig(max_keypoints=10))
    assert len(every) > len(few) == 10
    assert np.array_equal(every.keypoints[:10], few.keypoints)


@pytest.mark.parametrize("root", [True, False])
def test_descriptors_are_whole_numbers_so_that_products_are_exact(root: bool) -> None:
    descriptors = extract_sift(noise_image(1), SiftConfig(root=root)).descriptors
    assert np.array_equal(descriptors, np.rint(descriptors))
    assert descriptors.min() >= 0
    assert descriptors.max() <= 255
    exact = descriptors.astype(np.int64) @ descriptors.astype(np.int64).T
    assert np.array_equal(descriptors @ descriptors.T, exact)


def test_rootsift_distance_is_the_hellinger_distance() -> None:
    a, b = (extract_sift(noise_image(seed), SiftConfig(root=False)).descriptors[:20] for seed in (2, 3))
    p, q = (x / x.sum(axis=1, keepdims=True) for x in (a, b))
    hellinger = np.linalg.norm(np.sqrt(p) - np.sqrt(q), axis=1)
    assert np.linalg.norm(rootsift(a) - rootsift(b), axis=1) / 512 == pytest.approx(hellinger, abs=0.02)


@given(seed=st.integers(0, 10**6), ratio=st.floats(0.3, 1.0), mutual=st.booleans())
@settings(max_examples=40, deadline=None)
def test_matches_are_what_their_definition_says(seed: int, ratio: float, mutual: bool) -> None:
    rng = np.random.default_rng(seed)
    query, reference = (rng.integers(0, 20, (count, 3)).astype(np.float32) for count in (12, 9))
    distance = np.linalg.norm(query[:, None] - reference[None], axis=-1)
    found = {tuple(int(v) for v in row) for row in match_descriptors(query, reference, ratio=ratio, mutual=mutual)}
    for q, r in found:
        others = np.delete(distance[q], r)
        assert distance[q, r] < ratio * others.min() + 1e-4
        if mutual:
            assert distance[q, r] == distance[:, r].min()
    assert len({r for _, r in found}) == len(found), "one match per reference descriptor"
    for q in range(len(query)):
        first, second = np.sort(distance[q])[:2]
        if first < ratio * second - 1e-4 and not any(q == row for row, _ in found):
            r = distance[q].argmin()
            rivals = [row for row, column in found if column == r]
            beaten = any(distance[row, r] <= distance[q, r] for row in rivals)
            assert beaten or (mutual and distance[:, r].argmin() != q)


@pytest.mark.parametrize(("queries", "references"), [(0, 5), (5, 0), (5, 1), (0, 0)])
def test_too_few_descriptors_give_no_match(queries: int, references: int) -> None:
    empty = match_descriptors(np.zeros((queries, 128), np.float32), np.ones((references, 128), np.float32))
    assert empty.shape == (0, 2)


def unit_rows(rng: np.random.Generator, count: int, dimensions: int = 8) -> np.ndarray:
    rows = rng.normal(size=(count, dimensions)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_vlad_sums_residuals_to_the_nearest_word() -> None:
    vocabulary = np.array([[1, 0], [0, 1]], dtype=np.float32)
    descriptors = np.array([[1.0, 0.5], [1.0, 0.3], [0.2, 1.0]], dtype=np.float32)
    # residuals (0, 0.8) to the first word and (0.2, 0) to the second, each normalised, then all together
    assert vlad(descriptors, vocabulary) == pytest.approx(np.array([0, 1, 1, 0]) / np.sqrt(2), abs=1e-6)


def test_vlad_does_not_depend_on_the_order_of_descriptors() -> None:
    rng = np.random.default_rng(0)
    descriptors, vocabulary = unit_rows(rng, 200), unit_rows(rng, 5)
    assert vlad(descriptors[::-1], vocabulary) == pytest.approx(vlad(descriptors, vocabulary), abs=1e-5)
    assert np.linalg.norm(vlad(descriptors, vocabulary)) == pytest.approx(1, abs=1e-5)
    assert not vlad(descriptors[:0], vocabulary).any()


def test_repeating_a_structure_hardly_changes_vlad() -> None:
    """Intra-normalisation: a hundred copies of one descriptor weigh as one word, not as a hundred descriptors."""
    rng = np.random.default_rng(1)
    vocabulary = unit_rows(rng, 16)
    descriptors = unit_rows(rng, 300)
    repeated = np.concatenate([descriptors, np.repeat(descriptors[:1], 100, axis=0)])
    assert vlad(repeated, vocabulary) @ vlad(descriptors, vocabulary) > 0.9


def test_every_word_is_the_mean_of_its_descriptors() -> None:
    rng = np.random.default_rng(2)
    centres = unit_rows(rng, 4) * 10
    samples = (centres[rng.integers(0, 4, 600)] + rng.normal(0, 0.05, (600, 8))).astype(np.float32)
    words = learn_vocabulary(samples, 6, seed=4)
    nearest = np.linalg.norm(samples[:, None] - words[None], axis=-1).argmin(axis=1)
    means = np.stack([samples[nearest == word].mean(axis=0) for word in range(6)])
    assert means == pytest.approx(words, abs=0.02)
    assert np.array_equal(words, learn_vocabulary(samples, 6, seed=4))


def test_whitening_gives_unit_variance_in_every_direction() -> None:
    rng = np.random.default_rng(3)
    vectors = (rng.normal(size=(400, 5)) * [5, 3, 2, 1, 0.5] + 7).astype(np.float32)
    whitening = Whitening.learn(vectors, 5, shrinkage=0.0)
    projected = (vectors - whitening.mean) @ whitening.projection.T
    assert np.cov(projected.T, bias=True) == pytest.approx(np.eye(5), abs=1e-3)


def test_whitening_has_no_more_dimensions_than_the_training_vectors_span() -> None:
    rng = np.random.default_rng(4)
    vectors = rng.normal(size=(6, 100)).astype(np.float32)
    assert Whitening.learn(vectors, 50, shrinkage=1.0).projection.shape == (5, 100)
    assert Whitening.learn(vectors, 3, shrinkage=1.0).projection.shape == (3, 100)
