"""Baking: the light that arrives at every place of a scene, computed once per condition.

Two densities of points share the work. Nodes, a few centimetres apart, receive direct light with soft shadows. Gather
points, a sparse subset of the nodes, send rays over the hemisphere: these find the sky, occlusion and the surfaces
whose light bounces here; every node interpolates between the gather points that it sees. The rays are traced once and
serve every bounce, since only the light that leaves what they met changes.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from ..lamp_shades import lamp_shades
from ..scene import Lighting, Scene
from . import gathering
from .lattice import Lattice, Nodes, build_lattice, place_keys
from .ray_scene import RayScene
from .texture_atlas import TextureAtlas

Array = NDArray[Any]

_NEIGHBOURS = 8
_CHUNK = 1 << 18  # rays that are in memory at once
_FAINT = 0.02  # direct light below this, after exposure, is not worth a shadow ray
_MARGIN = 0.5  # metres around the rooms that count as inside: walls, sills, frames
_OUTSIDE = 4.0  # how much wider points are spread outside, which is seen through windows


@dataclass(frozen=True)
class BakeSettings:
    """How finely light is computed; ``relocbench`` bakes every benchmark with the defaults.

    ``spacing`` metres between nodes and ``gather_spacing`` between gather points: widened in scenes too large for
    them, and outside of a scene's rooms; ``rays`` per gather point; ``shadow_rays`` per node and light; ``bounces`` of
    light between surfaces.
    """

    spacing: float = 0.06
    gather_spacing: float = 0.3
    rays: int = 112
    shadow_rays: int = 12
    bounces: int = 4

    def widened(self, area: float) -> BakeSettings:
        """Return the settings for a scene with ``area`` square metres of surface: at most about a million nodes."""
        values = asdict(self)
        values["spacing"] = max(self.spacing, float(np.sqrt(area / 1_000_000)))
        values["gather_spacing"] = max(self.gather_spacing, float(np.sqrt(area / 60_000)))
        return BakeSettings(**values)


@dataclass(frozen=True, eq=False)
class _Places:
    """Where light is computed in a scene: N nodes; ``group`` (N,) int64, one per object and material; ``outside`` (N,)
    bool, away from the rooms."""

    scene: Scene
    settings: BakeSettings
    rays: RayScene
    lattice: Lattice
    nodes: Nodes
    group: Array
    outside: Array


@dataclass(frozen=True, eq=False)
class Transport:
    """How light travels in a scene, whatever its lights: what every condition's bake shares.

    ``points`` (P,) are the gather points, as node numbers; ``met`` (P, rays) int32 the nodes that their rays met, or
    SKY or INSIDE; ``openness`` (P,) in [0, 1]. Each node takes its bounced light from the gather points ``neighbour``
    (N, K) with ``weight`` (N, K); an ``enclosed`` (N,) one, inside an object, all of its light.
    """

    places: _Places
    points: Array
    met: Array
    openness: Array
    neighbour: Array
    weight: Array
    enclosed: Array

    @property
    def lattice(self) -> Lattice:
        """The lattice whose nodes receive the light."""
        return self.places.lattice


def trace_transport(scene: Scene, rays: RayScene, settings: BakeSettings) -> Transport:
    """Return how light travels in ``scene``, whose triangles are in ``rays``.

    The result depends on the arguments alone: not on the number of threads or processes, nor on global state.
    """
    settings = settings.widened(_area(scene))
    groups = scene.triangle_instance.astype(np.int64) * len(scene.materials) + scene.triangle_material
    outside = _outside(scene, scene.vertices[scene.triangles].mean(axis=1))
    spacing = settings.spacing * _widening(outside)
    lattice, nodes = build_lattice(scene.vertices, scene.normals, scene.triangles, groups, spacing=spacing)
    places = _Places(
        scene, settings, rays, lattice, nodes, group=groups[nodes.triangle], outside=_outside(scene, nodes.position)
    )
    points, met, openness = _gather_points(places)
    return Transport(places, points, met, openness, *_neighbours(places, points))


def bake(transport: Transport, lighting: Lighting, atlas: TextureAtlas) -> Array:
    """Return the irradiance (N, 3) float32, linear RGB, at the nodes of ``transport.lattice`` under ``lighting``."""
    direct = _direct_light(transport, lighting)
    enclosed = transport.enclosed
    direct[enclosed] = _interpolated(transport, direct[transport.points])[enclosed]
    indirect = _bounced_light(transport, lighting, atlas, direct)
    ambient = np.pi * np.asarray(lighting.ambient) * transport.openness[:, None]
    return (direct + _interpolated(transport, indirect + ambient)).astype(np.float32)


def _area(scene: Scene) -> float:
    corners = scene.vertices[scene.triangles].astype(np.float64)
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    return float(np.linalg.norm(cross, axis=-1).sum() / 2)


def _outside(scene: Scene, points: Array) -> Array:
    """Return which points (N, 3) lie more than a margin outside of the scene's rooms; none where it has no rooms."""
    if not scene.rooms:
        return np.zeros(len(points), dtype=bool)
    indoors = shapely.union_all([room.polygon for room in scene.rooms]).buffer(_MARGIN, join_style="mitre")
    shapely.prepare(indoors)
    return ~shapely.contains_xy(indoors, points[:, 0], points[:, 1])


