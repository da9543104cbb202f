from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from relocbench.datasets.views import ViewSet
from relocbench.errors import InputError
from relocbench.methods.box_room import SIZE
from relocbench.methods.features.sift import SiftConfig, extract_sift
from relocbench.methods.method import Estimate, Failure, Method, Query
from relocbench.methods.registry import make_method
from relocbench.methods.sift.sift_5pt import SiftFivePoint
from relocbench.methods.sift.sift_pnp import SiftPnp, similar_pairs
from relocbench.methods.sift.triangulated_map import epipolar_error
from relocbench.methods.solvers.relative_pose import estimate_relative_pose
from relocbench.methods.timing import Recorder
from relocbench.sim.geometry import Camera, Pose, rotation_error, translation_error
from scipy.spatial.transform import Rotation

WORDS = {"retrieval": {"words": 32}}


def prepared(name: str, fitted: Path, references: ViewSet, **config: Any) -> Method:
    method = make_method(name, WORDS | config)
    method.load(fitted)
    method.build_map(references)
    return method


def answers(method: Method, queries: ViewSet) -> list[Estimate | Failure]:
    return [method.localize(Query(view.image(), view.camera, seed)) for seed, view in enumerate(queries)]


def errors(given: list[Estimate | Failure], queries: ViewSet) -> tuple[np.ndarray, np.ndarray]:
    """Return the translation and rotation errors of the answers that are estimates."""
    localized = [i for i, answer in enumerate(given) if isinstance(answer, Estimate)]
    estimated, true = Pose.stack(given[i].pose for i in localized), queries.poses[localized]
    return translation_error(estimated, true), rotation_error(estimated, true)


@pytest.fixture(scope="module")
def five_point(fitted_folder: Path, box_references: ViewSet) -> SiftFivePoint:
    return prepared("sift-5pt", fitted_folder, box_references)


@pytest.fixture(scope="module")
def pnp(fitted_folder: Path, box_references: ViewSet) -> SiftPnp:
    return prepared("sift-pnp", fitted_folder, box_references)


@pytest.mark.parametrize(("name", "metres", "degrees"), [("five_point", 0.08, 0.8), ("pnp", 0.01, 0.15)])
def test_a_textured_box_is_localized_accurately(
    name: str, metres: float, degrees: float, box_queries: ViewSet, request: pytest.FixtureRequest
) -> None:
    translation, rotation = errors(answers(request.getfixturevalue(name), box_queries), box_queries)
    assert len(translation) >= len(box_queries) / 2
    assert np.median(translation) < metres
    assert np.median(rotation) < degrees


@pytest.mark.parametrize(("name", "metres"), [("sift-5pt", 0.5), ("sift-pnp", 0.1)])
def test_at_a_lower_resolution_a_query_is_localized_or_fails(
    name: str, metres: float, fitted_folder: Path, box_references: ViewSet, box_queries: ViewSet
) -> None:
    """Images of 200 x 150 are reduced to 148 x 111, and cameras stay as they are."""
    method = prepared(name, fitted_folder, box_references, sift={"pixels": 128 * 128})
    translation, _ = errors(answers(method, box_queries), box_queries)
    assert len(translation) >= 1
    assert np.median(translation) < metres


def blobs(centres: np.ndarray, width: int, height: int, *, sigma: float = 6.0) -> np.ndarray:
    """Return an image (height, width, 3) with bright blobs at centres (N, 2) in continuous pixels."""
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    bumps = [np.exp(-((x - u) ** 2 + (y - v) ** 2) / (2 * sigma**2)) for u, v in centres]
    return np.repeat((40 + 200 * np.max(bumps, axis=0)).astype(np.uint8)[..., None], 3, axis=2)


@pytest.mark.parametrize(("width", "height"), [(256, 256), (300, 200), (201, 333)])
def test_keypoints_of_a_reduced_image_lie_where_those_of_the_given_one_do(width: int, height: int) -> None:
    centres = np.array([[60.0, 45.5], [150.25, 60.0], [70.0, 150.75], [160.5, 155.0]])
    image = blobs(centres, width, height)
    for config in (SiftConfig(), SiftConfig(pixels=128 * 128)):
        keypoints = extract_sift(image, config).keypoints
        distance = np.linalg.norm(keypoints[:, None] - centres, axis=-1).min(axis=0)
        assert distance.max() < 0.25


