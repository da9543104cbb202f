"""A `Scene` as a stage of habitat-sim: meshes, semantics in the layout of HM3D, and the configuration of both.

habitat-sim draws a stage with the simplest light there is: a colour per vertex times the texture, without shadows. Here
that colour is the mean light of a condition, a little different for every direction a surface can face, so that corners
show and an evening is darker than a day. It is no picture to judge the realism of light by.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ..gltf import encode_glb
from ..processes.whole_files import write_whole
from ..scene import Instance, Lighting, Material, Scene
from ..scene_files import scene_fingerprint
from ..srgb import linear_to_srgb, srgb_to_linear

Array = NDArray[Any]

EXPORT_VERSION = 1  # part of every exported folder's name: raise it when the same scene gives other files
_MOST_INSTANCES = 0xFFFF  # habitat-sim keeps semantic ids in 16 bits
_COLOUR_STEP = 0x9E3779  # odd: its multiples are all different modulo 2^24, and neighbours look different

_REFLECTED = 0.6  # mean share of light that a room's surfaces send on
_INNER = 0.3  # share of a house's surface that encloses rooms: the rest is outside, within walls, or furniture
_SKY_SHARE, _SUN_SHARE = 0.12, 0.04  # what comes in through windows, on average over the surfaces of a house
_DARKEST = 0.35  # a house without light is still one to look at


def export_stage(scene: Scene, condition: str, folder: Path) -> Path:
    """Write ``scene`` under ``condition`` as a stage below ``folder``, unless it is there; return its stage config.

    Beside it lie the scene's other conditions once they were exported, and a scene-dataset config that names them all,
    for habitat-sim's own tools. The semantic id of an instance is its place in ``scene.instances``, counted from 1.
    Raises ``InputError`` for more instances than habitat-sim can tell apart.
    """
    if len(scene.instances) > _MOST_INSTANCES:
        raise InputError(
            f"scene {scene.name}: {len(scene.instances)} instances are more than the {_MOST_INSTANCES} that "
            "habitat-sim can tell apart; join small objects, or choose another simulator"
        )
    folder = folder / f"habitat-{EXPORT_VERSION}-{scene_fingerprint(scene)[:24]}"
    stem = f"{list(scene.conditions).index(condition)}"  # conditions may have names that no file can have
    config = folder / f"{stem}.stage_config.json"
    if config.is_file():
        return config
    folder.mkdir(parents=True, exist_ok=True)
    lighting = scene.conditions[condition]
    write_whole(folder / f"{stem}.glb", encode_glb(_two_sided(scene), colours=vertex_light(scene, lighting)))
    if not (folder / "scene.semantic.txt").is_file():
        write_whole(folder / "scene.semantic.glb", _semantic_glb(scene))
        write_whole(folder / "scene.semantic.txt", semantic_text(scene).encode())
    _write_json(folder / "scene.scene_dataset_config.json", {"stages": {"paths": {".json": ["*.stage_config.json"]}}})
    _write_json(config, _stage_config(stem))
    return config


def instance_colour(number: int) -> tuple[int, int, int]:
    """Return the RGB bytes that stand for semantic id ``number`` (1 to 65535): all different, none black."""
    mixed = number * _COLOUR_STEP & 0xFFFFFF
    return mixed >> 16, mixed >> 8 & 0xFF, mixed & 0xFF


def semantic_text(scene: Scene) -> str:
    """Return the descriptor of a scene's semantics: a line for each instance of its id, colour, category and room."""
    rooms = {room.name: number for number, room in enumerate(scene.rooms, 1)}
    lines = ["HM3D Semantic Annotations"]
    for number, instance in enumerate(scene.instances, 1):
        red, green, blue = instance_colour(number)
        category = scene.categories[instance.category].replace('"', "'")
        lines.append(f'{number},{red:02X}{green:02X}{blue:02X},"{category}",{rooms.get(instance.room or "", 0)}')
    return "\n".join(lines) + "\n"