def _widening(outside: Array) -> Array:
    return np.where(outside, _OUTSIDE, 1.0)


def _gather_points(places: _Places) -> tuple[Array, Array, Array]:
    """Return the gather points (P,) as ascending node numbers, what their rays met, their openness.

    A point whose rays mostly meet surfaces from behind lies inside something and is left out. Where that is most
    points, the scene's surfaces simply face the other way (some scans do), and both sides count.
    """
    nodes = places.nodes
    cell = places.settings.gather_spacing * _widening(places.outside)
    keys = place_keys(nodes.position, nodes.normal, places.group, cell, cell / 2, 1.0)
    first, second = gathering.choose_points(keys, np.argsort(keys, kind="stable"), nodes.position)
    met, openness = _trace(places, first, two_sided=False)
    inside = _inside(met)
    if inside.mean() > 0.5:
        met, openness = _trace(places, first, two_sided=True)
        inside[:] = False
    elif inside.any():
        met[inside], openness[inside] = _trace(places, second[inside], two_sided=False)
        first[inside] = second[inside]
        inside[inside] = _inside(met[inside])
    keep = np.flatnonzero(~inside)
    keep = keep[np.argsort(first[keep])]
    return first[keep], met[keep], openness[keep]


def _inside(met: Array) -> Array:
    return (met == gathering.INSIDE).mean(axis=1) > 0.5


