from __future__ import annotations

import hashlib
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from relocbench.errors import InputError
from relocbench.sim.geometry import Camera, Pose
from relocbench.sim.raycast import Raycaster, raycaster
from relocbench.sim.raycast.irradiance import BakeSettings
from relocbench.sim.scene import Instance, Lamp, Lighting, Material, Scene, Sun
from relocbench.sim.simulator import OUTPUTS
from relocbench.sim.simulators import open_simulator
from relocbench.sim.srgb import LINEAR_OF_BYTE

GREY = np.full((1, 1, 3), 188, np.uint8)  # half of the light, linearly
ALBEDO = float(LINEAR_OF_BYTE[188])
DOWN = Pose(np.array([[1.0, 0, 0, 0], [0, -1, 0, 0], [0, 0, -1, 2], [0, 0, 0, 1]]))  # at (0, 0, 2), looking down
COARSE = BakeSettings(rays=32)


def box_faces(low, high, *, inwards: bool = False) -> list[np.ndarray]:
    """The six faces (4, 3) of a box, counter-clockwise seen from outside, or from inside."""
    faces = []
    for axis in range(3):
        a, b = (axis + 1) % 3, (axis + 2) % 3
        for side in (0, 1):
            corners = np.tile(np.asarray(low, float), (4, 1))
            corners[:, axis] = (low, high)[side][axis]
            corners[[1, 2], a], corners[[2, 3], b] = high[a], high[b]
            faces.append(corners if (side == 1) != inwards else corners[::-1])
    return faces


def rectangle(x0: float, y0: float, x1: float, y1: float, z: float) -> np.ndarray:
    return np.array([[x0, y0, z], [x1, y0, z], [x1, y1, z], [x0, y1, z]], float)


def scene_of(objects: list[list[np.ndarray]], *, lighting: Lighting, texture=GREY, emission=(0.0, 0.0, 0.0)) -> Scene:
    """A scene of objects made of rectangles; object i has instance id i + 1 and category i + 1."""
    quads = [(quad, i) for i, quad_list in enumerate(objects) for quad in quad_list]
    normals = [np.cross(q[1] - q[0], q[2] - q[0]) for q, _ in quads]
    offsets = 4 * np.arange(len(quads))
    return Scene(
        name="quads",
        vertices=np.concatenate([q for q, _ in quads]).astype(np.float32),
        normals=np.concatenate([np.tile(n / np.linalg.norm(n), (4, 1)) for n in normals]).astype(np.float32),
        uvs=np.tile([[0, 1], [1, 1], [1, 0], [0, 0]], (len(quads), 1)).astype(np.float32),
        triangles=(offsets[:, None, None] + [[0, 1, 2], [0, 2, 3]]).reshape(-1, 3).astype(np.int32),
        triangle_material=np.zeros(2 * len(quads), np.int32),
        triangle_instance=np.repeat([i for _, i in quads], 2).astype(np.int32),
        materials=(Material("plain", texture, emission),),
        instances=tuple(Instance(i + 1, i + 1, f"object-{i + 1}") for i in range(len(objects))),
        categories=("unknown", *(f"category-{i + 1}" for i in range(len(objects)))),
        conditions={"day": lighting},
    )


def observe(scene: Scene, pose: Pose, camera: Camera, *, condition: str = "day", **how):
    simulator = Raycaster(**{"bake": COARSE, **how})
    simulator.load(scene, condition)
    return next(simulator.render(pose, camera, OUTPUTS))


def radiance(rgb: np.ndarray) -> np.ndarray:
    """Linear light of a picture, exact below the tone curve's shoulder."""
    return LINEAR_OF_BYTE[rgb].mean(axis=-1)


@pytest.fixture(scope="module")
def poses() -> Pose:
    yaw = np.array([0.3, 0.5, 2.0, -2.4])
    xy = [[1.2, 0.7], [1.5, 0.8], [4.0, 1.4], [8.2, 1.9]]
    return Pose.from_planar(xy, height=1.5, yaw=yaw, pitch=[-0.1, 0.0, -0.3, -0.2])


