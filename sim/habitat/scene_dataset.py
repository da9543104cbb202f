"""Scenes that users of habitat-sim have (HM3D, MP3D, Replica), named by a scene-dataset config and a scene in it.

Their surfaces stay in their files, which only habitat-sim reads. What a protocol needs is taken over into a `Scene`: a
floor to drive on, with walls where it ends, and the names of objects and categories.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from shapely import area, buffer, get_parts, polygons, union_all
from shapely.geometry import MultiPolygon, Polygon

from ...errors import InputError
from ..foreign_scenes import EVEN_LIGHT
from ..gltf import to_z_up
from ..processes.foreign_worker import ForeignWorker, WorkerLost, WorkerRefused
from ..processes.settings import worker_command, worker_settings
from ..scene import Instance, Material, Scene

Array = NDArray[Any]

NAME = "habitat"
WORKER = Path(__file__).with_name("worker.py")
MODULE = "habitat_sim"
ADVICE = "make one with 'conda create -n habitat -c conda-forge -c aihabitat python=3.9 habitat-sim headless'"

GENERATOR = "habitat-scene-dataset"
_SUFFIX = ".scene_dataset_config.json"
_FILE_SUFFIXES = (".scene_instance.json", ".stage_config.json", ".basis.glb", ".glb", ".ply")

_AGENT_RADIUS, _AGENT_HEIGHT = 0.25, 1.5  # metres: the robot that generated houses are driven by
_LEVEL = 0.3  # metres: what of a mesh lies closer in height to its main floor belongs to that floor
_WALL_HEIGHT = 2.5
_SMALLEST = 0.15  # square metres
_SEAM = 1e-3


def is_scene_dataset_entry(entry: str) -> bool:
    """Return whether ``entry`` names a scene of a scene dataset: ``PATH.scene_dataset_config.json#SCENE``."""
    return f"{_SUFFIX}#" in entry or entry.endswith(_SUFFIX)


def split_entry(entry: str) -> tuple[str, str]:
    """Return the config's path and the scene that ``entry`` names; raises ``InputError`` where one is missing."""
    path, _, scene = entry.partition("#")
    if not path.endswith(_SUFFIX) or not scene:
        raise InputError(f"{entry}: does not name a scene; write PATH{_SUFFIX}#SCENE")
    if not Path(path).expanduser().is_file():
        raise InputError(f"{path}: no such file; give the path of a {_SUFFIX}")
    return str(Path(path).expanduser()), scene


def dataset_scene(scene: Scene) -> tuple[str, str] | None:
    """Return the config and scene that a `Scene` stands for, None where it is one of ours.

    Raises ``InputError`` where the config is not where it was.
    """
    if scene.generator.get("name") != GENERATOR:
        return None
    config = str(scene.generator["dataset"])
    if not Path(config).is_file():
        raise InputError(f"{config}: no such file; scene {scene.name} needs it to be where it was when it was planned")
    return str(Path(config).resolve()), str(scene.generator["scene"])


def load_dataset_scene(entry: str) -> Scene:
    """Return the scene that ``entry`` names, to plan views on and to render with habitat-sim.

    Its navigable mesh is the one that lies beside it, or where there is none one for a robot of 0.25 m radius: see
    :func:`stand_in`. Raises ``InputError`` where habitat-sim is not there, does not find the scene, or finds no floor.
    """
    config, name = split_entry(entry)
    described, mesh, versions = _surveyed(config, name, entry)
    source = {"dataset": config, "scene": name, "versions": versions, "navmesh": "made" if described["made"] else "own"}
    try:
        return stand_in(
            source,
            described["objects"],
            to_z_up(mesh["vertices"]),
            mesh["triangles"],
            mesh["islands"],
            agent_radius=described["agent_radius"],
        )
    except InputError as error:
        raise InputError(f"{entry}: {error}") from error


def stand_in(
    source: Mapping[str, Any],
    objects: Sequence[Mapping[str, Any]],
    vertices: Array,
    triangles: Array,
    islands: Array,
    *,
    agent_radius: float,
) -> Scene:
    """Return a `Scene` for what ``source`` names (``dataset``, ``scene`` and more, kept in its generator).

    Its floor is what a navigable mesh (``vertices`` (V, 3) z up, ``triangles`` (T, 3), ``islands`` (T,)), made for
    agents of ``agent_radius`` metres, leaves to a robot of 0.25 m radius: of the largest island, and of an island on
    several floors, the one with the most area. The generator says how much was left out. Instances are ``objects``
    (``id``, ``name``, ``category``) and one for the stand-in's own floor and walls; the one condition is "day".

    Raises ``InputError`` where no floor is left.
    """
    chosen, height = main_floor(vertices, triangles, islands)
    if len(chosen) == 0:
        raise InputError("its navigable mesh is empty; make one in habitat-sim and name it in the config")
    corners = vertices[chosen]
    floor = _outline(corners, max(0.0, _AGENT_RADIUS - agent_radius))
    if floor.is_empty:
        raise InputError(f"its navigable mesh leaves no room for a robot of radius {_AGENT_RADIUS} m")
    categories, instances = _named(objects)
    own = Instance(max((instance.id for instance in instances), default=0) + 1, 0, "stand-in")
    left_out = float(_areas(vertices[triangles]).sum() - _areas(corners).sum())
    surfaces = _surfaces(corners, floor, height)
    return Scene(
        name=_file_name(str(source["scene"])),
        **surfaces,
        triangle_instance=np.full(len(surfaces["triangles"]), len(instances), np.int32),
        materials=(Material("stand-in", np.full((1, 1, 3), 160, np.uint8)),),
        instances=(*instances, own),
        categories=categories,
        conditions={"day": EVEN_LIGHT},
        navigable=floor,
        floor_height=height,
        generator={
            "name": GENERATOR,
            "only_in": NAME,
            **source,
            "other_floors_square_metres": round(left_out, 2),
        },
    )


