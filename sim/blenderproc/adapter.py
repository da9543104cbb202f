"""`BlenderProc`: path-traced pictures of a scene, with the depth and labels that every other simulator gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from ...errors import InputError
from .. import gltf
from ..geometry import Camera
from ..lamp_shades import lamp_shades
from ..processes.whole_files import write_whole
from ..projection import Projection
from ..remote_simulator import RemoteSimulator
from ..scene import Lighting, Scene
from ..scene_files import scene_fingerprint
from ..simulator import Observation
from ..sky import fill_sky
from ..tone import compress, to_bytes, tone_table

Array = NDArray[Any]

_MOST_OBJECTS = 32767  # numbers that Blender's object index pass can tell apart
#: Blender's camera looks along -z with y up, ours along z with y down.
_OPENGL_FROM_OPENCV = np.diag([1.0, -1.0, -1.0, 1.0])


class BlenderProcOptions(BaseModel):
    """What can be asked of BlenderProc."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    samples: int = Field(default=8, ge=1, le=65536)
    """Light paths per pixel: more of them take proportionally longer and leave less for the denoiser to guess."""
    denoise: bool = True
    """Remove what noise is left with Intel's Open Image Denoise."""
    bounces: int = Field(default=4, ge=0, le=64)
    """How often light is passed on between surfaces."""
    seed: int = Field(default=0, ge=0, le=2**31 - 1)
    """Of the noise. The same seed gives the same picture of a view."""


@dataclass(frozen=True, eq=False)
class _Shown:
    """What turns the worker's numbers into an observation: ids (N + 1,) by object number, and how light is shown."""

    categories: Array
    instances: Array
    sky: Array
    exposure: float


class BlenderProc(RemoteSimulator):
    """Path-traced and photorealistic: BlenderProc 2.8 on Blender's Cycles, in an interpreter of its own.

    Options are those of `BlenderProcOptions`. Light is transported by the path tracer and shown through the ray
    caster's tone curve, so that a condition has the same brightness in both. Depth and labels are taken at pixel
    centres and do not depend on the options.
    """

    name = "blenderproc"
    worker_file = Path(__file__).with_name("worker.py")
    module = "bpy"
    advice = "run 'relocbench env create blenderproc'"

    def __init__(self, *, cache_folder: Path | None = None, options: Mapping[str, Any] | None = None) -> None:
        chosen = BlenderProcOptions.model_validate(dict(options or {}))
        super().__init__(cache_folder=cache_folder, options=chosen.model_dump())
        self._tone = tone_table()
        self._shown: _Shown | None = None

    def _prepare(self, scene: Scene, condition: str, folder: Path) -> dict[str, Any]:
        lighting = scene.conditions[condition]
        path = folder / f"blenderproc-{scene_fingerprint(scene)[:32]}.glb"
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            write_whole(path, encode_numbered(scene))
        self._shown = _Shown(
            categories=np.array([0, *(instance.category for instance in scene.instances)], dtype=np.uint16),
            instances=np.array([0, *(instance.id for instance in scene.instances)], dtype=np.uint32),
            sky=np.asarray(lighting.sky, dtype=np.float32),
            exposure=float(lighting.exposure),
        )
        return {"glb": str(path.absolute()), **light_request(scene, lighting)}

    def _needs_fresh_worker(self, in_worker: dict[str, Any]) -> bool:
        """A Blender that held another scene before gives another noise: one process renders one scene."""
        assert self._loaded is not None
        return in_worker["glb"] != self._loaded["glb"]

    def _request(self, world_from_camera: Array, camera: Camera, outputs: frozenset[str]) -> dict[str, Any]:
        return view_request(world_from_camera, camera, outputs)

    def _observation(self, reply: Mapping[str, Array], camera: Camera, outputs: frozenset[str]) -> Observation:
        assert self._shown is not None
        number = reply.get("object")
        return Observation(
            rgb=self._rgb(reply["radiance"], reply["world_from_camera"], camera) if "rgb" in outputs else None,
            depth=reply["depth"].copy() if "depth" in outputs else None,
            semantic=self._shown.categories[number] if "semantic" in outputs else None,
            instance=self._shown.instances[number] if "instance" in outputs else None,
        )

    def _rgb(self, radiance: Array, world_from_camera: Array, camera: Camera) -> Array:
        """Return the picture (H, W, 3) of linear radiance and opacity (H, W, 4), over the ray caster's sky."""
        assert self._shown is not None
        light = radiance[..., :3].reshape(-1, 3) * np.float32(self._shown.exposure)
        sky = np.empty_like(light)
        fill_sky(Projection.of(world_from_camera, camera), self._shown.sky * np.float32(self._shown.exposure), sky)
        light += (1 - radiance[..., 3].reshape(-1, 1)) * sky
        rgb = np.empty((camera.height, camera.width, 3), np.uint8)
        compress(light)
        to_bytes(light, 1, self._tone, rgb.reshape(-1, 3))
        return rgb


def encode_numbered(scene: Scene) -> bytes:
    """Return the scene as a .glb whose nodes and materials are named by their place in the scene.

    Node ``k + 1`` is ``scene.instances[k]``: these numbers come back in pictures, whatever an object's id is. Raises
    ``InputError`` where there are more objects than Blender can number.
    """
    if len(scene.instances) > _MOST_OBJECTS:
        raise InputError(
            f"scene {scene.name!r} has {len(scene.instances)} objects, blenderproc tells {_MOST_OBJECTS} apart; join "
            "some, or use another simulator"
        )
    instances = tuple(replace(instance, id=k + 1) for k, instance in enumerate(scene.instances))
    materials = tuple(replace(material, name=str(k)) for k, material in enumerate(scene.materials))
    return gltf.encode_glb(replace(scene, instances=instances, materials=materials))


def light_request(scene: Scene, lighting: Lighting) -> dict[str, Any]:
    """Return the lights of a condition in plain values; angles in radians, materials by number."""
    near_lamps = lamp_shades(scene, lighting)
    sun = lighting.sun
    return {
        "sky": _plain(lighting.sky),
        "ambient": _plain(lighting.ambient),
        "sun": sun
        and {
            "direction": _plain(sun.direction),
            "irradiance": _plain(sun.irradiance),
            "angle": float(np.radians(2 * sun.angular_radius)),
        },
        "lamps": [
            {"position": _plain(lamp.position), "intensity": _plain(lamp.intensity), "radius": float(lamp.radius)}
            for lamp in lighting.lamps
        ],
        "emission": {
            str(k): _plain(np.asarray(material.emission) * lighting.emission_scale)
            for k, material in enumerate(scene.materials)
            if max(material.emission) > 0
        },
        "shades": np.unique(scene.triangle_material[near_lamps]).tolist(),
    }


def view_request(world_from_camera: Array, camera: Camera, outputs: frozenset[str]) -> dict[str, Any]:
    """Return one view in Blender's and BlenderProc's conventions: OpenGL axes, pixel centres at whole numbers."""
    intrinsics = camera.matrix.copy()
    intrinsics[:2, 2] -= 0.5
    numbered = bool(outputs & {"semantic", "instance"})
    return {
        "world_from_camera": world_from_camera.tolist(),
        "opengl_pose": (world_from_camera @ _OPENGL_FROM_OPENCV).tolist(),
        "intrinsics": intrinsics.tolist(),
        "size": [int(camera.width), int(camera.height)],
        "outputs": sorted((outputs & {"rgb", "depth"}) | ({"object"} if numbered else set())),
    }


def _plain(values: Any) -> list[float]:
    return [float(value) for value in values]
