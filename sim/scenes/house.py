"""`generate_house`: a furnished house from a seed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...errors import InputError
from ..scene import Instance, Room, Scene
from .architecture import build_architecture
from .categories import CATEGORIES, category_id
from .element import Element
from .finishes import Finishes, choose_finishes
from .floor_plan import FloorPlan
from .furnishing import furnish_house
from .lighting import LUMINAIRES, Luminaire, light_conditions
from .materials import Materials
from .mesh import Array, Part
from .navigable import navigable_floor
from .placement import Placement
from .planning import plan_floor
from .supplier import Supplier

#: Changes whenever the same seed gives another house.
HOUSE_VERSION = "1"

FEWEST_TRIANGLES, MOST_TRIANGLES = 20_000, 2_000_000
_FURNITURE_SHARE = (0.35, 0.75)  # of all triangles
_TOLERANCE = 0.1  # of the number of triangles that was asked for
_COARSEST, _FINEST = 2.0, 0.02  # edges of cells on walls, metres
_LEAST_DETAIL, _MOST_DETAIL = 0.05, 40.0


@dataclass(frozen=True)
class _Blueprint:
    """All that is decided about a house before meshes are made at some level of detail."""

    seed: int
    plan: FloorPlan
    finishes: Finishes
    supplier: Supplier
    placements: list[list[Placement]]

    def furniture(self, detail: float) -> list[list[Element]]:
        """Return the pieces of every room at a level of detail."""
        return [
            [self._element(room.name, number, placement, detail) for number, placement in enumerate(placements)]
            for room, placements in zip(self.plan.rooms, self.placements, strict=True)
        ]

    def _element(self, room: str, number: int, placement: Placement, detail: float) -> Element:
        piece = self.supplier.make(placement.order, detail=detail)
        parts = tuple(_placed(part, placement) for part in piece.parts)
        return Element(piece.category, f"{room}/{piece.category} {number}", room, parts)

    def furniture_triangles(self, detail: float) -> int:
        """Return the number of triangles of all pieces at a level of detail."""
        orders = [placement.order for placements in self.placements for placement in placements]
        return sum(len(part.triangles) for o in orders for part in self.supplier.make(o, detail=detail).parts)

    def shell(self, edge: float) -> list[Element]:
        """Return everything that is not furniture, in cells of at most ``edge`` metres."""
        return build_architecture(self.plan, self.finishes, edge=edge, seed=self.seed)


def generate_house(seed: int, *, triangles: int = 100_000) -> Scene:
    """Return house number ``seed`` with about ``triangles`` triangles: always the same bytes for the same arguments.

    The plan, the furniture and the materials depend on the seed alone; ``triangles`` sets how finely they are meshed.
    Where a house needs more triangles than that at the coarsest, it has those.

    Raises ``InputError`` where the seed is negative or ``triangles`` lies outside 20,000 to 2,000,000.
    """
    if seed < 0:
        raise InputError(f"a house's seed is 0 or greater, not {seed}")
    if not FEWEST_TRIANGLES <= triangles <= MOST_TRIANGLES:
        raise InputError(f"a house has {FEWEST_TRIANGLES} to {MOST_TRIANGLES} triangles, not {triangles}")
    rng = np.random.default_rng([seed, 0])
    materials = Materials(seed)
    plan = plan_floor(rng)
    finishes = choose_finishes(plan, materials, rng)
    supplier = Supplier(materials, seed)
    blueprint = _Blueprint(seed, plan, finishes, supplier, furnish_house(plan, supplier))
    elements = _at_detail(blueprint, triangles)
    scene = _assembled(f"house-{seed:05d}", elements, materials)
    shining = {material.name for material in scene.materials if max(material.emission) > 0}
    luminaires = _luminaires(elements, plan, shining)
    scene = replace(
        scene,
        conditions=light_conditions(luminaires, np.random.default_rng([seed, 7])),
        rooms=tuple(Room(room.name, room.type, room.polygon) for room in plan.rooms),
        generator={"name": "house", "version": HOUSE_VERSION, "seed": seed, "triangles": triangles},
    )
    return replace(scene, navigable=navigable_floor(scene))


def _at_detail(blueprint: _Blueprint, triangles: int) -> list[Element]:
    """Choose the furniture's detail first, then cells on walls and floors that bring the sum to ``triangles``."""
    detail = _furniture_detail(blueprint, triangles)
    furniture = _largest(blueprint, blueprint.furniture(detail), _FURNITURE_SHARE[1] * triangles)
    left = triangles - sum(element.triangle_count for element in furniture)
    return [*_shell_with(blueprint, left, tolerance=_TOLERANCE * triangles), *furniture]


def _furniture_detail(blueprint: _Blueprint, triangles: int) -> float:
    """Search a detail at which the furniture has a fair share of all triangles; 1 where that will do."""
    detail, low, high = 1.0, _LEAST_DETAIL, _MOST_DETAIL
    for _ in range(5):
        share = blueprint.furniture_triangles(detail) / triangles
        if _FURNITURE_SHARE[0] <= share <= _FURNITURE_SHARE[1]:
            break
        low, high = (detail, high) if share < _FURNITURE_SHARE[0] else (low, detail)
        if high < 1.1 * low:
            break
        detail = round(float(np.clip(detail * np.mean(_FURNITURE_SHARE) / share, 1.04 * low, high / 1.04)), 3)
    return detail