def test_an_image_of_few_pixels_is_not_reduced() -> None:
    image = blobs(np.array([[40.0, 30.0], [90.0, 80.0]]), 128, 128)
    plain, limited = extract_sift(image, SiftConfig()), extract_sift(image, SiftConfig(pixels=128 * 128))
    assert np.array_equal(plain.keypoints, limited.keypoints)
    assert np.array_equal(plain.descriptors, limited.descriptors)
    assert len(extract_sift(image, SiftConfig(pixels=1))) == 0


def test_what_a_reduced_image_shows_is_described_as_at_its_own_size() -> None:
    """A 256 x 256 image becomes 128 x 128: the same features as of the image of that size, at twice their pixels."""
    large = blobs(np.array([[60.0, 45.5], [150.25, 60.0], [70.0, 150.75]]), 256, 256)
    small = cv2.resize(large, (128, 128), interpolation=cv2.INTER_AREA)
    reduced, own = extract_sift(large, SiftConfig(pixels=128 * 128)), extract_sift(small, SiftConfig())
    assert len(reduced) > 0
    assert np.array_equal(reduced.keypoints, 2 * own.keypoints)
    assert np.array_equal(reduced.descriptors, own.descriptors)


@pytest.mark.parametrize("pixels", [0, -5])
def test_a_limit_below_one_pixel_is_refused(pixels: int) -> None:
    with pytest.raises(InputError, match="pixels"):
        make_method("sift-5pt", {"sift": {"pixels": pixels}})


def test_map_points_lie_on_the_walls(pnp: SiftPnp) -> None:
    points = pnp._map.points
    to_walls = np.minimum(np.abs(points), np.abs(points - SIZE)).min(axis=1)
    assert len(points) > 500
    assert np.median(to_walls) < 0.01
    assert np.quantile(to_walls, 0.95) < 0.1


def test_a_map_point_is_seen_where_its_references_look(pnp: SiftPnp, box_references: ViewSet) -> None:
    for index, view in enumerate(box_references):
        points = pnp._map.points[pnp._map.visible[index]]
        pixels = view.camera.project(view.pose.inverse().transform_points(points))
        assert view.camera.contains(pixels).all()


def test_the_fallback_answers_with_retrieval_and_says_so(
    five_point: SiftFivePoint, fitted_folder: Path, box_references: ViewSet, box_queries: ViewSet
) -> None:
    strict = {"min_inliers": 60}
    plain = answers(prepared("sift-5pt", fitted_folder, box_references, **strict), box_queries)
    falling = answers(prepared("sift-5pt", fitted_folder, box_references, **strict, fallback="retrieval"), box_queries)
    retrieval = make_method("dense-vlad", WORDS["retrieval"])
    retrieval.load(fitted_folder)
    retrieval.build_map(box_references)
    best = answers(retrieval, box_queries)
    assert any(isinstance(answer, Failure) for answer in plain)
    for without, with_fallback, first in zip(plain, falling, best, strict=True):
        assert isinstance(with_fallback, Estimate)
        expected = first if isinstance(without, Failure) else without
        assert with_fallback.flags == (("fallback",) if isinstance(without, Failure) else ())
        assert np.array_equal(with_fallback.pose.matrix, expected.pose.matrix)
        assert with_fallback.ranking == expected.ranking


@pytest.mark.parametrize("name", ["sift-5pt", "sift-pnp"])
def test_failures_give_their_reason(name: str, fitted_folder: Path, box_references: ViewSet) -> None:
    view = box_references[0]
    method = prepared(name, fitted_folder, box_references)
    blank = np.full((view.camera.height, view.camera.width, 3), 128, dtype=np.uint8)
    assert method.localize(Query(blank, view.camera)) == Failure("too few matches")
    method.build_map(box_references[:1])
    reason = "only one relative pose" if name == "sift-5pt" else "too few map points"
    other = box_references[0].image()[:, ::1]
    assert method.localize(Query(np.ascontiguousarray(other), view.camera)) == Failure(reason)


