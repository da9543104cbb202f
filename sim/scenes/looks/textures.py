"""Procedural surface textures: functions from a `Canvas` to sRGB images that tile without a seam.

What a 256-pixel camera resolves from two metres away is a structure of two centimetres and more, so that is where the
contrast lies: stains, grain bands, motifs. Finer structure is kept faint, or it would only alias.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .canvas import Canvas, blended, shaded
from .motifs import motif_cell, repeated

Array = NDArray[Any]


def plaster(canvas: Canvas) -> Array:
    """Painted plaster: clouds of tone, roller and trowel marks, blots, scuffs and filled holes."""
    relief = 2.4 * canvas.fractal(0.7, 3) + 1.8 * canvas.noise(0.11) + 1.3 * canvas.noise(0.035)
    strokes = canvas.noise(0.3, 0.045) * np.clip(canvas.noise(0.6) - 0.2, 0, 1.5)
    return shaded(canvas.base, relief + 3.0 * strokes + _blots(canvas, 0.085, 1.6, 12) - _blots(canvas, 0.07, 1.6, 13))


def _blots(canvas: Canvas, scale: float, threshold: float, percent: float) -> Array:
    """Return soft spots (rows, columns), ``percent`` strong, where a noise exceeds ``threshold`` deviations."""
    ragged = canvas.noise(scale) + 0.5 * canvas.noise(0.4 * scale)
    return np.clip((ragged - threshold) * 1.5, 0, 1) * percent


def wallpaper(canvas: Canvas) -> Array:
    """Printed wallpaper: a motif repeated straight or in half-drop over a faintly clouded ground."""
    motif = canvas.choose("motif", "damask", "botanical", "geometric", "trellis", "blossom")
    repeats = int(canvas.choose("repeats", 4, 5, 6, 8))
    side = canvas.columns // repeats
    inks = [motif_cell(canvas, motif, side, layer) for layer in range(2)]
    image = shaded(canvas.base, 1.5 * canvas.fractal(0.5, 3))
    for ink, colour in zip(inks, canvas.colours[1:3], strict=True):
        image = blended(image, colour, repeated(ink, canvas, half_drop=motif != "geometric") * 0.85)
    return image * (1 + 0.012 * canvas.grain())[..., None]


def stripes(canvas: Canvas) -> Array:
    """Upright stripes of unequal widths in two or three colours, as on wallpaper and upholstery."""
    count = int(canvas.rng.integers(3, 6))
    edges = np.cumsum(canvas.rng.uniform(0.3, 1.0, count))
    period = canvas.width / canvas.choose("repeats", 4, 5, 8)
    x, _ = canvas.grid()
    index = np.searchsorted(edges / edges[-1], (x[0] % period) / period)
    order = np.arange(count) % len(canvas.colours)
    row = np.roll(canvas.colours[order[np.minimum(index, count - 1)]], canvas.columns // 17, axis=0)
    row = cv2.blur(np.tile(row, (3, 1, 1)).astype(np.float32), (3, 1))[:1]
    image = shaded(np.broadcast_to(row, (canvas.rows, canvas.columns, 3)), 1.6 * canvas.fractal(0.4, 3))
    if canvas.choose("sprigs", True, True, False):
        cell = motif_cell(canvas, "botanical", canvas.columns // int(canvas.choose("spacing", 6, 8)), 0)
        return blended(image, canvas.colours[-1], 0.6 * repeated(cell, canvas, half_drop=True))
    return image * (1 + 0.01 * (_blots(canvas, 0.06, 1.2, 11) - _blots(canvas, 0.05, 1.2, 12)))[..., None]


def _grain_field(canvas: Canvas, bands: float) -> Array:
    """Return the tone (rows, columns) of sawn wood whose grain runs across: growth bands, fibres, a few knots."""
    _, y = canvas.grid()
    warp = 0.9 * canvas.noise(0.5, 0.11) + 0.35 * canvas.noise(0.22, 0.05)
    cycles = max(1, round(bands * canvas.height))
    rings = np.sin(2 * np.pi * (cycles * y / canvas.height + warp))
    return 0.75 * rings + 0.8 * canvas.noise(0.45, 0.016) + 0.5 * canvas.noise(0.25, 0.03)


def wood(canvas: Canvas) -> Array:
    """Sawn, oiled wood; the grain runs across the texture (along u)."""
    tone = _grain_field(canvas, canvas.choose("bands", 10.0, 14.0, 20.0))
    knots = np.clip(canvas.noise(0.13, 0.07) - 1.9, 0, 1)
    return shaded(canvas.base, 7.5 * tone - 35 * knots) * (
        1 + 0.03 * tone[..., None] * np.array([1, 0.2, -0.8], dtype=np.float32)
    )


def parquet(canvas: Canvas) -> Array:
    """A wooden floor: planks laid in rows, or a herringbone; every board has its own tone and grain."""
    pattern = canvas.choose("pattern", "planks", "planks", "herringbone")
    if pattern == "herringbone":
        board, upright, edge = _herringbone(canvas)
    else:
        board, upright, edge = _planks(canvas)
    rng = canvas.rng
    tones = rng.normal(0, 9, board.max() + 1)[board]
    grain = _grain_field(canvas, 16)
    shifted = np.roll(grain, rng.integers(1, min(grain.shape), 2), axis=(0, 1))
    relief = tones + 4.5 * np.where(board % 2, grain, shifted)
    if upright.any():
        square = cv2.resize(grain, (canvas.rows, canvas.columns)).T
        relief = np.where(upright, tones + 4.5 * square, relief)
    hue = rng.normal(0, 0.01, (board.max() + 1, 3)).astype(np.float32)[board]
    return shaded(canvas.base, relief) * (1 + hue) * np.where(edge, 0.72, 1.0)[..., None]


def _planks(canvas: Canvas) -> tuple[Array, Array, Array]:
    rows = max(4, 2 * round(canvas.height / canvas.choose("width", 0.09, 0.13, 0.18) / 2))
    per_row = max(2, round(canvas.width / canvas.choose("length", 0.9, 1.25)))
    x, y = canvas.grid()
    row = np.floor(y / canvas.height * rows).astype(int)
    position = x / canvas.width * per_row + canvas.rng.random(rows)[row]
    board = row * per_row + np.floor(position).astype(int) % per_row
    return board, np.zeros_like(board, dtype=bool), _edges(board)


def _herringbone(canvas: Canvas) -> tuple[Array, Array, Array]:
    """Boards of 1 x k cells: where (i - j) mod 2k < k they lie across, else upright."""
    k = int(canvas.choose("k", 4, 5, 6))
    cells = 2 * k * max(1, round(canvas.width / (2 * k * 0.075)))
    x, y = canvas.grid()
    i, j = np.floor(x / canvas.width * cells).astype(int), np.floor(y / canvas.height * cells).astype(int)
    step, period = (i - j) % (2 * k), cells // (2 * k)
    upright = step >= k
    across_id = j * period + ((i - j) // (2 * k)) % period
    upright_id = i * period + ((i - j) // (2 * k)) % period + cells * period
    board = np.where(upright, upright_id, across_id)
    return board, upright, _edges(board)


def _edges(labels: Array) -> Array:
    """Return where a label differs from its right or lower neighbour, around the seam too."""
    return (labels != np.roll(labels, -1, axis=0)) | (labels != np.roll(labels, -1, axis=1))


def tile(canvas: Canvas) -> Array:
    """Glazed or stone tiles with grout: a grid, a running bond, a chequer, or printed cement tiles."""
    pattern = canvas.choose("pattern", "grid", "grid", "running", "checker", "ornament")
    rows, columns = canvas.options["count"]
    x, y = canvas.grid()
    v = y / canvas.height * rows
    row = np.floor(v).astype(int)
    u = x / canvas.width * columns + (0.5 * (row % 2) if pattern == "running" else 0)
    column = np.floor(u).astype(int) % columns
    label = row * columns + column
    relief = canvas.rng.normal(0, 3.5, rows * columns)[label] + 2.2 * canvas.fractal(0.25, 3)
    image = shaded(canvas.base, relief)
    if pattern == "checker":
        image = np.where(((row + column) % 2)[..., None] == 0, image, shaded(canvas.colours[1], relief))
    elif pattern == "ornament":
        image = blended(image, canvas.colours[1], _cement_print(canvas, u % 1, v % 1))
    else:
        accents = canvas.rng.random(rows * columns) < canvas.choose("accents", 0.0, 0.0, 0.08)
        image = np.where(accents[label][..., None], shaded(canvas.colours[1], relief), image)
    grout = canvas.choose("grout", 0.004, 0.006)
    gap = np.minimum(_distance_to_edge(u) * canvas.width / columns, _distance_to_edge(v) * canvas.height / rows)
    joint = np.clip(1.3 - gap / grout, 0, 1)
    return blended(image, canvas.colours[2] * np.float32(0.9), joint)


def _distance_to_edge(position: Array) -> Array:
    return np.abs(position - np.round(position))


def _cement_print(canvas: Canvas, u: Array, v: Array) -> Array:
    """Return the cover of an ornament symmetric in a tile: arcs about its corners, a star in its middle."""
    a, b = np.abs(u - 0.5) * 2, np.abs(v - 0.5) * 2
    corner = np.hypot(1 - a, 1 - b)
    inner, width = canvas.rng.uniform(0.45, 0.75), canvas.rng.uniform(0.1, 0.2)
    arcs = np.abs(corner - inner) < width / 2
    star = (a * b < canvas.rng.uniform(0.02, 0.08)) & (np.maximum(a, b) < canvas.rng.uniform(0.4, 0.7))
    diamond = np.abs(a + b - canvas.rng.uniform(0.5, 0.9)) < 0.08
    return (arcs | star | diamond) * 0.85


def brick(canvas: Canvas) -> Array:
    """Bricks in running bond, each with its own tone, rough, with pale mortar."""
    rows, columns = 2 * round(canvas.height / 0.15), round(canvas.width / 0.25)
    x, y = canvas.grid()
    v = y / canvas.height * rows
    row = np.floor(v).astype(int)
    u = x / canvas.width * columns + 0.5 * (row % 2)
    label = row * columns + np.floor(u).astype(int) % columns
    relief = canvas.rng.normal(0, 11, rows * columns)[label] + 5 * canvas.fractal(0.08, 3)
    hue = canvas.rng.normal(0, 0.015, (rows * columns, 3)).astype(np.float32)[label]
    image = shaded(canvas.base, relief) * (1 + hue)
    gap = np.minimum(_distance_to_edge(u) * canvas.width / columns, _distance_to_edge(v) * canvas.height / rows)
    joint = np.clip(1.5 - (gap + 0.002 * canvas.noise(0.03)) / 0.006, 0, 1)
    return blended(image, shaded(canvas.colours[1], 3 * canvas.noise(0.04)), joint)


def marble(canvas: Canvas) -> Array:
    """Polished marble: clouds, and veins of even width where a noise changes sign, strong in places."""
    image = shaded(canvas.base, 3.0 * canvas.fractal(0.6, 3) + 1.5 * canvas.noise(0.05))
    for scale, width, weight in ((0.9, 2.2, 0.65), (0.4, 1.3, 0.45), (0.2, 0.9, 0.35)):
        level = canvas.fractal(scale, 4)
        down, across = np.gradient(level)
        pixels = np.abs(level) / (np.hypot(down, across) + 1e-4)
        strength = np.clip(0.6 + 0.5 * canvas.noise(0.5), 0, 1)
        image = blended(image, canvas.colours[1], weight * strength * np.clip(1.3 - pixels / width, 0, 1))
    return image


def noise(canvas: Canvas) -> Array:
    """Stone of many grains: terrazzo with coloured chips, or granite."""
    image = shaded(canvas.base, 2.0 * canvas.fractal(0.2, 4))
    if canvas.choose("kind", "terrazzo", "granite") == "granite":
        image = blended(image, canvas.colours[1], np.clip(canvas.noise(0.022) - 0.7, 0, 0.8))
        return blended(image, canvas.colours[2], np.clip(canvas.noise(0.03) - 0.8, 0, 0.8))
    density = canvas.columns / canvas.width
    count = int(canvas.width * canvas.height * canvas.choose("chips", 350, 550))
    rng = canvas.rng
    for _ in range(count):
        corners = int(rng.integers(4, 7))
        angle = np.sort(rng.uniform(0, 2 * np.pi, corners))
        reach = (
            rng.gamma(
                4.0,
                0.003,
            )
            * density
            * rng.uniform(0.6, 1.2, corners)
        )
        chip = np.stack([reach * np.cos(angle), reach * np.sin(angle)], axis=-1)
        colour = canvas.colours[rng.integers(1, len(canvas.colours))] * rng.uniform(0.85, 1.1)
        _stamp(image, chip + rng.uniform(0, 1, 2) * (canvas.columns, canvas.rows), colour)
    return image


def _stamp(image: Array, polygon: Array, colour: Array) -> None:
    """Fill a convex polygon (K, 2) of pixels, also where it sticks out over the seam."""
    rows, columns = image.shape[:2]
    low, high = polygon.min(axis=0), polygon.max(axis=0)
    for dx in (-columns, 0, columns):
        for dy in (-rows, 0, rows):
            if high[0] + dx > 0 and low[0] + dx < columns and high[1] + dy > 0 and low[1] + dy < rows:
                points = np.round(np.add(polygon, (dx, dy)) * 16).astype(np.int32)
                cv2.fillConvexPoly(image, points, [float(c) for c in colour], cv2.LINE_AA, 4)


def fabric(canvas: Canvas) -> Array:
    """Woven cloth: plain, melange, chequered, striped, dotted or printed."""
    pattern = canvas.choose("pattern", "plain", "melange", "melange", "check", "stripe", "dots", "print")
    x, y = canvas.grid()
    threads = np.cos(2 * np.pi * 80 * x / canvas.width) * np.cos(2 * np.pi * 80 * y / canvas.height)
    relief = 2.5 * threads + 2.6 * canvas.fractal(0.16, 3) + 2.2 * canvas.noise(0.02)
    image = shaded(canvas.base, relief)
    if pattern == "melange":
        return blended(image, canvas.colours[1], np.clip(0.35 * canvas.noise(0.035, 0.012), 0, 0.55))
    if pattern == "check":
        repeats = int(canvas.choose("repeats", 3, 4, 6))
        bars = [np.abs((a * repeats) % 1 - 0.5) < w for a in (x / canvas.width, y / canvas.height) for w in (0.2, 0.05)]
        image = blended(image, canvas.colours[1], 0.3 * bars[0] + 0.3 * bars[2])
        return blended(image, canvas.colours[2], 0.45 * np.maximum(bars[1] * 1.0, bars[3]))
    if pattern == "stripe":
        wave = (x / canvas.width * int(canvas.choose("repeats", 5, 8))) % 1
        return blended(image, canvas.colours[1], 0.7 * (np.abs(wave - 0.5) < canvas.rng.uniform(0.1, 0.25)) + 0 * y)
    if pattern in ("dots", "print"):
        side = canvas.columns // int(canvas.choose("repeats", 4, 5))
        for layer, colour in enumerate(canvas.colours[1:3]):
            kind = "geometric" if pattern == "dots" else canvas.choose("motif", "botanical", "blossom", "trellis")
            image = blended(
                image, colour, 0.7 * repeated(motif_cell(canvas, kind, side, layer), canvas, half_drop=True)
            )
    return image


def carpet(canvas: Canvas) -> Array:
    """Wall-to-wall carpet: looped pile with flecks and a faint lattice."""
    image = shaded(canvas.base, 3.5 * canvas.noise(0.025) + 3.0 * canvas.fractal(0.3, 3))
    image = blended(image, canvas.colours[1], np.clip(canvas.noise(0.03) - 0.9, 0, 0.7))
    if canvas.choose("pattern", "fleck", "lattice") == "lattice":
        side = canvas.columns // int(canvas.choose("repeats", 5, 8))
        image = blended(
            image, canvas.colours[1], 0.4 * repeated(motif_cell(canvas, "trellis", side, 1), canvas, half_drop=True)
        )
    return image


def metal(canvas: Canvas) -> Array:
    """Brushed metal, the strokes running across."""
    return shaded(canvas.base, 5 * canvas.noise(0.3, 0.02) + 3 * canvas.noise(0.12) + 1.5 * canvas.noise(0.2, 0.008))


def plastic(canvas: Canvas) -> Array:
    """Lacquer and plastic: nearly even, with faint clouds and scuffs."""
    scuffs = np.clip(canvas.noise(0.07, 0.02) - 1.7, 0, 1)
    return shaded(canvas.base, 1.5 * canvas.fractal(0.25, 3) - 9 * scuffs)


def leather(canvas: Canvas) -> Array:
    """Leather: a pebbled grain, worn lighter in patches, with creases."""
    creases = np.clip(1 - np.abs(canvas.fractal(0.12, 2)) * 7, 0, 1)
    return shaded(canvas.base, 4.5 * canvas.fractal(0.18, 3) + 2.5 * canvas.noise(0.012) - 12 * creases)


def leaf(canvas: Canvas) -> Array:
    """A leaf's skin: mottled green with pale side veins about a midrib along u."""
    x, y = canvas.grid()
    across = np.abs(y / canvas.height * 2 - 1)
    veins = np.abs(((x / canvas.width * 8 + across * 2) % 1) - 0.5) < 0.07
    image = shaded(canvas.base, 8 * canvas.fractal(0.05, 3))
    return blended(image, canvas.colours[1], np.maximum(0.4 * veins, 0.6 * (across < 0.07)))


