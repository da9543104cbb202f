"""`generate_house`: a furnished house from a seed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Sequence
from dataclasses import replace

import numpy as np

from ....errors import InputError
from ...camera_placement.navigable import navigable_floor
from ...scene import Instance, Room, Scene
from ..categories import CATEGORIES, category_id
from ..looks.materials import Materials
from ..meshes.mesh import Array
from .architecture import build_architecture
from .drafting import draft_floor
from .element import Element
from .finishes import Finishes, choose_finishes
from .floor_plan import FloorPlan
from .furnishing import furnish_house
from .level_of_detail import furniture_elements
from .lighting import LUMINAIRES, Luminaire, light_conditions
from .supplier import Supplier

#: Changes whenever the same seed gives another house.
HOUSE_VERSION = "1"

FEWEST_TRIANGLES, MOST_TRIANGLES = 20_000, 2_000_000
_TOLERANCE = 0.1  # of the number of triangles that was asked for
_COARSEST, _FINEST = 2.0, 0.02  # edges of cells on walls, metres


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
    plan = draft_floor(rng)
    finishes = choose_finishes(plan, materials, rng)
    supplier = Supplier(materials, seed)
    furniture = furniture_elements(plan, furnish_house(plan, supplier), supplier, triangles=triangles)
    left = triangles - sum(element.triangle_count for element in furniture)
    shell = _shell_with(plan, finishes, seed, wanted=left, tolerance=_TOLERANCE * triangles)
    elements = [*shell, *furniture]
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


def _shell_with(plan: FloorPlan, finishes: Finishes, seed: int, *, wanted: float, tolerance: float) -> list[Element]:
    """Build walls and all that is not furniture with the cell size at which they have about ``wanted`` triangles."""
    edge = 0.25
    elements = build_architecture(plan, finishes, edge=edge, seed=seed)
    for _ in range(4):
        count = sum(element.triangle_count for element in elements)
        if abs(count - wanted) < tolerance:
            break
        new = float(np.clip(edge * np.sqrt(count / max(wanted, 1.0)), _FINEST, _COARSEST))
        if abs(new - edge) < 1e-3:
            break
        edge = new
        elements = build_architecture(plan, finishes, edge=edge, seed=seed)
    return elements


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
