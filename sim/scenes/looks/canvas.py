"""`Canvas`: what a texture is painted on, with the periodic noise that most of them are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Canvas:
    """What a texture is painted on: ``rows`` x ``columns`` pixels over ``width`` x ``height`` metres, with the colours
    (K, 3) sRGB 0..255 it is painted in, the options of its family, and where its randomness comes from."""

    rng: np.random.Generator
    rows: int
    columns: int
    width: float
    height: float
    colours: Array
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def base(self) -> Array:
        """The main colour (3,)."""
        return self.colours[0]

    def choose(self, name: str, *choices: Any) -> Any:
        """Return the option ``name`` where it was asked for, else one of ``choices`` at random."""
        drawn = choices[self.rng.integers(len(choices))]
        return self.options.get(name, drawn)

    def plane(self, colour: Array) -> Array:
        """Return an image (rows, columns, 3) of one colour."""
        return np.full((self.rows, self.columns, 3), colour, dtype=np.float32)

    def noise(self, scale: float, scale_down: float | None = None) -> Array:
        """Return periodic noise (rows, columns) of about zero mean and unit deviation, its features ``scale`` metres
        across and ``scale_down`` metres down (the same where None)."""
        across = max(1, min(round(self.width / scale), self.columns))
        down = max(1, min(round(self.height / (scale_down or scale)), self.rows))
        grid = self.rng.standard_normal((down, across), dtype=np.float32)
        return np.ascontiguousarray(_interpolated(_interpolated(grid, self.rows).T, self.columns).T) * np.float32(1.35)

    def fractal(self, scale: float, octaves: int = 4, scale_down: float | None = None) -> Array:
        """Return noise of several octaves, each half as large and half as strong, of about unit deviation."""
        down = scale_down or scale
        total = self.noise(scale, down)
        for i in range(1, octaves):
            total += self.noise(scale / 2**i, down / 2**i) * np.float32(0.55**i)
        return total * np.float32(0.85)

    def grain(self) -> Array:
        """Return white noise (rows, columns), slightly blurred, of unit deviation."""
        white = self.rng.standard_normal((self.rows, self.columns), dtype=np.float32)
        return cv2.blur(white, (2, 2), borderType=cv2.BORDER_REFLECT) * 2

    def grid(self) -> tuple[Array, Array]:
        """Return pixel centres in metres: x (1, columns), y (rows, 1)."""
        x = (np.arange(self.columns, dtype=np.float32) + 0.5) * np.float32(self.width / self.columns)
        y = (np.arange(self.rows, dtype=np.float32) + 0.5) * np.float32(self.height / self.rows)
        return x[None, :], y[:, None]


def _interpolated(grid: Array, count: int) -> Array:
    """Interpolate the rows of ``grid`` periodically and smoothly to ``count`` rows (quadratic B-splines)."""
    position = (np.arange(count, dtype=np.float32) + 0.5) * np.float32(len(grid) / count)
    cell = np.floor(position).astype(int)
    t = (position - cell)[:, None]
    left, middle, right = grid[(cell - 1) % len(grid)], grid[cell % len(grid)], grid[(cell + 1) % len(grid)]
    return 0.5 * (1 - t) ** 2 * left + (0.75 - (t - 0.5) ** 2) * middle + 0.5 * t**2 * right


def shaded(colour: Array, relief: Array) -> Array:
    """Return ``colour`` (3,) or (rows, columns, 3) made lighter and darker by ``relief`` (rows, columns) percent."""
    return np.asarray(colour, dtype=np.float32) * (1 + 0.01 * relief)[..., None].astype(np.float32)


def blended(under: Array, over: Array, cover: Array) -> Array:
    """Return ``under`` painted over with ``over`` where ``cover`` (rows, columns) is 1."""
    return under + (np.asarray(over, dtype=np.float32) - under) * cover[..., None].astype(np.float32)
