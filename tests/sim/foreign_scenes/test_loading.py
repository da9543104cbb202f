"""Scenes as many programs write them: legal spellings of one room look alike, and what cannot be read is named."""

from __future__ import annotations

import base64
import io
import json
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import trimesh
from PIL import Image
from relocbench.errors import InputError
from relocbench.sim.foreign_scenes.cutouts import cut_out
from relocbench.sim.foreign_scenes.loading import category_of, load_foreign
from relocbench.sim.foreign_scenes.looks import paint_triangles
from relocbench.sim.geometry import Camera, Pose
from relocbench.sim.raycast import Raycaster
from relocbench.sim.raycast.irradiance import BakeSettings
from relocbench.sim.scene import Scene
from relocbench.sim.scene_files import load_scene, save_scene
from relocbench.sim.simulator import OUTPUTS, Observation
from relocbench.sim.srgb import linear_to_srgb

SIZE = np.array([4.0, 2.5, 3.0])  # metres in the file's axes, y up
TURNS = {"texture": 0.4, "offset": (0.1, 0.2), "scale": (0.5, 0.25)}
COMPONENTS = {"i1": 5120, "u1": 5121, "i2": 5122, "u2": 5123, "u4": 5125, "f4": 5126}


class Room:
    """A room of six textured faces and a crate, as a glTF document that a test spells its own way before it is saved.

    Every face is a node of its own with four vertices; ``faces`` are their names.
    """

    def __init__(self) -> None:
        self.binary = bytearray()
        self.document: dict[str, Any] = {
            "asset": {"version": "2.0"}, "scene": 0, "scenes": [{"nodes": []}], "nodes": [], "meshes": [],
            "materials": [], "textures": [], "images": [], "samplers": [{}], "accessors": [], "bufferViews": [],
        }  # fmt: skip
        self.uvs: list[np.ndarray] = []
        self.pictures: list[np.ndarray] = []
        low, high = np.zeros(3), SIZE
        self.faces = [*self._box("wall", low, high, inwards=True), *self._box("crate", (2.6, 0, 1), (3.4, 0.8, 1.8))]

    def _box(self, name: str, low: Any, high: Any, *, inwards: bool = False) -> list[str]:
        low, high = np.asarray(low, float), np.asarray(high, float)
        names = []
        for axis in range(3):
            a, b = (axis + 1) % 3, (axis + 2) % 3
            for side in (0, 1):
                corners = np.tile(low, (4, 1))
                corners[:, axis] = (low, high)[side][axis]
                corners[[1, 2], a], corners[[2, 3], b] = high[a], high[b]
                out = (1 if side else -1) * (-1 if inwards else 1)
                order = [0, 1, 2, 0, 2, 3] if out > 0 else [0, 2, 1, 0, 3, 2]
                names.append(self._face(f"{name} {'xyz'[axis]}{side}", corners, out * np.eye(3)[axis], order))
        return names

    def _face(self, name: str, corners: np.ndarray, normal: np.ndarray, order: list[int]) -> str:
        number = len(self.uvs)
        self.uvs.append(np.array([[0, 0], [1, 0], [1, 1], [0, 1]], float))
        rng = np.random.default_rng(number)
        self.pictures.append(cv2.resize(rng.integers(40, 256, (4, 4, 3)).astype(np.uint8), (32, 32), interpolation=0))
        attributes = {
            "POSITION": self.array(corners, "f4"), "NORMAL": self.array(np.tile(normal, (4, 1)), "f4"),
            "TEXCOORD_0": self.array(self.uvs[-1], "f4"),
        }  # fmt: skip
        self.document["images"].append(self.image(png(self.pictures[-1])))
        self.document["textures"].append({"source": number, "sampler": 0})
        surface = {"baseColorTexture": {"index": number}, "metallicFactor": 0}
        self.document["materials"].append({"name": name, "pbrMetallicRoughness": surface})
        primitive = {"attributes": attributes, "indices": self.array(np.array(order), "u2"), "material": number}
        self.document["meshes"].append({"name": name, "primitives": [primitive]})
        self.document["nodes"].append({"name": name, "mesh": number})
        self.document["scenes"][0]["nodes"].append(number)
        return name

    def view(self, content: bytes, **more: Any) -> int:
        """Append bytes; return their bufferView."""
        begin = len(self.binary)
        self.binary += content + bytes(-len(content) % 4)
        self.document["bufferViews"].append({"buffer": 0, "byteOffset": begin, "byteLength": len(content), **more})
        return len(self.document["bufferViews"]) - 1

    def array(self, values: np.ndarray, kind: str, *, normalized: bool = False) -> int:
        """Append an accessor over rows that are padded to four bytes."""
        values = np.asarray(values).astype(f"<{kind}")
        rows = values.reshape(len(values), -1)
        whole = -rows.shape[1] * rows.itemsize % 4 if values.ndim > 1 else 0
        content = np.pad(rows.view(np.uint8).reshape(len(rows), -1), ((0, 0), (0, whole)))
        stride = {"byteStride": content.shape[1]} if values.ndim > 1 else {}
        shape = "SCALAR" if values.ndim == 1 else f"VEC{rows.shape[1]}"
        accessor = {"bufferView": self.view(content.tobytes(), **stride), "count": len(values), "type": shape}
        self.document["accessors"].append({**accessor, "componentType": COMPONENTS[kind], "normalized": normalized})
        return len(self.document["accessors"]) - 1

    def image(self, encoded: bytes, mime: str = "image/png") -> dict[str, Any]:
        """Return a picture that lies in the file."""
        return {"bufferView": self.view(encoded), "mimeType": mime}

    def primitives(self) -> list[dict[str, Any]]:
        """Return all primitives, in the order of ``faces``."""
        return [mesh["primitives"][0] for mesh in self.document["meshes"]]

    def surfaces(self) -> list[dict[str, Any]]:
        """Return what the materials say of their base colours."""
        return [material["pbrMetallicRoughness"] for material in self.document["materials"]]

    def under(self, **node: Any) -> None:
        """Hang everything under one node."""
        children = self.document["scenes"][0]["nodes"]
        self.document["scenes"][0]["nodes"] = [len(self.document["nodes"])]
        self.document["nodes"].append({"name": "all", "children": children, **node})

    def require(self, *extensions: str) -> None:
        """Say that the file cannot be read without extensions."""
        self.document.setdefault("extensionsRequired", []).extend(extensions)

    def save(self, path: Path) -> Path:
        """Write the .glb; return its path."""
        self.document["buffers"] = [{"byteLength": len(self.binary)}, *self.document.get("buffers", [])]
        text = json.dumps(self.document).encode()
        text += b" " * (-len(text) % 4)
        length = 28 + len(text) + len(self.binary)
        header = struct.pack("<4sIII4s", b"glTF", 2, length, len(text), b"JSON")
        path.write_bytes(header + text + struct.pack("<I4s", len(self.binary), b"BIN\0") + self.binary)
        return path


