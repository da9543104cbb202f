"""`load_foreign`: a .glb that somebody brings as a `Scene`, in metres, z up, near the origin."""

from __future__ import annotations

import re
import struct
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ..gltf import to_z_up
from ..scene import Instance, Lighting, Scene
from .document import Document
from .pieces import Piece, Pieces

Array = NDArray[Any]

#: Light for scenes without lights: scans carry their shading in their textures, so it is even, and soft in corners.
EVEN_LIGHT = Lighting(sky=(0.3, 0.3, 0.3), ambient=(0.7, 0.7, 0.7))

_GENERIC = {"", "cube", "geometry", "group", "mesh", "model", "node", "object", "primitive", "root", "scene", "world"}
_UNITS = {"millimetres": 0.001, "centimetres": 0.01, "inches": 0.0254}
_SUSPICIOUS = (100.0, 50.0)  # metres across and high: halls and streets are smaller in one of the two
_STOREY, _STOREYS = (2.0, 6.5), (2.0, 60.0)  # metres high, as models are in their right unit
_UPRIGHT = 0.9  # floors are larger than walls, and scenes wider than high, or they lie on their side
_LEAST = 1.5  # metres across: less has no place for a camera
_FAR = 1000.0  # metres from the origin at which 32-bit coordinates lose tenths of a millimetre


def load_foreign(path: Path, *, scale: float | None = None, up: Literal["y", "z"] | None = None) -> Scene:
    """Return the .glb at ``path`` as a scene of one condition, "day", lit evenly from all sides.

    Every node with triangles becomes an object, its category the node's name without numbers, "unknown" where a name
    says nothing ("mesh_12"). Colours are the base colour's, times those of vertices; what is clear, or less than half
    opaque, is a hole. Lights, animation and how surfaces shine are left out. ``scale`` is metres per unit of the file
    and ``up`` its upward axis: without them it is in metres and y up, as glTF has it, and refused where it looks
    otherwise. A scene far from the origin is moved there; its ``origin`` says where it was.

    Raises ``InputError`` where the file is damaged, needs something that is not read, or holds no scene to stand in.
    """
    try:
        pieces = list(Pieces(Document(path)))
    except (OSError, LookupError, TypeError, ValueError, AttributeError, struct.error) as error:
        said = f"{type(error).__name__}: {error}".splitlines()[0]
        raise InputError(f"{path}: cannot be read as glTF ({said}); check it with a glTF validator") from error
    if not pieces:
        raise InputError(f"{path}: no triangles in it; export the model's meshes into the .glb")
    surfaces = [surface for piece in pieces for surface in piece.surfaces]
    turn = to_z_up if up != "z" else np.array
    vertices = turn(np.concatenate([surface.vertices for surface in surfaces])) * (scale or 1.0)
    offsets = np.cumsum([0] + [len(surface.vertices) for surface in surfaces])
    triangles = np.concatenate([s.triangles + o for s, o in zip(surfaces, offsets, strict=False)])
    used = vertices[triangles]
    _check_size(path, used, guess=scale is None)
    if up is None:
        _check_upright(path, used)
    origin = _local_origin(used)
    materials = list({id(surface.material): surface.material for surface in surfaces}.values())
    slots = {id(material): slot for slot, material in enumerate(materials)}
    sizes = [len(surface.triangles) for surface in surfaces]
    categories = ["unknown", *sorted({category_of(piece.name) for piece in pieces} - {"unknown"})]
    return Scene(
        name=path.stem,
        vertices=(vertices - origin).astype(np.float32),
        normals=turn(np.concatenate([surface.normals for surface in surfaces])).astype(np.float32),
        uvs=np.concatenate([surface.uvs for surface in surfaces]).astype(np.float32),
        triangles=triangles.astype(np.int32),
        triangle_material=np.repeat([slots[id(surface.material)] for surface in surfaces], sizes).astype(np.int32),
        triangle_instance=np.repeat(_owners(pieces), sizes).astype(np.int32),
        materials=tuple(materials),
        instances=tuple(_instances(pieces, categories)),
        categories=tuple(categories),
        conditions={"day": EVEN_LIGHT},
        floor_height=float(used[..., 2].min() - origin[2]),
        origin=(float(origin[0]), float(origin[1]), float(origin[2])),
    )


def category_of(name: str) -> str:
    """Return the category that a node's name tells: ``"7_sofa"``, ``"Sofa.002"`` and ``"sofa_2"`` are "sofa"."""
    words = re.sub(r"([a-z])([A-Z])", r"\1 \2", name)
    words = re.sub(r"[\d._\-:/]+", " ", words).strip().lower()
    return "unknown" if set(words.split()) <= _GENERIC else " ".join(words.split())


def _owners(pieces: list[Piece]) -> list[int]:
    """Return the number of the piece that each surface is of."""
    return [number for number, piece in enumerate(pieces) for _ in piece.surfaces]


def _instances(pieces: list[Piece], categories: list[str]) -> list[Instance]:
    ids = {category: number for number, category in enumerate(categories)}
    return [Instance(k + 1, ids[category_of(piece.name)], piece.name) for k, piece in enumerate(pieces)]


def _check_size(path: Path, corners: Array, *, guess: bool) -> None:
    """Raise ``InputError`` where corners (T, 3, 3) span too little for a camera, or much, as in another unit."""
    size = np.ptp(corners, axis=(0, 1))
    spans = " x ".join(f"{side:.4g}" for side in size)
    across, high = float(size[:2].max()), float(size[2])
    if across < _LEAST:
        raise InputError(
            f"{path}: is {spans} m large, which has no place for a camera; bring a larger model, or give metres per "
            f"unit, as {_in_track(path, 'scale: ...')}"
        )
    if not guess or across < _SUSPICIOUS[0] or high < _SUSPICIOUS[1]:
        return
    for low, most in (_STOREY, _STOREYS):
        likely = [f"{unit}: give scale: {to:g}" for unit, to in _UNITS.items() if low <= high * to <= most]
        if likely:
            raise InputError(
                f"{path}: is {spans} m large, it looks like {', or '.join(likely)} (scale: 1 where metres are right), "
                f"as {_in_track(path, 'scale: ...')}"
            )


def _in_track(path: Path, key: str) -> str:
    """Return how a track names the file with more than its path."""
    return f"{{file: {path.name}, {key}}} in the track"


def _check_upright(path: Path, corners: Array) -> None:
    """Raise ``InputError`` where a scene lies on its side, as one with z up does: its floor is then a wall."""
    facing = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.linalg.norm(facing, axis=-1)
    level = area[facing[:, 2] > 0.97 * area].sum()
    sideways = area[-facing[:, 1] > 0.97 * area].sum()  # upwards, if the file's z were up
    size = np.ptp(corners, axis=(0, 1))
    if level < _UPRIGHT * sideways and size[1] < _UPRIGHT * size[2]:
        raise InputError(
            f"{path}: looks as if z were up in it, its largest surface is a wall as it stands: give up: z (up: y where "
            f"it is right), as {_in_track(path, 'up: z')}"
        )


def _local_origin(corners: Array) -> Array:
    """Return what to take off coordinates (3,): nothing near the origin, else whole metres."""
    low, high = corners.min(axis=(0, 1)), corners.max(axis=(0, 1))
    if np.abs(low + high).max() / 2 <= max(_FAR, float((high - low).max())):
        return np.zeros(3)
    return np.round([*((low + high)[:2] / 2), low[2]])
