"""Baking: the light that arrives at every place of a scene under one condition, computed once.

Two densities of points share the work. Nodes, a few centimetres apart, receive direct light with soft shadows. Gather
points, a sparse subset of the nodes, send rays over the hemisphere: these find the sky, occlusion and the surfaces
whose light bounces here; every node interpolates between the gather points that it sees. The rays are traced once and
serve every bounce, since only the light that leaves what they met changes.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from . import gathering
from .lattice import Lattice, Nodes, build_lattice
from .ray_scene import RayScene
from .scene import Lighting, Scene
from .textures import TextureAtlas

Array = NDArray[Any]

_NEIGHBOURS = 8
_CHUNK = 1 << 18  # rays that are in memory at once
_FAINT = 0.02  # direct light below this, after exposure, is not worth a shadow ray
_SHADE_REACH = 0.5  # metres from a lamp within which an emissive surface is its shade


@dataclass(frozen=True)
class BakeSettings:
    """How finely light is computed; ``relocbench`` bakes every benchmark with the defaults.

    ``spacing`` metres between nodes and ``gather_spacing`` between gather points, both widened for scenes too large
    for them; ``rays`` per gather point; ``shadow_rays`` per node and light; ``bounces`` of light between surfaces.
    """

    spacing: float = 0.05
    gather_spacing: float = 0.2
    rays: int = 128
    shadow_rays: int = 12
    bounces: int = 4

    def widened(self, area: float) -> BakeSettings:
        """Return the settings for a scene with ``area`` square metres of surface: at most about a million nodes."""
        values = asdict(self)
        values["spacing"] = max(self.spacing, float(np.sqrt(area / 1_000_000)))
        values["gather_spacing"] = max(self.gather_spacing, float(np.sqrt(area / 60_000)))
        return BakeSettings(**values)


@dataclass(frozen=True, eq=False)
class _Bake:
    """What the steps of one bake share."""

    scene: Scene
    lighting: Lighting
    settings: BakeSettings
    rays: RayScene
    lattice: Lattice
    nodes: Nodes
    group: Array  # (N,) int64: one per object and material


def bake(
    scene: Scene, lighting: Lighting, *, rays: RayScene, atlas: TextureAtlas, settings: BakeSettings
) -> tuple[Lattice, Array]:
    """Return the lattice of ``scene`` and the irradiance (N, 3) float32, linear RGB, at its nodes.

    The result depends on the arguments alone: not on the number of threads or processes, nor on global state.
    """
    settings = settings.widened(_area(scene))
    groups = scene.triangle_instance.astype(np.int64) * len(scene.materials) + scene.triangle_material
    lattice, nodes = build_lattice(scene.vertices, scene.normals, scene.triangles, groups, spacing=settings.spacing)
    self = _Bake(scene, lighting, settings, rays, lattice, nodes, groups[nodes.triangle])
    points, met, openness = _gather_points(self)
    neighbour, weight, enclosed = _neighbours(self, points)
    direct = _direct_light(self, points, neighbour, weight)
    direct[enclosed] = _interpolated(neighbour, weight, direct[points])[enclosed]
    indirect = _bounced_light(self, atlas, points, met, neighbour, weight, direct)
    ambient = np.pi * np.asarray(lighting.ambient) * openness[:, None]
    return lattice, (direct + _interpolated(neighbour, weight, indirect + ambient)).astype(np.float32)


def _area(scene: Scene) -> float:
    corners = scene.vertices[scene.triangles].astype(np.float64)
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    return float(np.linalg.norm(cross, axis=-1).sum() / 2)


def _gather_points(self: _Bake) -> tuple[Array, Array, Array]:
    """Return the gather points (P,) as node numbers in order of their cubes, what their rays met, their openness.

    A point whose rays mostly meet surfaces from behind lies inside something and is left out. Where that is most
    points, the scene's surfaces simply face the other way (some scans do), and both sides count.
    """
    nodes, cell = self.nodes, self.settings.gather_spacing
    keys = gathering.gather_keys(nodes.position, nodes.normal, self.group, cell)
    first, second = gathering.choose_points(keys, np.argsort(keys, kind="stable"), nodes.position)
    met, openness = _trace(self, first, two_sided=False)
    inside = _inside(met)
    if inside.mean() > 0.5:
        met, openness = _trace(self, first, two_sided=True)
        inside[:] = False
    elif inside.any():
        met[inside], openness[inside] = _trace(self, second[inside], two_sided=False)
        first[inside] = second[inside]
        inside[inside] = _inside(met[inside])
    keep = np.flatnonzero(~inside)
    keep = keep[np.lexsort((first[keep], gathering.cell_keys(nodes.position[first[keep]], cell)))]
    return first[keep], met[keep], openness[keep]


def _inside(met: Array) -> Array:
    return (met == gathering.INSIDE).mean(axis=1) > 0.5


def _trace(self: _Bake, points: Array, *, two_sided: bool) -> tuple[Array, Array]:
    """Return what the hemisphere rays of ``points`` met, (P, rays) int32, and the points' openness (P,)."""
    count = self.settings.rays
    met, openness = np.empty((len(points), count), np.int32), np.empty(len(points))
    step = max(1, _CHUNK // count)
    for begin in range(0, len(points), step):
        part = slice(begin, min(begin + step, len(points)))
        size = (part.stop - begin) * count
        origins, directions = np.empty((size, 3), np.float32), np.empty((size, 3), np.float32)
        gathering.hemisphere_rays(points[part], self.nodes, count, origins, directions)
        hits = self.rays.intersect(origins, directions)
        gathering.record_hits(
            self.lattice, self.scene.vertices, self.scene.triangles, directions, *hits, two_sided,
            met[part], openness[part],
        )  # fmt: skip
    return met, openness


def _neighbours(self: _Bake, points: Array) -> tuple[Array, Array, Array]:
    """Return every node's gather points (N, K), their weights (N, K), which sum to one, and which nodes are enclosed.

    A gather point behind a wall gets no weight. An enclosed node sees none of them: it lies inside an object and takes
    its light from the nearest ones, so that the visible rim beside it does not fade to black.
    """
    nodes, cell = self.nodes, self.settings.gather_spacing
    neighbour = np.empty((len(nodes.position), _NEIGHBOURS), np.int32)
    weight = np.empty((len(nodes.position), _NEIGHBOURS), np.float32)
    if len(points) == 0:
        raise ValueError("no place of the scene is open to light")
    cells, begins = np.unique(gathering.cell_keys(nodes.position[points], cell), return_index=True)
    begins = np.append(begins, len(points))
    gathering.find_neighbours(nodes.position, nodes.normal, points, cells, begins, cell, neighbour, weight)
    unseen = weight.copy()
    _drop_hidden(self, points, neighbour, weight)
    enclosed = weight.sum(axis=1) <= 0
    weight[enclosed] = unseen[enclosed]
    lost = np.flatnonzero(weight.sum(axis=1) <= 0)
    if len(lost):
        neighbour[lost, 0] = cKDTree(nodes.position[points]).query(nodes.position[lost])[1]
        weight[lost, 0] = 1
    return neighbour, weight / weight.sum(axis=1, keepdims=True), enclosed


def _drop_hidden(self: _Bake, points: Array, neighbour: Array, weight: Array) -> None:
    origins, directions = np.empty((_CHUNK, 3), np.float32), np.empty((_CHUNK, 3), np.float32)
    pair = np.empty(_CHUNK, np.int64)
    node = 0
    while node < len(neighbour):
        node, count = gathering.neighbour_rays(node, self.nodes, points, neighbour, weight, origins, directions, pair)
        hidden = self.rays.blocked(origins[:count], directions[:count], 1.0)
        weight.reshape(-1)[pair[:count][hidden]] = 0


def _interpolated(neighbour: Array, weight: Array, values: Array) -> Array:
    out = np.empty((len(neighbour), 3))
    gathering.interpolate(neighbour, weight, np.ascontiguousarray(values, dtype=np.float64), out)
    return out


def _bounced_light(
    self: _Bake, atlas: TextureAtlas, points: Array, met: Array, neighbour: Array, weight: Array, direct: Array
) -> Array:
    """Return the irradiance (P, 3) at the gather points that comes from the sky and from other surfaces."""
    material = self.scene.triangle_material[self.nodes.triangle]
    albedo = atlas.albedo[material].astype(np.float64)
    glow = atlas.emission[material].astype(np.float64) * self.lighting.emission_scale
    glow[_lamp_shades(self.scene, self.lighting)[self.nodes.triangle]] = 0  # the lamp itself stands for its shade
    sky = np.asarray(self.lighting.sky, dtype=np.float64)
    arriving = np.zeros((len(points), 3))
    for _ in range(1 + self.settings.bounces):
        total = direct + _interpolated(neighbour, weight, arriving)
        gathering.gather(met, albedo / np.pi * total + glow, sky, arriving)
    return arriving


def _lamp_shades(scene: Scene, lighting: Lighting) -> Array:
    """Return which triangles (T,) belong to the shade of a lamp: they emit light and are close to one."""
    emits = np.array([max(material.emission) > 0 for material in scene.materials], dtype=bool)
    shade = emits[scene.triangle_material]
    if not lighting.lamps or not shade.any():
        return np.zeros(len(scene.triangles), dtype=bool)
    centres = scene.vertices[scene.triangles[shade]].mean(axis=1)
    distance = cKDTree([lamp.position for lamp in lighting.lamps]).query(centres)[0]
    shade[shade] = distance < _SHADE_REACH
    return shade


def _direct_light(self: _Bake, points: Array, neighbour: Array, weight: Array) -> Array:
    """Return the irradiance (N, 3) at the nodes that comes straight from the sun and the lamps.

    Few shadow rays at the gather points tell where a lamp is all visible or all hidden; only in between, and wherever
    the sun may fall, nodes send rays of their own.
    """
    lights, power = _lights(self.lighting)
    direct = np.zeros((len(self.nodes.position), 3))
    if len(lights) == 0:
        return direct
    shades = _lamp_shades(self.scene, self.lighting)
    without_shades = RayScene(self.scene.vertices, self.scene.triangles[~shades]) if shades.any() else self.rays
    for number, light in enumerate(lights):
        received = _unshadowed(self.nodes, light)
        worth = received * power[number].max() * self.lighting.exposure > _FAINT
        at_points = np.zeros(len(points))
        asked = np.flatnonzero(worth[points])
        at_points[asked] = _visibility(self.nodes, points[asked], light, without_shades, count=4)
        lowest, highest = _range_at_neighbours(neighbour, weight, at_points)
        visible = lowest.copy()
        unsure = worth & (highest > 0) & ((lowest < 1) | (light[4] == 1))
        visible[~worth] = 0
        asked = np.flatnonzero(unsure)
        visible[asked] = _visibility(self.nodes, asked, light, without_shades, count=self.settings.shadow_rays)
        direct += (visible * received)[:, None] * power[number]
    return direct


def _lights(lighting: Lighting) -> tuple[Array, Array]:
    """Return the lights as rows for ``gathering.light_rays`` and their linear RGB power (L, 3)."""
    rows = [(*lamp.position, lamp.radius, 0.0) for lamp in lighting.lamps]
    power = [lamp.intensity for lamp in lighting.lamps]
    if lighting.sun is not None:
        towards = -np.asarray(lighting.sun.direction) / np.linalg.norm(lighting.sun.direction)
        rows.append((*towards, np.tan(np.radians(lighting.sun.angular_radius)), 1.0))
        power.append(lighting.sun.irradiance)
    return np.array(rows, dtype=np.float64).reshape(-1, 5), np.array(power, dtype=np.float64).reshape(-1, 3)


def _unshadowed(nodes: Nodes, light: Array) -> Array:
    """Return the irradiance (N,) of a light of unit power that nothing hides: cosine and inverse-square laws."""
    if light[4] == 1:
        return np.maximum(nodes.normal.astype(np.float64) @ light[:3], 0)
    towards = light[:3] - nodes.position.astype(np.float64)
    squared = np.maximum((towards**2).sum(axis=1), light[3] ** 2)
    cosine = np.maximum((nodes.normal * towards).sum(axis=1), 0) / np.sqrt(squared)
    return cosine / squared


def _visibility(nodes: Nodes, asked: Array, light: Array, rays: RayScene, *, count: int) -> Array:
    """Return the share of a light's disc that each of the nodes ``asked`` (M,) sees, (M,) in [0, 1]."""
    seen = np.empty(len(asked))
    step = max(1, _CHUNK // count)
    for begin in range(0, len(asked), step):
        part = asked[begin : begin + step]
        size = len(part) * count
        origins, directions = np.empty((size, 3), np.float32), np.empty((size, 3), np.float32)
        reach = np.empty(size, np.float32)
        gathering.light_rays(part, light, nodes, count, origins, directions, reach)
        free = ~rays.blocked(origins, directions, reach)
        seen[begin : begin + step] = free.reshape(-1, count).mean(axis=1)
    return seen


def _range_at_neighbours(neighbour: Array, weight: Array, values: Array) -> tuple[Array, Array]:
    """Return the least and the greatest of ``values`` (P,) among each node's gather points, (N,) each."""
    used = weight > 0
    picked = values[np.maximum(neighbour, 0)]
    return np.where(used, picked, 1.0).min(axis=1), np.where(used, picked, 0.0).max(axis=1)