def _trace(places: _Places, points: Array, *, two_sided: bool) -> tuple[Array, Array]:
    """Return what the hemisphere rays of ``points`` met, (P, rays) int32, and the points' openness (P,)."""
    count = places.settings.rays
    met, openness = np.empty((len(points), count), np.int32), np.empty(len(points))
    step = max(1, _CHUNK // count)
    position, normal, fine = places.nodes.position[points], places.nodes.normal[points], np.full(len(points), 0.01)
    seeds = place_keys(position, normal, np.zeros(len(points), np.int64), fine, fine, 8.0)
    for begin in range(0, len(points), step):
        part = slice(begin, min(begin + step, len(points)))
        size = (part.stop - begin) * count
        origins, directions = np.empty((size, 3), np.float32), np.empty((size, 3), np.float32)
        gathering.hemisphere_rays(points[part], seeds[part], places.nodes, count, origins, directions)
        hits = places.rays.intersect(origins, directions)
        gathering.record_hits(places.lattice, directions, *hits, two_sided, met[part], openness[part])
    return met, openness


def _neighbours(places: _Places, points: Array) -> tuple[Array, Array, Array]:
    """Return every node's gather points (N, K), their weights (N, K), which sum to one, and which nodes are enclosed.

    A gather point behind a wall gets no weight. An enclosed node sees none of them: it lies inside an object and takes
    its light from those on the same object or, failing that, any: the visible rim beside it must not fade to black.
    """
    nodes = places.nodes
    if len(points) == 0:
        raise ValueError("no place of the scene is open to light")
    neighbour = np.full((len(nodes.position), _NEIGHBOURS), -1, np.int32)
    weight = np.zeros((len(nodes.position), _NEIGHBOURS), np.float32)
    for outside in (False, True):
        _find_neighbours(places, points, outside, neighbour, weight)
    unseen = weight.copy()
    _drop_hidden(places, points, neighbour, weight)
    enclosed = weight.sum(axis=1) <= 0
    alike = places.group[points[neighbour[enclosed]]] == places.group[enclosed, None]
    own = unseen[enclosed] * alike
    weight[enclosed] = np.where(own.any(axis=1, keepdims=True), own, unseen[enclosed])
    lost = np.flatnonzero(weight.sum(axis=1) <= 0)
    if len(lost):
        neighbour[lost, 0] = cKDTree(nodes.position[points]).query(nodes.position[lost])[1]
        weight[lost, 0] = 1
    return neighbour, weight / weight.sum(axis=1, keepdims=True), enclosed


def _find_neighbours(places: _Places, points: Array, outside: bool, neighbour: Array, weight: Array) -> None:
    """Fill the rows of nodes inside, or outside, with gather points there, looked up by the cubes they lie in."""
    asked = np.flatnonzero(places.outside == outside)
    chosen = np.flatnonzero(places.outside[points] == outside)
    if len(asked) == 0 or len(chosen) == 0:
        return
    cell = places.settings.gather_spacing * float(_widening(np.array(outside)))
    keys = gathering.cell_keys(places.nodes.position[points[chosen]], cell)
    by_cell = np.argsort(keys, kind="stable")
    cells, begins = np.unique(keys[by_cell], return_index=True)
    begins = np.append(begins, len(chosen))
    chosen = chosen[by_cell]
    gathering.find_neighbours(places.nodes, places.group, asked, points, chosen, cells, begins, cell, neighbour, weight)


def _drop_hidden(places: _Places, points: Array, neighbour: Array, weight: Array) -> None:
    origins, directions = np.empty((_CHUNK, 3), np.float32), np.empty((_CHUNK, 3), np.float32)
    pair = np.empty(_CHUNK, np.int64)
    node = 0
    while node < len(neighbour):
        node, count = gathering.neighbour_rays(node, places.nodes, points, neighbour, weight, origins, directions, pair)
        hidden = places.rays.blocked(origins[:count], directions[:count], 1.0)
        weight.reshape(-1)[pair[:count][hidden]] = 0


def _interpolated(transport: Transport, values: Array) -> Array:
    """Return the values (N, 3) at the nodes between ``values`` (P, 3) at the gather points."""
    out = np.empty((len(transport.neighbour), 3))
    gathering.interpolate(transport.neighbour, transport.weight, np.ascontiguousarray(values, dtype=np.float64), out)
    return out


def _bounced_light(transport: Transport, lighting: Lighting, atlas: TextureAtlas, direct: Array) -> Array:
    """Return the irradiance (P, 3) at the gather points that comes from the sky and from other surfaces."""
    places = transport.places
    material = places.scene.triangle_material[places.nodes.triangle]
    albedo = atlas.albedo[material].astype(np.float64)
    glow = atlas.emission[material].astype(np.float64) * lighting.emission_scale
    glow[lamp_shades(places.scene, lighting)[places.nodes.triangle]] = 0  # the lamp itself stands for its shade
    sky = np.asarray(lighting.sky, dtype=np.float64)
    arriving = np.zeros((len(transport.points), 3))
    for _ in range(1 + places.settings.bounces):
        total = direct + _interpolated(transport, arriving)
        gathering.gather(transport.met, albedo / np.pi * total + glow, sky, arriving)
    return arriving


def _direct_light(transport: Transport, lighting: Lighting) -> Array:
    """Return the irradiance (N, 3) at the nodes that comes straight from the sun and the lamps.

    Few shadow rays at the gather points tell where a lamp is all visible or all hidden; only in between, and wherever
    the sun may fall, nodes send rays of their own.
    """
    scene, nodes, points = transport.places.scene, transport.places.nodes, transport.points
    lights, power = _lights(lighting)
    direct = np.zeros((len(nodes.position), 3))
    shades = lamp_shades(scene, lighting)
    rays = RayScene(scene.vertices, scene.triangles[~shades]) if shades.any() else transport.places.rays
    for light, colour in zip(lights, power, strict=True):
        received = gathering.unshadowed(nodes, light)
        worth = received * colour.max() * lighting.exposure > _FAINT
        at_points = np.zeros(len(points))
        asked = np.flatnonzero(worth[points])
        at_points[asked] = _visibility(nodes, points[asked], light, rays, count=4)
        lowest, highest = gathering.range_at_neighbours(transport.neighbour, transport.weight, at_points)
        visible = np.where(worth, lowest, 0)
        asked = np.flatnonzero(worth & (highest > 0) & ((lowest < 1) | (light[4] == 1)))
        visible[asked] = _visibility(nodes, asked, light, rays, count=transport.places.settings.shadow_rays)
        direct += (visible * received)[:, None] * colour
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