@pytest.fixture(scope="module")
def camera() -> Camera:
    return Camera(96, 72, 60.0, 58.0, 47.0, 37.0)


@pytest.fixture(scope="module")
def observations(box_room: Scene, poses: Pose, camera: Camera) -> list:
    simulator = Raycaster(bake=COARSE)
    simulator.load(box_room, "evening")
    return list(simulator.render(poses, camera, OUTPUTS))


def test_depth_is_the_distance_to_the_walls_of_a_cube():
    low, high = np.array([-2.0, -1.5, 0.0]), np.array([2.5, 3.0, 2.5])
    scene = scene_of([box_faces(low, high, inwards=True)], lighting=Lighting(ambient=(1.0, 1.0, 1.0)))
    pose = Pose.from_planar([0.3, 0.4], height=1.3, yaw=0.7, pitch=-0.2, roll=0.1)
    camera = Camera.from_fov(64, 48, 100)
    seen = observe(scene, pose, camera)
    direction = camera.rays() @ pose.rotation.T
    walls = np.where(direction > 0, high - pose.translation, low - pose.translation) / direction
    np.testing.assert_allclose(seen.depth, walls.min(axis=-1), atol=1e-5)
    assert seen.depth.dtype == np.float32
    assert (seen.instance == 1).all()


def test_depth_of_one_view_reprojects_onto_that_of_another(observations, poses, camera):
    a, b = observations[0], observations[1]
    hit = a.depth > 0
    world = poses[0].transform_points(camera.backproject(camera.pixel_centres()[hit], a.depth[hit].astype(float)))
    in_b = poses[1].inverse().transform_points(world)
    pixels = camera.project(in_b)
    inside = camera.contains(pixels) & camera.contains(pixels + 1) & camera.contains(pixels - 1)
    corner = np.floor(pixels[inside] - 0.5).astype(int)
    fraction = pixels[inside] - 0.5 - corner
    inverse = np.zeros(len(corner))
    same = np.ones(len(corner), dtype=bool)
    for dx in (0, 1):
        for dy in (0, 1):
            weight = np.abs(1 - dx - fraction[:, 0]) * np.abs(1 - dy - fraction[:, 1])
            row, column = corner[:, 1] + dy, corner[:, 0] + dx
            inverse += weight / np.maximum(b.depth[row, column], 1e-9)  # the inverse depth of a plane is linear
            same &= b.instance[row, column] == a.instance[hit][inside]
    residual = np.abs(1 / inverse - in_b[inside, 2])[same]
    assert same.sum() > 1000
    assert np.median(residual) < 1e-5


def test_every_pixel_of_furniture_lies_on_the_box_it_names(observations, poses, camera, box_room):
    checked = 0
    for pose, seen in zip(poses, observations, strict=True):
        world = pose.transform_points(camera.backproject(camera.pixel_centres(), seen.depth.astype(float)))
        for number, instance in enumerate(box_room.instances):
            mine = seen.instance == instance.id
            assert (seen.semantic[mine] == instance.category).all()
            corners = box_room.vertices[box_room.triangles[box_room.triangle_instance == number]].reshape(-1, 3)
            assert (world[mine] >= corners.min(axis=0) - 1e-4).all()
            assert (world[mine] <= corners.max(axis=0) + 1e-4).all()
            checked += mine.sum()
    assert checked == sum((seen.depth > 0).sum() for seen in observations)


def test_nothing_is_seen_outside_of_the_scene():
    scene = scene_of([[rectangle(-1, -1, 1, 1, 5.0)]], lighting=Lighting(sky=(0.2, 0.3, 0.5)))
    seen = observe(scene, DOWN, Camera.from_fov(8, 8, 60))
    assert not seen.depth.any()
    assert not seen.semantic.any()
    assert not seen.instance.any()
    assert seen.rgb.any()


