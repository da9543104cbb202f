"""The surfaces of a glTF file, placed: every primitive under every node that shows it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from ...errors import InputError
from ..scene import Material
from .cutouts import cut_out
from .document import Document
from .looks import Look, default_look, read_look

Array = NDArray[Any]

_DRACO = "KHR_draco_mesh_compression"
_TRIANGLES, _FAN = 4, 6  # modes; 5 is a strip, less are points and lines
_VISIBLE = 1e-3  # difference of linear colours


@dataclass(frozen=True, eq=False)
class Surface:
    """Triangles (T, 3) of one material over vertices (V, 3), unit normals (V, 3) and uvs (V, 2)."""

    vertices: Array
    normals: Array
    uvs: Array
    triangles: Array
    material: Material

    def placed(self, matrix: Array) -> Surface:
        """Return the surface under a transform (4, 4); one that mirrors keeps it facing out."""
        linear = matrix[:3, :3]
        normals = _unit(self.normals @ np.linalg.pinv(linear))  # the inverse transpose, for row vectors
        mirrored = np.linalg.det(linear) < 0
        return replace(
            self,
            vertices=self.vertices @ linear.T + matrix[:3, 3],
            normals=normals,
            triangles=self.triangles[:, ::-1] if mirrored else self.triangles,
        )


@dataclass(frozen=True, eq=False)
class Piece:
    """One object of the file, a node or an instance under it, in the file's axes and units."""

    name: str
    surfaces: tuple[Surface, ...]