def png(pixels: np.ndarray) -> bytes:
    return encoded(Image.fromarray(pixels), "PNG")


def encoded(picture: Image.Image, kind: str, **how: Any) -> bytes:
    content = io.BytesIO()
    picture.save(content, kind, **how)
    return content.getvalue()


def views(scene: Scene) -> list[Observation]:
    """What two cameras see of a scene that stands where ``Room`` does."""
    simulator = Raycaster(bake=BakeSettings(spacing=0.3, gather_spacing=0.6, rays=32))
    simulator.load(scene, "day")
    poses = Pose.look_at([[0.4, -0.4, 1.5], [3.6, -2.6, 1.4]], [[3.0, -2.0, 0.6], [0.5, -0.5, 1.0]])
    return list(simulator.render(poses, Camera.from_fov(64, 48, 90), OUTPUTS))


def difference(scene: Scene, other: list[Observation]) -> float:
    """The mean difference of pictures in steps of 255; infinite where depth differs by a millimetre somewhere."""
    here = views(scene)
    if any(np.abs(a.depth - b.depth).max() > 1e-3 for a, b in zip(here, other, strict=True)):
        return float("inf")
    return float(np.mean([np.abs(a.rgb.astype(int) - b.rgb) for a, b in zip(here, other, strict=True)]))


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> list[Observation]:
    return views(load_scene(Room().save(tmp_path_factory.mktemp("plain") / "plain.glb")))