def test_rays_pass_through_pixel_centres():
    # f = 10 px, 2 m above the floor: x = 0.05 m is image column 5.25, between the centres of columns 4 and 5
    camera = Camera(10, 10, 10.0, 10.0, 5.0, 5.0)
    scene = scene_of([[rectangle(0.05, -5, 5, 5, 0.0)]], lighting=Lighting(ambient=(1.0, 1.0, 1.0)))
    hit = observe(scene, DOWN, camera).depth > 0
    assert hit[:, 5:].all()
    assert not hit[:, :5].any()


def test_a_texture_lies_the_right_way_round():
    texture = np.zeros((4, 4, 3), np.uint8)
    texture[0, 0], texture[0, 3], texture[3, 0] = (200, 0, 0), (0, 200, 0), (0, 0, 200)
    scene = scene_of([[rectangle(-1, -1, 1, 1, 0)]], lighting=Lighting(ambient=(1.0, 1.0, 1.0)), texture=texture)
    camera = Camera(4, 4, 4.0, 4.0, 2.0, 2.0)  # one pixel per texel
    assert np.abs(observe(scene, DOWN, camera).rgb.astype(int) - texture).max() <= 2


def test_fine_textures_far_away_blend_in_linear_light():
    checks = (np.indices((128, 128)).sum(axis=0) % 2)[..., None] * 188
    texture = np.repeat(checks, 3, axis=-1).astype(np.uint8)
    scene = scene_of([[rectangle(-1, -1, 1, 1, 0)]], lighting=Lighting(ambient=(1.0, 1.0, 1.0)), texture=texture)
    light = radiance(observe(scene, DOWN, Camera(16, 16, 16.0, 16.0, 8.0, 8.0)).rgb)
    assert light.mean() == pytest.approx(ALBEDO / 2, rel=0.03)
    assert light.std() < 0.02 * light.mean()


def test_pictures_do_not_depend_on_the_order_of_poses(box_room, poses, camera, observations):
    simulator = Raycaster(bake=COARSE)
    simulator.load(box_room, "evening")
    for i, seen in zip([2, 0, 3, 1], simulator.render(poses[[2, 0, 3, 1]], camera, OUTPUTS), strict=True):
        for name in OUTPUTS:
            assert np.array_equal(getattr(seen, name), getattr(observations[i], name)), name


def digest(scene: Scene) -> str:
    simulator = Raycaster(bake=BakeSettings(spacing=0.2, gather_spacing=0.5, rays=16))
    simulator.load(scene, "day")
    eyes = Pose.from_planar([[1.2, 0.7], [7.0, 1.5]], height=1.4, yaw=[0.4, 2.0])
    content = hashlib.sha256()
    for seen in simulator.render(eyes, Camera.from_fov(64, 48, 90), OUTPUTS):
        for name in sorted(OUTPUTS):
            content.update(getattr(seen, name).tobytes())
    return content.hexdigest()


def test_another_process_renders_the_same_bits(make_box_room):
    here = Path(__file__)
    script = (
        "import runpy\n"
        f"build = runpy.run_path({str(here.parents[2] / 'conftest.py')!r})['build_box_room']\n"
        f"print(runpy.run_path({str(here)!r})['digest'](build(edge=0.2)))"
    )
    other = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert other.stdout.split()[-1] == digest(make_box_room(edge=0.2))


def test_a_lamp_obeys_the_inverse_square_and_cosine_laws():
    lamp = Lamp((0.4, -0.2, 1.5), (1.0, 1.0, 1.0), radius=0.01)
    scene = scene_of([[rectangle(-4, -4, 4, 4, 0)]], lighting=Lighting(lamps=(lamp,), exposure=6.0))
    camera = Camera.from_fov(33, 33, 100)
    seen = observe(scene, DOWN, camera)
    world = DOWN.transform_points(camera.backproject(camera.pixel_centres(), seen.depth.astype(float)))
    towards = np.array(lamp.position) - world
    distance = np.linalg.norm(towards, axis=-1)
    expected = 6.0 * ALBEDO / np.pi * towards[..., 2] / distance**3
    np.testing.assert_allclose(radiance(seen.rgb), expected, rtol=0.04)