class Pieces:
    """Reads the objects of a file; a mesh that many nodes show is read once."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self._looks: dict[int, Look] = {}
        self._materials: dict[Any, Material] = {}
        self._meshes: dict[int, tuple[Surface, ...]] = {}

    def __iter__(self) -> Iterator[Piece]:
        """Yield the objects of the file's scene that have triangles; raises ``InputError`` where one cannot be read."""
        for node, world in self._nodes():
            if "mesh" not in node:
                continue
            surfaces = self._mesh(node["mesh"], node)
            name = str(node.get("name") or self.document.json["meshes"][node["mesh"]].get("name") or "node")
            for number, matrix in enumerate(self._instances(node) if surfaces else []):
                called = f"{name}.{number:03d}" if number else name
                yield Piece(called, tuple(surface.placed(world @ matrix) for surface in surfaces))

    def _nodes(self) -> Iterator[tuple[dict[str, Any], Array]]:
        """Yield the nodes that the file's scene shows with their transforms (4, 4) to the file's axes."""
        json = self.document.json
        nodes = json.get("nodes", [])
        if json.get("scenes"):
            roots = json["scenes"][json.get("scene", 0)].get("nodes", [])
        else:
            roots = sorted(set(range(len(nodes))) - {child for node in nodes for child in node.get("children", [])})
        waiting, seen = [(number, np.eye(4)) for number in reversed(roots)], set()
        while waiting:
            number, parent = waiting.pop()
            if number in seen:
                raise ValueError(f"node {number} has two parents")
            seen.add(number)
            world = parent @ _local(nodes[number])
            yield nodes[number], world
            waiting += [(child, world) for child in reversed(nodes[number].get("children", []))]

    def _instances(self, node: dict[str, Any]) -> list[Array]:
        """Return the transforms (4, 4) of a node's instances below the node."""
        instancing = node.get("extensions", {}).get("EXT_mesh_gpu_instancing")
        if instancing is None:
            return [np.eye(4)]
        values = {name: self.document.array(number) for name, number in instancing["attributes"].items()}
        count = max(len(array) for array in values.values())
        moves = values.get("TRANSLATION", np.zeros((count, 3)))
        turns = values.get("ROTATION", np.tile([0.0, 0.0, 0.0, 1.0], (count, 1)))
        scales = values.get("SCALE", np.ones((count, 3)))
        return [_composed(*row) for row in zip(moves, turns, scales, strict=True)]

    def _mesh(self, number: int, node: dict[str, Any]) -> tuple[Surface, ...]:
        mesh = self.document.json["meshes"][number]
        name = str(mesh.get("name") or node.get("name") or f"number {number}")
        if "skin" in node or any(node.get("weights", mesh.get("weights", []))):
            raise InputError(
                f"{self.document.path}: mesh {name} is bent by a skeleton or by morph targets, which relocbench does "
                "not read; apply them in a modelling program"
            )
        if number not in self._meshes:
            read = (self._surface(primitive, name) for primitive in mesh["primitives"])
            self._meshes[number] = tuple(surface for surface in read if surface is not None)
        return self._meshes[number]

    def _surface(self, primitive: dict[str, Any], name: str) -> Surface | None:
        """Return one primitive, None where it has no triangles, or only clear ones."""
        attributes = primitive["attributes"]
        if primitive.get("mode", _TRIANGLES) < _TRIANGLES or "POSITION" not in attributes:
            return None
        position = self.document.json["accessors"][attributes["POSITION"]]
        if _DRACO in primitive.get("extensions", {}) and "bufferView" not in position:
            self.document.refuse_extension(_DRACO)
        vertices = self.document.array(attributes["POSITION"]).astype(np.float64)
        triangles = self._triangles(primitive, len(vertices))
        if len(triangles) == 0:
            return None
        if not np.isfinite(vertices[triangles]).all():
            raise InputError(
                f"{self.document.path}: mesh {name} has vertices at no place (NaN or infinity); remove them in a "
                "modelling program"
            )
        normals = self.document.array(attributes["NORMAL"]).astype(np.float64) if "NORMAL" in attributes else None
        return self._coloured(primitive, vertices, _filled_normals(vertices, normals, triangles), triangles)

    def _triangles(self, primitive: dict[str, Any], count: int) -> Array:
        order = self.document.array(primitive["indices"])[:, 0] if "indices" in primitive else np.arange(count)
        order = order.astype(np.int64)
        if len(order) and order.max() >= count:
            raise IndexError("a triangle has a corner that is no vertex")
        mode = primitive.get("mode", _TRIANGLES)
        first = np.arange(max(len(order) - 2, 0))
        if mode == _TRIANGLES:
            return order[: len(order) // 3 * 3].reshape(-1, 3)
        if mode == _FAN:
            return order[np.stack([first + 1, first + 2, np.zeros_like(first)], axis=-1)]
        odd = first % 2  # of a strip, every other triangle is turned over
        return order[np.stack([first, first + 1 + odd, first + 2 - odd], axis=-1)]

    def _coloured(self, primitive: dict[str, Any], vertices: Array, normals: Array, triangles: Array) -> Surface | None:
        """Return the surface in its colours, with holes where it is clear; None where it all is."""
        look = self._look(primitive)
        values = {"vertices": vertices, "normals": normals, **self._painting(primitive["attributes"], look)}
        if look.opaque is not None:
            values, triangles = _without_holes(values, triangles, look.opaque)
        if len(triangles) == 0:
            return None
        uvs, colours = values.get("uvs"), values.get("colours")
        if colours is not None and np.ptp(colours[triangles], axis=(0, 1)).max() > _VISIBLE:
            placed, material = look.painted(colours[triangles], None if uvs is None else uvs[triangles])
            order, triangles = triangles.reshape(-1), np.arange(triangles.size).reshape(-1, 3)
            return Surface(values["vertices"][order], values["normals"][order], placed, triangles, material)
        tint = np.ones(3) if colours is None else colours[triangles[0, 0]]
        key = (primitive.get("material"), look.name, uvs is not None, tuple(tint))
        if key not in self._materials:
            self._materials[key] = look.material(tint, textured=uvs is not None)
        uvs = np.zeros((len(values["vertices"]), 2)) if uvs is None else uvs
        return Surface(values["vertices"], values["normals"], uvs, triangles, self._materials[key])

    def _look(self, primitive: dict[str, Any]) -> Look:
        number = primitive.get("material")
        if number is None:
            grey = default_look()
            return replace(grey, name="vertex", factor=np.ones(3)) if "COLOR_0" in primitive["attributes"] else grey
        if number not in self._looks:
            self._looks[number] = read_look(self.document, number)
        return self._looks[number]

    def _painting(self, attributes: dict[str, int], look: Look) -> dict[str, Array]:
        """Return the uvs (V, 2) of the look's picture and the linear colours (V, 3), where vertices have them."""
        found = {}
        if look.picture is not None and f"TEXCOORD_{look.uv_set}" in attributes:
            raw = self.document.array(attributes[f"TEXCOORD_{look.uv_set}"]).astype(np.float64)
            found["uvs"] = look.uvs(np.nan_to_num(raw))
        if "COLOR_0" in attributes:
            found["colours"] = self.document.array(attributes["COLOR_0"])[:, :3].astype(np.float64)
        return found


def _without_holes(values: dict[str, Array], triangles: Array, opaque: Array) -> tuple[dict[str, Array], Array]:
    """Return what vertices have, and triangles, of the part that is opaque."""
    if not opaque.any():
        return values, triangles[:0]
    if "uvs" not in values:
        return values, triangles
    owner, weights = cut_out(values["uvs"][triangles], opaque)
    corners = triangles[owner]
    blended = {
        name: np.einsum("pij,pjk->pik", weights, value[corners]).reshape(-1, value.shape[1])
        for name, value in values.items()
    }
    return {**blended, "normals": _unit(blended["normals"])}, np.arange(corners.size).reshape(-1, 3)


def _local(node: dict[str, Any]) -> Array:
    """Return a node's transform (4, 4) to its parent."""
    if "matrix" in node:
        return np.array(node["matrix"], dtype=np.float64).reshape(4, 4).T
    return _composed(
        node.get("translation", (0, 0, 0)), node.get("rotation", (0, 0, 0, 1)), node.get("scale", (1, 1, 1))
    )


def _composed(translation: Any, rotation: Any, scale: Any) -> Array:
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_quat(rotation).as_matrix() * np.asarray(scale, dtype=np.float64)
    matrix[:3, 3] = translation
    return matrix


def _unit(vectors: Array) -> Array:
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.where(length > 0, length, 1)


def _filled_normals(vertices: Array, normals: Array | None, triangles: Array) -> Array:
    """Return unit normals; a vertex whose normal is missing or null takes the mean of its triangles'."""
    given = np.zeros_like(vertices) if normals is None else np.where(np.isfinite(normals), normals, 0.0)
    broken = np.linalg.norm(given, axis=1) < 1e-9
    if broken.any():
        a, b, c = (vertices[triangles[:, k]] for k in range(3))
        facing = np.cross(b - a, c - a)
        mean = np.stack(
            [
                np.bincount(triangles.ravel(), np.repeat(facing[:, axis], 3), minlength=len(vertices))
                for axis in range(3)
            ],
            axis=-1,
        )
        given = np.where(broken[:, None], mean, given)
        given[np.linalg.norm(given, axis=1) < 1e-20] = (0.0, 1.0, 0.0)
    return _unit(given)