def texture_transform(room: Room) -> None:
    turn, offset, scale = TURNS["texture"], np.array(TURNS["offset"]), np.array(TURNS["scale"])
    back = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])  # clockwise on a picture: v is down
    for uv, primitive, surface in zip(room.uvs, room.primitives(), room.surfaces(), strict=True):
        primitive["attributes"]["TEXCOORD_0"] = room.array((uv - offset) @ back.T / scale, "f4")
        moved = {"offset": offset.tolist(), "rotation": turn, "scale": scale.tolist()}
        surface["baseColorTexture"]["extensions"] = {"KHR_texture_transform": moved}
    room.require("KHR_texture_transform")


def second_coordinates(room: Room) -> None:
    for uv, primitive, surface in zip(room.uvs, room.primitives(), room.surfaces(), strict=True):
        primitive["attributes"] |= {"TEXCOORD_1": room.array(uv, "f4"), "TEXCOORD_0": room.array(0.1 * uv, "f4")}
        surface["baseColorTexture"]["texCoord"] = 1


def quantized(room: Room) -> None:
    for name, primitive, node in zip(room.faces, room.primitives(), room.document["nodes"], strict=True):
        corners = read(room, primitive["attributes"]["POSITION"])
        low, size = corners.min(axis=0), float(np.ptp(corners, axis=0).max())
        primitive["attributes"] = {
            "POSITION": room.array(np.round((corners - low) / size * 30000), "i2"),
            "NORMAL": room.array(127 * read(room, primitive["attributes"]["NORMAL"]), "i1", normalized=True),
            "TEXCOORD_0": room.array(np.round(65535 * room.uvs[room.faces.index(name)]), "u2", normalized=True),
        }
        node |= {"translation": low.tolist(), "scale": [size / 30000] * 3}
    room.require("KHR_mesh_quantization")


def read(room: Room, accessor: int, kind: str = "f4") -> np.ndarray:
    """The values of an accessor that no other spelling has touched."""
    described = room.document["accessors"][accessor]
    begin = room.document["bufferViews"][described["bufferView"]]["byteOffset"]
    width = 1 if described["type"] == "SCALAR" else 3
    values = np.frombuffer(bytes(room.binary), f"<{kind}", width * described["count"], begin)
    return values.reshape(-1, width)


def strips_and_fans(room: Room) -> None:
    for number, primitive in enumerate(room.primitives()):
        outwards = read(room, primitive["indices"], "u2")[1, 0] == 1
        mode, order = (6, [0, 1, 2, 3]) if number % 2 else (5, [1, 2, 0, 3])
        if not outwards:
            order = [0, 3, 2, 1] if number % 2 else [2, 1, 3, 0]
        primitive |= {"mode": mode, "indices": room.array(np.array(order), "u2")}


def sparse_corners(room: Room) -> None:
    for primitive in room.primitives():
        corners = read(room, primitive["attributes"]["POSITION"])
        number = room.array(corners * [[1], [1], [1], [0]], "f4")
        accessor = room.document["accessors"][number]
        values = room.view(corners[3:].astype("<f4").tobytes())
        indices = {"bufferView": room.view(struct.pack("<H", 3)), "componentType": 5123}
        accessor["sparse"] = {"count": 1, "indices": indices, "values": {"bufferView": values}}
        primitive["attributes"]["POSITION"] = number


def specular_glossiness(room: Room) -> None:
    for material in room.document["materials"]:
        texture = material.pop("pbrMetallicRoughness")["baseColorTexture"]
        material["extensions"] = {"KHR_materials_pbrSpecularGlossiness": {"diffuseTexture": texture}}


