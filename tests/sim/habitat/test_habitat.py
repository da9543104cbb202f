"""habitat-sim itself: it shows what the ray caster shows, always the same, and the scenes that its users have."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from relocbench.datasets.check import check, raise_if_unsound
from relocbench.datasets.generate import generate
from relocbench.datasets.spec import parse_spec
from relocbench.errors import InputError
from relocbench.sim.agreement import compare_views
from relocbench.sim.geometry import Camera, Pose
from relocbench.sim.habitat.adapter import Habitat
from relocbench.sim.habitat.scene_dataset import load_dataset_scene
from relocbench.sim.habitat.stage import export_stage
from relocbench.sim.processes.settings import worker_command
from relocbench.sim.raycast import Raycaster
from relocbench.sim.scene import Scene
from relocbench.sim.scene_files import load_scene, save_scene
from relocbench.sim.simulator import OUTPUTS, Observation
from shapely.ops import unary_union

pytestmark = pytest.mark.usefixtures("habitat_installed")


@pytest.fixture(scope="module")
def habitat(house: Scene, tmp_path_factory: pytest.TempPathFactory):
    simulator = Habitat(cache_folder=tmp_path_factory.mktemp("habitat"))
    simulator.load(house, "day")
    yield simulator
    simulator.close()


@pytest.fixture(scope="module")
def seen(habitat: Habitat, poses: Pose, camera: Camera) -> list[Observation]:
    return list(habitat.render(poses, camera, OUTPUTS))


@pytest.fixture(scope="module")
def cast(house: Scene, poses: Pose, camera: Camera) -> list[Observation]:
    simulator = Raycaster()
    simulator.load(house, "day")
    labels = list(simulator.render(poses, camera, OUTPUTS - {"rgb"}))
    return [replace(observation, rgb=np.zeros((256, 256, 3), np.uint8)) for observation in labels]


def test_it_says_what_it_is_and_what_draws(habitat: Habitat) -> None:
    hello = habitat.hello()
    assert set(hello["versions"]) == {"habitat_sim", "numpy"}
    assert hello["versions"]["habitat_sim"].startswith("0.3")
    assert len(hello["renderer"]) > 5


def test_it_shows_the_depth_and_labels_of_the_ray_caster(seen: list[Observation], cast: list[Observation]) -> None:
    agreement = compare_views("habitat", "raycast", seen, cast)
    assert agreement.complaints == []
    assert agreement.compared > 0.6
    for observation in seen:
        assert observation.depth.dtype == np.float32
        assert observation.semantic.dtype == np.uint16
        assert observation.instance.dtype == np.uint32


@pytest.mark.parametrize(
    "camera",
    [Camera(200, 150, 130.0, 130.0, 80.0, 90.5), Camera(200, 150, 130.0, 138.0, 101.3, 74.0)],
    ids=["off-centre", "not square"],
)
def test_a_camera_that_is_cut_out_agrees_too(habitat: Habitat, house: Scene, poses: Pose, camera: Camera) -> None:
    caster = Raycaster()
    caster.load(house, "day")
    pair = [list(simulator.render(poses[:2], camera, OUTPUTS)) for simulator in (habitat, caster)]
    assert compare_views("habitat", "raycast", *pair).complaints == []


def test_the_same_pose_gives_the_same_bits_in_any_order_from_any_worker(
    habitat: Habitat, seen: list[Observation], poses: Pose, camera: Camera
) -> None:
    habitat._drop_worker()
    for number in (4, 0, 2):
        (again,) = habitat.render(poses[number], camera, OUTPUTS)
        for name in sorted(OUTPUTS):
            np.testing.assert_array_equal(getattr(again, name), getattr(seen[number], name), err_msg=name)


def test_a_killed_worker_is_replaced_in_the_middle(
    habitat: Habitat, seen: list[Observation], poses: Pose, camera: Camera
) -> None:
    frames = habitat.render(poses, camera, frozenset({"depth"}))
    next(frames)
    os.kill(habitat._running().pid, signal.SIGKILL)
    for observation, wanted in zip(frames, seen[1:], strict=True):
        np.testing.assert_array_equal(observation.depth, wanted.depth)


def test_only_what_was_asked_for_comes_back(
    habitat: Habitat, seen: list[Observation], poses: Pose, camera: Camera
) -> None:
    (observation,) = habitat.render(poses[0], camera, frozenset({"semantic"}))
    np.testing.assert_array_equal(observation.semantic, seen[0].semantic)
    assert observation.rgb is observation.depth is observation.instance is None


def test_an_evening_is_darker(
    habitat: Habitat, house: Scene, seen: list[Observation], poses: Pose, camera: Camera
) -> None:
    habitat.load(house, "evening")
    try:
        dark = list(habitat.render(poses, camera, frozenset({"rgb", "depth"})))
    finally:
        habitat.load(house, "day")
    for evening, day in zip(dark, seen, strict=True):
        np.testing.assert_array_equal(evening.depth, day.depth)
        hit = day.depth > 0
        assert evening.rgb[hit].mean() < 0.9 * day.rgb[hit].mean()


@pytest.fixture(scope="module")
def scan(house: Scene) -> Scene:
    """The inside of a house without garden, roof and ceilings: nothing else to walk on is as large as its floor."""
    corners = house.vertices[house.triangles]
    x0, y0, x1, y1 = unary_union([room.polygon for room in house.rooms]).bounds
    low, high = np.array([x0, y0, -1.0]) - 0.3, np.array([x1 + 0.3, y1 + 0.3, 2.2])
    inside = ((corners >= low) & (corners <= high)).all(axis=(1, 2))
    return replace(
        house,
        name="scan",
        triangles=house.triangles[inside],
        triangle_material=house.triangle_material[inside],
        triangle_instance=house.triangle_instance[inside],
    )


@pytest.fixture(scope="module")
def scene_dataset(scan: Scene, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A house as somebody's scene dataset: files, and a name in it, without any navigable mesh."""
    stage = export_stage(scan, "day", tmp_path_factory.mktemp("datasets"))
    return f"{stage.parent / 'scene.scene_dataset_config.json'}#0"


