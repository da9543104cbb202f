"""A glTF 2.0 file: its JSON, its arrays and its pictures, read right or refused by name."""

from __future__ import annotations

import base64
import io
from functools import cache
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import unquote

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ..gltf import split_container

Array = NDArray[Any]

_DTYPES = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT2": 4, "MAT3": 9, "MAT4": 16}

#: Extensions that are read, and those that only refine how a surface shines or say what is no surface.
_READ = {
    "EXT_mesh_gpu_instancing", "EXT_texture_webp", "KHR_materials_pbrSpecularGlossiness", "KHR_mesh_quantization",
    "KHR_texture_transform",
}  # fmt: skip
_LEFT_OUT = {"KHR_lights_punctual", "KHR_xmp_json_ld"} | {
    f"KHR_materials_{name}"
    for name in (
        "anisotropy", "clearcoat", "dispersion", "emissive_strength", "ior", "iridescence", "sheen", "specular",
        "transmission", "unlit", "variants", "volume",
    )
}  # fmt: skip
_UNPACK = "unpack it: gltf-transform copy IN.glb OUT.glb"
_REMEDY = {
    "KHR_draco_mesh_compression": _UNPACK,
    "EXT_meshopt_compression": _UNPACK,
    "KHR_meshopt_compression": _UNPACK,
    "KHR_texture_basisu": "unpack it: gltf-transform ktxdecompress IN.glb OUT.glb",
}
_KTX2 = b"\xabKTX 20\xbb"


class Document:
    """The glTF file at ``path``; ``json`` is its document.

    Raises ``InputError`` where it is of another version or requires what is not read; reading a damaged one may raise
    ``KeyError``, ``IndexError``, ``TypeError`` or ``ValueError`` anywhere.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.json, self._binary = split_container(path.read_bytes())
        version = str(self.json["asset"]["version"])
        if not version.startswith("2."):
            raise InputError(f"{path}: is glTF {version}, relocbench reads glTF 2.0; export it again")
        for name in self.json.get("extensionsRequired", []):
            if name not in _READ | _LEFT_OUT:
                self.refuse_extension(name)
        self.picture = cache(self._picture)

    def refuse_extension(self, name: str) -> NoReturn:
        """Raise the ``InputError`` that says that the file cannot be read without an extension, and what to do."""
        remedy = _REMEDY.get(name, "export it without")
        raise InputError(f"{self.path}: needs the glTF extension {name}, which relocbench does not read; {remedy}")

    def array(self, number: int) -> Array:
        """Return the values of an accessor, (N, K); normalised integers as floats."""
        accessor = self.json["accessors"][number]
        dtype, width = np.dtype(_DTYPES[accessor["componentType"]]), _WIDTHS[accessor["type"]]
        values = np.zeros((accessor["count"], width), dtype)
        if "bufferView" in accessor:
            values = self._rows(accessor, len(values), dtype, width)
        if "sparse" in accessor:
            sparse, values = accessor["sparse"], values.copy()
            index = np.dtype(_DTYPES[sparse["indices"]["componentType"]])
            at = self._rows(sparse["indices"], sparse["count"], index, 1)[:, 0]
            values[at] = self._rows(sparse["values"], sparse["count"], dtype, width)
        if accessor.get("normalized"):
            values = np.maximum(values / np.iinfo(dtype).max, -1.0)
        return values

    def _rows(self, place: dict[str, Any], count: int, dtype: np.dtype, width: int) -> Array:
        view = self.json["bufferViews"][place["bufferView"]]
        stride = view.get("byteStride", width * dtype.itemsize)
        content = self._content(view)
        return np.ndarray((count, width), dtype, content, place.get("byteOffset", 0), (stride, dtype.itemsize))

    def _content(self, view: dict[str, Any]) -> memoryview:
        buffer = self.json["buffers"][view["buffer"]]
        if "uri" in buffer:
            whole = memoryview(self._linked(buffer["uri"], "buffer"))
        elif view["buffer"] == 0:
            whole = self._binary
        else:  # a place to unpack to
            for name in view.get("extensions", {}):
                self.refuse_extension(name)
            raise ValueError(f"buffer {view['buffer']} has no data")
        begin = view.get("byteOffset", 0)
        return whole[begin : begin + view["byteLength"]]

    def _linked(self, uri: str, what: str) -> bytes:
        """Return what a URI stands for: data, or a file beside this one."""
        if uri.startswith("data:"):
            return base64.b64decode(uri.partition(",")[2])
        try:
            return (self.path.parent / unquote(uri)).read_bytes()
        except OSError as error:
            raise InputError(
                f"{self.path}: its {what} {uri!r} cannot be read ({error.strerror}); put it beside the file, or pack "
                "it into the .glb"
            ) from error

    def _picture(self, number: int) -> Array:
        """Return the picture of a texture, (H, W, 4) uint8 sRGB and opacity."""
        texture = self.json["textures"][number]
        extensions = texture.get("extensions", {})
        if "source" not in texture:
            for name in set(extensions) - {"EXT_texture_webp"}:
                self.refuse_extension(name)
        source = texture["source"] if "source" in texture else extensions["EXT_texture_webp"]["source"]
        image = self.json["images"][source]
        name = image.get("name") or (f"number {source}" if "bufferView" in image else image["uri"][:80])
        if "bufferView" in image:
            encoded = bytes(self._content(self.json["bufferViews"][image["bufferView"]]))
        else:
            encoded = self._linked(image["uri"], "picture")
        if encoded.startswith(_KTX2):
            self.refuse_extension("KHR_texture_basisu")
        return self._decoded(encoded, name)

    def _decoded(self, encoded: bytes, name: str) -> Array:
        from PIL import Image

        try:
            with Image.open(io.BytesIO(encoded)) as picture:
                if not picture.mode.startswith("I"):
                    return np.asarray(picture.convert("RGBA"))
                grey = np.round(np.asarray(picture) / 257).astype(np.uint8)  # sixteen bits, which Pillow would clip
        except Exception as error:  # a damaged picture makes Pillow's readers raise anything
            raise InputError(
                f"{self.path}: its picture {name} cannot be decoded ({error}); save it again as PNG or JPEG"
            ) from error
        return np.stack([grey, grey, grey, np.full_like(grey, 255)], axis=-1)
