"""Painted pictures: landscapes, seascapes, towns, still lifes, portraits, flowers, and abstract compositions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .canvas import Canvas, blended, shaded
from .drawing import disc, fill, gradient, some_colour

Array = NDArray[Any]


def picture(canvas: Canvas) -> Array:
    """A painting: landscape, seascape, abstract, still life, portrait or flowers, on canvas."""
    subjects: dict[str, Callable[[Canvas], Array]] = {
        "landscape": landscape,
        "seascape": _seascape,
        "blocks": _blocks,
        "shapes": shapes,
        "brushwork": _brushwork,
        "still life": _still_life,
        "portrait": _portrait,
        "flowers": _flowers,
        "city": city,
    }
    subject = canvas.choose("subject", *subjects)
    image = subjects[subject](canvas)
    relief = 2.5 * canvas.noise(0.05) + 2.0 * canvas.noise(0.012) + canvas.grain()
    image = shaded(image, relief)
    if canvas.choose("mount", False, False, True):
        image = _mounted(canvas, image)
    return image


def _mounted(canvas: Canvas, image: Array) -> Array:
    """Put the picture behind a pale passe-partout."""
    margin = round(0.14 * min(canvas.rows, canvas.columns))
    sheet = canvas.plane(np.array([228, 224, 214]))
    inner = cv2.resize(image, (canvas.columns - 2 * margin, canvas.rows - 2 * margin), interpolation=cv2.INTER_AREA)
    sheet[margin - 2 : canvas.rows - margin + 2, margin - 2 : canvas.columns - margin + 2] = (150, 145, 135)
    sheet[margin : canvas.rows - margin, margin : canvas.columns - margin] = inner
    return sheet


def _ridge(rng: np.random.Generator, height: float, roughness: float, count: int = 40) -> Array:
    """Return the outline (K, 2) of a hill range that fills the picture below ``height``."""
    x = np.linspace(0, 1, count)
    y = np.full(count, height)
    for octave in range(1, 6):
        y += roughness / octave**1.4 * np.sin(2 * np.pi * octave * x * rng.uniform(0.5, 1.3) + rng.uniform(0, 6))
    return np.concatenate([np.stack([x, y], -1), [[1, 1.01], [0, 1.01]]])


def _sky(canvas: Canvas) -> Array:
    skies = (
        ([120.0, 155.0, 190.0], [215.0, 215.0, 200.0]),
        ([90.0, 100.0, 130.0], [225.0, 165.0, 120.0]),
        ([150.0, 165.0, 175.0], [205.0, 200.0, 190.0]),
    )
    image = gradient(canvas, *skies[canvas.rng.integers(3)])
    cloud = np.clip(canvas.fractal(canvas.width / 2, 4, canvas.height / 5), 0, 2) * 0.4
    return blended(image, np.array([235, 228, 218]), np.clip(cloud, 0, 0.8))


def landscape(canvas: Canvas) -> Array:
    """Ranges of hills under a sky, with a sun and trees."""
    rng, image = canvas.rng, _sky(canvas)
    image = np.ascontiguousarray(image)
    disc(image, rng.uniform(0.15, 0.85), rng.uniform(0.12, 0.35), 0.06, 0.06, [240.0, 225.0, 180.0])
    layers = int(rng.integers(3, 6))
    hills = np.array([[128, 140, 150], [112, 128, 90], [150, 140, 84], [82, 98, 60], [66, 78, 52]])
    for i in range(layers):
        colour = hills[min(i * 5 // layers, 4)] * rng.uniform(0.85, 1.15)
        fill(image, _ridge(rng, 0.4 + 0.5 * i / layers, 0.06 + 0.02 * i), [float(c) for c in colour])
    for _ in range(int(rng.integers(4, 14))):
        x, y, size = rng.uniform(0, 1), rng.uniform(0.55, 0.9), rng.uniform(0.03, 0.09)
        green = [float(c) for c in np.array([58, 74, 44]) * rng.uniform(0.8, 1.5)]
        fill(
            image,
            np.array([(x - 0.006, y), (x + 0.006, y), (x + 0.006, y + size), (x - 0.006, y + size)]),
            [70.0, 54.0, 40.0],
        )
        disc(image, x, y - size * 0.5, size * 0.7, size, green)
    return image


def _seascape(canvas: Canvas) -> Array:
    rng, image = canvas.rng, np.ascontiguousarray(_sky(canvas))
    horizon = rng.uniform(0.45, 0.62)
    row = int(horizon * canvas.rows)
    waves = 12 * canvas.noise(canvas.width / 5, canvas.height / 40) + 6 * canvas.noise(
        canvas.width / 12, canvas.height / 70
    )
    image[row:] = shaded(np.array([88, 118, 136]) * rng.uniform(0.8, 1.2), waves)[row:]
    for _ in range(int(rng.integers(2, 6))):
        x, y, s = rng.uniform(0.1, 0.9), rng.uniform(horizon, 0.85), rng.uniform(0.05, 0.14)
        fill(
            image,
            np.array([(x - s / 2, y), (x + s / 2, y), (x + s / 3, y + s / 4), (x - s / 3, y + s / 4)]),
            some_colour(canvas),
        )
        fill(image, np.array([(x, y - s * 1.3), (x + s / 2.2, y - 0.01), (x, y - 0.01)]), [232.0, 226.0, 214.0])
        fill(image, np.array([(x - 0.01, y - s), (x - s / 3, y - 0.01), (x - 0.01, y - 0.01)]), some_colour(canvas))
    return image


def _blocks(canvas: Canvas) -> Array:
    """Rectangles divided and divided again, some coloured, with dark bars between them."""
    rng, image = canvas.rng, canvas.plane(np.array([222, 216, 202]))
    cells = [(0.0, 0.0, 1.0, 1.0)]
    for _ in range(int(rng.integers(7, 16))):
        index = int(np.argmax([(c[2] - c[0]) * (c[3] - c[1]) * rng.uniform(0.4, 1) for c in cells]))
        x0, y0, x1, y1 = cells.pop(index)
        cut = rng.uniform(0.3, 0.7)
        if x1 - x0 > y1 - y0:
            cells += [(x0, y0, x0 + cut * (x1 - x0), y1), (x0 + cut * (x1 - x0), y0, x1, y1)]
        else:
            cells += [(x0, y0, x1, y0 + cut * (y1 - y0)), (x0, y0 + cut * (y1 - y0), x1, y1)]
    gap = rng.choice([0.004, 0.012, 0.02])
    image[:] = (48, 46, 46) if rng.random() < 0.6 else (228, 222, 210)
    for x0, y0, x1, y1 in cells:
        corners = np.array([(x0 + gap, y0 + gap), (x1 - gap, y0 + gap), (x1 - gap, y1 - gap), (x0 + gap, y1 - gap)])
        fill(image, corners, some_colour(canvas) if rng.random() < 0.7 else [224.0, 218.0, 206.0])
    return image


def shapes(canvas: Canvas) -> Array:
    """Overlapping discs, rings, bars and triangles."""
    rng, image = canvas.rng, np.ascontiguousarray(gradient(canvas, some_colour(canvas), some_colour(canvas)))
    for _ in range(int(rng.integers(10, 22))):
        x, y, s = rng.uniform(0, 1), rng.uniform(0, 1), rng.gamma(3, 0.035)
        kind = rng.integers(4)
        if kind == 0:
            disc(image, x, y, s, s, some_colour(canvas))
        elif kind == 1:
            disc(image, x, y, s, s, some_colour(canvas))
            disc(image, x, y, 0.6 * s, 0.6 * s, some_colour(canvas))
        else:
            corners = (
                rng.uniform(-1, 1, (3, 2)) if kind == 2 else np.array([(-2, -0.15), (2, -0.15), (2, 0.15), (-2, 0.15)])
            )
            turn = rng.uniform(0, np.pi)
            rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
            fill(image, (x, y) + s * 1.4 * corners @ rotation, some_colour(canvas))
    return image


def _brushwork(canvas: Canvas) -> Array:
    """Broad strokes over one another."""
    rng, image = canvas.rng, canvas.plane(np.array(some_colour(canvas)))
    for _ in range(int(rng.integers(60, 110))):
        start = rng.uniform(0, 1, 2) * (canvas.columns, canvas.rows)
        angle, length = rng.normal(0.5, 0.7), rng.uniform(0.1, 0.4) * canvas.columns
        end = start + length * np.array([np.cos(angle), np.sin(angle)])
        thickness = max(2, round(rng.uniform(0.012, 0.05) * canvas.rows))
        a, b = start.astype(int).tolist(), end.astype(int).tolist()
        cv2.line(image, a, b, some_colour(canvas), thickness, cv2.LINE_AA)
    return image


def _table_scene(canvas: Canvas) -> Array:
    image = np.ascontiguousarray(gradient(canvas, some_colour(canvas), some_colour(canvas)) * 0.75 + 40)
    image[int(0.68 * canvas.rows) :] = shaded(np.array(some_colour(canvas)) * 0.8, 8 * canvas.noise(canvas.width / 4))[
        int(0.68 * canvas.rows) :
    ]
    return image


def _still_life(canvas: Canvas) -> Array:
    rng, image = canvas.rng, _table_scene(canvas)
    for i in range(int(rng.integers(5, 9))):
        x, s = rng.uniform(0.12, 0.88), rng.uniform(0.07, 0.13)
        colour = some_colour(canvas)
        y = 0.78 - s * 0.5 + 0.02 * i
        disc(image, x, y + s * 0.9, s * 1.2, s * 0.25, [70.0, 62.0, 56.0])
        if i % 3 == 0:
            fill(
                image,
                np.array([(x - s / 4, y - 3 * s), (x + s / 4, y - 3 * s), (x + s / 3, y), (x - s / 3, y)]),
                colour,
            )
        disc(image, x, y, s, s * rng.uniform(0.8, 1.2), colour)
        disc(image, x - 0.25 * s, y - 0.3 * s, s * 0.25, s * 0.2, [c * 0.4 + 150 for c in colour])
    return image


def _flowers(canvas: Canvas) -> Array:
    rng, image = canvas.rng, _table_scene(canvas)
    fill(image, np.array([(0.42, 0.62), (0.58, 0.62), (0.62, 0.92), (0.38, 0.92)]), some_colour(canvas))
    for _ in range(int(rng.integers(14, 24))):
        x, y = 0.5 + rng.normal(0, 0.17), 0.4 + rng.normal(0, 0.13)
        cv2.line(image, (round(0.5 * canvas.columns), round(0.64 * canvas.rows)),
                 (round(x * canvas.columns), round(y * canvas.rows)), [74.0, 92.0, 58.0], 2, cv2.LINE_AA)  # fmt: skip
        colour, size = some_colour(canvas), rng.uniform(0.025, 0.055)
        for k in range(6):
            disc(image, x + 0.8 * size * np.cos(k), y + size * np.sin(k), size * 0.6, size * 0.4, colour, 57.3 * k)
        disc(image, x, y, size * 0.35, size * 0.35, [224.0, 190.0, 90.0])
    return image


def _portrait(canvas: Canvas) -> Array:
    rng = canvas.rng
    image = shaded(np.array(some_colour(canvas)) * 0.7 + 30, 10 * canvas.fractal(canvas.width / 2, 3))
    skin = np.array([206, 168, 138]) * rng.uniform(0.55, 1.05)
    hair = [float(c) for c in np.array([84, 62, 48]) * rng.uniform(0.6, 2.0)]
    x, y, s = rng.uniform(0.45, 0.55), rng.uniform(0.36, 0.42), rng.uniform(0.15, 0.2)
    image = np.ascontiguousarray(image)
    disc(image, x, y - 0.2 * s, 1.15 * s, 1.4 * s, hair)
    shoulders = np.array([(0.08, 1.0), (0.2, 0.76), (0.42, 0.66), (0.58, 0.66), (0.8, 0.76), (0.92, 1.0)])
    fill(image, shoulders, some_colour(canvas))
    tone = [float(c) for c in skin]
    fill(image, np.array([(x - 0.07, y), (x + 0.07, y), (x + 0.08, 0.7), (x - 0.08, 0.7)]), [c * 0.85 for c in tone])
    disc(image, x, y, 0.82 * s, 1.1 * s, tone)
    disc(image, x + 0.05 * s, y - s, 0.85 * s, 0.45 * s, hair)
    aspect = canvas.rows / canvas.columns
    for sign in (-1, 1):
        disc(image, x + sign * 0.33 * s * aspect, y - 0.1 * s, 0.13 * s, 0.07 * s, [58.0, 48.0, 44.0])
        disc(image, x + sign * 0.33 * s * aspect, y - 0.3 * s, 0.18 * s, 0.035 * s, hair)
    disc(image, x, y + 0.22 * s, 0.07 * s, 0.2 * s, [c * 0.88 for c in tone])
    disc(image, x, y + 0.6 * s, 0.25 * s, 0.06 * s, [150.0, 82.0, 74.0])
    return image


def city(canvas: Canvas) -> Array:
    """A skyline of houses with lit windows."""
    rng, image = canvas.rng, np.ascontiguousarray(_sky(canvas))
    for depth in range(3):
        x = -0.05
        while x < 1:
            width, top = rng.uniform(0.06, 0.16), rng.uniform(0.25, 0.5) + 0.13 * depth
            colour = np.array(some_colour(canvas)) * (1.0 - 0.18 * depth)
            fill(
                image, np.array([(x, top), (x + width, top), (x + width, 1.01), (x, 1.01)]), [float(c) for c in colour]
            )
            for u in np.arange(x + 0.012, x + width - 0.015, 0.026):
                for v in np.arange(top + 0.03, 0.95, 0.055):
                    lit = [230.0, 205.0, 140.0] if rng.random() < 0.4 else [float(c) * 0.6 for c in colour]
                    fill(image, np.array([(u, v), (u + 0.013, v), (u + 0.013, v + 0.028), (u, v + 0.028)]), lit)
            x += width + rng.uniform(0, 0.02)
    return image