def as_webp(room: Room) -> None:
    for number, pixels in enumerate(room.pictures):
        image = room.image(encoded(Image.fromarray(pixels), "WEBP", lossless=True), "image/webp")
        room.document["images"][number] = image
        room.document["textures"][number] = {"extensions": {"EXT_texture_webp": {"source": number}}}
    room.require("EXT_texture_webp")


def sixteen_bits(room: Room) -> None:
    for number, pixels in enumerate(room.pictures):
        deep = cv2.imencode(".png", pixels[..., ::-1].astype(np.uint16) * 257)[1].tobytes()
        room.document["images"][number] = room.image(deep)


def palettes_and_data(room: Room) -> None:
    for number, pixels in enumerate(room.pictures):
        content = encoded(Image.fromarray(pixels).quantize(256), "PNG")
        uri = "data:image/png;base64," + base64.b64encode(content).decode()
        room.document["images"][number] = {"uri": uri}


def mirrored_repeats(room: Room) -> None:
    room.document["samplers"] = [{"wrapS": 33648, "wrapT": 33648}]
    for uv, primitive in zip(room.uvs, room.primitives(), strict=True):
        primitive["attributes"]["TEXCOORD_0"] = room.array(uv * [-1, 1] + [0, 2], "f4")


def mirrored_nodes(room: Room) -> None:
    for primitive in room.primitives():
        corners = read(room, primitive["attributes"]["POSITION"]) * [-1, 1, 1]
        normals = read(room, primitive["attributes"]["NORMAL"]) * [-1, 1, 1]
        primitive["attributes"] |= {"POSITION": room.array(corners, "f4"), "NORMAL": room.array(normals, "f4")}
        primitive["indices"] = room.array(read(room, primitive["indices"], "u2")[::-1, 0], "u2")
    room.under(matrix=np.diag([-1.0, 1, 1, 1]).ravel().tolist())


def without_normals(room: Room) -> None:
    for primitive in room.primitives():
        del primitive["attributes"]["NORMAL"]


def drafts_elsewhere(room: Room) -> None:
    room.document["nodes"].append({"name": "draft", "mesh": 0, "translation": [1, 0, 0]})
    room.document["scenes"].append({"nodes": [len(room.document["nodes"]) - 1]})


@pytest.mark.parametrize(
    "spelling",
    [
        texture_transform, second_coordinates, quantized, strips_and_fans, sparse_corners, specular_glossiness,
        as_webp, sixteen_bits, palettes_and_data, mirrored_repeats, mirrored_nodes, without_normals, drafts_elsewhere,
    ],
)  # fmt: skip
def test_every_spelling_of_a_room_looks_alike(
    spelling: Callable[[Room], None], plain: list[Observation], tmp_path: Path
) -> None:
    room = Room()
    spelling(room)
    assert (
        difference(load_scene(room.save(tmp_path / "room.glb")), plain) < 2
    )  # light is baked from triangle to triangle


def test_deep_grey_pictures_are_as_grey_as_shallow_ones(tmp_path: Path) -> None:
    seen = []
    for name, depth in (("shallow", np.uint8), ("deep", np.uint16)):
        room = Room()
        for number, pixels in enumerate(room.pictures):
            grey = pixels[..., 0].astype(depth) * (257 if depth is np.uint16 else 1)
            room.document["images"][number] = room.image(cv2.imencode(".png", grey)[1].tobytes())
        seen.append(load_scene(room.save(tmp_path / f"{name}.glb")))
    assert difference(seen[0], views(seen[1])) < 0.01