def grass(canvas: Canvas) -> Array:
    """A lawn seen from above: tufts of many greens."""
    image = shaded(canvas.base, 14 * canvas.noise(0.03, 0.08) + 10 * canvas.fractal(0.4, 4))
    return blended(image, canvas.colours[1], np.clip(0.5 * canvas.noise(0.05, 0.12), 0, 0.7))


def glass(canvas: Canvas) -> Array:
    """A pane by the light it would throw back: soft slanting reflections on a pale ground."""
    x, y = canvas.grid()
    slant = np.sin(2 * np.pi * (x / canvas.width + y / canvas.height) + 0.6 * canvas.noise(0.5))
    return shaded(canvas.base, 7 * np.clip(slant, 0, 1) + 3 * canvas.noise(0.4))


def mirror(canvas: Canvas) -> Array:
    """A mirror by a blurred picture of some room: a light upper wall, a darker floor, soft upright shapes."""
    x, y = canvas.grid()
    upright = 9 * canvas.noise(0.25, 1.0) + 5 * canvas.noise(0.1, 0.5)
    horizon = np.clip((y / canvas.height - 0.62) * 12, 0, 1) + 0 * x
    return blended(shaded(canvas.base, upright), canvas.colours[1], 0.65 * horizon)


def shade(canvas: Canvas) -> Array:
    """Lamp-shade cloth or opal glass."""
    return shaded(canvas.base, 1.5 * canvas.noise(0.01, 0.3) + 1.5 * canvas.fractal(0.15, 2))


