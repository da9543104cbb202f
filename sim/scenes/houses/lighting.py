"""Day, evening and dim light for a house."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ...scene import Lamp, Lighting, Sun

_WARM, _NEUTRAL = np.array([1.0, 0.86, 0.68]), np.array([1.0, 0.95, 0.88])


#: Categories that shine: those that light a room, and those that light a corner of it.
LUMINAIRES: dict[str, Literal["ceiling", "corner"]] = {
    "light": "ceiling",
    "chandelier": "ceiling",
    "lamp": "corner",
    "sconce": "corner",
}


@dataclass(frozen=True)
class Luminaire:
    """Something that shines: its kind, the point in metres that light comes from, and the floor ``area`` in square
    metres that it would have to light."""

    kind: Literal["ceiling", "corner"]
    position: tuple[float, float, float]
    area: float


def light_conditions(luminaires: Sequence[Luminaire], rng: np.random.Generator) -> dict[str, Lighting]:
    """Return the conditions "day", "evening" and "dim" of a house.

    The units are arbitrary but the same for all: a room lit as in the evening has about the irradiance 1 to 3.
    """
    return {"day": _day(luminaires, rng), "evening": _evening(luminaires), "dim": _dim(luminaires)}


def _lamps(luminaires: Sequence[Luminaire], ceiling: float, other: float, colour: np.ndarray) -> tuple[Lamp, ...]:
    """Return lamps: those on ceilings shine in proportion to the area they light, others are all as bright."""
    lamps = []
    for luminaire in luminaires:
        intensity = ceiling * (0.8 + 0.27 * luminaire.area) if luminaire.kind == "ceiling" else other
        if intensity > 0:
            red, green, blue = (float(channel) for channel in intensity * colour)
            lamps.append(Lamp(luminaire.position, (red, green, blue)))
    return tuple(lamps)


def _day(luminaires: Sequence[Luminaire], rng: np.random.Generator) -> Lighting:
    """Sun and sky through the windows; ceiling lamps shine weakly, for rooms without a window."""
    azimuth, elevation = rng.uniform(0, 2 * np.pi), np.radians(rng.uniform(25, 55))
    x, y = -np.cos(elevation) * np.cos(azimuth), -np.cos(elevation) * np.sin(azimuth)
    sun = Sun((float(x), float(y), -float(np.sin(elevation))), (20.0, 18.6, 16.4))
    lamps = _lamps(luminaires, 0.8, 0.0, _NEUTRAL)
    return Lighting(sun=sun, sky=(4.6, 5.1, 5.8), lamps=lamps, exposure=1.0, emission_scale=0.2)


def _evening(luminaires: Sequence[Luminaire]) -> Lighting:
    return Lighting(sky=(0.02, 0.03, 0.06), lamps=_lamps(luminaires, 1.0, 1.5, _WARM), exposure=0.85)


def _dim(luminaires: Sequence[Luminaire]) -> Lighting:
    """Dusk through the windows, and lamps turned low: darker than the evening, but no picture is black."""
    lamps = _lamps(luminaires, 0.12, 1.0, _WARM * (1.0, 0.93, 0.82))
    return Lighting(sky=(0.5, 0.6, 0.85), lamps=lamps, exposure=1.1, emission_scale=0.5)