def test_the_sun_lights_by_the_cosine_of_its_elevation():
    for sine in (0.3, 0.9):
        direction = (float(np.sqrt(1 - sine**2)), 0.0, -sine)
        scene = scene_of([[rectangle(-2, -2, 2, 2, 0)]], lighting=Lighting(sun=Sun(direction, (3.0, 3.0, 3.0))))
        light = radiance(observe(scene, DOWN, Camera.from_fov(8, 8, 40)).rgb)
        np.testing.assert_allclose(light, 3.0 * sine * ALBEDO / np.pi, rtol=0.03)


def test_what_stands_between_a_lamp_and_the_floor_casts_a_shadow():
    lamp = Lighting(lamps=(Lamp((0, 0, 3.0), (4.0, 4.0, 4.0)),), exposure=2.0)
    blocker = box_faces((-0.3, -0.3, 1.0), (0.3, 0.3, 1.1))
    scene = scene_of([[rectangle(-3, -3, 3, 3, 0)], blocker], lighting=lamp)
    pose, camera = Pose.look_at([2.5, 0.0, 0.8], [0.0, 0.0, 0.0]), Camera.from_fov(64, 48, 70)
    seen = observe(scene, pose, camera)
    world = pose.transform_points(camera.backproject(camera.pixel_centres(), seen.depth.astype(float)))
    radius = np.abs(world[..., :2]).max(axis=-1)
    floor = seen.instance == 1
    dark, lit = floor & (radius < 0.3), floor & (radius > 0.65) & (radius < 1.0)
    assert dark.sum() > 20
    assert radiance(seen.rgb)[dark].max() < 0.15 * radiance(seen.rgb)[lit].min()


def test_light_does_not_leak_through_a_thin_wall():
    lit = box_faces((0, 0, 0), (2, 2, 2), inwards=True)
    dark = box_faces((2.03, 0, 0), (4, 2, 2), inwards=True)
    shell = box_faces((-0.03, -0.03, -0.03), (4.03, 2.03, 2.03))
    lamp = Lighting(lamps=(Lamp((1.5, 1.0, 1.5), (5.0, 5.0, 5.0)),), sky=(1.0, 1.0, 1.0))
    scene = scene_of([lit, dark, shell], lighting=lamp)
    simulator = Raycaster(bake=COARSE)
    simulator.load(scene, "day")
    eyes = Pose.from_planar([[1.0, 1.0], [3.8, 1.0]], height=1.0, yaw=[np.pi, np.pi])
    bright, black = simulator.render(eyes, Camera.from_fov(32, 32, 90), frozenset({"rgb"}))
    assert bright.rgb.min() > 60
    assert black.rgb.max() <= 2


def test_a_closed_glowing_room_holds_the_light_that_its_walls_return():
    room = [box_faces((0, 0, 0), (3, 2, 2.5), inwards=True)]
    scene = scene_of(room, lighting=Lighting(), emission=(0.2, 0.2, 0.2))
    light = radiance(observe(scene, Pose.from_planar([1.0, 1.0], height=1.2, yaw=0.5), Camera.from_fov(32, 24, 90)).rgb)
    bounced = sum(ALBEDO**k for k in range(COARSE.bounces + 2))
    np.testing.assert_allclose(light, 0.2 * bounced, rtol=0.03)