def _largest(blueprint: _Blueprint, furniture: list[list[Element]], most: float) -> list[Element]:
    """Return the furniture without the smallest things where even the coarsest has more triangles than ``most``.

    What stands on something goes before that does.
    """
    count = sum(element.triangle_count for room in furniture for element in room)
    order = sorted(
        (_volume(element), room, number)
        for room, elements in enumerate(furniture)
        for number, element in enumerate(elements)
    )
    dropped: set[tuple[int, int]] = set()
    for _, room, number in order:
        if count <= most:
            break
        for gone in _with_dependents(blueprint.placements[room], number):
            if (room, gone) not in dropped:
                dropped.add((room, gone))
                count -= furniture[room][gone].triangle_count
    return [e for r, room in enumerate(furniture) for n, e in enumerate(room) if (r, n) not in dropped]


def _with_dependents(placements: Sequence[Placement], number: int) -> list[int]:
    """Return a placement and all that stands on it; what stands on something has a higher number than that."""
    gone = {number}
    for later in range(number + 1, len(placements)):
        if placements[later].support in gone:
            gone.add(later)
    return sorted(gone)


def _volume(element: Element) -> float:
    low = np.min([part.vertices.min(axis=0) for part in element.parts], axis=0)
    high = np.max([part.vertices.max(axis=0) for part in element.parts], axis=0)
    return float(np.prod(np.maximum(high - low, 0.02)))


def _shell_with(blueprint: _Blueprint, wanted: float, *, tolerance: float) -> list[Element]:
    """Build the shell with the cell size at which it has about ``wanted`` triangles."""
    edge = 0.25
    elements = blueprint.shell(edge)
    for _ in range(4):
        count = sum(element.triangle_count for element in elements)
        if abs(count - wanted) < tolerance:
            break
        new = float(np.clip(edge * np.sqrt(count / max(wanted, 1.0)), _FINEST, _COARSEST))
        if abs(new - edge) < 1e-3:
            break
        edge = new
        elements = blueprint.shell(edge)
    return elements


def _placed(part: Part, placement: Placement) -> Part:
    """Return a part of a piece in world coordinates."""
    cos, sin = np.cos(placement.yaw), np.sin(placement.yaw)
    turn = np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])
    vertices = part.vertices @ turn.T + (placement.x, placement.y, placement.z)
    return Part(vertices, part.normals @ turn.T, part.uvs, part.triangles, part.material)


def _luminaires(elements: Sequence[Element], plan: FloorPlan, shining: Container[str]) -> list[Luminaire]:
    """Return every lamp with the point that shines: the middle of its parts made of ``shining`` materials."""
    rooms = {room.name: room.polygon.area for room in plan.rooms}
    luminaires = []
    for element in elements:
        kind = LUMINAIRES.get(element.category)
        if kind is None or element.room is None:
            continue
        points = [part.vertices for part in element.parts if part.material in shining]
        if points:
            low, high = np.concatenate(points).min(axis=0), np.concatenate(points).max(axis=0)
            x, y, z = (low + high) / 2
            # A lamp that touched the ceiling would light one spot of it alone.
            position = (float(x), float(y), float(min(z, plan.ceiling - 0.3)))
            luminaires.append((kind, element.room, position))
    hanging = Counter(room for kind, room, _ in luminaires if kind == "ceiling")
    return [Luminaire(k, position, rooms[room] / max(1, hanging[room])) for k, room, position in luminaires]


def _assembled(name: str, elements: Sequence[Element], materials: Materials) -> Scene:
    """Join elements to one scene, with only the materials that they use; lights and rooms are still missing."""
    parts = [(number, part) for number, element in enumerate(elements) for part in element.parts]
    keys = list(dict.fromkeys(part.material for _, part in parts))
    index = {key: number for number, key in enumerate(keys)}
    offsets = np.cumsum([0, *(len(part.vertices) for _, part in parts)])
    return Scene(
        name=name,
        vertices=_joined((part.vertices for _, part in parts), np.float32),
        normals=_joined((part.normals for _, part in parts), np.float32),
        uvs=_joined((part.uvs / materials.tile_size(part.material) for _, part in parts), np.float32),
        triangles=_joined((p.triangles + o for (_, p), o in zip(parts, offsets[:-1], strict=True)), np.int32),
        triangle_material=_joined((np.full(len(p.triangles), index[p.material]) for _, p in parts), np.int32),
        triangle_instance=_joined((np.full(len(p.triangles), n) for n, p in parts), np.int32),
        materials=tuple(materials.render(keys)),
        instances=tuple(
            Instance(number + 1, category_id(element.category), element.name, element.room)
            for number, element in enumerate(elements)
        ),
        categories=CATEGORIES,
        conditions={},
        floor_height=0.0,
    )


def _joined(arrays: Iterable[Array], dtype: type) -> Array:
    return np.concatenate([np.asarray(array, dtype=dtype) for array in arrays])
