from __future__ import annotations

import numpy as np
import pytest
from relocbench.datasets.protocols.cross_view.parameters import PlaceParameters
from relocbench.datasets.protocols.cross_view.places import place_of, representative_point
from relocbench.datasets.protocols.cross_view.visibility import VisibilityCone
from relocbench.methods.box_room import SIZE, box_maps, render_box
from relocbench.methods.features.regions import semantic_regions
from relocbench.methods.scene_graph.graph import Layout, layout_of_image, layout_of_view
from relocbench.methods.scene_graph.image_synthesis import rendered
from relocbench.methods.scene_graph.synthesis import (
    MOST_MARGIN,
    PointCloud,
    VirtualView,
    joined_clouds,
    look_at_cloud,
    viewpoints_around,
    virtual_views,
)
from relocbench.sim.geometry import Camera, Pose

CAMERA = Camera.from_fov(96, 64, 90.0)
POSE = Pose.from_planar([1.2, 2.1], height=1.4, yaw=0.1, pitch=0.02)
DEPTH, SEMANTIC = box_maps(POSE, CAMERA)


def moved(ahead: float, right: float = 0.0) -> Pose:
    return POSE @ Pose.from_rotation_translation(np.eye(3), [right, 0.0, ahead])


def cloud_at(depth: np.ndarray) -> PointCloud:
    return PointCloud.of(depth, POSE, CAMERA)


def layout_in(view: VirtualView, centres: np.ndarray) -> Layout:
    row, column = centres.astype(int).T[::-1]
    points = POSE.transform_points(CAMERA.backproject(centres, DEPTH[row, column]))
    return layout_of_view(view, semantic_regions(SEMANTIC), centres, points)


def grid(step: int = 8) -> np.ndarray:
    u, v = np.meshgrid(np.arange(step / 2, CAMERA.width, step), np.arange(step / 2, CAMERA.height, step))
    return np.stack([u.ravel(), v.ravel()], axis=1).astype(np.float32)


def test_from_where_it_was_taken_an_image_looks_as_it_did() -> None:
    view = look_at_cloud(cloud_at(DEPTH), POSE, CAMERA)
    image = render_box(POSE, CAMERA, seed=1)
    assert view.margin == 0
    assert view.depth == pytest.approx(DEPTH, abs=1e-4)
    assert np.array_equal(rendered(view, image), image)
    assert np.array_equal(rendered(view, SEMANTIC), SEMANTIC)


def test_every_point_is_seen_where_the_camera_projects_it() -> None:
    pose = moved(-0.5, right=0.3)
    view = look_at_cloud(cloud_at(DEPTH), pose, CAMERA)
    row, column = np.nonzero(view.source >= 0)
    assert len(row) > 500
    origin = view.source[row, column]
    pixels = CAMERA.pixel_centres().reshape(-1, 2)[origin]
    world = POSE.transform_points(CAMERA.backproject(pixels, DEPTH.ravel()[origin]))
    in_camera = pose.inverse().transform_points(world)
    centre = np.stack([column, row], axis=1) + 0.5
    assert np.abs(CAMERA.project(in_camera) - centre).max() <= 0.5 + 1e-3
    assert view.depth[row, column] == pytest.approx(in_camera[:, 2], abs=1e-4)


def test_of_points_on_one_pixel_the_nearest_is_seen() -> None:
    rng = np.random.default_rng(0)
    pixels = rng.uniform((0, 0), (CAMERA.width, CAMERA.height), (4000, 2))
    depth = rng.uniform(1.0, 1.03, len(pixels))  # so near to each other that none shows through a gap
    points = POSE.transform_points(CAMERA.backproject(pixels, depth)).astype(np.float32)
    view = look_at_cloud(PointCloud(points, np.arange(len(points), dtype=np.int32)), POSE, CAMERA)
    expected = np.full((CAMERA.height, CAMERA.width), -1)
    for index in np.argsort(-depth):
        expected[int(pixels[index, 1]), int(pixels[index, 0])] = index
    assert (view.source == expected).mean() > 0.999  # single precision may move a point across a pixel's edge


