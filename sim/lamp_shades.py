"""Which surfaces are shades of lamps: these stand for their light, so that no simulator counts it twice."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from .scene import Lighting, Scene

Array = NDArray[Any]

_SHADE_REACH = 0.5  # metres from a lamp within which an emissive surface is its shade


def lamp_shades(scene: Scene, lighting: Lighting) -> Array:
    """Return which triangles (T,) belong to the shade of a lamp: they emit light and are close to one."""
    emits = np.array([max(material.emission) > 0 for material in scene.materials], dtype=bool)
    shade = emits[scene.triangle_material]
    if not lighting.lamps or not shade.any():
        return np.zeros(len(scene.triangles), dtype=bool)
    centres = scene.vertices[scene.triangles[shade]].mean(axis=1)
    distance = cKDTree([lamp.position for lamp in lighting.lamps]).query(centres)[0]
    shade[shade] = distance < _SHADE_REACH
    return shade
