"""What a glTF material says of a surface's colour, and how that becomes the one repeated texture of a `Material`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..scene import Material
from ..srgb import LINEAR_OF_BYTE, linear_to_srgb
from .document import Document

Array = NDArray[Any]

_MIRRORED = 33648  # a sampler's way to repeat
_PATCH = 4  # texels along the side of the smallest patch that a triangle is painted on
_MOST_TEXELS = 1 << 22  # of one painted texture


@dataclass(frozen=True, eq=False)
class Look:
    """A surface's base colour: ``factor`` (3,) linear RGB times ``picture`` (H, W, 4) uint8 at ``uvs``.

    ``uv_set`` and ``uv_matrix`` (2, 3) say where the picture's coordinates come from. ``opaque`` (H, W) bool is where
    there is any surface, None everywhere; a plain colour's is (1, 1).
    """

    name: str
    factor: Array
    picture: Array | None
    uv_set: int
    uv_matrix: Array
    opaque: Array | None
    emission: tuple[float, float, float]

    def uvs(self, raw: Array) -> Array:
        """Return texture coordinates (V, 2) of the picture, given those of the mesh."""
        return raw @ self.uv_matrix[:, :2].T + self.uv_matrix[:, 2]

    def material(self, tint: Array, *, textured: bool) -> Material:
        """Return the material of a surface, ``tint`` (3,) linear; without texture coordinates it has no picture."""
        factor = self.factor * tint
        picture = self.picture if textured else None
        texture = np.full((1, 1, 3), 255, np.uint8) if picture is None else picture[..., :3]
        if (factor != 1).any():
            texture = _bytes(LINEAR_OF_BYTE[texture] * factor)
        return Material(self.name, np.ascontiguousarray(texture), self.emission)

    def painted(self, colours: Array, uvs: Array | None) -> tuple[Array, Material]:
        """Return uvs (3 * T, 2) and the material of triangles that are tinted from corner to corner.

        ``colours`` (T, 3, 3) linear RGB of the corners, ``uvs`` (T, 3, 2) where the picture applies.
        """
        side, picture = _PATCH, None
        if self.picture is not None and uvs is not None:
            picture = LINEAR_OF_BYTE[self.picture[..., :3]]
            edges = (uvs[:, 1:] - uvs[:, :1]) * picture.shape[1::-1]
            needed = np.percentile(np.linalg.norm(edges, axis=-1).max(axis=1), 90) + 2
            side = _PATCH * int(np.ceil(min(needed, np.sqrt(_MOST_TEXELS / len(uvs))) / _PATCH))
        painted_uvs, texture = paint_triangles(self.factor * colours, picture, uvs, side=side)
        return painted_uvs, Material(f"{self.name} colours", texture, self.emission)


def default_look() -> Look:
    """Return the look of a surface without a material: grey."""
    grey = np.full(3, float(LINEAR_OF_BYTE[180]))
    return Look("grey", grey, None, 0, np.eye(2, 3), None, (0.0, 0.0, 0.0))


def read_look(document: Document, number: int) -> Look:
    """Return the look of a material of the file."""
    source = document.json["materials"][number]
    surface = source.get("pbrMetallicRoughness", {})
    factor, info = surface.get("baseColorFactor", [1.0] * 4), surface.get("baseColorTexture")
    gloss = source.get("extensions", {}).get("KHR_materials_pbrSpecularGlossiness")
    if gloss is not None:
        factor, info = gloss.get("diffuseFactor", [1.0] * 4), gloss.get("diffuseTexture")
    picture, uv_set, matrix = (None, 0, np.eye(2, 3)) if info is None else _texture(document, info)
    return Look(
        name=str(source.get("name") or "material"),
        factor=np.array(factor[:3], dtype=np.float64),
        picture=picture,
        uv_set=uv_set,
        uv_matrix=matrix,
        opaque=_opaque(source, picture, factor[3]),
        emission=_emission(document, source),
    )


def _texture(document: Document, info: dict[str, Any]) -> tuple[Array, int, Array]:
    """Return the picture of a texture, its set of coordinates, and what these are multiplied with (2, 3)."""
    picture, texture = document.picture(info["index"]), document.json["textures"][info["index"]]
    transform = info.get("extensions", {}).get("KHR_texture_transform", {})
    turn, (across, down) = transform.get("rotation", 0.0), transform.get("scale", (1.0, 1.0))
    matrix = np.array([[np.cos(turn) * across, np.sin(turn) * down], [-np.sin(turn) * across, np.cos(turn) * down]])
    matrix = np.column_stack([matrix, transform.get("offset", (0.0, 0.0))])
    sampler = document.json["samplers"][texture["sampler"]] if "sampler" in texture else {}
    for axis, wrap in ((0, "wrapS"), (1, "wrapT")):
        if sampler.get(wrap) == _MIRRORED:  # the picture and its mirror image, repeated
            picture = np.concatenate([picture, np.flip(picture, 1 - axis)], axis=1 - axis)
            matrix[axis] /= 2
    return picture, transform.get("texCoord", info.get("texCoord", 0)), matrix


def _opaque(source: dict[str, Any], picture: Array | None, factor: float) -> Array | None:
    """Return where there is surface (H, W) bool, None everywhere: what blends is there where it is half opaque."""
    mode = source.get("alphaMode", "OPAQUE")
    if mode == "OPAQUE":
        return None
    cutoff = source.get("alphaCutoff", 0.5) if mode == "MASK" else 0.5
    alpha = np.full((1, 1), 255) if picture is None else picture[..., 3]
    opaque: Array = alpha / 255 * factor >= cutoff
    return None if opaque.all() else opaque


def _emission(document: Document, source: dict[str, Any]) -> tuple[float, float, float]:
    factor = np.array(source.get("emissiveFactor", (0.0, 0.0, 0.0)), dtype=np.float64)
    if factor.any() and "emissiveTexture" in source:
        picture = document.picture(source["emissiveTexture"]["index"])
        factor = factor * LINEAR_OF_BYTE[picture[..., :3]].mean(axis=(0, 1), dtype=np.float64)
    return float(factor[0]), float(factor[1]), float(factor[2])


def _bytes(linear: Array) -> Array:
    return np.round(255 * linear_to_srgb(linear)).astype(np.uint8)


def paint_triangles(
    colours: Array, picture: Array | None = None, uvs: Array | None = None, *, side: int = _PATCH
) -> tuple[Array, Array]:
    """Turn linear colours of triangles' corners (T, 3, 3) into uvs (3 * T, 2), corner by corner, and one sRGB texture.

    Every triangle gets a square patch of ``side`` texels, all but the last two of which span it along both sides, so
    that bilinear filtering gives the linear blend of its corners; four texels keep two mip levels free of their
    neighbours. What is there of a linear ``picture`` (H, W, 3) float32 at ``uvs`` (T, 3, 2) is multiplied.
    """
    count = len(colours)
    across = int(np.ceil(np.sqrt(count)))
    down = int(np.ceil(count / across))
    weight = np.arange(side) / (side - 2)
    second, third = np.meshgrid(weight, weight)
    excess = np.maximum(second + third - 1, 0) / 2  # texels beyond the triangle repeat its edge
    second, third = np.clip(second - excess, 0, 1), np.clip(third - excess, 0, 1)
    blend = np.stack([1 - second - third, second, third], axis=-1)
    patches = np.zeros((across * down, side, side, 3), dtype=np.uint8)
    step = max(1, (1 << 18) // side**2)
    for begin in range(0, count, step):
        part = slice(begin, begin + step)
        light = np.clip(np.einsum("ijk,tkc->tijc", blend, colours[part]), 0, 1)
        if picture is not None and uvs is not None:
            light *= _sampled(picture, np.einsum("ijk,tkc->tijc", blend, uvs[part]))
        patches[begin : begin + len(light)] = _bytes(light)
    grid = patches.reshape(down, across, side, side, 3).transpose(0, 2, 1, 3, 4)
    texture = np.ascontiguousarray(grid.reshape(down * side, across * side, 3))
    origin = np.stack([np.arange(count) % across, np.arange(count) // across], axis=-1) * side + 0.5
    corner = np.array([[0, 0], [side - 2, 0], [0, side - 2]])
    placed = (origin[:, None] + corner).reshape(-1, 2) / [across * side, down * side]
    return placed, texture


def _sampled(picture: Array, uvs: Array) -> Array:
    """Return the linear picture (H, W, 3) at coordinates (..., 2), bilinear, repeated."""
    size = picture.shape[1::-1]
    at = uvs * size - 0.5
    first = np.floor(at).astype(int)
    share = (at - first)[..., None]
    (x0, y0), (x1, y1) = (np.moveaxis(corner % size, -1, 0) for corner in (first, first + 1))
    top = picture[y0, x0] * (1 - share[..., 0, :]) + picture[y0, x1] * share[..., 0, :]
    bottom = picture[y1, x0] * (1 - share[..., 0, :]) + picture[y1, x1] * share[..., 0, :]
    return top * (1 - share[..., 1, :]) + bottom * share[..., 1, :]
