"""What stands in for a scene of a habitat-sim dataset, from its navigable mesh, without habitat-sim."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from relocbench.datasets.spec import DatasetSpec
from relocbench.errors import InputError
from relocbench.sim.camera_placement.single_room import as_one_room
from relocbench.sim.habitat.scene_dataset import dataset_scene, main_floor, stand_in
from relocbench.sim.raycast import Raycaster
from relocbench.sim.scene import Scene
from relocbench.sim.scene_files import load_scene, save_scene
from shapely import contains_xy

OBJECTS = [
    {"id": 0, "name": "Unknown_0", "category": "Unknown"},
    {"id": 7, "name": "chair_7", "category": "Chair"},
    {"id": 3, "name": "wall_3", "category": "wall"},
]


def level(x0: float, y0: float, x1: float, y1: float, z: float) -> np.ndarray:
    """Two triangles (2, 3, 3) that make up a rectangle."""
    a, b, c, d = (x0, y0, z), (x1, y0, z), (x1, y1, z), (x0, y1, z)
    return np.array([[a, b, c], [a, c, d]])


def mesh(*islands: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    corners = np.concatenate(islands)
    numbers = np.repeat(np.arange(len(islands)), [len(island) for island in islands])
    return corners.reshape(-1, 3), np.arange(3 * len(corners)).reshape(-1, 3), numbers


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "scans.scene_dataset_config.json"
    path.write_text("{}")
    return path


def made(config: Path, *islands: np.ndarray, agent_radius: float = 0.25) -> Scene:
    source = {"dataset": str(config), "scene": "val/00800-TEEsavR23oF/TEEsavR23oF.basis.glb"}
    return stand_in(source, OBJECTS, *mesh(*islands), agent_radius=agent_radius)


def test_the_largest_island_and_on_it_the_largest_floor_is_taken() -> None:
    roof, ground = level(20, 0, 25, 9, 6.0), level(0, 0, 6, 5, 0.1)
    stairs, upstairs = level(6, 0, 7, 1, 1.5), level(0, 0, 5, 5, 3.0)
    vertices, triangles, islands = mesh(roof, np.concatenate([ground, stairs, upstairs]))
    chosen, height = main_floor(vertices, triangles, islands)
    assert height == pytest.approx(0.1)
    assert sorted(map(tuple, vertices[chosen].reshape(-1, 3))) == sorted(map(tuple, ground.reshape(-1, 3)))


def test_the_floor_is_a_little_uneven_and_still_one() -> None:
    vertices, triangles, islands = mesh(np.concatenate([level(0, 0, 6, 5, 0.0), level(6, 0, 8, 5, 0.15)]))
    chosen, height = main_floor(vertices, triangles, islands)
    assert len(chosen) == 4
    assert height == pytest.approx((30 * 0.0 + 10 * 0.15) / 40)


@pytest.mark.parametrize(("radius", "side"), [(0.25, 5.0), (0.10, 5.0 - 2 * 0.15), (0.5, 5.0)])
def test_a_mesh_for_a_slimmer_agent_leaves_a_robot_less_floor(config: Path, radius: float, side: float) -> None:
    scene = made(config, level(0, 0, 5, 5, 0.2), agent_radius=radius)
    assert scene.navigable.area == pytest.approx(side**2, abs=0.05)
    assert scene.floor_height == pytest.approx(0.2)


def test_objects_keep_their_numbers_and_names(config: Path) -> None:
    scene = made(config, level(0, 0, 5, 5, 0.2))
    assert scene.name == "TEEsavR23oF"
    assert scene.categories == ("unknown", "chair", "wall")
    assert [(i.id, scene.categories[i.category], i.name) for i in scene.instances] == [
        (3, "wall", "wall_3"),
        (7, "chair", "chair_7"),
        (8, "unknown", "stand-in"),
    ]


def test_what_was_left_out_is_said(config: Path) -> None:
    scene = made(config, level(0, 0, 5, 5, 0.2), level(0, 0, 2, 3, 4.0))
    assert scene.generator["other_floors_square_metres"] == 6.0


def test_a_mesh_without_a_floor_is_an_error(config: Path) -> None:
    with pytest.raises(InputError, match="navigable mesh is empty"):
        stand_in({"scene": "x"}, [], np.zeros((0, 3)), np.zeros((0, 3), int), np.zeros(0, int), agent_radius=0.1)
    with pytest.raises(InputError, match="no room for a robot"):
        made(config, level(0, 0, 0.2, 5, 0.0), agent_radius=0.1)


def test_it_is_saved_recognised_and_refused_by_other_simulators(config: Path, tmp_path: Path) -> None:
    scene = load_scene(save_scene(made(config, level(0, 0, 5, 5, 0.2)), tmp_path))
    assert dataset_scene(scene) == (str(config.resolve()), "val/00800-TEEsavR23oF/TEEsavR23oF.basis.glb")
    with pytest.raises(InputError, match="choose simulator habitat"):
        Raycaster().load(scene, "day")
    config.unlink()
    with pytest.raises(InputError, match="needs it to be where it was"):
        dataset_scene(scene)


def test_a_room_by_room_protocol_plans_on_it_and_keeps_cameras_off_its_edge(config: Path) -> None:
    scene = as_one_room(made(config, np.concatenate([level(0, 0, 5, 4, 0.2), level(1, 4, 3, 8, 0.2)])))
    protocol = {"name": "sparse-reference", "queries_per_room": 30}
    spec = DatasetSpec(protocol=protocol, scenes={"test": ["x"]}, simulator="habitat")
    table = spec.protocol.plan(scene, "test", spec).table
    assert sorted(table["role"].value_counts().items()) == [("query", 30), ("reference", 4)]
    queries = table[table["role"] == "query"]
    assert contains_xy(scene.navigable.buffer(1e-6), queries["tx"], queries["ty"]).all()
    assert set(table["room"]) == {"interior"}
