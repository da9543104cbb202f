"""Procedural prints: textures that are used once, as a whole, such as pictures, posters, rugs, book spines and screens.

They are painted with OpenCV's antialiased drawing, in floats, on the size in metres that their object has.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .textures import Canvas, blended, shaded

Array = NDArray[Any]

#: Width in metres of one book's slot on a strip of spines.
SPINE = 0.04

_WORDS = (
    "JAZZ", "EXPO", "OPERA", "NORD", "CINEMA", "LUMEN", "ATLAS", "RADIO", "VELO", "ARCHIV", "FORMA", "SOLARIS", "TANGO",
    "MUSEUM", "GARTEN", "BALLET", "ORBIT", "COFFEE", "MARE", "PIANO", "ALPEN", "MODERN", "BOTANIK", "LINEA", "AURORA",
)  # fmt: skip
_FONTS = (cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_TRIPLEX, cv2.FONT_HERSHEY_COMPLEX, cv2.FONT_HERSHEY_SIMPLEX)


def picture(canvas: Canvas) -> Array:
    """A painting: landscape, seascape, abstract, still life, portrait or flowers, on canvas."""
    subjects: dict[str, Callable[[Canvas], Array]] = {
        "landscape": _landscape,
        "seascape": _seascape,
        "blocks": _blocks,
        "shapes": _shapes,
        "brushwork": _brushwork,
        "still life": _still_life,
        "portrait": _portrait,
        "flowers": _flowers,
        "city": _city,
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


def _some(canvas: Canvas) -> list[float]:
    """Return one of the canvas's colours, varied, as OpenCV wants it."""
    colour = canvas.colours[canvas.rng.integers(len(canvas.colours))] * canvas.rng.uniform(0.75, 1.2)
    return [float(c) for c in np.clip(colour + canvas.rng.normal(0, 8, 3), 20, 245)]


def _fill(image: Array, points: Array, colour: list[float]) -> None:
    """Fill a polygon (K, 2) given in fractions of the image's width and height."""
    scale = np.array([image.shape[1], image.shape[0]]) * 16
    cv2.fillPoly(image, [np.round(points * scale).astype(np.int32)], colour, cv2.LINE_AA, 4)


def _disc(image: Array, x: float, y: float, rx: float, ry: float, colour: list[float], angle: float = 0.0) -> None:
    """Fill an ellipse; centre in fractions of width and height, radii in fractions of the height."""
    rows, columns = image.shape[:2]
    axes = (max(1, round(rx * rows * 16)), max(1, round(ry * rows * 16)))
    cv2.ellipse(image, (round(x * columns * 16), round(y * rows * 16)), axes, angle, 0, 360, colour, -1, cv2.LINE_AA, 4)


def _gradient(canvas: Canvas, top: list[float], bottom: list[float]) -> Array:
    t = np.linspace(0, 1, canvas.rows, dtype=np.float32)[:, None, None]
    return np.repeat((1 - t) * np.float32(top) + t * np.float32(bottom), canvas.columns, axis=1)


def _ridge(rng: np.random.Generator, height: float, roughness: float, count: int = 40) -> Array:
    """Return the outline (K, 2) of a hill range that fills the picture below ``height``."""
    x = np.linspace(0, 1, count)
    y = np.full(count, height)
    for octave in range(1, 6):
        y += roughness / octave**1.4 * np.sin(2 * np.pi * octave * x * rng.uniform(0.5, 1.3) + rng.uniform(0, 6))
    return np.concatenate([np.stack([x, y], -1), [[1, 1.01], [0, 1.01]]])


def _sky(canvas: Canvas) -> Array:
    skies = (([120, 155, 190], [215, 215, 200]), ([90, 100, 130], [225, 165, 120]), ([150, 165, 175], [205, 200, 190]))
    image = _gradient(canvas, *skies[canvas.rng.integers(len(skies))])
    cloud = np.clip(canvas.fractal(canvas.width / 2, 4, canvas.height / 5), 0, 2) * 0.4
    return blended(image, np.array([235, 228, 218]), np.clip(cloud, 0, 0.8))