@pytest.mark.parametrize(
    ("name", "stages"),
    [
        ("five_point", ["retrieval", "features", "matching", "relative pose", "triangulation"]),
        ("pnp", ["retrieval", "features", "matching", "absolute pose"]),
    ],
)
def test_stages_are_named(name: str, stages: list[str], box_references: ViewSet, request: Any) -> None:
    view = box_references[3]
    method = request.getfixturevalue(name)
    with Recorder() as recorder:
        method.localize(Query(view.image(), view.camera))
    assert [span.name for span in recorder.spans if span.parent == -1] == stages


def test_the_answer_depends_on_the_seed_and_on_nothing_else(five_point: SiftFivePoint, box_queries: ViewSet) -> None:
    first, again = answers(five_point, box_queries), answers(five_point, box_queries[::-1])
    for seed, (a, view) in enumerate(zip(first, box_queries, strict=True)):
        b = five_point.localize(Query(view.image(), view.camera, seed))
        assert isinstance(a, Failure) == isinstance(b, Failure)
        if isinstance(a, Estimate) and isinstance(b, Estimate):
            assert np.array_equal(a.pose.matrix, b.pose.matrix)
    assert len(again) == len(first)


def test_pairs_are_those_most_alike_each_once() -> None:
    vectors = np.eye(4, dtype=np.float32)
    vectors[1] = [0.8, 0.6, 0, 0]
    vectors[3] = [0, 0, 0.6, 0.8]
    likeness = vectors @ vectors.T
    assert similar_pairs(likeness, 1) == [(0, 1), (2, 3)]
    assert len(similar_pairs(likeness, 10)) == 6
    assert similar_pairs(likeness[:1, :1], 5) == []


def seen_by_both(seed: int, count: int = 60) -> tuple[np.ndarray, np.ndarray, tuple[Camera, Camera], Pose, Pose]:
    """Return exact pixels of points in two views with different cameras, and the two poses."""
    rng = np.random.default_rng(seed)
    cameras = Camera.from_fov(200, 150, 90), Camera.from_fov(320, 240, 70)
    first = Pose.identity()
    turn = Rotation.from_rotvec(rng.normal(0, 0.1, 3)).as_matrix()
    second = Pose.from_rotation_translation(turn, rng.uniform(-0.5, 0.5, 3))
    points = rng.uniform((-1, -1, 3), (1, 1, 6), (count, 3))
    pixels = [c.project(p.inverse().transform_points(points)) for c, p in zip(cameras, (first, second), strict=True)]
    return pixels[0], pixels[1], cameras, first, second


@pytest.mark.parametrize("seed", range(5))
def test_an_exact_relative_pose_is_found(seed: int) -> None:
    query_pixels, reference_pixels, cameras, query, reference = seen_by_both(seed)
    found = estimate_relative_pose(
        query_pixels, reference_pixels, *cameras, max_error=1.0, max_iterations=1000, seed=seed
    )
    assert found is not None
    true = query.relative_to(reference)
    assert found.inliers == len(query_pixels)
    assert rotation_error(found.pose, true) < 1e-3
    direction = true.translation / np.linalg.norm(true.translation)
    assert found.pose.translation == pytest.approx(direction, abs=1e-4)


def test_four_matches_give_no_relative_pose() -> None:
    query_pixels, reference_pixels, cameras, *_ = seen_by_both(0)
    assert (
        estimate_relative_pose(
            query_pixels[:4], reference_pixels[:4], *cameras, max_error=1.0, max_iterations=1000, seed=0
        )
        is None
    )


def test_epipolar_errors_are_distances_in_pixels() -> None:
    first_pixels, second_pixels, cameras, first, second = seen_by_both(1)
    relative = second.relative_to(first)
    assert epipolar_error(first_pixels, second_pixels, cameras, relative).max() < 1e-9
    moved = second_pixels + np.array([0.0, 3.0])
    error = epipolar_error(first_pixels, moved, cameras, relative)
    assert (error > 0).all()
    assert epipolar_error(moved, first_pixels, cameras[::-1], first.relative_to(second)) == pytest.approx(error)


def test_a_process_with_a_map_ends_quietly_when_asked_to() -> None:
    code = "import time, relocbench.methods.sift.sift_pnp; print('ready', flush=True); time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    process.terminate()
    _, messages = process.communicate(timeout=30)
    assert messages == ""