def test_instances_are_objects_as_nodes_are(tmp_path: Path) -> None:
    spelled, instanced = Room(), Room()
    crate = len(spelled.faces) - 1
    moves = np.array([[0, 0, 0], [-1, 0, 0.5], [-2, 0, 0.7]])
    for number, move in enumerate(moves[1:], start=1):
        spelled.document["scenes"][0]["nodes"].append(len(spelled.document["nodes"]))
        name = f"{spelled.faces[crate]}.{number:03d}"
        spelled.document["nodes"].append({"name": name, "mesh": crate, "translation": move.tolist()})
    attributes = {"TRANSLATION": instanced.array(moves, "f4")}
    instanced.document["nodes"][crate]["extensions"] = {"EXT_mesh_gpu_instancing": {"attributes": attributes}}
    instanced.require("EXT_mesh_gpu_instancing")
    one, other = (load_scene(r.save(tmp_path / f"{k}.glb")) for k, r in enumerate((spelled, instanced)))
    assert [i.name for i in one.instances] == [i.name for i in other.instances]
    np.testing.assert_allclose(one.vertices, other.vertices, atol=1e-6)


def test_thousands_of_nodes_load_in_seconds(tmp_path: Path) -> None:
    room = Room()
    for number in range(5000):
        room.document["scenes"][0]["nodes"].append(len(room.document["nodes"]))
        move = [0.03 * (number % 100), 0.02 * (number // 100), 0.1]
        room.document["nodes"].append({"name": f"book_{number}", "mesh": 6, "translation": move, "scale": [0.02] * 3})
    path = room.save(tmp_path / "library.glb")
    start = time.process_time()
    scene = load_scene(path)
    assert time.process_time() - start < 5
    assert len(scene.instances) == 12 + 5000
    assert len(scene.materials) == 12


def unknown(room: Room) -> None:
    room.require("ACME_secret_shapes")


def draco(room: Room) -> None:
    primitive = room.primitives()[0]
    primitive["extensions"] = {"KHR_draco_mesh_compression": {"bufferView": 0, "attributes": {}}}
    del room.document["accessors"][primitive["attributes"]["POSITION"]]["bufferView"]


def meshopt(room: Room) -> None:
    room.document["buffers"] = [{"byteLength": 48}]
    packed = {"EXT_meshopt_compression": {"buffer": 0, "byteLength": 20}}
    room.document["bufferViews"][0] |= {"buffer": 1, "extensions": packed}


def ktx2(room: Room) -> None:
    room.document["images"][0] = room.image(b"\xabKTX 20\xbb\r\n\x1a\n" + bytes(64), "image/ktx2")


def only_ktx2(room: Room) -> None:
    room.document["textures"][0] = {"extensions": {"KHR_texture_basisu": {"source": 0}}}


def missing_picture(room: Room) -> None:
    room.document["images"][0] = {"uri": "photos/far%20away.png"}


def broken_picture(room: Room) -> None:
    room.document["images"][0] = {**room.image(png(room.pictures[0])[:90]), "name": "holiday"}


def no_number(room: Room) -> None:
    at = room.document["bufferViews"][0]["byteOffset"]
    room.binary[at : at + 4] = struct.pack("<f", np.nan)


def skeleton(room: Room) -> None:
    room.document["nodes"][0]["skin"] = 0


def old(room: Room) -> None:
    room.document["asset"]["version"] = "1.0"


def too_many_corners(room: Room) -> None:
    room.primitives()[0]["indices"] = room.array(np.array([0, 1, 9]), "u2")


def endless(room: Room) -> None:
    room.document["nodes"][0]["children"] = [1]


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (unknown, "ACME_secret_shapes, which relocbench does not read"),
        (draco, "KHR_draco_mesh_compression, .*gltf-transform copy"),
        (meshopt, "EXT_meshopt_compression, .*gltf-transform copy"),
        (ktx2, "KHR_texture_basisu, .*gltf-transform ktxdecompress"),
        (only_ktx2, "KHR_texture_basisu, .*gltf-transform ktxdecompress"),
        (missing_picture, "picture 'photos/far%20away.png' cannot be read .*put it beside the file"),
        (broken_picture, "picture holiday cannot be decoded"),
        (no_number, "mesh wall x0 has vertices at no place"),
        (skeleton, "mesh wall x0 is bent by a skeleton"),
        (old, "is glTF 1.0"),
        (too_many_corners, "cannot be read as glTF .*a corner that is no vertex"),
        (endless, "cannot be read as glTF .*two parents"),
    ],
)
def test_what_cannot_be_read_is_named_in_one_line(spoil: Callable[[Room], None], said: str, tmp_path: Path) -> None:
    room = Room()
    spoil(room)
    with pytest.raises(InputError, match=rf"room\.glb: .*{said}") as caught:
        load_scene(room.save(tmp_path / "room.glb"))
    assert "\n" not in str(caught.value)


