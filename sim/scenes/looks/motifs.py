"""Ornaments that repeat over wallpaper and cloth: drawn once in a cell, then laid out straight or in half-drop."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .canvas import Canvas

Array = NDArray[Any]


def repeated(cell: Array, canvas: Canvas, *, half_drop: bool) -> Array:
    """Repeat a cell over the canvas, every other column dropped by half a cell."""
    columns = round(canvas.columns / cell.shape[1])
    columns += columns % 2 if half_drop else 0
    rows = max(1, round(canvas.rows / cell.shape[0]))
    strip = np.concatenate([cell] * rows)
    dropped = np.roll(strip, cell.shape[0] // 2, axis=0) if half_drop else strip
    sheet = np.concatenate([dropped if i % 2 else strip for i in range(columns)], axis=1)
    return cv2.resize(sheet, (canvas.columns, canvas.rows), interpolation=cv2.INTER_AREA)


def motif_cell(canvas: Canvas, motif: str, side: int, layer: int) -> Array:
    """Draw one layer of a motif: cover (side, side) in 0..1."""
    cell = np.zeros((side, side), dtype=np.uint8)
    draw = {"damask": _damask, "botanical": _botanical, "geometric": _geometric, "trellis": _trellis}.get(
        motif, _blossom
    )
    draw(cell, canvas.rng, layer)
    return cell.astype(np.float32) / 255


def _ellipse(
    cell: Array, x: float, y: float, a: float, b: float, angle: float, value: int = 255, width: int = -1
) -> None:
    """Draw an ellipse given in fractions of the cell's side, with subpixel precision."""
    side, unit = cell.shape[0], 256
    centre = (round(x * side * unit), round(y * side * unit))
    axes = (max(1, round(a * side * unit)), max(1, round(b * side * unit)))
    cv2.ellipse(cell, centre, axes, angle, 0, 360, value, width, cv2.LINE_AA, 8)


def _damask(cell: Array, rng: np.random.Generator, layer: int) -> None:
    for _ in range(4 if layer == 0 else 3):
        x, y = rng.uniform(0.04, 0.3), rng.uniform(0.12, 0.88)
        a, b, angle = rng.uniform(0.08, 0.2), rng.uniform(0.03, 0.07), rng.uniform(20, 160)
        _ellipse(cell, 0.5 - x, y, a, b, angle)
        _ellipse(cell, 0.5 + x, y, a, b, 180 - angle)
    y = rng.uniform(0.3, 0.6)
    _ellipse(cell, 0.5, y, 0.07, rng.uniform(0.1, 0.22), 0, 255 if layer == 0 else 0)
    _ellipse(cell, 0.5, y, 0.03, 0.08, 0, 255 if layer else 0)


def _botanical(cell: Array, rng: np.random.Generator, layer: int) -> None:
    count, lean = int(rng.integers(5, 8)), rng.uniform(-0.15, 0.15)
    for i in range(count):
        y = 0.9 - 0.8 * i / count
        x = 0.5 + lean * np.sin(4 * y)
        if layer == 0:
            _ellipse(cell, x, y, 0.012, 0.07, 0)
        for sign in (-1, 1):
            reach = rng.uniform(0.09, 0.15)
            if (i + layer + (sign > 0)) % 2:
                _ellipse(cell, x + sign * reach, y - 0.06, reach * 0.95, 0.045, sign * -35)


def _geometric(cell: Array, rng: np.random.Generator, layer: int) -> None:
    side = cell.shape[0]
    kind, size = rng.integers(3), rng.uniform(0.25, 0.45)
    width = max(1, round(side * 0.06))
    if kind == 0:
        for x, y in ((0, 0), (1, 0), (0, 1), (1, 1), (0.5, 0.5)):
            _ellipse(cell, x, y, size, size, 0, 255, width if layer == 0 else -1)
            _ellipse(cell, x, y, size * 0.6, size * 0.6, 0, 0 if layer else 255, width)
    else:
        for scale in (size * 2, size) if layer == 0 else (size * 1.3,):
            half = scale * side / 2
            corners = (
                np.array([(0, -1), (1, 0), (0, 1), (-1, 0)])
                if kind == 1
                else np.array([(-1, -1), (1, -1), (0.4, 1), (-1, 1)])
            )
            points = np.round((side / 2 + corners * half) * 256).astype(np.int32)
            cv2.polylines(cell, [points], True, 255, width, cv2.LINE_AA, 8)


def _trellis(cell: Array, rng: np.random.Generator, layer: int) -> None:
    side = cell.shape[0]
    bow = rng.uniform(0.1, 0.2)
    t = np.linspace(0, 1, 24)
    if layer == 0:
        for sign in (-1, 1):
            x = 0.5 + sign * (0.5 * t + bow * np.sin(2 * np.pi * t) * 0.5)
            for y in (t * 0.5, 1 - t * 0.5):
                points = np.round(np.stack([x, y], -1) * side * 256).astype(np.int32)
                cv2.polylines(cell, [points], False, 255, max(1, round(side * 0.035)), cv2.LINE_AA, 8)
    else:
        petals = int(rng.integers(4, 7))
        for i in range(petals):
            angle = 2 * np.pi * i / petals
            _ellipse(cell, 0.5 + 0.09 * np.cos(angle), 0.5 + 0.09 * np.sin(angle), 0.08, 0.035, np.degrees(angle))


def _blossom(cell: Array, rng: np.random.Generator, layer: int) -> None:
    for _ in range(3):
        x, y, size = rng.uniform(0.22, 0.78), rng.uniform(0.22, 0.78), rng.uniform(0.05, 0.1)
        petals, start = int(rng.integers(5, 8)), rng.uniform(0, 6)
        for i in range(petals):
            angle = start + 2 * np.pi * i / petals
            reach = size * (1.0 if layer == 0 else 1.7)
            _ellipse(
                cell, x + reach * np.cos(angle), y + reach * np.sin(angle), size * 0.7, size * 0.35, np.degrees(angle)
            )
        _ellipse(cell, x, y, size * 0.4, size * 0.4, 0, 0 if layer == 0 else 255)
