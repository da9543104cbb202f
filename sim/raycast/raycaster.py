"""`Raycaster`, the embedded simulator: Embree finds what every pixel sees, compiled kernels turn it into pictures."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from ..geometry import Camera, Pose
from ..processes.whole_files import whole_file
from ..projection import Projection, primary_rays
from ..scene import Lighting, Scene, check_renderable
from ..scene_files import scene_fingerprint
from ..simulator import OUTPUTS, Observation
from ..tone import to_bytes, tone_table
from . import shading
from .irradiance import BakeSettings, Transport, bake, trace_transport
from .lattice import Lattice
from .ray_scene import Hits, RayScene
from .texture_atlas import TextureAtlas, build_atlas

Array = NDArray[Any]

_BAKE_VERSION = 2  # part of every cached bake's name: raise it when the same settings give other light
_SUBPIXELS = {1: [(0.5, 0.5)], 4: [(0.375, 0.125), (0.875, 0.375), (0.125, 0.625), (0.625, 0.875)]}


@dataclass(eq=False)
class _Loaded:
    """What is kept of one scene under one condition; light is computed when a picture is first asked for."""

    scene: Scene
    lighting: Lighting
    rays: RayScene
    surfaces: shading.Surfaces
    semantic_ids: Array
    instance_ids: Array
    atlas: TextureAtlas | None = None
    transport: Transport | None = None
    light: shading.Light | None = None


class RaycastOptions(BaseModel):
    """What can be asked of the ray caster."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    samples_per_pixel: Literal[1, 4] = 1
    """1 or 4; 4 smooths edges in rgb. The other outputs are always taken at pixel centres."""


