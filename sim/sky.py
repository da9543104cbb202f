"""The sky that is seen behind a scene, the same in every simulator."""

from __future__ import annotations

import math

from .compiled import compiled
from .projection import plain_view


@compiled(error_model="numpy")
def sky_radiance(frame, x, y, sky):  # type: ignore[no-untyped-def]
    """Return the sky's radiance along (x, y, 1) in a camera: brightest at the horizon, a dim ground below it.

    ``frame`` is the camera's :func:`~relocbench.sim.projection.plain_view`, ``sky`` (3,) the scene's, linear RGB.
    """
    up = (frame[6] * x + frame[7] * y + frame[8]) / math.sqrt(x * x + y * y + 1.0)
    if up >= 0:
        level = 1.15 - 0.45 * up
        return sky[0] * level, sky[1] * level, sky[2] * level
    ground = 0.3 * (sky[0] + sky[1] + sky[2]) / 3
    blend = math.exp(up * 12.0)
    return (
        ground + (1.15 * sky[0] - ground) * blend,
        ground + (1.15 * sky[1] - ground) * blend,
        ground + (1.15 * sky[2] - ground) * blend,
    )


@compiled(error_model="numpy")
def fill_sky(view, sky, seen):  # type: ignore[no-untyped-def]
    """Fill ``seen`` (H * W, 3) float32 with the sky behind everything, before the tone curve."""
    frame = plain_view(view)
    for pixel in range(len(seen)):
        x = (pixel % view.width + view.du - view.cx) * frame[12]
        y = (pixel // view.width + view.dv - view.cy) * frame[13]
        seen[pixel, 0], seen[pixel, 1], seen[pixel, 2] = sky_radiance(frame, x, y, sky)