def test_floor_around_furniture_is_no_darker_than_occlusion_makes_it(box_room):
    """Places inside of furniture are dark; the visible floor beside it must not fade into them."""
    grey = tuple(replace(material, texture=GREY) for material in box_room.materials)
    pose, camera = Pose.look_at([3.9, 1.9, 1.6], [4.7, 1.05, 0.0]), Camera.from_fov(160, 120, 60)
    seen = observe(replace(box_room, materials=grey), pose, camera, condition="evening")
    world = pose.transform_points(camera.backproject(camera.pixel_centres(), seen.depth.astype(float)))
    x, y, z = np.moveaxis(world, -1, 0)
    floor = (seen.semantic == box_room.categories.index("floor")) & (np.abs(z) < 1e-3)
    from_the_cabinet = np.hypot(np.maximum(4.4 - x, 0), np.maximum(y - 1.0, 0))
    beside = floor & (from_the_cabinet < 0.04) & (x < 4.9)
    further_away = floor & (from_the_cabinet > 0.3) & (from_the_cabinet < 0.5)
    light = radiance(seen.rgb)
    assert beside.sum() > 100
    assert light[beside].min() > 0.25 * np.median(light[further_away])


def test_four_samples_per_pixel_smooth_edges_of_the_picture_only(box_room, poses, camera, observations):
    smooth = observe(box_room, poses[0], camera, condition="evening", options={"samples_per_pixel": 4})
    assert np.array_equal(smooth.depth, observations[0].depth)
    assert np.array_equal(smooth.instance, observations[0].instance)
    assert not np.array_equal(smooth.rgb, observations[0].rgb)
    assert np.abs(smooth.rgb.mean() - observations[0].rgb.mean()) < 2


def test_conditions_look_different_and_share_geometry(box_room, poses, camera, observations):
    simulator = Raycaster(bake=COARSE)
    simulator.load(box_room, "day")
    day = next(simulator.render(poses[0], camera, OUTPUTS))
    simulator.load(box_room, "evening")
    evening = next(simulator.render(poses[0], camera, OUTPUTS))
    assert np.array_equal(evening.rgb, observations[0].rgb)
    assert np.array_equal(day.depth, evening.depth)
    assert np.abs(day.rgb.astype(int) - evening.rgb).mean() > 5


def test_baked_light_is_kept_for_the_next_process(
    box_room: Scene, poses: Pose, camera: Camera, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    settings = BakeSettings(spacing=0.2, gather_spacing=0.5, rays=16)
    first = observe(box_room, poses[0], camera, bake=settings, cache_folder=tmp_path).rgb
    assert len(list(tmp_path.iterdir())) == 1

    def fail(*_: object) -> None:
        raise AssertionError("baked again")

    monkeypatch.setattr(raycaster, "bake", fail)
    assert np.array_equal(observe(box_room, poses[0], camera, bake=settings, cache_folder=tmp_path).rgb, first)


def test_only_what_is_asked_for_is_rendered(box_room, poses, camera):
    simulator = Raycaster()
    simulator.load(box_room, "day")
    seen = list(simulator.render(poses, camera, frozenset({"depth"})))
    assert len(seen) == len(poses)
    assert seen[0].depth is not None
    assert seen[0].rgb is None
    assert seen[0].semantic is None


def test_what_cannot_be_rendered_is_refused(box_room: Scene, poses: Pose, camera: Camera):
    simulator = Raycaster()
    with pytest.raises(ValueError, match="load a scene"):
        simulator.render(poses, camera, OUTPUTS)
    with pytest.raises(KeyError, match="midnight"):
        simulator.load(box_room, "midnight")
    simulator.load(box_room, "day")
    with pytest.raises(ValueError, match="smell"):
        simulator.render(poses, camera, frozenset({"smell"}))
    simulator.close()
    with pytest.raises(ValueError, match="load a scene"):
        simulator.render(poses, camera, OUTPUTS)


def test_simulators_are_opened_by_name(tmp_path: Path):
    assert isinstance(open_simulator("raycast", cache_folder=tmp_path), Raycaster)
    with pytest.raises(InputError, match=r"unknown simulator 'crystal ball'; known: .*raycast"):
        open_simulator("crystal ball")
    with pytest.raises(InputError, match=r"simulator 'raycast': option 'samples_per_pixel': Input should be 1 or 4"):
        open_simulator("raycast", options={"samples_per_pixel": 2})
    with pytest.raises(InputError, match="option 'colour': Extra inputs"):
        open_simulator("raycast", options={"colour": True})