def test_a_picture_beside_the_file_is_found(plain: list[Observation], tmp_path: Path) -> None:
    room = Room()
    (tmp_path / "far away.png").write_bytes(png(room.pictures[0]))
    room.document["images"][0] = {"uri": "far%20away.png"}
    assert difference(load_scene(room.save(tmp_path / "room.glb")), plain) == 0


def test_colours_of_vertices_multiply_the_material_in_linear_light(tmp_path: Path) -> None:
    by_vertex, by_factor = Room(), Room()
    tint = np.array([0.5, 0.25, 0.8])
    for primitive in by_vertex.primitives():
        colours = np.round(255 * np.tile(tint, (4, 1)))
        primitive["attributes"]["COLOR_0"] = by_vertex.array(colours, "u1", normalized=True)
    for surface in by_factor.surfaces():
        surface["baseColorFactor"] = [*(np.round(255 * tint) / 255), 1]
    one, other = (load_scene(r.save(tmp_path / f"{k}.glb")) for k, r in enumerate((by_vertex, by_factor)))
    for a, b in zip(one.materials, other.materials, strict=True):
        assert np.array_equal(a.texture, b.texture)


def test_colours_that_vary_are_painted_over_the_picture(plain: list[Observation], tmp_path: Path) -> None:
    light, dark = Room(), Room()
    for room, level in ((light, 1.0), (dark, 0.2)):
        for primitive in room.primitives():  # one corner differs by what nobody sees, so that triangles are painted
            colours = np.full((4, 3), level) - [[0], [0], [0], [0.002]]
            primitive["attributes"]["COLOR_0"] = room.array(colours, "f4")
    bright, dim = (load_scene(r.save(tmp_path / f"{k}.glb")) for k, r in enumerate((light, dark)))
    assert difference(bright, plain) < 6  # painted at the picture's own resolution: its edges are a little softer
    ratio = np.mean([v.rgb.mean() for v in views(dim)]) / np.mean([v.rgb.mean() for v in plain])
    assert ratio < linear_to_srgb(np.array(0.25))


def test_triangles_are_painted_with_the_colours_of_their_corners() -> None:
    colours = np.random.default_rng(0).random((7, 3, 3))
    uvs, texture = paint_triangles(colours)
    height, width = texture.shape[:2]
    texels = np.floor(uvs * [width, height]).astype(int)
    np.testing.assert_allclose(uvs * [width, height] - texels, 0.5, atol=1e-9)
    expected = np.round(255 * linear_to_srgb(colours.reshape(-1, 3)))
    assert np.array_equal(texture[texels[:, 1], texels[:, 0]], expected)


@pytest.mark.parametrize("mode", ["MASK", "BLEND"])
def test_what_is_clear_is_a_hole(mode: str, plain: list[Observation], tmp_path: Path) -> None:
    room = Room()
    pixels = np.zeros((32, 32, 4), np.uint8)
    pixels[8:16, 4:20] = 255
    corners = np.array([[2, 0.2, 0.5], [2, 2.2, 0.5], [2, 2.2, 2.5], [2, 0.2, 2.5]])  # across the room
    room._face("curtain", corners, np.array([1.0, 0, 0]), [0, 1, 2, 0, 2, 3])
    room.document["images"][-1] = room.image(png(pixels))
    room.document["materials"][-1]["alphaMode"] = mode
    scene = load_scene(room.save(tmp_path / "room.glb"))
    curtain = scene.vertices[scene.triangles[scene.triangle_instance == len(scene.instances) - 1]]
    area = np.linalg.norm(np.cross(curtain[:, 1] - curtain[:, 0], curtain[:, 2] - curtain[:, 0]), axis=-1).sum() / 2
    assert area == pytest.approx(2 * 2 * (8 * 16) / 32**2, rel=0.02)
    for here, there in zip(views(scene), plain, strict=True):
        on_curtain = here.instance == len(scene.instances)
        assert on_curtain.any()
        assert np.array_equal(here.depth[~on_curtain], there.depth[~on_curtain])
        assert (here.depth[on_curtain] < there.depth[on_curtain] + 1e-3).all()