def _landscape(canvas: Canvas) -> Array:
    rng, image = canvas.rng, _sky(canvas)
    image = np.ascontiguousarray(image)
    _disc(image, rng.uniform(0.15, 0.85), rng.uniform(0.12, 0.35), 0.06, 0.06, [240.0, 225.0, 180.0])
    layers = int(rng.integers(3, 6))
    hills = np.array([[128, 140, 150], [112, 128, 90], [150, 140, 84], [82, 98, 60], [66, 78, 52]])
    for i in range(layers):
        colour = hills[min(i * 5 // layers, 4)] * rng.uniform(0.85, 1.15)
        _fill(image, _ridge(rng, 0.4 + 0.5 * i / layers, 0.06 + 0.02 * i), [float(c) for c in colour])
    for _ in range(int(rng.integers(4, 14))):
        x, y, size = rng.uniform(0, 1), rng.uniform(0.55, 0.9), rng.uniform(0.03, 0.09)
        green = [float(c) for c in np.array([58, 74, 44]) * rng.uniform(0.8, 1.5)]
        _fill(
            image,
            np.array([(x - 0.006, y), (x + 0.006, y), (x + 0.006, y + size), (x - 0.006, y + size)]),
            [70.0, 54.0, 40.0],
        )
        _disc(image, x, y - size * 0.5, size * 0.7, size, green)
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
        _fill(
            image,
            np.array([(x - s / 2, y), (x + s / 2, y), (x + s / 3, y + s / 4), (x - s / 3, y + s / 4)]),
            _some(canvas),
        )
        _fill(image, np.array([(x, y - s * 1.3), (x + s / 2.2, y - 0.01), (x, y - 0.01)]), [232.0, 226.0, 214.0])
        _fill(image, np.array([(x - 0.01, y - s), (x - s / 3, y - 0.01), (x - 0.01, y - 0.01)]), _some(canvas))
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
        _fill(image, corners, _some(canvas) if rng.random() < 0.7 else [224.0, 218.0, 206.0])
    return image


def _shapes(canvas: Canvas) -> Array:
    """Overlapping discs, arcs, bars and triangles."""
    rng, image = canvas.rng, np.ascontiguousarray(_gradient(canvas, _some(canvas), _some(canvas)))
    for _ in range(int(rng.integers(10, 22))):
        x, y, s = rng.uniform(0, 1), rng.uniform(0, 1), rng.gamma(3, 0.035)
        kind = rng.integers(4)
        if kind == 0:
            _disc(image, x, y, s, s, _some(canvas))
        elif kind == 1:
            _disc(image, x, y, s, s, _some(canvas))
            _disc(image, x, y, 0.6 * s, 0.6 * s, _some(canvas))
        else:
            corners = (
                rng.uniform(-1, 1, (3, 2)) if kind == 2 else np.array([(-2, -0.15), (2, -0.15), (2, 0.15), (-2, 0.15)])
            )
            turn = rng.uniform(0, np.pi)
            rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
            _fill(image, (x, y) + s * 1.4 * corners @ rotation, _some(canvas))
    return image


def _brushwork(canvas: Canvas) -> Array:
    """Broad strokes over one another."""
    rng, image = canvas.rng, canvas.plane(np.array(_some(canvas)))
    for _ in range(int(rng.integers(60, 110))):
        start = rng.uniform(0, 1, 2) * (canvas.columns, canvas.rows)
        angle, length = rng.normal(0.5, 0.7), rng.uniform(0.1, 0.4) * canvas.columns
        end = start + length * np.array([np.cos(angle), np.sin(angle)])
        thickness = max(2, round(rng.uniform(0.012, 0.05) * canvas.rows))
        ends = [tuple(int(c) for c in point) for point in (start, end)]
        cv2.line(image, *ends, _some(canvas), thickness, cv2.LINE_AA)
    return image


def _table_scene(canvas: Canvas) -> Array:
    image = np.ascontiguousarray(_gradient(canvas, _some(canvas), _some(canvas)) * 0.75 + 40)
    image[int(0.68 * canvas.rows) :] = shaded(np.array(_some(canvas)) * 0.8, 8 * canvas.noise(canvas.width / 4))[
        int(0.68 * canvas.rows) :
    ]
    return image


def _still_life(canvas: Canvas) -> Array:
    rng, image = canvas.rng, _table_scene(canvas)
    for i in range(int(rng.integers(5, 9))):
        x, s = rng.uniform(0.12, 0.88), rng.uniform(0.07, 0.13)
        colour = _some(canvas)
        y = 0.78 - s * 0.5 + 0.02 * i
        _disc(image, x, y + s * 0.9, s * 1.2, s * 0.25, [70.0, 62.0, 56.0])
        if i % 3 == 0:
            _fill(
                image,
                np.array([(x - s / 4, y - 3 * s), (x + s / 4, y - 3 * s), (x + s / 3, y), (x - s / 3, y)]),
                colour,
            )
        _disc(image, x, y, s, s * rng.uniform(0.8, 1.2), colour)
        _disc(image, x - 0.25 * s, y - 0.3 * s, s * 0.25, s * 0.2, [c * 0.4 + 150 for c in colour])
    return image


def _flowers(canvas: Canvas) -> Array:
    rng, image = canvas.rng, _table_scene(canvas)
    _fill(image, np.array([(0.42, 0.62), (0.58, 0.62), (0.62, 0.92), (0.38, 0.92)]), _some(canvas))
    for _ in range(int(rng.integers(14, 24))):
        x, y = 0.5 + rng.normal(0, 0.17), 0.4 + rng.normal(0, 0.13)
        cv2.line(image, (round(0.5 * canvas.columns), round(0.64 * canvas.rows)),
                 (round(x * canvas.columns), round(y * canvas.rows)), [74.0, 92.0, 58.0], 2, cv2.LINE_AA)  # fmt: skip
        colour, size = _some(canvas), rng.uniform(0.025, 0.055)
        for k in range(6):
            _disc(image, x + 0.8 * size * np.cos(k), y + size * np.sin(k), size * 0.6, size * 0.4, colour, 57.3 * k)
        _disc(image, x, y, size * 0.35, size * 0.35, [224.0, 190.0, 90.0])
    return image


def _portrait(canvas: Canvas) -> Array:
    rng = canvas.rng
    image = shaded(np.array(_some(canvas)) * 0.7 + 30, 10 * canvas.fractal(canvas.width / 2, 3))
    skin = np.array([206, 168, 138]) * rng.uniform(0.55, 1.05)
    hair = [float(c) for c in np.array([84, 62, 48]) * rng.uniform(0.6, 2.0)]
    x, y, s = rng.uniform(0.45, 0.55), rng.uniform(0.36, 0.42), rng.uniform(0.15, 0.2)
    image = np.ascontiguousarray(image)
    _disc(image, x, y - 0.2 * s, 1.15 * s, 1.4 * s, hair)
    _fill(
        image, np.array([(0.08, 1.0), (0.2, 0.76), (0.42, 0.66), (0.58, 0.66), (0.8, 0.76), (0.92, 1.0)]), _some(canvas)
    )
    tone = [float(c) for c in skin]
    _fill(image, np.array([(x - 0.07, y), (x + 0.07, y), (x + 0.08, 0.7), (x - 0.08, 0.7)]), [c * 0.85 for c in tone])
    _disc(image, x, y, 0.82 * s, 1.1 * s, tone)
    _disc(image, x + 0.05 * s, y - s, 0.85 * s, 0.45 * s, hair)
    aspect = canvas.rows / canvas.columns
    for sign in (-1, 1):
        _disc(image, x + sign * 0.33 * s * aspect, y - 0.1 * s, 0.13 * s, 0.07 * s, [58.0, 48.0, 44.0])
        _disc(image, x + sign * 0.33 * s * aspect, y - 0.3 * s, 0.18 * s, 0.035 * s, hair)
    _disc(image, x, y + 0.22 * s, 0.07 * s, 0.2 * s, [c * 0.88 for c in tone])
    _disc(image, x, y + 0.6 * s, 0.25 * s, 0.06 * s, [150.0, 82.0, 74.0])
    return image


def _city(canvas: Canvas) -> Array:
    rng, image = canvas.rng, np.ascontiguousarray(_sky(canvas))
    for depth in range(3):
        x = -0.05
        while x < 1:
            width, top = rng.uniform(0.06, 0.16), rng.uniform(0.25, 0.5) + 0.13 * depth
            colour = np.array(_some(canvas)) * (1.0 - 0.18 * depth)
            _fill(
                image, np.array([(x, top), (x + width, top), (x + width, 1.01), (x, 1.01)]), [float(c) for c in colour]
            )
            for u in np.arange(x + 0.012, x + width - 0.015, 0.026):
                for v in np.arange(top + 0.03, 0.95, 0.055):
                    lit = [230.0, 205.0, 140.0] if rng.random() < 0.4 else [float(c) * 0.6 for c in colour]
                    _fill(image, np.array([(u, v), (u + 0.013, v), (u + 0.013, v + 0.028), (u, v + 0.028)]), lit)
            x += width + rng.uniform(0, 0.02)
    return image


def poster(canvas: Canvas) -> Array:
    """A poster: a coloured ground, a bold figure, a word in large letters and blocks of small print."""
    rng, image = canvas.rng, canvas.plane(canvas.base)
    figure = rng.integers(4)
    if figure == 0:
        radius = rng.uniform(0.18, 0.3)
        for k, scale in enumerate((1.0, 0.72, 0.44, 0.18)):
            _disc(
                image,
                0.5,
                0.42,
                radius * scale,
                radius * scale,
                [float(c) for c in canvas.colours[1 + k % (len(canvas.colours) - 1)]],
            )
    elif figure == 1:
        image[: int(0.66 * canvas.rows)] = _landscape(canvas)[: int(0.66 * canvas.rows)]
    elif figure == 2:
        for k in range(12):
            angle = np.array([k, k + 0.5]) * np.pi / 6
            rays = 0.9 * np.stack([np.cos(angle), np.sin(angle)], -1)
            _fill(
                image,
                np.array([0.5, 0.42]) + np.concatenate([[[0, 0]], rays]),
                [float(c) for c in canvas.colours[1 + k % 2]],
            )
        _disc(image, 0.5, 0.42, 0.13, 0.13, _some(canvas))
    else:
        image[: int(0.7 * canvas.rows)] = _shapes(canvas)[: int(0.7 * canvas.rows)]
    ink = [
        float(c)
        for c in (canvas.colours[-1] if np.ptp(canvas.colours[[0, -1]].mean(axis=1)) > 60 else np.array([40, 38, 40]))
    ]
    word = _WORDS[rng.integers(len(_WORDS))]
    _lettering(image, word, 0.07, 0.70, 0.86, 0.12, ink, rng)
    _lettering(image, f"{_WORDS[rng.integers(len(_WORDS))]} {rng.integers(10, 99)}", 0.07, 0.845, 0.5, 0.05, ink, rng)
    _small_print(image, 0.07, 0.915, 0.86, 3, ink, rng)
    return shaded(image, 1.5 * canvas.noise(0.15) + 0.8 * canvas.grain())


def _lettering(image: Array, word: str, x: float, y: float, width: float, height: float, ink: list[float],
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


def _small_print(image: Array, x: float, y: float, width: float, lines: int, ink: list[float],
                 rng: np.random.Generator, pitch: float = 0.024) -> None:  # fmt: skip
    """Set lines of text too small to read: words as bars."""
    for line in range(lines):
        left, top = x, y + line * pitch
        while left < x + width - 0.05:
            word = rng.uniform(0.02, 0.09)
            right = min(left + word, x + width)
            _fill(
                image,
                np.array([(left, top), (right, top), (right, top + 0.45 * pitch), (left, top + 0.45 * pitch)]),
                ink,
            )
            left += word + 0.015


def rug(canvas: Canvas) -> Array:
    """A rug: an oriental one with borders and a medallion, or a modern or Berber one."""
    style = canvas.choose("pattern", "oriental", "oriental", "berber", "modern", "bands")
    painters = {"oriental": _oriental, "berber": _berber, "modern": _shapes, "bands": _bands}
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
            _rosette(quarter, *centre, step * 0.36, canvas, int(position / step))
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
        colour = _some(canvas)
        _fill(image, np.array([(0, y), (1, y), (1, y + height), (0, y + height)]), colour)
        if height > 0.06:
            count = round(canvas.width / canvas.height / height)
            for k in range(count):
                x, half = (k + 0.5) / count, 0.35 / count
                _fill(
                    image,
                    np.array(
                        [
                            (x - half, y + height / 2),
                            (x, y + 0.15 * height),
                            (x + half, y + height / 2),
                            (x, y + 0.85 * height),
                        ]
                    ),
                    _some(canvas),
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
    colour = np.array(_some(canvas))
    strip[:] = colour
    strip[:, :1] *= 0.6
    ink = colour * 0.45 if colour.mean() > 120 else colour * 0.4 + 140
    for _ in range(int(rng.integers(1, 4))):
        top, height = rng.uniform(0.05, 0.9), rng.uniform(0.015, 0.08)
        strip[int(top * rows) : int((top + height) * rows) + 1] = ink if rng.random() < 0.6 else np.array(_some(canvas))
    top, bottom = np.sort(rng.uniform(0.2, 0.8, 2))
    third = max(1, strip.shape[1] // 3)
    letters = np.repeat(rng.random(int((bottom - top) * rows / 3) + 2) < 0.7, 3)[: int((bottom - top) * rows)]
    block = strip[int(top * rows) : int(top * rows) + len(letters), third : 2 * third + 1]
    block[letters[: len(block)]] = ink


def cover(canvas: Canvas) -> Array:
    """A printed cover or label: a ground, a figure, a title."""
    rng, image = canvas.rng, canvas.plane(canvas.base)
    if rng.random() < 0.5:
        _disc(image, 0.5, 0.6, 0.22, 0.22, _some(canvas))
    else:
        _fill(image, np.array([(0.1, 0.45), (0.9, 0.45), (0.9, 0.85), (0.1, 0.85)]), _some(canvas))
    _lettering(image, _WORDS[rng.integers(len(_WORDS))], 0.1, 0.12, 0.8, 0.16, _some(canvas), rng)
    _small_print(image, 0.12, 0.34, 0.7, 2, [60.0, 56.0, 54.0], rng, pitch=0.05)
    return shaded(image, 2.5 * canvas.noise(canvas.width / 4))


def screen(canvas: Canvas) -> Array:
    """A display: a desktop with windows, a broadcast picture, or switched off and faintly reflecting the room."""
    kind = canvas.choose("kind", "desktop", "broadcast", "off")
    if kind == "off":
        x, y = canvas.grid()
        window = np.exp(-(((x / canvas.width - 0.3) / 0.12) ** 2) - ((y / canvas.height - 0.35) / 0.2) ** 2)
        return shaded(np.array([58, 60, 64]), 25 * window + 5 * canvas.noise(canvas.width / 4))
    if kind == "broadcast":
        image = _landscape(canvas) if canvas.rng.random() < 0.5 else _city(canvas)
        _fill(image, np.array([(0, 0.84), (1, 0.84), (1, 0.95), (0, 0.95)]), [70.0, 80.0, 110.0])
        _small_print(image, 0.05, 0.86, 0.9, 2, [225.0, 225.0, 225.0], canvas.rng, pitch=0.045)
        return image
    return _desktop(canvas)


def _desktop(canvas: Canvas) -> Array:
    rng = canvas.rng
    image = np.ascontiguousarray(_gradient(canvas, _some(canvas), _some(canvas)))
    for _ in range(int(rng.integers(2, 4))):
        x, y, w, h = rng.uniform(0.02, 0.45), rng.uniform(0.02, 0.35), rng.uniform(0.35, 0.52), rng.uniform(0.35, 0.52)
        _fill(image, np.array([(x, y), (x + w, y), (x + w, y + h), (x, y + h)]), [226.0, 228.0, 230.0])
        _fill(image, np.array([(x, y), (x + w, y), (x + w, y + 0.05), (x, y + 0.05)]), [92.0, 104.0, 120.0])
        _small_print(
            image, x + 0.03, y + 0.09, w - 0.08, int((h - 0.12) / 0.035), [96.0, 100.0, 108.0], rng, pitch=0.035
        )
    _fill(image, np.array([(0, 0.94), (1, 0.94), (1, 1), (0, 1)]), [64.0, 68.0, 76.0])
    return image


def dial(canvas: Canvas) -> Array:
    """A clock face with twelve marks and two hands."""
    rng, image = canvas.rng, canvas.plane(canvas.base)
    ink = [52.0, 50.0, 50.0] if canvas.base.mean() > 120 else [224.0, 220.0, 210.0]
    for k in range(12):
        angle = k * np.pi / 6
        x, y = 0.5 + 0.4 * np.sin(angle), 0.5 - 0.4 * np.cos(angle)
        _disc(image, x, y, 0.05 if k % 3 == 0 else 0.03, 0.014, ink, np.degrees(angle) - 90)
    for length, width in ((0.22, 0.03), (0.34, 0.02)):
        angle = rng.uniform(0, 2 * np.pi)
        forward = np.array([np.sin(angle), -np.cos(angle)])
        across = np.array([-forward[1], forward[0]]) * width
        _fill(image, 0.5 + np.stack([-0.06 * forward - across, length * forward, -0.06 * forward + across]), ink)
    return image


def keyboard(canvas: Canvas) -> Array:
    """Rows of keys."""
    image = canvas.plane(canvas.base * np.float32(0.6))
    columns, rows = round(canvas.width / 0.021), max(1, round(canvas.height / 0.021))
    for j in range(rows):
        for i in range(columns):
            x, y = i / columns, j / rows
            w, h = 0.82 / columns, 0.82 / rows
            _fill(image, np.array([(x, y), (x + w, y), (x + w, y + h), (x, y + h)]), [float(c) for c in canvas.base])
    return image
