"""`Scene`: one renderable environment, in flat arrays, with what a benchmark must know about it.

Geometry is kept as indexed triangles in world coordinates (metres, z up), because every consumer (the ray caster, the
clearance test, the exporters) reads it as a whole. On disk a scene is ``<name>.glb``, which opens in any viewer, beside
``<name>.json``, the sidecar with what glTF has no place for. A ``.glb`` without a sidecar loads too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from shapely.geometry import MultiPolygon, Polygon

from ..errors import InputError

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Material:
    """A surface's look: ``texture`` (H, W, 3) uint8 sRGB, repeated over texture coordinates; ``emission`` (3,) adds
    linear RGB radiance (a lamp shade, a screen)."""

    name: str
    texture: Array
    emission: tuple[float, float, float] = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Instance:
    """One object. Ids start at 1; 0 is "unknown" in instance maps. ``category`` indexes ``Scene.categories``."""

    id: int
    category: int
    name: str
    room: str | None = None


@dataclass(frozen=True, eq=False)
class Room:
    """One room: its name (unique in the scene), its type ("bedroom", ...) and its floor outline in world x, y."""

    name: str
    type: str
    polygon: Polygon


@dataclass(frozen=True)
class Sun:
    """A directional light: ``direction`` (3,) in which light travels, unit; ``irradiance`` linear RGB at normal
    incidence; ``angular_radius`` in degrees sets the softness of shadows."""

    direction: tuple[float, float, float]
    irradiance: tuple[float, float, float]
    angular_radius: float = 1.5


@dataclass(frozen=True)
class Lamp:
    """A spherical light: centre in metres, ``intensity`` linear RGB (irradiance at 1 m), ``radius``."""

    position: tuple[float, float, float]
    intensity: tuple[float, float, float]
    radius: float = 0.08


@dataclass(frozen=True)
class Lighting:
    """The lights of one named condition, all in the same linear units.

    ``sky`` is the uniform linear RGB radiance that arrives where a ray leaves the scene. ``ambient`` is radiance that
    arrives everywhere, dimmed in corners: for scenes that somebody brought without lights. ``exposure`` multiplies
    radiance before the sRGB curve. ``emission_scale`` scales every material's emission (lamps are off by day).
    """

    sun: Sun | None = None
    sky: tuple[float, float, float] = (0.0, 0.0, 0.0)
    lamps: tuple[Lamp, ...] = ()
    exposure: float = 1.0
    emission_scale: float = 1.0
    ambient: tuple[float, float, float] = (0.0, 0.0, 0.0)


@dataclass(frozen=True, eq=False)
class Scene:
    """One environment: geometry, looks, objects, rooms, navigable floor, lights.

    Arrays: ``vertices`` (V, 3) float32 world metres; ``normals`` (V, 3) float32 unit; ``uvs`` (V, 2) float32, glTF
    convention: (0, 0) is the texture's top-left corner, v runs down, textures repeat; ``triangles`` (T, 3) int32 into
    vertices; ``triangle_material`` (T,) int32 into ``materials``; ``triangle_instance`` (T,) int32 into ``instances``.
    ``categories[0]`` is "unknown". ``navigable`` is the floor, in world x, y, that keeps clearance from everything.
    ``generator`` records what made the scene (name, version, parameters), empty for a scene that somebody brought.
    ``origin`` is where such a scene's (0, 0, 0) lay before it was moved near the origin, metres.
    """

    name: str
    vertices: Array
    normals: Array
    uvs: Array
    triangles: Array
    triangle_material: Array
    triangle_instance: Array
    materials: tuple[Material, ...]
    instances: tuple[Instance, ...]
    categories: tuple[str, ...]
    conditions: Mapping[str, Lighting]
    rooms: tuple[Room, ...] = ()
    navigable: MultiPolygon = field(default_factory=MultiPolygon)
    floor_height: float = 0.0
    generator: Mapping[str, Any] = field(default_factory=dict)
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def room(self, name: str) -> Room:
        """Return the room called ``name``; raises ``KeyError`` where there is none."""
        for room in self.rooms:
            if room.name == name:
                return room
        raise KeyError(f"scene {self.name!r} has no room {name!r}; it has {[room.name for room in self.rooms]}")

    @property
    def bounds(self) -> Array:
        """The axis-aligned box (2, 3) around all vertices, metres."""
        return np.stack([self.vertices.min(axis=0), self.vertices.max(axis=0)])


def check_renderable(scene: Scene, simulator: str) -> None:
    """Raise ``InputError`` where ``scene`` is only a stand-in for one that another simulator alone can load.

    Such a scene says so in its generator's ``only_in``: it has a floor to plan views on, but not the surfaces.
    """
    only = scene.generator.get("only_in", simulator)
    if only != simulator:
        raise InputError(
            f"scene {scene.name}: its surfaces lie in files that only {only} reads, {simulator} cannot render it; "
            f"choose simulator {only}"
        )