def test_nothing_shows_through_the_gaps_of_a_near_surface() -> None:
    """A screen before the wall: after a step towards it its points spread, and the wall's lie between them."""
    depth = DEPTH.copy()
    depth[16:48, 32:64] = 1.0
    screen = np.zeros_like(SEMANTIC)
    screen[16:48, 32:64] = 1
    view = look_at_cloud(cloud_at(depth), moved(0.5), CAMERA)
    middle = rendered(view, screen)[8:56, 24:72]
    seen = view.source[8:56, 24:72] >= 0
    assert 0.2 < seen.mean() < 0.35  # twice as near, a quarter as dense
    assert middle[seen].all()


def test_the_margin_is_what_nothing_projects_to() -> None:
    assert look_at_cloud(cloud_at(np.zeros_like(DEPTH)), POSE, CAMERA).margin == 1
    half = DEPTH.copy()
    half[:, : CAMERA.width // 2] = 0
    assert look_at_cloud(cloud_at(half), POSE, CAMERA).margin == 0.5
    backwards = POSE @ Pose.from_rotation_translation(np.diag([-1.0, 1.0, -1.0]), np.zeros(3))
    assert look_at_cloud(cloud_at(DEPTH), backwards, CAMERA).margin == 1


def test_fewer_points_and_pixels_see_the_same() -> None:
    pose = moved(-0.3, right=0.2)
    whole = look_at_cloud(cloud_at(DEPTH), pose, CAMERA)
    coarse = look_at_cloud(PointCloud.of(DEPTH, POSE, CAMERA, step=2), pose, CAMERA.resized(48, 32))
    labels, fewer = rendered(whole, SEMANTIC)[1::2, 1::2], SEMANTIC.ravel()[coarse.source]
    both = (labels > 0) & (coarse.source >= 0)
    assert both.mean() > 0.7
    assert (labels == fewer)[both].mean() > 0.95


def test_boxes_are_the_extremes_of_what_is_seen_of_a_part() -> None:
    view = look_at_cloud(cloud_at(DEPTH), moved(-0.4, right=0.5), CAMERA)
    regions = semantic_regions(SEMANTIC)
    layout = layout_in(view, grid())
    label = rendered(view, regions.label)
    assert len(layout.part) > 1
    for part, box in zip(layout.part, layout.boxes[1:], strict=True):
        row, column = np.nonzero(label == part + 1)
        expected = [column.min(), row.min(), column.max() + 1, row.max() + 1]
        assert box * np.array([CAMERA.width, CAMERA.height] * 2) == pytest.approx(expected)


def test_from_its_own_viewpoint_the_layout_is_that_of_the_image() -> None:
    view = look_at_cloud(cloud_at(DEPTH), POSE, CAMERA)
    real, synthesized = layout_of_image(semantic_regions(SEMANTIC), grid()), layout_in(view, grid())
    assert np.array_equal(real.part, synthesized.part)
    assert synthesized.boxes == pytest.approx(real.boxes)
    assert synthesized.membership == pytest.approx(real.membership)


def test_a_step_ahead_enlarges_what_lies_ahead() -> None:
    depth, semantic = np.full_like(DEPTH, 3.0), np.full_like(SEMANTIC, 1)
    semantic[24:40, 40:56] = 2
    centres, regions = grid(), semantic_regions(semantic)
    points = POSE.transform_points(CAMERA.backproject(centres, np.full(len(centres), 3.0)))
    sizes = []
    for ahead in (-1.0, 0.0, 1.0):
        layout = layout_of_view(look_at_cloud(cloud_at(depth), moved(ahead), CAMERA), regions, centres, points)
        box = layout.boxes[1 + list(layout.part).index(1)]
        sizes.append(box[2:] - box[:2])
    assert sizes[1] == pytest.approx([16 / 96, 16 / 64])
    assert sizes[0] == pytest.approx(sizes[1] * 3 / 4, abs=1.1 / 64)
    assert sizes[2] == pytest.approx(sizes[1] * 3 / 2, abs=1.1 / 64)


def test_only_patches_that_are_seen_belong_to_a_synthesized_graph() -> None:
    view = look_at_cloud(cloud_at(DEPTH), moved(0.0, right=1.0), CAMERA)
    centres = grid()
    layout = layout_in(view, centres)
    row, column = centres.astype(int).T[::-1]
    world = POSE.transform_points(CAMERA.backproject(centres, DEPTH[row, column]))
    inside = CAMERA.contains(CAMERA.project(view.pose.inverse().transform_points(world)))
    assert 0 < inside.mean() < 1
    assert np.array_equal(layout.membership[0] > 0, inside)  # the box is convex: nothing hides anything
    assert layout.membership.sum(axis=1) == pytest.approx(1)


def test_viewpoints_see_the_point_from_all_around() -> None:
    point = np.array([2.0, 1.0])
    poses = viewpoints_around(point, height=1.5, camera=CAMERA, count=400, reach=1.5, rng=np.random.default_rng(0))
    offset = point - poses.translation[:, :2]
    ahead = (offset * poses.forward[:, :2]).sum(axis=1)
    angle = np.degrees(np.arccos(ahead / np.linalg.norm(offset, axis=1) / np.linalg.norm(poses.forward[:, :2], axis=1)))
    assert angle.max() <= 45
    assert np.bincount((np.arctan2(*offset.T) // (np.pi / 4) + 4).astype(int), minlength=8).min() > 25
    assert poses.translation[:, 2] == pytest.approx(1.5)


def test_synthesized_views_belong_to_the_class_that_the_protocol_gives_them() -> None:
    """The rule can be asked of the box's true depth, too, wherever a virtual view shows most of the box."""
    own = representative_point(VisibilityCone.of(DEPTH, POSE, CAMERA), point_range=1.0)
    points = np.stack([[4.5, 3.5], own, own + np.array([0.5, 0.2])])
    arguments = {"height": 1.4, "count": 40, "reach": 1.5}
    views = list(virtual_views(cloud_at(DEPTH), CAMERA, points, 1, rng=np.random.default_rng(1), **arguments))
    assert 10 <= len(views) <= 40
    assert {place for _, place in views} >= {1, 2}
    agrees = []
    for view, place in views:
        assert view.margin < MOST_MARGIN
        if view.margin < 0.5 and (view.pose.translation > 0).all() and (view.pose.translation < SIZE).all():
            cone = VisibilityCone.of(box_maps(view.pose, CAMERA)[0], view.pose, CAMERA)
            agrees.append(place_of(cone, points, PlaceParameters()) == place)
    assert len(agrees) > 5
    assert np.mean(agrees) > 0.8
    again = list(virtual_views(cloud_at(DEPTH), CAMERA, points, 1, rng=np.random.default_rng(1), **arguments))
    assert all(np.array_equal(a[0].source, b[0].source) for a, b in zip(views, again, strict=True))


def test_clouds_of_several_images_are_seen_as_one() -> None:
    """Two halves of a depth map, as two images of the same camera, show what the whole does."""
    left, right = DEPTH.copy(), DEPTH.copy()
    left[:, CAMERA.width // 2 :] = right[:, : CAMERA.width // 2] = 0
    joined = joined_clouds([cloud_at(left), cloud_at(right)], DEPTH.size)
    pose = moved(-0.3, right=0.2)
    one, both = look_at_cloud(cloud_at(DEPTH), pose, CAMERA), look_at_cloud(joined, pose, CAMERA)
    seen = one.source >= 0
    assert np.array_equal(seen, both.source >= 0)
    assert np.array_equal(one.source[seen], both.source[seen] % DEPTH.size)
    assert np.array_equal(both.source[seen] >= DEPTH.size, one.source[seen] % CAMERA.width >= CAMERA.width // 2)


def test_virtual_cameras_stand_where_an_image_sees_the_floor() -> None:
    cone = VisibilityCone.of(DEPTH, POSE, CAMERA)
    points = representative_point(cone, point_range=1.0)[None]
    arguments = {"height": 1.4, "count": 30, "reach": 3.0}
    cloud = cloud_at(DEPTH)
    eyes = [
        np.array([view.pose.translation[:2] for view, _ in views])
        for views in (
            list(virtual_views(cloud, CAMERA, points, 0, rng=np.random.default_rng(1), **arguments)),
            list(virtual_views(cloud, CAMERA, points, 0, rng=np.random.default_rng(1), within=[cone], **arguments)),
        )
    ]
    free, within = (cone.contains(xy, max_range=8.0, occlusion=True) for xy in eyes)
    assert not free.all()
    assert len(within) > 5
    assert within.all()