def vertex_light(scene: Scene, lighting: Lighting) -> Array:
    """Return what each vertex multiplies its texture's sRGB values by under ``lighting``, (V, 3) in [0, 1]."""
    level = _DARKEST + (1 - _DARKEST) * linear_to_srgb(lighting.exposure * mean_light(scene, lighting))
    facing = 0.84 + scene.normals.astype(np.float64) @ np.array([0.05, 0.03, 0.08])
    return (facing[:, None] * level).astype(np.float32)


def mean_light(scene: Scene, lighting: Lighting) -> Array:
    """Return a guess (3,) of the radiance that reaches a surface on average, before exposure.

    Lamps are taken as if they shone into one closed room with the surface of all, as in an integrating sphere; of sun
    and sky a fixed share is let in.
    """
    corners = scene.vertices[scene.triangles].astype(np.float64)
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=-1).sum() / 2
    lamps = np.sum([lamp.intensity for lamp in lighting.lamps], axis=0) if lighting.lamps else np.zeros(3)
    sun = np.array(lighting.sun.irradiance) if lighting.sun is not None else np.zeros(3)
    bounced = 4 * lamps / (max(_INNER * area, 1e-6) * (1 - _REFLECTED))  # 4 pi * intensity of flux, over pi * area
    return np.array(lighting.ambient) + _SKY_SHARE * np.array(lighting.sky) + _SUN_SHARE * sun / np.pi + bounced


def sky_colour(lighting: Lighting) -> tuple[float, float, float]:
    """Return the sRGB colour in [0, 1] that shows where nothing is hit."""
    red, green, blue = linear_to_srgb(lighting.exposure * np.array(lighting.sky))
    return float(red), float(green), float(blue)


def _two_sided(scene: Scene) -> Scene:
    """Return the scene with every triangle once more, turned over: habitat-sim does not draw what faces away."""
    return replace(
        scene,
        triangles=np.concatenate([scene.triangles, scene.triangles[:, ::-1]]),
        triangle_material=np.tile(scene.triangle_material, 2),
        triangle_instance=np.tile(scene.triangle_instance, 2),
    )


def _semantic_glb(scene: Scene) -> bytes:
    """Return one mesh, each of whose triangles has the colour of its instance at all its corners.

    Colours are floats in linear light: habitat-sim takes them to sRGB bytes, which gives back exactly those of
    :func:`instance_colour`. Bytes in the file would come out as others.
    """
    owner = np.repeat(scene.triangle_instance.astype(np.int64), 3)
    keys, corners = np.unique(owner * len(scene.vertices) + scene.triangles.reshape(-1), return_inverse=True)
    instance, vertex = np.divmod(keys, max(len(scene.vertices), 1))
    palette = np.array([instance_colour(number + 1) for number in range(len(scene.instances))]).reshape(-1, 3)
    flat = replace(
        scene,
        vertices=scene.vertices[vertex],
        normals=scene.normals[vertex],
        uvs=scene.uvs[vertex],
        triangles=corners.reshape(-1, 3).astype(np.int32),
        triangle_material=np.zeros(len(scene.triangles), np.int32),
        triangle_instance=np.zeros(len(scene.triangles), np.int32),
        materials=(Material("semantics", np.full((1, 1, 3), 255, np.uint8)),),
        instances=(Instance(1, 0, "semantics"),),
    )
    return encode_glb(_two_sided(flat), colours=srgb_to_linear(palette / 255)[instance])


def _stage_config(stem: str) -> dict[str, Any]:
    axes = {"up": [0.0, 1.0, 0.0], "front": [0.0, 0.0, -1.0]}  # glTF's own; habitat-sim would take a .glb as z up
    return {
        "render_asset": f"{stem}.glb",
        "collision_asset": f"{stem}.glb",
        **axes,
        "shader_type": "flat",
        "semantic_asset": "scene.semantic.glb",
        "semantic_descriptor_filename": "scene.semantic.txt",
        **{f"semantic_{name}": axis for name, axis in axes.items()},
        "has_semantic_textures": False,
    }


def _write_json(path: Path, content: dict[str, Any]) -> None:
    write_whole(path, json.dumps(content, indent=1).encode())