def test_pieces_of_a_cut_out_lie_in_their_triangles_and_share_what_is_opaque() -> None:
    rng = np.random.default_rng(4)
    opaque = cv2.resize(rng.integers(0, 2, (4, 4)).astype(np.uint8), (32, 32), interpolation=0).astype(bool)
    uvs = np.array([[[0, 0], [1, 0], [1, 1]], [[0, 0], [1, 1], [0, 1]], [[2, 0], [3, 0], [3, 1]]], float)
    owner, weights = cut_out(uvs, opaque)
    assert (weights >= 0).all()
    np.testing.assert_allclose(weights.sum(axis=-1), 1)
    pieces = weights @ uvs[owner]
    area = np.abs(np.linalg.det(pieces[:, 1:] - pieces[:, :1])) / 2
    assert area[owner < 2].sum() == pytest.approx(opaque.mean(), rel=0.02)
    assert area[owner == 2].sum() == pytest.approx(area[owner == 0].sum())  # the picture repeats


@pytest.mark.parametrize(("unit", "scale"), [("millimetres", 0.001), ("centimetres", 0.01), ("inches", 0.0254)])
def test_a_model_in_another_unit_is_recognised_and_scaled(
    unit: str, scale: float, plain: list[Observation], tmp_path: Path
) -> None:
    room = Room()
    room.under(scale=[1 / scale] * 3)
    path = room.save(tmp_path / "room.glb")
    with pytest.raises(InputError, match=rf"room\.glb: .*looks like .*{unit}: give scale: {scale:g}"):
        load_scene(path)
    assert difference(load_scene(path, scale=scale), plain) < 0.5
    assert np.ptp(load_scene(path, scale=1).vertices, axis=0).max() == pytest.approx(4 / scale)


def test_a_model_that_holds_no_camera_is_refused(tmp_path: Path) -> None:
    room = Room()
    room.under(scale=[0.25] * 3)
    with pytest.raises(InputError, match=r"room\.glb: is 1 x 0\.75 x 0\.625 m large, which has no place for a camera"):
        load_scene(room.save(tmp_path / "room.glb"))


def test_a_model_with_z_up_is_recognised_and_turned(plain: list[Observation], tmp_path: Path) -> None:
    room = Room()
    room.under(rotation=[np.sqrt(0.5), 0, 0, np.sqrt(0.5)])
    path = room.save(tmp_path / "room.glb")
    with pytest.raises(InputError, match=r"room\.glb: looks as if z were up in it.*give up: z"):
        load_scene(path)
    assert difference(load_scene(path, up="z"), plain) < 0.5
    assert np.ptp(load_scene(path, up="y").vertices[:, 2]) == pytest.approx(3)


