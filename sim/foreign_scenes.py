"""A textured .glb that somebody brings, without our sidecar, as a `Scene`: trimesh reads it, this completes it.

Transparency, animation and lights are left out: everything is opaque, still, and lit evenly from all sides.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from .gltf import to_z_up
from .scene import Instance, Lighting, Material, Scene
from .srgb import LINEAR_OF_BYTE, linear_to_srgb

Array = NDArray[Any]

#: Light for scenes without lights: scans carry their shading in their textures, so it is even, and soft in corners.
EVEN_LIGHT = Lighting(sky=(0.3, 0.3, 0.3), ambient=(0.7, 0.7, 0.7))

_GENERIC = {"", "cube", "geometry", "group", "mesh", "model", "node", "object", "primitive", "root", "scene", "world"}
_PATCH = 4  # texels along the side of one triangle's patch where vertex colours become a texture


@dataclass(frozen=True, eq=False)
class _Piece:
    """One geometry under one node, in world axes: what becomes a run of the scene's arrays."""

    name: str
    vertices: Array
    normals: Array
    uvs: Array
    triangles: Array
    material: Material


def load_foreign(path: Path) -> Scene:
    """Return the .glb at ``path`` as a scene of one condition, "day"; raises ``InputError`` where it has no triangles.

    Every node with geometry becomes an instance. Categories are the nodes' names without numbers, "unknown" where a
    name says nothing ("mesh_12"). Missing normals and texture coordinates are made up, vertex colours become textures.
    """
    pieces = list(_pieces(path))
    if not pieces:
        raise InputError(f"{path}: no triangles in it; export the model's meshes into the .glb")
    names = list(dict.fromkeys(piece.name for piece in pieces))
    categories = ["unknown", *sorted({category_of(name) for name in names} - {"unknown"})]
    instances = [Instance(i + 1, categories.index(category_of(name)), name) for i, name in enumerate(names)]
    materials = list({id(piece.material): piece.material for piece in pieces}.values())
    slots = {id(material): slot for slot, material in enumerate(materials)}
    offsets = np.cumsum([0] + [len(piece.vertices) for piece in pieces])
    sizes = [len(piece.triangles) for piece in pieces]
    return Scene(
        name=path.stem,
        vertices=np.concatenate([piece.vertices for piece in pieces]).astype(np.float32),
        normals=np.concatenate([piece.normals for piece in pieces]).astype(np.float32),
        uvs=np.concatenate([piece.uvs for piece in pieces]).astype(np.float32),
        triangles=np.concatenate([p.triangles + o for p, o in zip(pieces, offsets, strict=False)]).astype(np.int32),
        triangle_material=np.repeat([slots[id(piece.material)] for piece in pieces], sizes).astype(np.int32),
        triangle_instance=np.repeat([names.index(piece.name) for piece in pieces], sizes).astype(np.int32),
        materials=tuple(materials),
        instances=tuple(instances),
        categories=tuple(categories),
        conditions={"day": EVEN_LIGHT},
        floor_height=float(min(piece.vertices[:, 2].min() for piece in pieces)),
    )


def category_of(name: str) -> str:
    """Return the category that a node's name tells: ``"7_sofa"``, ``"Sofa.002"`` and ``"sofa_2"`` are "sofa"."""
    words = re.sub(r"([a-z])([A-Z])", r"\1 \2", name)
    words = re.sub(r"[\d._\-:/]+", " ", words).strip().lower()
    return "unknown" if set(words.split()) <= _GENERIC else " ".join(words.split())


def _pieces(path: Path) -> Iterator[_Piece]:
    import trimesh

    try:
        loaded = trimesh.load_scene(path, process=False)
    except Exception as error:  # trimesh's readers raise whatever a damaged file makes them raise
        raise InputError(f"{path}: cannot be read as glTF ({error}); open it in a viewer to check it") from error
    looks: dict[tuple[int, bool], Material] = {}
    # in the file's order of geometries: trimesh makes up names for the nodes of primitives, other ones every time
    order = {name: number for number, name in enumerate(loaded.geometry)}
    placed = [(*loaded.graph[node], _object_name(loaded, node)) for node in loaded.graph.nodes_geometry]
    for transform, geometry, name in sorted(placed, key=lambda item: (order[item[1]], item[2])):
        mesh = loaded.geometry[geometry]
        if not isinstance(mesh, trimesh.Trimesh) or len(mesh.faces) == 0:
            continue
        yield _piece(name, np.asarray(transform, dtype=np.float64), mesh, looks)


def _object_name(loaded: Any, node: str) -> str:
    """Return the name of the file's node: trimesh puts a mesh of several primitives into children of that node."""
    parent = loaded.graph.transforms.parents.get(node)
    several = parent is not None and parent != loaded.graph.base_frame and node.startswith(parent)
    return parent if several else node