def wicker(canvas: Canvas) -> Array:
    """Basket weave: strands that pass over and under each other."""
    x, y = canvas.grid()
    columns, rows = round(canvas.width / 0.04), 2 * round(canvas.height / 0.04)
    u, v = x / canvas.width * columns, y / canvas.height * rows
    over = (np.floor(u) + np.floor(v)) % 2
    rounded = np.where(over == 0, np.sin(np.pi * (v % 1)), np.sin(np.pi * (u % 1)))
    return shaded(canvas.base, 30 * rounded - 22 + 6 * over + 5 * canvas.noise(0.03))


def ceramic(canvas: Canvas) -> Array:
    """Glazed pottery: speckled, banded or with a painted ornament."""
    image = shaded(canvas.base, 2.5 * canvas.fractal(0.1, 3))
    kind = canvas.choose("kind", "speckled", "banded", "painted", "plain")
    _, y = canvas.grid()
    if kind == "speckled":
        return blended(image, canvas.colours[1], np.clip(canvas.noise(0.012) - 1.4, 0, 0.8))
    if kind == "banded":
        bands = np.sin(2 * np.pi * y / canvas.height * canvas.rng.integers(2, 5)) + 0.15 * canvas.noise(0.1)
        return blended(image, canvas.colours[1], (np.clip(bands, 0.55, 0.75) - 0.55) * 4 + np.zeros_like(image[..., 0]))
    if kind == "painted":
        cell = motif_cell(canvas, "botanical", max(16, canvas.columns // 3), 0)
        return blended(image, canvas.colours[1], 0.85 * repeated(cell, canvas, half_drop=True))
    return image
