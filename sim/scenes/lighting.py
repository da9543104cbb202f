"""Day, evening and dim light for a house."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..scene import Lamp, Lighting, Sun

#: Luminaires by category: colour and strength (linear RGB irradiance at 1 m) of what each gives.
_WARM, _NEUTRAL = np.array([1.0, 0.86, 0.68]), np.array([1.0, 0.95, 0.88])


def light_conditions(
    lights: Sequence[tuple[str, tuple[float, float, float]]], rng: np.random.Generator
) -> dict[str, Lighting]:
    """Return the conditions "day", "evening" and "dim" of a house.

    ``lights`` are its luminaires: category ("light" on a ceiling, "lamp" elsewhere) and the point that shines.
    """
    return {"day": _day(lights, rng), "evening": _evening(lights, rng), "dim": _dim(lights, rng)}


def _lamps(
    lights: Sequence[tuple[str, tuple[float, float, float]]], strength: dict[str, float], colour: np.ndarray
) -> tuple[Lamp, ...]:
    return tuple(
        Lamp(position, (float(r), float(g), float(b)))
        for category, position in lights
        if strength.get(category, 0.0) > 0
        for r, g, b in [strength[category] * colour]
    )


def _day(lights: Sequence[tuple[str, tuple[float, float, float]]], rng: np.random.Generator) -> Lighting:
    azimuth, elevation = rng.uniform(0, 2 * np.pi), np.radians(rng.uniform(25, 55))
    x, y = -np.cos(elevation) * np.cos(azimuth), -np.cos(elevation) * np.sin(azimuth)
    sun = Sun((float(x), float(y), -float(np.sin(elevation))), (22.0, 20.5, 18.0))
    return Lighting(
        sun=sun,
        sky=(4.2, 4.7, 5.4),
        lamps=_lamps(lights, {"light": 1.6}, _NEUTRAL),
        exposure=1.0,
        emission_scale=0.15,
    )


def _evening(lights: Sequence[tuple[str, tuple[float, float, float]]], rng: np.random.Generator) -> Lighting:
    return Lighting(
        sky=(0.02, 0.03, 0.06),
        lamps=_lamps(lights, {"light": 6.0, "lamp": 1.6}, _WARM),
        exposure=0.8,
        emission_scale=1.0,
    )


def _dim(lights: Sequence[tuple[str, tuple[float, float, float]]], rng: np.random.Generator) -> Lighting:
    return Lighting(
        sky=(0.25, 0.3, 0.4),
        lamps=_lamps(lights, {"lamp": 1.6, "light": 0.25}, _WARM * (1.0, 0.95, 0.85)),
        exposure=0.9,
        emission_scale=0.6,
    )