def _surveyed(config: str, scene: str, entry: str) -> tuple[dict[str, Any], dict[str, Array], dict[str, str]]:
    """Return what the worker says of a scene, its navigable mesh, and the versions that said so."""
    settings = worker_settings(NAME)
    command = worker_command(NAME, module=MODULE, advice=ADVICE)
    request = {"scene": scene, "dataset": str(Path(config).resolve())}
    agent = {"agent_radius": _AGENT_RADIUS, "agent_height": _AGENT_HEIGHT}
    try:
        worker = ForeignWorker(command, WORKER, start_timeout=settings.start_timeout)
        try:
            described, mesh = worker.request("survey", {**request, **agent}, timeout=settings.load_timeout)
            return described, mesh, dict(worker.hello["versions"])
        finally:
            worker.close()
    except (WorkerLost, WorkerRefused) as problem:
        raise InputError(f"{entry}: {problem}") from problem


def _named(objects: Sequence[Mapping[str, Any]]) -> tuple[tuple[str, ...], tuple[Instance, ...]]:
    """Return categories, "unknown" first, and the instances that the scene's own semantics name."""
    named = {int(item["id"]): item for item in objects if int(item["id"]) > 0}
    names = {number: str(item["category"]).strip().lower() or "unknown" for number, item in named.items()}
    categories = ("unknown", *sorted(set(names.values()) - {"unknown"}))
    instances = (
        Instance(number, categories.index(names[number]), str(named[number]["name"])) for number in sorted(named)
    )
    return categories, tuple(instances)


def main_floor(vertices: Array, triangles: Array, islands: Array) -> tuple[Array, float]:
    """Return the triangles (K, 3) of the largest island that lie on its largest floor, and that floor's height."""
    if len(triangles) == 0:
        return triangles, 0.0
    sizes = _areas(vertices[triangles])
    mine = islands == np.argmax(np.bincount(islands, weights=sizes))
    triangles, sizes = triangles[mine], sizes[mine]
    heights = vertices[triangles][..., 2].mean(axis=1)
    near = np.abs(heights[:, None] - heights[None, np.argsort(-sizes)[:200]]) < _LEVEL  # floors have large triangles
    chosen = near[:, np.argmax(sizes @ near)]
    return triangles[chosen], float(np.average(heights[chosen], weights=sizes[chosen]))


def _areas(corners: Array) -> Array:
    return np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=-1) / 2


def _outline(corners: Array, shrink: float) -> MultiPolygon:
    """Return the outline of triangles (K, 3, 3) seen from above, moved in by ``shrink`` metres."""
    shapes = np.atleast_1d(np.asarray(polygons(corners[..., :2])))
    joined = union_all(buffer(shapes[area(shapes) > 1e-9], _SEAM))  # grown, so that no seam between two is left
    parts = get_parts(joined.buffer(-shrink - _SEAM).simplify(0.02))
    return MultiPolygon([part for part in parts if isinstance(part, Polygon) and part.area > _SMALLEST])


def _surfaces(floor: Array, navigable: MultiPolygon, height: float) -> dict[str, Any]:
    """Return the arrays of a scene: the mesh's triangles (K, 3, 3), and walls around the floor that a robot covers."""
    lines = [ring for part in get_parts(navigable.buffer(_AGENT_RADIUS)) for ring in (part.exterior, *part.interiors)]
    walls = [_wall(np.asarray(line.coords)[:, :2], height) for line in lines]
    corners = np.concatenate([floor, *walls])
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-12)
    count = len(corners)
    return {
        "vertices": corners.reshape(-1, 3).astype(np.float32),
        "normals": np.repeat(normals, 3, axis=0).astype(np.float32),
        "uvs": np.zeros((3 * count, 2), np.float32),
        "triangles": np.arange(3 * count, dtype=np.int32).reshape(-1, 3),
        "triangle_material": np.zeros(count, np.int32),
    }


def _wall(line: Array, height: float) -> Array:
    """Return triangles (2 (N - 1), 3, 3) that stand on a line (N, 2)."""
    low = np.column_stack([line, np.full(len(line), height)])
    high = low + np.array([0.0, 0.0, _WALL_HEIGHT])
    return np.concatenate(
        [np.stack([low[:-1], low[1:], high[1:]], axis=1), np.stack([low[:-1], high[1:], high[:-1]], axis=1)]
    )


def _file_name(scene: str) -> str:
    """Return a scene's name without folders and endings, in letters that a file name may have."""
    name = scene.rsplit("/", 1)[-1]
    for suffix in _FILE_SUFFIXES:
        name = name.removesuffix(suffix)
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-._") or "scene"
