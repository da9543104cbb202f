"""Antialiased shapes and lettering on float images, placed in fractions of the image's width and height."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .canvas import Canvas, blended

Array = NDArray[Any]

WORDS = (
    "JAZZ", "EXPO", "OPERA", "NORD", "CINEMA", "LUMEN", "ATLAS", "RADIO", "VELO", "ARCHIV", "FORMA", "SOLARIS", "TANGO",
    "MUSEUM", "GARTEN", "BALLET", "ORBIT", "COFFEE", "MARE", "PIANO", "ALPEN", "MODERN", "BOTANIK", "LINEA", "AURORA",
)  # fmt: skip


_FONTS = (cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_TRIPLEX, cv2.FONT_HERSHEY_COMPLEX, cv2.FONT_HERSHEY_SIMPLEX)


def some_colour(canvas: Canvas) -> list[float]:
    """Return one of the canvas's colours, varied, as OpenCV wants it."""
    colour = canvas.colours[canvas.rng.integers(len(canvas.colours))] * canvas.rng.uniform(0.75, 1.2)
    return [float(c) for c in np.clip(colour + canvas.rng.normal(0, 8, 3), 20, 245)]


def fill(image: Array, points: Array, colour: list[float]) -> None:
    """Fill a polygon (K, 2) given in fractions of the image's width and height."""
    scale = np.array([image.shape[1], image.shape[0]]) * 16
    cv2.fillPoly(image, [np.round(points * scale).astype(np.int32)], colour, cv2.LINE_AA, 4)


def disc(image: Array, x: float, y: float, rx: float, ry: float, colour: list[float], angle: float = 0.0) -> None:
    """Fill an ellipse; centre in fractions of width and height, radii in fractions of the height."""
    rows, columns = image.shape[:2]
    axes = (max(1, round(rx * rows * 16)), max(1, round(ry * rows * 16)))
    cv2.ellipse(image, (round(x * columns * 16), round(y * rows * 16)), axes, angle, 0, 360, colour, -1, cv2.LINE_AA, 4)


def gradient(canvas: Canvas, top: list[float], bottom: list[float]) -> Array:
    """Return an image that runs from one colour at the top to another at the bottom."""
    t = np.linspace(0, 1, canvas.rows, dtype=np.float32)[:, None, None]
    return np.repeat((1 - t) * np.array(top, np.float32) + t * np.array(bottom, np.float32), canvas.columns, axis=1)


def lettering(image: Array, word: str, x: float, y: float, width: float, height: float, ink: list[float],
               rng: np.random.Generator) -> None:  # fmt: skip
    """Write a word into the box given in fractions of the image."""
    rows, columns = image.shape[:2]
    font = _FONTS[rng.integers(len(_FONTS))]
    thickness = max(1, round(0.022 * rows * height / 0.12))
    (w, h), _ = cv2.getTextSize(word, font, 1.0, thickness)
    scale = min(width * columns / w, height * rows / h)
    cover = np.zeros((rows, columns), dtype=np.uint8)
    cv2.putText(cover, word, (round(x * columns), round((y + height) * rows)), font, scale, 255, thickness, cv2.LINE_AA)
    image[:] = blended(image, np.array(ink), cover.astype(np.float32) / 255)


def small_print(image: Array, x: float, y: float, width: float, lines: int, ink: list[float],
                 rng: np.random.Generator, pitch: float = 0.024) -> None:  # fmt: skip
    """Set lines of text too small to read: words as bars."""
    for line in range(lines):
        left, top = x, y + line * pitch
        while left < x + width - 0.05:
            word = rng.uniform(0.02, 0.09)
            right = min(left + word, x + width)
            fill(
                image,
                np.array([(left, top), (right, top), (right, top + 0.45 * pitch), (left, top + 0.45 * pitch)]),
                ink,
            )
            left += word + 0.015
