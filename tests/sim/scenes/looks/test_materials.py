"""Textures look like the materials they stand for in every way that can be measured."""

from __future__ import annotations

import time

import cv2
import numpy as np
import pytest
from relocbench.sim.scenes.looks.materials import FAMILIES, Materials

TILING = [name for name, family in FAMILIES.items() if not family.once and name not in ("mirror", "leaf")]
WALLS = ["plaster", "wallpaper", "stripes", "tile", "brick"]


def render(family: str, seed: int = 0, **parameters: object) -> np.ndarray:
    materials = Materials(seed)
    key = materials.make(family, np.random.default_rng(seed), **parameters)  # type: ignore[arg-type]
    return materials.render([key])[0].texture


def linear(texture: np.ndarray) -> np.ndarray:
    value = texture / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def view(family: str, seed: int, *, distance: float) -> np.ndarray:
    """Return what a camera of 256 pixels and 90 degrees sees of a wall at ``distance`` metres, grey."""
    materials = Materials(seed)
    key = materials.make(family, np.random.default_rng(seed))
    texture = cv2.cvtColor(materials.render([key])[0].texture, cv2.COLOR_RGB2GRAY)
    width, height = materials.tile_size(key)
    repeats = int(np.ceil(2 * distance / height)), int(np.ceil(2 * distance / width))
    rows, columns = round(2 * distance * texture.shape[0] / height), round(2 * distance * texture.shape[1] / width)
    return cv2.resize(np.tile(texture, repeats)[:rows, :columns], (256, 256), interpolation=cv2.INTER_AREA)


@pytest.mark.parametrize("family", FAMILIES)
def test_textures_are_dense_enough_and_reflect_like_real_surfaces(family: str) -> None:
    for seed in range(3):
        materials = Materials(seed)
        key = materials.make(family, np.random.default_rng(seed))
        texture, (width, height) = materials.render([key])[0].texture, materials.tile_size(key)
        assert texture.dtype == np.uint8
        assert min(texture.shape[1] / width, texture.shape[0] / height) >= 99
        albedo = linear(texture)
        assert albedo.min() >= 0.05
        assert albedo.max() <= 0.86
        assert np.ptp(texture) > 3, "no real surface is of one colour"


@pytest.mark.parametrize("family", TILING)
def test_textures_tile_without_a_seam(family: str) -> None:
    for seed in range(3):
        texture = render(family, seed).astype(np.float64)
        for axis in (0, 1):
            inside = np.abs(np.diff(texture, axis=axis)).mean(axis=(1 - axis, 2))
            seam = np.abs(np.take(texture, 0, axis=axis) - np.take(texture, -1, axis=axis)).mean()
            assert seam <= 1.5 * np.quantile(inside, 0.98) + 2.0, f"axis {axis}"


def test_the_same_request_has_the_same_key_and_the_same_texture() -> None:
    first, second = Materials(3), Materials(3)
    keys = [m.make("wallpaper", np.random.default_rng(5), tone="sage", motif="damask") for m in (first, second, first)]
    assert len(set(keys)) == 1
    assert first.make("wallpaper", np.random.default_rng(6), tone="sage", motif="damask") != keys[0]
    assert np.array_equal(first.render(keys[:1])[0].texture, second.render(keys[:1])[0].texture)


def test_what_is_rendered_does_not_depend_on_what_else_is_asked_for() -> None:
    materials, rng = Materials(1), np.random.default_rng(1)
    keys = [materials.make(family, rng) for family in FAMILIES]
    together = materials.render(keys)
    assert [material.name for material in together] == keys
    for key, material in zip(keys[::4], together[::4], strict=True):
        assert np.array_equal(Materials.render(materials, [key])[0].texture, material.texture)


def test_tones_are_light_dark_or_a_colour() -> None:
    for family in ("plaster", "wood", "fabric", "plastic"):
        light, dark = (np.mean([render(family, s, tone=tone).mean() for s in range(4)]) for tone in ("light", "dark"))
        assert light > dark + 25
    red, green, blue = render("plaster", tone="navy").mean(axis=(0, 1))
    assert blue > green > 0
    assert blue > red
    with pytest.raises(ValueError, match="no colour 'ultraviolet'"):
        render("plaster", tone="ultraviolet")
    with pytest.raises(ValueError, match="no material family 'slime'"):
        render("slime")


def test_prints_take_the_size_of_their_object() -> None:
    materials, rng = Materials(0), np.random.default_rng(0)
    for family in ("picture", "poster", "screen", "carpet"):
        key = materials.make(family, rng, size=(0.9, 0.6))
        assert materials.tile_size(key) == (0.9, 0.6)
        assert materials.fits_once(key)
    assert not materials.fits_once(materials.make("carpet", rng))


def test_lamp_shades_emit_light_and_walls_do_not() -> None:
    materials, rng = Materials(0), np.random.default_rng(0)
    shade, wall = materials.render([materials.make("shade", rng), materials.make("plaster", rng)])
    assert min(shade.emission) > 0.5
    assert wall.emission == (0.0, 0.0, 0.0)


@pytest.mark.parametrize("family", WALLS)
def test_local_features_find_something_on_walls(family: str) -> None:
    detector = cv2.SIFT_create()
    counts = [len(detector.detect(view(family, seed, distance=1.5))) for seed in range(6)]
    assert np.median(counts) >= 10


def test_pictures_differ_from_each_other() -> None:
    pictures = [render("picture", seed, size=(0.6, 0.6)).astype(float) for seed in range(6)]
    for i, first in enumerate(pictures):
        for second in pictures[:i]:
            assert np.abs(first - second).mean() > 10


def test_the_textures_of_a_house_render_quickly() -> None:
    materials, rng = Materials(7), np.random.default_rng(7)
    keys = [materials.make(family, rng) for family in FAMILIES for _ in range(2)]
    start = time.process_time()
    materials.render(keys)
    assert time.process_time() - start < 2.5
