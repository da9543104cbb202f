"""`generate_house`: a furnished house from a seed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from shapely.geometry import MultiPolygon

from ...errors import InputError
from ..scene import Instance, Room, Scene
from .architecture import build_architecture
from .categories import CATEGORIES, category_id
from .element import Element
from .finishes import Finishes, choose_finishes
from .floor_plan import FloorPlan
from .furnishing import furnish_house
from .lighting import light_conditions
from .materials import Materials
from .mesh import Array, Part
from .navigable import navigable_floor
from .placement import Placement
from .planning import plan_floor
from .supplier import Supplier

#: Changes whenever the same seed gives another house.
HOUSE_VERSION = "1"

FEWEST_TRIANGLES, MOST_TRIANGLES = 20_000, 2_000_000
_FURNITURE_SHARE = 0.6  # of all triangles
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

    def furniture(self, detail: float) -> list[Element]:
        """Return all pieces at a level of detail."""
        elements = []
        for room, placements in zip(self.plan.rooms, self.placements, strict=True):
            for number, placement in enumerate(placements):
                piece = self.supplier.make(placement.order, detail=detail)
                parts = tuple(_placed(part, placement) for part in piece.parts)
                elements.append(Element(piece.category, f"{room.name}/{piece.category} {number}", room.name, parts))
        return elements

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
    conditions = light_conditions(_luminaires(blueprint), np.random.default_rng([seed, 7]))
    rooms = tuple(Room(room.name, room.type, room.polygon) for room in plan.rooms)
    scene = _assembled(f"house-{seed:05d}", elements, materials, rooms, conditions, seed, triangles)
    return scene


def _at_detail(blueprint: _Blueprint, triangles: int) -> list[Element]:
    """Choose the furniture's detail first, then cells on walls and floors that bring the sum to ``triangles``."""
    least_shell = sum(element.triangle_count for element in blueprint.shell(_COARSEST))
    wanted = max(min(_FURNITURE_SHARE * triangles, triangles - least_shell), 1.0)
    detail = _furniture_detail(blueprint, wanted)
    furniture = blueprint.furniture(detail)
    left = triangles - sum(element.triangle_count for element in furniture)
    return [*_shell_with(blueprint, left), *furniture]


def _furniture_detail(blueprint: _Blueprint, wanted: float) -> float:
    """Search the detail at which the furniture has about ``wanted`` triangles."""
    detail = 1.0
    count = blueprint.furniture_triangles(detail)
    low, high = _LEAST_DETAIL, _MOST_DETAIL
    for _ in range(5):
        if abs(count - wanted) < 0.12 * wanted:
            break
        low, high = (detail, high) if count < wanted else (low, detail)
        guess = detail * wanted / count
        detail = float(np.clip(guess, 1.05 * low, high / 1.05)) if low * 1.1 < high else low
        detail = round(detail, 3)
        count = blueprint.furniture_triangles(detail)
    return detail


def _shell_with(blueprint: _Blueprint, wanted: float) -> list[Element]:
    """Build the shell with the cell size at which it has about ``wanted`` triangles."""
    edge = 0.25
    elements = blueprint.shell(edge)
    for _ in range(4):
        count = sum(element.triangle_count for element in elements)
        if abs(count - wanted) < 0.08 * abs(wanted):
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


def _luminaires(blueprint: _Blueprint) -> list[tuple[str, tuple[float, float, float]]]:
    """Return every lamp's category and the point that shines: below a ceiling lamp, in the shade of others."""
    lights = []
    for placements in blueprint.placements:
        for placement in placements:
            piece = blueprint.supplier.make(placement.order)
            if piece.category == "light":
                lights.append((piece.category, (placement.x, placement.y, placement.z - piece.size[2] - 0.1)))
            elif piece.category == "lamp":
                lights.append((piece.category, (placement.x, placement.y, placement.z + 0.85 * piece.size[2])))
    return lights


def _assembled(
    name: str,
    elements: Sequence[Element],
    materials: Materials,
    rooms: tuple[Room, ...],
    conditions: dict,
    seed: int,
    triangles: int,
) -> Scene:
    """Join elements to one scene, with only the materials that they use."""
    parts = [(number, part) for number, element in enumerate(elements) for part in element.parts]
    keys = list(dict.fromkeys(part.material for _, part in parts))
    index = {key: number for number, key in enumerate(keys)}
    offsets = np.cumsum([0, *(len(part.vertices) for _, part in parts)])
    scene = Scene(
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
        conditions=conditions,
        rooms=rooms,
        navigable=MultiPolygon(),
        floor_height=0.0,
        generator={"name": "house", "version": HOUSE_VERSION, "seed": seed, "triangles": triangles},
    )
    return _with_navigable(scene)


def _with_navigable(scene: Scene) -> Scene:
    from dataclasses import replace

    return replace(scene, navigable=navigable_floor(scene))


def _joined(arrays: Iterable[Array], dtype: type) -> Array:
    return np.concatenate([np.asarray(array, dtype=dtype) for array in arrays])