@pytest.fixture(scope="module")
def stand_in(scene_dataset: str) -> Scene:
    return load_dataset_scene(scene_dataset)


def test_a_scene_of_a_dataset_brings_its_floor_and_its_objects(house: Scene, stand_in: Scene) -> None:
    assert stand_in.floor_height == pytest.approx(house.floor_height, abs=0.1)
    assert stand_in.navigable.area > 0.5 * house.navigable.area
    inside = stand_in.navigable.intersection(house.navigable.buffer(0.15)).area
    assert inside > 0.95 * stand_in.navigable.area
    assert stand_in.generator["navmesh"] == "made"
    named = {instance.id: stand_in.categories[instance.category] for instance in stand_in.instances[:-1]}
    assert named == {
        number: house.categories[instance.category].lower() for number, instance in enumerate(house.instances, 1)
    }


def test_a_navigable_mesh_that_lies_beside_the_scene_is_used(scene_dataset: str, tmp_path: Path) -> None:
    source, _ = scene_dataset.split("#")
    shutil.copytree(Path(source).parent, tmp_path / "own")
    stage = tmp_path / "own" / "0.stage_config.json"
    stage.write_text(stage.read_text().replace('"up"', '"nav_asset": "0.navmesh",\n "up"', 1))
    script = (
        "import sys, habitat_sim\n"
        "backend = habitat_sim.SimulatorConfiguration()\n"
        "backend.scene_id, backend.gpu_device_id, backend.enable_physics = sys.argv[1], -1, False\n"
        "agent = habitat_sim.agent.AgentConfiguration()\n"
        "simulator = habitat_sim.Simulator(habitat_sim.Configuration(backend, [agent]))\n"
        "settings = habitat_sim.NavMeshSettings()\n"
        "settings.set_defaults()\n"
        "settings.agent_radius = 0.6\n"
        "assert simulator.recompute_navmesh(simulator.pathfinder, settings)\n"
        "assert simulator.pathfinder.save_nav_mesh(sys.argv[2])\n"
        "simulator.close()\n"
    )
    command = worker_command("habitat", module="habitat_sim", advice="")
    subprocess.run([*command, "-c", script, stage, tmp_path / "own" / "0.navmesh"], check=True)
    scene = load_dataset_scene(f"{tmp_path / 'own' / 'scene.scene_dataset_config.json'}#0")
    made = load_dataset_scene(scene_dataset)
    assert scene.generator["navmesh"] == "own"
    assert scene.navigable.area < made.navigable.area  # a wider robot has less room
    assert scene.navigable.difference(made.navigable.buffer(0.1)).area < 0.05 * scene.navigable.area


def test_a_stand_in_shows_the_real_scene_also_when_it_was_saved(
    scan: Scene, stand_in: Scene, poses: Pose, camera: Camera, tmp_path: Path
) -> None:
    scene = load_scene(save_scene(stand_in, tmp_path))
    assert scene.generator == stand_in.generator
    simulator, shown = Habitat(), []
    for shown_scene in (scene, scan):
        simulator.load(shown_scene, "day")
        shown.append(list(simulator.render(poses, camera, OUTPUTS)))
    simulator.close()
    ids = np.array([0, *(instance.id for instance in scan.instances)])
    for real, wanted in zip(*shown, strict=True):
        np.testing.assert_array_equal(real.depth, wanted.depth)
        np.testing.assert_array_equal(ids[real.instance], wanted.instance)
        names = np.array(scene.categories)[real.semantic]
        np.testing.assert_array_equal(names, np.char.lower(np.array(scan.categories))[wanted.semantic])
    with pytest.raises(InputError, match="only habitat reads"):
        Raycaster().load(scene, "day")


def test_a_scene_that_the_dataset_does_not_have_is_said_with_those_it_has(scene_dataset: str) -> None:
    with pytest.raises(InputError, match=r"no such scene in it; choose one of: 0\.stage_config\.json"):
        load_dataset_scene(scene_dataset.replace("#0", "#00800-TEEsavR23oF"))


def test_a_protocol_runs_on_a_scene_of_a_dataset_from_planning_to_the_check(scene_dataset: str, tmp_path: Path) -> None:
    spec = parse_spec(
        {
            "protocol": "sparse-reference",
            "seed": 1,
            "scenes": {"test": [scene_dataset]},
            "camera": {"width": 96, "height": 96},
            "simulator": "habitat",
            "references_per_room": [4],
            "queries_per_room": 6,
        },
        where="test",
    )
    dataset = generate(spec, tmp_path / "scan", jobs=1, progress=False)
    raise_if_unsound(check(dataset.root, jobs=1))
    assert sorted(dataset.views.table["role"]) == 6 * ["query"] + 4 * ["reference"]
    assert dataset.manifest.scenes[0].source == scene_dataset
