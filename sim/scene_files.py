"""Scenes on disk: ``<name>.glb``, which opens in any viewer, beside ``<name>.json``, what glTF has no place for."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError
from shapely.geometry import MultiPolygon, Polygon

from ..errors import InputError
from . import gltf
from .foreign_scenes import load_foreign
from .processes.whole_files import write_whole
from .scene import Instance, Lighting, Material, Room, Scene

SCHEMA_VERSION = 1

_Ring = list[tuple[float, float]]


class _Polygon(BaseModel):
    """A polygon in world x, y: the outer ring, then holes; rings are closed."""

    model_config = ConfigDict(extra="forbid")
    exterior: _Ring
    holes: list[_Ring]


class _Room(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    type: str
    polygon: _Polygon


class _Material(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    emission: tuple[float, float, float]


class _Sidecar(BaseModel):
    """What ``<name>.json`` holds; ``glb_sha256`` ties it to the .glb that it was written with."""

    model_config = ConfigDict(extra="forbid")
    schema_version: int
    name: str
    glb_sha256: str
    floor_height: float
    categories: list[str]
    materials: list[_Material]
    instances: list[Instance]
    rooms: list[_Room]
    navigable: list[_Polygon]
    conditions: dict[str, Lighting]
    generator: dict[str, Any]
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0)


def save_scene(scene: Scene, folder: Path) -> Path:
    """Write ``<name>.glb`` and its sidecar ``<name>.json`` into ``folder``; return the path of the .glb.

    The same scene gives the same bytes. The sidecar comes last, so that a pair that loads is complete.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    content = gltf.encode_glb(scene)
    path = folder / f"{scene.name}.glb"
    write_whole(path, content)
    sidecar = _Sidecar(
        schema_version=SCHEMA_VERSION,
        name=scene.name,
        glb_sha256=hashlib.sha256(content).hexdigest(),
        floor_height=scene.floor_height,
        categories=list(scene.categories),
        materials=[_Material(name=m.name, emission=_three(m.emission)) for m in scene.materials],
        instances=list(scene.instances),
        rooms=[_Room(name=r.name, type=r.type, polygon=_rings(r.polygon)) for r in scene.rooms],
        navigable=[_rings(polygon) for polygon in scene.navigable.geoms],
        conditions=dict(scene.conditions),
        generator=json.loads(json.dumps(dict(scene.generator), default=_plain)),
        origin=scene.origin,
    )
    moved = any(scene.origin)  # what was never moved says nothing of it
    text = sidecar.model_dump_json(indent=1, exclude=None if moved else {"origin"})
    write_whole(path.with_suffix(".json"), text.encode())
    return path


def load_scene(path: Path, *, scale: float | None = None, up: Literal["y", "z"] | None = None) -> Scene:
    """Return the scene in the .glb at ``path``, with its sidecar where one lies beside it.

    Without a sidecar any textured .glb loads, and ``scale`` and ``up`` say how: see
    :func:`~relocbench.sim.foreign_scenes.load_foreign`. Raises ``InputError`` where a file is missing or damaged, or
    where the two do not belong together.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file; give the path of a .glb")
    side = path.with_suffix(".json")
    if not side.is_file():
        return load_foreign(path, scale=scale, up=up)
    if scale is not None or up is not None:
        raise InputError(f"{path}: {side.name} beside it gives its unit and axes; leave out scale and up")
    sidecar = _read_sidecar(side)
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != sidecar.glb_sha256:
        raise InputError(f"{path}: is not the file that {side.name} describes; restore it, or remove {side.name}")
    try:
        geometry = gltf.decode_glb(content)
    except (ValueError, KeyError) as error:
        raise InputError(f"{path}: was not written by relocbench ({error}); remove {side.name} to load it") from error
    return _assembled(sidecar, geometry)


def scene_sha256(path: Path) -> str:
    """Return the SHA-256 of the .glb file at ``path``; raises ``InputError`` where there is none."""
    if not Path(path).is_file():
        raise InputError(f"{path}: no such file; give the path of a .glb")
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def scene_fingerprint(scene: Scene) -> str:
    """Return a SHA-256 over everything that decides what a simulator renders: geometry, looks, objects, lights."""
    digest = hashlib.sha256()
    for array in (
        scene.vertices, scene.normals, scene.uvs, scene.triangles, scene.triangle_material, scene.triangle_instance,
    ):  # fmt: skip
        _add_array(digest, array)
    for material in scene.materials:
        digest.update(json.dumps([material.name, *map(float, material.emission)]).encode())
        _add_array(digest, material.texture)
    described = {
        "instances": [asdict(instance) for instance in scene.instances],
        "categories": list(scene.categories),
        "conditions": {name: asdict(lighting) for name, lighting in scene.conditions.items()},
    }
    digest.update(json.dumps(described, sort_keys=True, default=_plain).encode())
    return digest.hexdigest()


def _add_array(digest: Any, array: NDArray[Any]) -> None:
    digest.update(f"{array.dtype.str}{array.shape}".encode())
    digest.update(np.ascontiguousarray(array).data)


def _read_sidecar(path: Path) -> _Sidecar:
    try:
        document = json.loads(path.read_bytes())
        version = document.get("schema_version") if isinstance(document, dict) else None
        if version != SCHEMA_VERSION:
            raise InputError(
                f"{path}: schema_version is {version}, this relocbench reads {SCHEMA_VERSION}; save the scene again"
            )
        return _Sidecar.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{path}: {where}: {first['msg']}; save the scene again") from error
    except ValueError as error:
        raise InputError(f"{path}: not JSON ({error}); save the scene again") from error


def _assembled(sidecar: _Sidecar, geometry: gltf.Geometry) -> Scene:
    return Scene(
        name=sidecar.name,
        vertices=geometry.vertices,
        normals=geometry.normals,
        uvs=geometry.uvs,
        triangles=geometry.triangles,
        triangle_material=geometry.triangle_material,
        triangle_instance=geometry.triangle_instance,
        materials=tuple(
            Material(m.name, texture, m.emission)
            for m, texture in zip(sidecar.materials, geometry.textures, strict=True)
        ),
        instances=tuple(sidecar.instances),
        categories=tuple(sidecar.categories),
        conditions=sidecar.conditions,
        rooms=tuple(Room(room.name, room.type, _polygon(room.polygon)) for room in sidecar.rooms),
        navigable=MultiPolygon([_polygon(rings) for rings in sidecar.navigable]),
        floor_height=sidecar.floor_height,
        generator=sidecar.generator,
        origin=sidecar.origin,
    )


def _rings(polygon: Polygon) -> _Polygon:
    return _Polygon(
        exterior=[(float(x), float(y)) for x, y, *_ in polygon.exterior.coords],
        holes=[[(float(x), float(y)) for x, y, *_ in ring.coords] for ring in polygon.interiors],
    )


def _polygon(rings: _Polygon) -> Polygon:
    return Polygon(rings.exterior, rings.holes)


def _three(values: Any) -> tuple[float, float, float]:
    return float(values[0]), float(values[1]), float(values[2])


def _plain(value: Any) -> Any:
    """Turn NumPy numbers and arrays into what JSON knows."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} has no place in a scene's JSON")
