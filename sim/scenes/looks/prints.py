"""Procedural prints: textures that are used once, as a whole, such as pictures, posters, rugs, book spines and screens.

They are painted with OpenCV's antialiased drawing, in floats, on the size in metres that their object has.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .canvas import Canvas, shaded
from .drawing import WORDS, disc, fill, gradient, lettering, small_print, some_colour
from .paintings import city, landscape, shapes

Array = NDArray[Any]

#: Width in metres of one book's slot on a strip of spines.
SPINE = 0.04


def poster(canvas: Canvas) -> Array:
    """A poster: a coloured ground, a bold figure, a word in large letters and blocks of small print."""
    rng, image = canvas.rng, canvas.plane(canvas.base)
    figure = rng.integers(4)
    if figure == 0:
        radius = rng.uniform(0.18, 0.3)
        for k, scale in enumerate((1.0, 0.72, 0.44, 0.18)):
            disc(
                image,
                0.5,
                0.42,
                radius * scale,
                radius * scale,
                [float(c) for c in canvas.colours[1 + k % (len(canvas.colours) - 1)]],
            )
    elif figure == 1:
        image[: int(0.66 * canvas.rows)] = landscape(canvas)[: int(0.66 * canvas.rows)]
    elif figure == 2:
        for k in range(12):
            angle = np.array([k, k + 0.5]) * np.pi / 6
            rays = 0.9 * np.stack([np.cos(angle), np.sin(angle)], -1)
            fill(
                image,
                np.array([0.5, 0.42]) + np.concatenate([[[0, 0]], rays]),
                [float(c) for c in canvas.colours[1 + k % 2]],
            )
        disc(image, 0.5, 0.42, 0.13, 0.13, some_colour(canvas))
    else:
        image[: int(0.7 * canvas.rows)] = shapes(canvas)[: int(0.7 * canvas.rows)]
    ink = [
        float(c)
        for c in (canvas.colours[-1] if np.ptp(canvas.colours[[0, -1]].mean(axis=1)) > 60 else np.array([40, 38, 40]))
    ]
    word = WORDS[rng.integers(len(WORDS))]
    lettering(image, word, 0.07, 0.70, 0.86, 0.12, ink, rng)
    lettering(image, f"{WORDS[rng.integers(len(WORDS))]} {rng.integers(10, 99)}", 0.07, 0.845, 0.5, 0.05, ink, rng)
    small_print(image, 0.07, 0.915, 0.86, 3, ink, rng)
    return shaded(image, 1.5 * canvas.noise(0.15) + 0.8 * canvas.grain())


def rug(canvas: Canvas) -> Array:
    """A rug: an oriental one with borders and a medallion, or a modern or Berber one."""
    style = canvas.choose("pattern", "oriental", "oriental", "berber", "modern", "bands")
    painters = {"oriental": _oriental, "berber": _berber, "modern": shapes, "bands": _bands}
    image = painters[style](canvas)
    return shaded(image, 3.5 * canvas.noise(0.02) + 2.5 * canvas.noise(0.12))


def _oriental(canvas: Canvas) -> Array:
    """Draw one quarter in metres and mirror it twice."""
    rng = canvas.rng
    quarter = np.full(((canvas.rows + 1) // 2, (canvas.columns + 1) // 2, 3), canvas.base, dtype=np.float32)
    per_metre = canvas.columns / canvas.width
    rows, columns = quarter.shape[:2]
    border = round(min(0.34 * min(rows, columns), rng.uniform(0.16, 0.3) * per_metre))
    quarter[:border], quarter[:, :border] = canvas.colours[1], canvas.colours[1]
    step = max(8, border * 0.8)
    for axis, length in ((0, columns), (1, rows)):
        for position in np.arange(step / 2, length, step):
            centre = (position, border / 2) if axis == 0 else (border / 2, position)
            _rosette(quarter, centre[0], centre[1], step * 0.36, canvas, int(position / step))
    for offset in (0.1, 0.92):
        line = round(border * offset)
        cv2.rectangle(
            quarter,
            (line, line),
            (columns + 9, rows + 9),
            [float(c) for c in canvas.colours[2]],
            max(1, border // 12),
            cv2.LINE_AA,
        )
    for _ in range(int(rows * columns / (step * step) * 1.3)):
        x, y = rng.uniform(border * 1.3, columns), rng.uniform(border * 1.3, rows)
        _rosette(quarter, x, y, step * rng.uniform(0.15, 0.3), canvas, int(rng.integers(9)))
    for k, scale in enumerate((0.8, 0.62, 0.42, 0.2)):
        a, b = (columns - border) * scale, (rows - border) * scale
        corners = np.array(
            [
                (columns - a, rows + 9),
                (columns - 0.45 * a, rows - 0.45 * b),
                (columns + 9, rows - b),
                (columns + 9, rows + 9),
            ]
        )
        cv2.fillPoly(
            quarter,
            [np.round(corners * 16).astype(np.int32)],
            [float(c) for c in canvas.colours[(k + 2) % len(canvas.colours)]],
            cv2.LINE_AA,
            4,
        )
    _rosette(quarter, columns, rows, step * 0.7, canvas, 1)
    top = np.concatenate([quarter, quarter[:, ::-1]], axis=1)
    return np.concatenate([top, top[::-1]])[: canvas.rows, : canvas.columns]


def _rosette(image: Array, x: float, y: float, radius: float, canvas: Canvas, turn: int) -> None:
    petal, heart = (canvas.colours[(turn + k) % len(canvas.colours)] for k in (2, 0))
    for k in range(4):
        angle = k * 90 + 45 * (turn % 2)
        dx, dy = np.cos(np.radians(angle)), np.sin(np.radians(angle))
        centre = (round((x + 0.55 * radius * dx) * 16), round((y + 0.55 * radius * dy) * 16))
        axes = (max(8, round(radius * 8)), max(6, round(radius * 4.5)))
        cv2.ellipse(image, centre, axes, angle, 0, 360, [float(c) for c in petal], -1, cv2.LINE_AA, 4)
    cv2.circle(
        image, (round(x * 16), round(y * 16)), max(8, round(radius * 4)), [float(c) for c in heart], -1, cv2.LINE_AA, 4
    )


def _berber(canvas: Canvas) -> Array:
    """Pale wool with lozenges and zigzag lines, a little irregular."""
    rng, image = canvas.rng, canvas.plane(np.array([214, 204, 186]))
    ink = [float(c) for c in canvas.colours[1] * 0.7]
    columns, rows = (
        max(2, round(canvas.width / rng.uniform(0.4, 0.6))),
        max(2, round(canvas.height / rng.uniform(0.5, 0.7))),
    )
    thickness = max(2, round(0.02 * canvas.columns / canvas.width))
    for i in range(columns):
        for j in range(rows):
            centre = np.array([(i + 0.5) / columns, (j + 0.5) / rows]) * (canvas.columns, canvas.rows)
            for scale in (0.95, 0.35) if rng.random() < 0.8 else (0.95, 0.6, 0.2):
                half = scale * np.array([canvas.columns / columns, canvas.rows / rows]) / 2 * rng.uniform(0.92, 1.0)
                corners = centre + half * np.array([(0, -1), (1, 0), (0, 1), (-1, 0)]) + rng.normal(0, 1.5, (4, 2))
                cv2.polylines(image, [np.round(corners * 16).astype(np.int32)], True, ink, thickness, cv2.LINE_AA, 4)
    return image


def _bands(canvas: Canvas) -> Array:
    """Bands across, some of them with a row of lozenges."""
    rng, image = canvas.rng, canvas.plane(canvas.base)
    y = 0.0
    while y < 1:
        height = rng.uniform(0.02, 0.12)
        colour = some_colour(canvas)
        fill(image, np.array([(0, y), (1, y), (1, y + height), (0, y + height)]), colour)
        if height > 0.06:
            count = round(canvas.width / canvas.height / height)
            for k in range(count):
                x, half = (k + 0.5) / count, 0.35 / count
                fill(
                    image,
                    np.array(
                        [
                            (x - half, y + height / 2),
                            (x, y + 0.15 * height),
                            (x + half, y + height / 2),
                            (x, y + 0.85 * height),
                        ]
                    ),
                    some_colour(canvas),
                )
        y += height
    return image


def books(canvas: Canvas) -> Array:
    """A row of book spines, each as wide as ``SPINE``, with title bands and lettering."""
    image = canvas.plane(canvas.base)
    per_metre = canvas.columns / canvas.width
    for k in range(round(canvas.width / SPINE)):
        _spine(image[:, round(k * SPINE * per_metre) : round((k + 1) * SPINE * per_metre)], canvas)
    return shaded(image, 2 * canvas.noise(0.06))


def _spine(strip: Array, canvas: Canvas) -> None:
    if strip.shape[1] == 0:
        return
    rng, rows = canvas.rng, len(strip)
    colour = np.array(some_colour(canvas))
    strip[:] = colour
    strip[:, :1] *= 0.6
    ink = colour * 0.45 if colour.mean() > 120 else colour * 0.4 + 140
    for _ in range(int(rng.integers(1, 4))):
        top, height = rng.uniform(0.05, 0.9), rng.uniform(0.015, 0.08)
        band = ink if rng.random() < 0.6 else np.array(some_colour(canvas))
        strip[int(top * rows) : int((top + height) * rows) + 1] = band
    top, bottom = np.sort(rng.uniform(0.2, 0.8, 2))
    third = max(1, strip.shape[1] // 3)
    letters = np.repeat(rng.random(int((bottom - top) * rows / 3) + 2) < 0.7, 3)[: int((bottom - top) * rows)]
    block = strip[int(top * rows) : int(top * rows) + len(letters), third : 2 * third + 1]
    block[letters[: len(block)]] = ink


def cover(canvas: Canvas) -> Array:
    """A printed cover or label: a ground, a figure, a title."""
    rng, image = canvas.rng, canvas.plane(canvas.base)
    if rng.random() < 0.5:
        disc(image, 0.5, 0.6, 0.22, 0.22, some_colour(canvas))
    else:
        fill(image, np.array([(0.1, 0.45), (0.9, 0.45), (0.9, 0.85), (0.1, 0.85)]), some_colour(canvas))
    lettering(image, WORDS[rng.integers(len(WORDS))], 0.1, 0.12, 0.8, 0.16, some_colour(canvas), rng)
    small_print(image, 0.12, 0.34, 0.7, 2, [60.0, 56.0, 54.0], rng, pitch=0.05)
    return shaded(image, 2.5 * canvas.noise(canvas.width / 4))


def screen(canvas: Canvas) -> Array:
    """A display: a desktop with windows, a broadcast picture, or switched off and faintly reflecting the room."""
    kind = canvas.choose("kind", "desktop", "broadcast", "off")
    if kind == "off":
        x, y = canvas.grid()
        window = np.exp(-(((x / canvas.width - 0.3) / 0.12) ** 2) - ((y / canvas.height - 0.35) / 0.2) ** 2)
        return shaded(np.array([58, 60, 64]), 25 * window + 5 * canvas.noise(canvas.width / 4))
    if kind == "broadcast":
        image = landscape(canvas) if canvas.rng.random() < 0.5 else city(canvas)
        fill(image, np.array([(0, 0.84), (1, 0.84), (1, 0.95), (0, 0.95)]), [70.0, 80.0, 110.0])
        small_print(image, 0.05, 0.86, 0.9, 2, [225.0, 225.0, 225.0], canvas.rng, pitch=0.045)
        return image
    return _desktop(canvas)


def _desktop(canvas: Canvas) -> Array:
    rng = canvas.rng
    image = np.ascontiguousarray(gradient(canvas, some_colour(canvas), some_colour(canvas)))
    for _ in range(int(rng.integers(2, 4))):
        x, y, w, h = rng.uniform(0.02, 0.45), rng.uniform(0.02, 0.35), rng.uniform(0.35, 0.52), rng.uniform(0.35, 0.52)
        fill(image, np.array([(x, y), (x + w, y), (x + w, y + h), (x, y + h)]), [226.0, 228.0, 230.0])
        fill(image, np.array([(x, y), (x + w, y), (x + w, y + 0.05), (x, y + 0.05)]), [92.0, 104.0, 120.0])
        small_print(
            image, x + 0.03, y + 0.09, w - 0.08, int((h - 0.12) / 0.035), [96.0, 100.0, 108.0], rng, pitch=0.035
        )
    fill(image, np.array([(0, 0.94), (1, 0.94), (1, 1), (0, 1)]), [64.0, 68.0, 76.0])
    return image


def dial(canvas: Canvas) -> Array:
    """A clock face with twelve marks and two hands."""
    rng, image = canvas.rng, canvas.plane(canvas.base)
    ink = [52.0, 50.0, 50.0] if canvas.base.mean() > 120 else [224.0, 220.0, 210.0]
    for k in range(12):
        angle = k * np.pi / 6
        x, y = 0.5 + 0.4 * np.sin(angle), 0.5 - 0.4 * np.cos(angle)
        disc(image, x, y, 0.05 if k % 3 == 0 else 0.03, 0.014, ink, np.degrees(angle) - 90)
    for length, width in ((0.22, 0.03), (0.34, 0.02)):
        angle = rng.uniform(0, 2 * np.pi)
        forward = np.array([np.sin(angle), -np.cos(angle)])
        across = np.array([-forward[1], forward[0]]) * width
        fill(image, 0.5 + np.stack([-0.06 * forward - across, length * forward, -0.06 * forward + across]), ink)
    return image


def keyboard(canvas: Canvas) -> Array:
    """Rows of keys."""
    image = canvas.plane(canvas.base * np.float32(0.6))
    columns, rows = round(canvas.width / 0.021), max(1, round(canvas.height / 0.021))
    for j in range(rows):
        for i in range(columns):
            x, y = i / columns, j / rows
            w, h = 0.82 / columns, 0.82 / rows
            fill(image, np.array([(x, y), (x + w, y), (x + w, y + h), (x, y + h)]), [float(c) for c in canvas.base])
    return image
