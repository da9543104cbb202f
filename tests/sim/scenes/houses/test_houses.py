"""Houses keep their promises: nothing intersects or floats, all is reached, the same seed gives the same bytes."""

from __future__ import annotations

import hashlib
import inspect
import os
import subprocess
import sys
from itertools import combinations

import numpy as np
import pytest
import trimesh
from relocbench.errors import InputError
from relocbench.sim.camera_placement import Clearance, sample_poses_6dof, sample_poses_planar
from relocbench.sim.raycast.ray_scene import RayScene
from relocbench.sim.scene import Scene
from relocbench.sim.scenes.categories import CATEGORIES, category_id
from relocbench.sim.scenes.houses import generate_house
from relocbench.sim.scenes.houses.furniture import CATALOGUE
from shapely.geometry import Point

SHELL = {
    "wall", "floor", "ceiling", "baseboard", "doorframe", "door", "windowpane", "windowsill", "roof", "grass", "hedge",
    "fence", "tree",
}  # fmt: skip
OUTDOORS = {"roof", "grass", "hedge", "fence", "tree"}
FINGERPRINT = """
import hashlib, sys
from relocbench.sim.scenes.houses import generate_house
{function}
print(fingerprint(generate_house(int(sys.argv[1]))))
"""


def fingerprint(scene) -> str:  # type: ignore[no-untyped-def]
    digest = hashlib.sha256()
    for name in ("vertices", "normals", "uvs", "triangles", "triangle_material", "triangle_instance"):
        digest.update(getattr(scene, name).tobytes())
    for material in scene.materials:
        digest.update(material.name.encode() + material.texture.tobytes() + repr(material.emission).encode())
    digest.update(repr((scene.instances, scene.rooms[0].name, sorted(scene.conditions.items()))).encode())
    digest.update(scene.navigable.wkb)
    return digest.hexdigest()


def category(scene: Scene, number: int) -> str:
    return scene.categories[scene.instances[number].category]


def meshes(scene: Scene, *, furniture: bool) -> dict[int, np.ndarray]:
    """Triangles (T, 3) of each instance by its number, furniture only or everything else."""
    order = np.argsort(scene.triangle_instance, kind="stable")
    numbers, starts = np.unique(scene.triangle_instance[order], return_index=True)
    return {
        int(number): scene.triangles[part]
        for number, part in zip(numbers, np.split(order, starts[1:]), strict=True)
        if (category(scene, int(number)) not in SHELL) == furniture
    }


def piercing(scene: Scene, triangles: np.ndarray, other: np.ndarray, *, depth: float = 0.003) -> bool:
    """Whether an edge of one mesh passes through a face of another, more than ``depth`` metres from its ends."""
    edges = np.unique(
        np.sort(np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])), axis=0
    )
    start, end = scene.vertices[edges[:, 0]], scene.vertices[edges[:, 1]]
    length = np.linalg.norm(end - start, axis=1)
    long = length > 2 * depth
    start, length, direction = start[long], length[long], ((end - start)[long] / length[long, None])
    if not len(start):
        return False
    rays = RayScene(scene.vertices, np.ascontiguousarray(other))
    origins = (start + depth * direction).astype(np.float32)
    return bool(rays.blocked(origins, direction.astype(np.float32), (length - 2 * depth).astype(np.float32)).any())


def test_no_two_pieces_intersect(houses: list[Scene]) -> None:
    for scene in houses:
        pieces = meshes(scene, furniture=True)
        boxes = {n: (scene.vertices[t].min(axis=(0, 1)), scene.vertices[t].max(axis=(0, 1))) for n, t in pieces.items()}
        for a, b in combinations(pieces, 2):
            near = (boxes[a][0] < boxes[b][1] - 0.002).all() and (boxes[b][0] < boxes[a][1] - 0.002).all()
            if near:
                names = scene.instances[a].name, scene.instances[b].name
                assert not piercing(scene, pieces[a], pieces[b]), names
                assert not piercing(scene, pieces[b], pieces[a]), names