def _piece(name: str, transform: Array, mesh: Any, looks: dict[tuple[int, bool], Material]) -> _Piece:
    linear = transform[:3, :3]
    vertices = mesh.vertices @ linear.T + transform[:3, 3]
    normals = np.asarray(mesh.vertex_normals) @ np.linalg.pinv(linear)  # the inverse transpose, for row vectors
    triangles = np.asarray(mesh.faces)
    if np.linalg.det(linear) < 0:
        triangles, normals = triangles[:, ::-1], normals
    normals = _filled_normals(vertices, normals, triangles)
    vertices, normals = to_z_up(vertices), to_z_up(normals)
    colours = _vertex_colours(mesh)
    if colours is not None:
        corners = triangles.reshape(-1)
        uvs, texture = paint_triangles(colours[triangles])
        triangles = np.arange(len(corners)).reshape(-1, 3)
        return _Piece(name, vertices[corners], normals[corners], uvs, triangles, Material(f"{name} colours", texture))
    found = _uvs(mesh)
    key = (id(getattr(mesh.visual, "material", None)), found is not None)
    if key not in looks:
        looks[key] = _material(mesh, textured=found is not None)
    material = looks[key]
    return _Piece(
        name, vertices, normals, np.zeros((len(vertices), 2)) if found is None else found, triangles, material
    )


def _filled_normals(vertices: Array, normals: Array, triangles: Array) -> Array:
    """Return unit normals; a vertex whose normal is missing or null takes that of one of its triangles."""
    length = np.linalg.norm(normals, axis=1)
    broken = ~np.isfinite(length) | (length < 1e-9)
    normals = np.where(broken[:, None], [0.0, 1.0, 0.0], normals / np.where(broken, 1, length)[:, None])
    if broken.any():
        a, b, c = (vertices[triangles[:, k]] for k in range(3))
        flat = np.cross(b - a, c - a)
        size = np.linalg.norm(flat, axis=1)
        for k in range(3):
            use = broken[triangles[:, k]] & (size > 0)
            normals[triangles[use, k]] = flat[use] / size[use, None]
    return normals


def _uvs(mesh: Any) -> Array | None:
    """Return texture coordinates (V, 2) in glTF's convention (trimesh turns v up), or None."""
    uv = getattr(mesh.visual, "uv", None)
    if uv is None or len(uv) != len(mesh.vertices):
        return None
    uv = np.nan_to_num(np.asarray(uv, dtype=np.float64)[:, :2])
    return np.stack([uv[:, 0], 1 - uv[:, 1]], axis=-1)


def _vertex_colours(mesh: Any) -> Array | None:
    """Return colours (V, 3) uint8 where the mesh is coloured by vertex and nothing else, or None."""
    if mesh.visual.kind != "vertex":
        return None
    return np.asarray(mesh.visual.vertex_colors)[:, :3].astype(np.uint8)


def _material(mesh: Any, *, textured: bool) -> Material:
    """Return base colour texture times base colour factor, as one texture, and the emission."""
    source = getattr(mesh.visual, "material", None)
    if source is None:
        return Material("grey", np.full((1, 1, 3), 180, dtype=np.uint8))
    if hasattr(source, "to_pbr") and not hasattr(source, "baseColorFactor"):
        source = source.to_pbr()
    factor = np.ones(3)
    if source.baseColorFactor is not None:
        factor = np.asarray(source.baseColorFactor, dtype=np.float64)[:3] / 255  # linear, as glTF has it
    image = source.baseColorTexture if textured else None
    texture = np.full((1, 1, 3), 255, np.uint8) if image is None else np.asarray(image.convert("RGB"))
    if (factor < 1).any():
        texture = np.round(255 * linear_to_srgb(LINEAR_OF_BYTE[texture] * factor)).astype(np.uint8)
    return Material(str(source.name or "material"), texture, _emission(source))


def _emission(source: Any) -> tuple[float, float, float]:
    factor = np.zeros(3) if source.emissiveFactor is None else np.asarray(source.emissiveFactor, dtype=np.float64)
    if factor.any() and source.emissiveTexture is not None:
        image = np.asarray(source.emissiveTexture.convert("RGB"))
        factor = factor * LINEAR_OF_BYTE[image].mean(axis=(0, 1), dtype=np.float64)
    return float(factor[0]), float(factor[1]), float(factor[2])


def paint_triangles(colours: Array) -> tuple[Array, Array]:
    """Turn colours of triangles' corners (T, 3, 3) uint8 into uvs (3 * T, 2), corner by corner, and one texture.

    Every triangle gets a square patch whose first three texels along both sides span it, so that bilinear filtering
    gives the linear blend of its corners; patches of four texels keep two mip levels free of their neighbours.
    """
    count = len(colours)
    across = int(np.ceil(np.sqrt(count)))
    down = int(np.ceil(count / across))
    weight = np.arange(_PATCH) / (_PATCH - 2)
    second, third = np.meshgrid(weight, weight)
    excess = np.maximum(second + third - 1, 0) / 2  # texels beyond the triangle repeat its edge
    second, third = np.clip(second - excess, 0, 1), np.clip(third - excess, 0, 1)
    blend = np.stack([1 - second - third, second, third], axis=-1)
    patches = np.clip(np.einsum("ijk,tkc->tijc", blend, colours.astype(np.float64)), 0, 255)
    padded = np.zeros((across * down, _PATCH, _PATCH, 3), dtype=np.uint8)
    padded[:count] = np.round(patches)
    grid = padded.reshape(down, across, _PATCH, _PATCH, 3).transpose(0, 2, 1, 3, 4)
    texture = np.ascontiguousarray(grid.reshape(down * _PATCH, across * _PATCH, 3))
    origin = np.stack([np.arange(count) % across, np.arange(count) // across], axis=-1) * _PATCH + 0.5
    corners = np.array([[0, 0], [_PATCH - 2, 0], [0, _PATCH - 2]])
    uvs = (origin[:, None] + corners).reshape(-1, 2) / [across * _PATCH, down * _PATCH]
    return uvs, texture