def test_a_scene_far_away_is_moved_to_an_origin_that_it_knows(tmp_path: Path) -> None:
    near, far = Room(), Room()
    far.under(translation=[500_000.25, 200.0, -5_400_000.0])
    here, there = load_foreign(near.save(tmp_path / "near.glb")), load_foreign(far.save(tmp_path / "far.glb"))
    assert here.origin == (0, 0, 0)
    assert np.abs(there.bounds).max() < 10
    back = there.vertices + np.array(there.origin)
    np.testing.assert_allclose(back, here.vertices + np.array([500_000.25, 5_400_000.0, 200.0]), atol=1e-6, rtol=0)
    assert load_scene(save_scene(there, tmp_path / "saved")).origin == there.origin


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """A file as other tools write them: node transforms, a mirror image, a flat colour, vertex colours, no UVs."""
    picture = np.zeros((16, 16, 3), np.uint8)
    picture[..., 0], picture[:8] = 255, 255
    floor = trimesh.Trimesh([[-2, 0, 2], [2, 0, 2], [2, 0, -2], [-2, 0, -2]], [[0, 1, 2], [0, 2, 3]], process=False)
    material = trimesh.visual.material.PBRMaterial(
        baseColorTexture=Image.fromarray(picture), baseColorFactor=[255, 128, 255, 255]
    )
    floor.visual = trimesh.visual.TextureVisuals(uv=[[0, 0], [1, 0], [1, 1], [0, 1]], material=material)
    chair = trimesh.creation.box((0.5, 1.0, 0.5))
    chair.visual = trimesh.visual.TextureVisuals(
        material=trimesh.visual.material.PBRMaterial(baseColorFactor=[0, 255, 0, 255])
    )
    ball = trimesh.creation.icosphere(2, 0.5)
    ball.visual.vertex_colors = np.where(ball.vertices[:, 1:2] > 0, [[250, 40, 40, 255]], [[40, 40, 250, 255]])
    scene = trimesh.Scene()
    scene.add_geometry(floor, node_name="Floor.001", geom_name="floor")
    lifted = trimesh.transformations.translation_matrix([1, 0.5, 0])
    mirror = np.diag([-1.0, 1, 1, 1])
    scene.add_geometry(chair, node_name="chair_1", geom_name="chair", transform=lifted)
    scene.add_geometry(chair, node_name="chair_2", geom_name="chair", transform=mirror @ lifted)
    scene.add_geometry(ball, node_name="mesh_7", geom_name="b", transform=trimesh.transformations.scale_matrix(0.5))
    path = tmp_path / "brought.glb"
    path.write_bytes(scene.export(file_type="glb"))
    return path


def test_a_glb_that_somebody_brings_loads(foreign: Path):
    scene = load_scene(foreign)
    assert {i.name for i in scene.instances} == {"Floor.001", "chair_1", "chair_2", "mesh_7"}
    assert scene.categories == ("unknown", "chair", "floor")
    assert sum(scene.categories[i.category] == "chair" for i in scene.instances) == 2
    np.testing.assert_allclose(scene.bounds, [[-2, -2, -0.25], [2, 2, 1]], atol=1e-6)  # z is up
    corners = scene.vertices[scene.triangles]
    facing = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    assert ((facing * scene.normals[scene.triangles[:, 0]]).sum(axis=-1) > 0).all()  # mirrored ones too
    np.testing.assert_allclose(np.linalg.norm(scene.normals, axis=1), 1, atol=1e-6)


def test_a_glb_that_somebody_brings_renders_in_its_colours(foreign: Path):
    scene = load_scene(foreign)
    simulator = Raycaster()
    simulator.load(scene, "day")
    camera = Camera.from_fov(64, 64, 80)
    above = Pose.look_at([0.0, -1e-3, 3.0], [0.0, 0.0, 0.0])
    seen = next(simulator.render(above, camera, OUTPUTS))

    def colour(name: str) -> np.ndarray:
        (number,) = (i.id for i in scene.instances if i.name == name)
        return np.median(seen.rgb[seen.instance == number], axis=0)

    red, green, blue = colour("chair_1")
    assert green > 150
    assert red == blue == 0
    red, green, blue = colour("mesh_7")  # its upper half
    assert red > 150
    assert max(green, blue) < 0.5 * red
    north, south = seen.rgb[12, 32], seen.rgb[51, 32]  # the picture's upper half is white times the factor
    assert north[2] > 150
    assert north[0] > north[1] > 100
    assert south[0] > 150
    assert south[1] == south[2] == 0


def test_names_of_nodes_tell_categories():
    assert category_of("7_sofa") == category_of("Sofa.002") == category_of("sofa_2") == "sofa"
    assert category_of("12_potted plant") == category_of("PottedPlant") == "potted plant"
    assert category_of("mesh_12") == category_of("geometry_0") == category_of("3") == "unknown"