def test_no_piece_reaches_through_a_wall(houses: list[Scene]) -> None:
    for scene in houses:
        for number, triangles in meshes(scene, furniture=True).items():
            instance = scene.instances[number]
            room = scene.room(instance.room or "").polygon
            points = scene.vertices[np.unique(triangles)]
            outside = [Point(x, y) for x, y, _ in points[:: max(1, len(points) // 40)]]
            assert max(room.distance(point) for point in outside) < 0.2, instance.name  # a window sill's depth
            assert points[:, 2].min() > -0.002


def stands(scene: Scene, number: int, points: np.ndarray) -> bool:
    """Whether something of the same room is under a piece: within 4 mm of its lowest point, up or down."""
    same_room = np.array([i.room == scene.instances[number].room for i in scene.instances])
    same_room[number] = False
    rays = RayScene(scene.vertices, np.ascontiguousarray(scene.triangles[same_room[scene.triangle_instance]]))
    low, high = points.min(axis=0), points.max(axis=0)
    x, y = (np.linspace(a, b, 14)[1:-1] for a, b in zip(low[:2], high[:2], strict=True))
    grid = np.stack([*np.meshgrid(x, y), np.full((12, 12), low[2] + 0.004)], axis=-1).reshape(-1, 3)
    feet = np.concatenate([grid, points[points[:, 2] < low[2] + 0.002] * (1, 1, 0) + (0, 0, low[2] + 0.004)])
    down = np.broadcast_to(np.float32([0, 0, -1]), feet.shape)
    return bool(rays.blocked(feet.astype(np.float32), np.ascontiguousarray(down), 0.008).mean() > 0.02)


def test_everything_is_held(houses: list[Scene]) -> None:
    """Every piece stands on the floor or on something, hangs from the ceiling, or hangs on a wall."""
    for scene in houses[:1]:
        kinds = np.array([category(scene, number) for number in range(len(scene.instances))])
        ceiling = scene.vertices[scene.triangles[kinds[scene.triangle_instance] == "ceiling"]][..., 2].max()
        for number, triangles in meshes(scene, furniture=True).items():
            instance = scene.instances[number]
            points = scene.vertices[np.unique(triangles)].astype(np.float64)
            low, high = points.min(axis=0), points.max(axis=0)
            walls = scene.room(instance.room or "").polygon.bounds
            to_wall = min(*np.abs(low[:2] - walls[:2]), *np.abs(high[:2] - walls[2:]))
            hangs = to_wall < 0.02 or abs(high[2] - ceiling) < 0.02
            assert hangs or stands(scene, number, points), instance.name


def test_poses_keep_their_distance(houses: list[Scene]) -> None:
    scene = houses[0]
    corners = scene.vertices[scene.triangles].astype(np.float64)
    clearance = Clearance(scene)
    rng = np.random.default_rng(0)
    for sample in (sample_poses_planar, sample_poses_6dof):
        for point in sample(scene, 12, rng, clearance=clearance).translation:
            closest = trimesh.triangles.closest_point(corners, np.broadcast_to(point, (len(corners), 3)))
            assert np.linalg.norm(closest - point, axis=1).min() >= 0.2
            assert any(room.polygon.contains(Point(*point[:2])) for room in scene.rooms)


def test_a_robot_reaches_every_room(houses: list[Scene]) -> None:
    for scene in houses:
        largest = max(scene.navigable.geoms, key=lambda part: part.area)
        for room in scene.rooms:
            assert largest.intersection(room.polygon).area > 0.2, (scene.name, room.name)


def test_rooms_are_full_of_things_and_categories(houses: list[Scene]) -> None:
    seen = set()
    for scene in houses:
        for room in scene.rooms:
            things = [i for i in scene.instances if i.room == room.name and scene.categories[i.category] not in SHELL]
            assert len(things) >= 8, (scene.name, room.name)
            seen |= {scene.categories[i.category] for i in things}
    assert len(seen) >= 35


def test_categories_cover_the_catalogue() -> None:
    assert CATEGORIES[0] == "unknown"
    assert len(set(CATEGORIES)) == len(CATEGORIES)
    assert all(category_id(entry.category) > 0 for entry in CATALOGUE.values())


def test_arrays_are_consistent(houses: list[Scene]) -> None:
    for scene in houses:
        assert scene.triangles.min() >= 0
        assert scene.triangles.max() < len(scene.vertices) == len(scene.normals) == len(scene.uvs)
        assert np.isfinite(scene.vertices).all()
        assert np.isfinite(scene.uvs).all()
        assert np.abs(np.linalg.norm(scene.normals, axis=1) - 1).max() < 1e-3
        assert set(np.unique(scene.triangle_material)) == set(range(len(scene.materials)))
        assert set(np.unique(scene.triangle_instance)) == set(range(len(scene.instances)))
        assert [instance.id for instance in scene.instances] == list(range(1, len(scene.instances) + 1))
        assert len({instance.name for instance in scene.instances}) == len(scene.instances)


def test_no_light_leaks_through_floors_and_ceilings(houses: list[Scene]) -> None:
    for scene in houses:
        rays = RayScene(scene.vertices, scene.triangles)
        rng = np.random.default_rng(1)
        for room in scene.rooms:
            x0, y0, x1, y1 = room.polygon.bounds
            # The edges of the room: where floor, ceiling, skirting and walls meet.
            target = rng.uniform((x0, y0), (x1, y1), size=(3000, 2))
            edge = rng.integers(4, size=3000)
            target[edge < 2, 0] = np.where(edge[edge < 2] == 0, x0, x1)
            target[edge >= 2, 1] = np.where(edge[edge >= 2] == 2, y0, y1)
            height = rng.choice([0.0, 2.39], size=3000) + rng.normal(0, 0.005, 3000)
            eye = np.array([(x0 + x1) / 2, (y0 + y1) / 2, 1.4])
            towards = np.column_stack([target, height]) - eye
            directions = (towards / np.linalg.norm(towards, axis=1, keepdims=True)).astype(np.float32)
            down = directions[:, 2] < -0.25
            origins = np.broadcast_to(eye.astype(np.float32), (int(down.sum()), 3)).copy()
            hits = rays.intersect(origins, np.ascontiguousarray(directions[down]))
            assert (hits[0] >= 0).all()


def test_walls_and_floors_are_textured_finely(houses: list[Scene]) -> None:
    for scene in houses:
        corners, uvs = scene.vertices[scene.triangles].astype(float), scene.uvs[scene.triangles].astype(float)
        area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
        side = uvs[:, 1:] - uvs[:, :1]
        covered = np.abs(side[:, 0, 0] * side[:, 1, 1] - side[:, 0, 1] * side[:, 1, 0])
        texels = np.array([m.texture.shape[0] * m.texture.shape[1] for m in scene.materials])[scene.triangle_material]
        kind = np.array([category(scene, n) for n in range(len(scene.instances))])[scene.triangle_instance]
        for name in ("wall", "floor"):
            here = (kind == name) & (area > 1e-6)
            density = np.sqrt(covered[here] * texels[here] / area[here])
            assert density.min() >= 99.0


def test_lights(houses: list[Scene]) -> None:
    for scene in houses:
        assert {"day", "evening", "dim"} <= set(scene.conditions)
        sun = scene.conditions["day"].sun
        assert sun is not None
        assert np.linalg.norm(sun.direction) == pytest.approx(1)
        assert sun.direction[2] < -0.3
        lamps = scene.conditions["evening"].lamps
        for room in scene.rooms:
            assert any(room.polygon.contains(Point(*lamp.position[:2])) for lamp in lamps), (scene.name, room.name)


def test_the_same_seed_gives_the_same_bytes_in_another_process(houses: list[Scene]) -> None:
    code = FINGERPRINT.format(function=inspect.getsource(fingerprint))
    environment = {**os.environ, "PYTHONHASHSEED": "123", "OMP_NUM_THREADS": "1"}
    other = subprocess.run(
        [sys.executable, "-c", code, str(houses[0].generator["seed"])],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    assert other.stdout.strip() == fingerprint(houses[0])


def test_default_triangles(houses: list[Scene]) -> None:
    for scene in houses:
        assert 75_000 <= len(scene.triangles) <= 125_000


@pytest.mark.slow
@pytest.mark.parametrize("triangles", [20_000, 50_000, 300_000, 600_000])
@pytest.mark.parametrize("seed", [1, 2])
def test_triangles_are_about_what_was_asked_for(seed: int, triangles: int) -> None:
    assert 0.75 * triangles <= len(generate_house(seed, triangles=triangles).triangles) <= 1.25 * triangles


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20, 32))
def test_more_houses_keep_the_promises(seed: int) -> None:
    scene = [generate_house(seed)]
    test_no_two_pieces_intersect(scene)
    test_everything_is_held(scene)
    test_a_robot_reaches_every_room(scene)
    test_no_light_leaks_through_floors_and_ceilings(scene)


@pytest.mark.slow
@pytest.mark.parametrize("triangles", [20_000, 300_000])
def test_other_levels_of_detail_hold_and_separate_things_too(triangles: int) -> None:
    scene = [generate_house(4, triangles=triangles)]
    test_no_two_pieces_intersect(scene)
    test_everything_is_held(scene)


@pytest.mark.parametrize(("seed", "triangles"), [(-1, 100_000), (1, 100), (1, 10**8)])
def test_what_cannot_be_made_is_refused(seed: int, triangles: int) -> None:
    with pytest.raises(InputError):
        generate_house(seed, triangles=triangles)