class Raycaster:
    """The embedded default: rays cast with Embree on the CPU, light baked once, deterministic, no display or GPU.

    The bits are the same whatever the order or number of poses. Options are those of `RaycastOptions`; ``bake`` says
    how finely light is computed, and baked light is kept in ``cache_folder`` for the next process, if given.
    """

    name = "raycast"

    def __init__(
        self,
        *,
        cache_folder: Path | None = None,
        options: Mapping[str, Any] | None = None,
        bake: BakeSettings | None = None,
    ) -> None:
        self._cache_folder = cache_folder
        self._bake_settings = bake or BakeSettings()
        self._subpixels = _SUBPIXELS[RaycastOptions.model_validate(dict(options or {})).samples_per_pixel]
        self._tone = tone_table()
        self._loaded: _Loaded | None = None

    def hello(self) -> dict[str, Any]:
        """Return what decides pixels: ``versions`` and ``renderer``."""
        return {
            "versions": {"embreex": importlib.metadata.version("embreex")},
            "renderer": f"software: Embree, one of {os.cpu_count()} cores per process",
        }

    def load(self, scene: Scene, condition: str) -> None:
        """Make ``scene`` under ``condition`` the one that is rendered; raises ``KeyError`` for an unknown condition.

        Another condition of the scene that is loaded already keeps all that does not depend on its lights. Raises
        ``InputError`` for a scene that only another simulator can render.
        """
        check_renderable(scene, self.name)
        if condition not in scene.conditions:
            raise KeyError(f"scene {scene.name!r} has no condition {condition!r}; it has {sorted(scene.conditions)}")
        lighting = scene.conditions[condition]
        if self._loaded is not None and self._loaded.scene is scene:
            if self._loaded.lighting != lighting:
                self._loaded.lighting, self._loaded.light = lighting, None
            return
        categories = np.array([instance.category for instance in scene.instances], dtype=np.uint16)
        ids = np.array([instance.id for instance in scene.instances], dtype=np.uint32)
        self._loaded = _Loaded(
            scene=scene,
            lighting=lighting,
            rays=RayScene(scene.vertices, scene.triangles),
            surfaces=shading.Surfaces(
                np.ascontiguousarray(scene.vertices, dtype=np.float32),
                np.ascontiguousarray(scene.uvs, dtype=np.float32),
                np.ascontiguousarray(scene.triangles, dtype=np.int32),
                np.ascontiguousarray(scene.triangle_material, dtype=np.int32),
            ),
            semantic_ids=categories[scene.triangle_instance],
            instance_ids=ids[scene.triangle_instance],
        )

    def render(self, poses: Pose, camera: Camera, outputs: frozenset[str]) -> Iterator[Observation]:
        """Yield the observation of each pose of a batch, in order; a single pose yields one.

        Raises ``ValueError`` where an output is not one of ``OUTPUTS`` or nothing is loaded.
        """
        if not set(outputs) <= OUTPUTS:
            raise ValueError(f"outputs are among {sorted(OUTPUTS)}, not {sorted(set(outputs) - OUTPUTS)}")
        if self._loaded is None:
            raise ValueError("render: load a scene first")
        return self._observations(self._loaded, poses, camera, frozenset(outputs))

    def close(self) -> None:
        """Release the scene; the simulator may be loaded again."""
        self._loaded = None

    def _observations(
        self, loaded: _Loaded, poses: Pose, camera: Camera, outputs: frozenset[str]
    ) -> Iterator[Observation]:
        pixels = camera.width * camera.height
        origins, directions = np.empty((pixels, 3), np.float32), np.empty((pixels, 3), np.float32)
        for matrix in poses.matrix.reshape(-1, 4, 4).astype(np.float64):
            view = Projection.of(matrix, camera)
            primary_rays(view, origins, directions)
            hits = loaded.rays.intersect(origins, directions)
            rgb = self._rgb(loaded, view, hits, origins, directions) if "rgb" in outputs else None
            yield Observation(
                rgb=rgb,
                depth=_depth(loaded, view, hits) if "depth" in outputs else None,
                semantic=_ids(loaded.semantic_ids, view, hits) if "semantic" in outputs else None,
                instance=_ids(loaded.instance_ids, view, hits) if "instance" in outputs else None,
            )

    def _rgb(self, loaded: _Loaded, view: Projection, hits: Hits, origins: Array, directions: Array) -> Array:
        atlas, light = self._light(loaded)
        shown = np.zeros((view.width * view.height, 3), np.float32)
        for du, dv in self._subpixels:
            if (du, dv) != (view.du, view.dv):
                view = view._replace(du=du, dv=dv)
                primary_rays(view, origins, directions)
                hits = loaded.rays.intersect(origins, directions)
            shading.shade(view, loaded.surfaces, atlas, light, hits, shown)
        rgb = np.empty((view.height, view.width, 3), np.uint8)
        to_bytes(shown, len(self._subpixels), self._tone, rgb.reshape(-1, 3))
        return rgb

    def _light(self, loaded: _Loaded) -> tuple[TextureAtlas, shading.Light]:
        if loaded.atlas is None:
            loaded.atlas = build_atlas(loaded.scene.materials)
        if loaded.light is None:
            exposure = float(loaded.lighting.exposure)
            glow = loaded.atlas.emission * np.float32(loaded.lighting.emission_scale * exposure)
            sky = np.asarray(loaded.lighting.sky, dtype=np.float32) * np.float32(exposure)
            loaded.light = shading.Light(*self._cached_bake(loaded, loaded.atlas), glow, sky, exposure)
        return loaded.atlas, loaded.light

    def _cached_bake(self, loaded: _Loaded, atlas: TextureAtlas) -> tuple[Lattice, Array]:
        if self._cache_folder is None:
            return self._bake(loaded, atlas)
        identity = [
            _BAKE_VERSION,
            scene_fingerprint(loaded.scene),
            asdict(loaded.lighting),
            asdict(self._bake_settings),
        ]
        key = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:32]
        path = Path(self._cache_folder) / f"{key}.npz"
        if not path.exists():
            _write_bake(path, *self._bake(loaded, atlas))
        return _read_bake(path)

    def _bake(self, loaded: _Loaded, atlas: TextureAtlas) -> tuple[Lattice, Array]:
        if loaded.transport is None:
            loaded.transport = trace_transport(loaded.scene, loaded.rays, self._bake_settings)
        return loaded.transport.lattice, bake(loaded.transport, loaded.lighting, atlas)


def _depth(loaded: _Loaded, view: Projection, hits: Hits) -> Array:
    depth = np.empty((view.height, view.width), np.float32)
    shading.depth_of_hits(view, loaded.surfaces, hits.triangle, hits.distance, depth.reshape(-1))
    return depth


def _ids(ids: Array, view: Projection, hits: Hits) -> Array:
    out = np.empty((view.height, view.width), ids.dtype)
    shading.lookup(hits.triangle, ids, out.reshape(-1))
    return out


def _write_bake(path: Path, lattice: Lattice, irradiance: Array) -> None:
    with whole_file(path) as temporary, temporary.open("wb") as file:
        np.savez(file, irradiance=irradiance, **lattice._asdict())


def _read_bake(path: Path) -> tuple[Lattice, Array]:
    with np.load(path, allow_pickle=False) as arrays:
        return Lattice(*(arrays[name] for name in Lattice._fields)), arrays["irradiance"]
