"""A scene's arrays as binary glTF 2.0, and back, without a bit of loss.

All vertices are one run of the file's buffer in the scene's order, and every primitive is a window on it; so any viewer
shows one node per object, and reading the scene back is reading four arrays. glTF is y up: axes are exchanged here.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .scene import Material, Scene

Array = NDArray[Any]

_MAGIC, _JSON, _BIN = 0x46546C67, 0x4E4F534A, 0x004E4942
_FLOAT, _UINT32 = 5126, 5125
_VERTICES, _INDICES = 34962, 34963  # bufferView targets
#: Run lengths only: as small as full compression on these textures, at a fifth of its time.
_PNG = [cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE]


@dataclass(frozen=True, eq=False)
class Geometry:
    """The arrays of a `Scene` that a .glb holds, under the same names."""

    vertices: Array
    normals: Array
    uvs: Array
    triangles: Array
    triangle_material: Array
    triangle_instance: Array
    textures: tuple[Array, ...]


def to_z_up(vectors: Array) -> Array:
    """Take vectors (..., 3) from glTF's axes (y up) to the world's (z up)."""
    return np.stack([vectors[..., 0], -vectors[..., 2], vectors[..., 1]], axis=-1)


def to_y_up(vectors: Array) -> Array:
    """Take vectors (..., 3) from the world's axes (z up) to glTF's (y up)."""
    return np.stack([vectors[..., 0], vectors[..., 2], -vectors[..., 1]], axis=-1)


def encode_glb(scene: Scene, *, colours: Array | None = None) -> bytes:
    """Return ``scene`` as a .glb: one node per instance named ``<id>_<category>``, one primitive per material in it.

    ``colours`` (V, 3), for a file that a simulator reads, is what its vertices multiply their textures by.
    """
    order = np.lexsort((scene.triangle_material, scene.triangle_instance))
    groups = _groups(scene, order)
    sorted_triangles = scene.triangles[order].astype(np.int64)
    local = np.concatenate([sorted_triangles[g.begin : g.end] - g.base for g in groups] or [sorted_triangles])
    buffer = _Buffer()
    views = {
        "vertices": buffer.add(to_y_up(scene.vertices.astype(np.float32)), _VERTICES),
        "normals": buffer.add(to_y_up(scene.normals.astype(np.float32)), _VERTICES),
        "uvs": buffer.add(scene.uvs.astype(np.float32), _VERTICES),
        "indices": buffer.add(local.astype(np.uint32), _INDICES),
    }
    if colours is not None:
        views["colours"] = buffer.add(colours.astype(np.float32), _VERTICES)
    if not np.array_equal(order, np.arange(len(order))):
        views["order"] = buffer.add(order.astype(np.uint32))
    materials, images = [], []
    for material in scene.materials:
        images.append({"bufferView": buffer.add_bytes(_png(material.texture)), "mimeType": "image/png"})
        materials.append(_material(material, len(images) - 1))
    accessors, meshes, nodes = _objects(scene, groups, views)
    document = {
        "asset": {"version": "2.0", "generator": "relocbench"},
        "extensionsUsed": ["KHR_materials_emissive_strength"],
        "extras": {"relocbench": views},
        "scene": 0,
        "scenes": [{"name": scene.name, "nodes": list(range(len(nodes)))}],
        "nodes": nodes,
        "meshes": meshes,
        "materials": materials,
        "textures": [{"source": i, "sampler": 0} for i in range(len(images))],
        "samplers": [{"magFilter": 9729, "minFilter": 9987, "wrapS": 10497, "wrapT": 10497}],
        "images": images,
        "accessors": accessors,
        "bufferViews": buffer.views,
        "buffers": [{"byteLength": buffer.size}],
    }
    document = {key: value for key, value in document.items() if value != []}  # glTF forbids empty lists
    return _container(json.dumps(document, separators=(",", ":")).encode(), b"".join(buffer.chunks))


def decode_glb(content: bytes) -> Geometry:
    """Return what :func:`encode_glb` wrote; raises ``ValueError`` or ``KeyError`` where it did not write it."""
    document, binary = split_container(content)
    views = document["extras"]["relocbench"]
    triangles = _view(document, binary, views["indices"], np.uint32).reshape(-1, 3).astype(np.int32)
    instance, material = np.empty(len(triangles), np.int32), np.empty(len(triangles), np.int32)
    for number, node in enumerate(document["nodes"]):
        primitives = document["meshes"][node["mesh"]]["primitives"] if "mesh" in node else []
        for primitive in primitives:
            indices = document["accessors"][primitive["indices"]]
            begin = indices.get("byteOffset", 0) // 12
            end = begin + indices["count"] // 3
            base = document["accessors"][primitive["attributes"]["POSITION"]].get("byteOffset", 0) // 12
            triangles[begin:end] += base
            instance[begin:end], material[begin:end] = number, primitive["material"]
    if "order" in views:
        back = np.argsort(_view(document, binary, views["order"], np.uint32))
        triangles, instance, material = triangles[back], instance[back], material[back]
    return Geometry(
        vertices=to_z_up(_view(document, binary, views["vertices"], np.float32).reshape(-1, 3)),
        normals=to_z_up(_view(document, binary, views["normals"], np.float32).reshape(-1, 3)),
        uvs=_view(document, binary, views["uvs"], np.float32).reshape(-1, 2).copy(),
        triangles=triangles,
        triangle_material=material,
        triangle_instance=instance,
        textures=tuple(_texture(document, binary, image) for image in document.get("images", [])),
    )


@dataclass(frozen=True)
class _Group:
    """The triangles ``begin`` to ``end``, in sorted order, of one instance and material, and the vertices they span."""

    instance: int
    material: int
    begin: int
    end: int
    base: int
    last: int


def _groups(scene: Scene, order: Array) -> list[_Group]:
    instance, material = scene.triangle_instance[order], scene.triangle_material[order]
    changes = np.flatnonzero((np.diff(instance) != 0) | (np.diff(material) != 0)) + 1
    begins = np.concatenate([[0], changes]) if len(order) else np.zeros(0, dtype=int)
    triangles = scene.triangles[order]
    lowest = np.minimum.reduceat(triangles.min(axis=1), begins) if len(order) else begins
    highest = np.maximum.reduceat(triangles.max(axis=1), begins) if len(order) else begins
    ends = np.append(begins[1:], len(order))
    return [
        _Group(int(instance[b]), int(material[b]), int(b), int(e), int(low), int(high))
        for b, e, low, high in zip(begins, ends, lowest, highest, strict=False)
    ]


def _objects(scene: Scene, groups: list[_Group], views: dict[str, int]) -> tuple[list, list, list]:
    accessors: list[dict[str, Any]] = []
    primitives: dict[int, list[dict[str, Any]]] = {}
    positions = to_y_up(scene.vertices.astype(np.float32))
    for group in groups:
        count = group.last - group.base + 1
        window = positions[group.base : group.last + 1]
        first = len(accessors)
        accessors += [
            {**_accessor(views["vertices"], 12 * group.base, count, "VEC3"),
             "min": window.min(axis=0).tolist(), "max": window.max(axis=0).tolist()},
            _accessor(views["normals"], 12 * group.base, count, "VEC3"),
            _accessor(views["uvs"], 8 * group.base, count, "VEC2"),
            {**_accessor(views["indices"], 12 * group.begin, 3 * (group.end - group.begin), "SCALAR"),
             "componentType": _UINT32},
        ]  # fmt: skip
        attributes = {"POSITION": first, "NORMAL": first + 1, "TEXCOORD_0": first + 2}
        if "colours" in views:
            attributes["COLOR_0"] = len(accessors)
            accessors.append(_accessor(views["colours"], 12 * group.base, count, "VEC3"))
        primitive = {"attributes": attributes, "indices": first + 3, "material": group.material}
        primitives.setdefault(group.instance, []).append(primitive)
    meshes: list[dict[str, Any]] = []
    nodes: list[dict[str, Any]] = []
    for number, instance in enumerate(scene.instances):
        name = f"{instance.id}_{scene.categories[instance.category]}"
        nodes.append({"name": name})
        if number in primitives:
            nodes[-1]["mesh"] = len(meshes)
            meshes.append({"name": name, "primitives": primitives[number]})
    return accessors, meshes, nodes


def _accessor(view: int, offset: int, count: int, kind: str) -> dict[str, Any]:
    return {"bufferView": view, "byteOffset": offset, "componentType": _FLOAT, "count": count, "type": kind}


def _material(material: Material, texture: int) -> dict[str, Any]:
    surface = {"baseColorTexture": {"index": texture}, "metallicFactor": 0.0, "roughnessFactor": 0.9}
    described: dict[str, Any] = {"name": material.name, "pbrMetallicRoughness": surface}
    strength = float(max(material.emission))
    if strength > 0:
        described["emissiveFactor"] = [float(value) / strength for value in material.emission]
        described["extensions"] = {"KHR_materials_emissive_strength": {"emissiveStrength": strength}}
    return described


def _png(texture: Array) -> bytes:
    return cv2.imencode(".png", cv2.cvtColor(texture, cv2.COLOR_RGB2BGR), _PNG)[1].tobytes()


def _texture(document: dict[str, Any], binary: memoryview, image: dict[str, Any]) -> Array:
    encoded = _view(document, binary, image["bufferView"], np.uint8)
    decoded = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
    if decoded is None:
        raise ValueError("a texture is no image")
    return cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB)


class _Buffer:
    """The binary chunk under construction: pieces padded to four bytes, each a bufferView."""

    def __init__(self) -> None:
        self.chunks: list[bytes] = []
        self.views: list[dict[str, int]] = []
        self.size = 0

    def add(self, array: Array, target: int | None = None) -> int:
        """Append an array; return its bufferView."""
        view = self.add_bytes(np.ascontiguousarray(array).tobytes())
        if target is not None:
            self.views[view]["target"] = target
            if target == _VERTICES:
                self.views[view]["byteStride"] = array.shape[1] * array.itemsize
        return view

    def add_bytes(self, content: bytes) -> int:
        """Append raw bytes; return their bufferView."""
        self.views.append({"buffer": 0, "byteOffset": self.size, "byteLength": len(content)})
        padded = content + b"\0" * (-len(content) % 4)
        self.chunks.append(padded)
        self.size += len(padded)
        return len(self.views) - 1


def _container(document: bytes, binary: bytes) -> bytes:
    document += b" " * (-len(document) % 4)
    length = 12 + 8 + len(document) + 8 + len(binary)
    header = struct.pack("<III", _MAGIC, 2, length) + struct.pack("<II", len(document), _JSON)
    return header + document + struct.pack("<II", len(binary), _BIN) + binary


def split_container(content: bytes) -> tuple[dict[str, Any], memoryview]:
    """Return the JSON document and the binary chunk of a .glb; raises ``ValueError`` where it is none."""
    if len(content) < 20 or struct.unpack_from("<I", content)[0] != _MAGIC:
        raise ValueError("not a binary glTF file")
    length, kind = struct.unpack_from("<II", content, 12)
    if kind != _JSON:
        raise ValueError("a binary glTF file begins with a JSON chunk")
    return json.loads(content[20 : 20 + length]), memoryview(content)[28 + length :]


def _view(document: dict[str, Any], binary: memoryview, number: int, dtype: Any) -> Array:
    view = document["bufferViews"][number]
    begin = view.get("byteOffset", 0)
    return np.frombuffer(binary[begin : begin + view["byteLength"]], dtype=dtype)
