"""Rays against a scene's triangles: a thin door to Embree."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class Hits(NamedTuple):
    """What N rays met first: ``triangle`` (N,) int32, -1 for none; barycentrics ``u``, ``v`` and ``distance`` (N,)
    float32, in lengths of the direction; ``facing`` (N, 3) float32, the triangle's normal, not unit, by its winding.

    The hit point is ``(1 - u - v) * p0 + u * p1 + v * p2`` of the triangle's corners.
    """

    triangle: Array
    u: Array
    v: Array
    distance: Array
    facing: Array


class RayScene:
    """Indexed triangles in an Embree acceleration structure. Surfaces are hit from both sides.

    Directions need no unit length: distances come in units of the direction, so that rays scaled to z = 1 in the
    camera's frame yield z-depth. Embree's robust mode is on: no ray slips through an edge that triangles share.
    """

    def __init__(self, vertices: Array, triangles: Array) -> None:
        from embreex.mesh_construction import TriangleMesh
        from embreex.rtcore_scene import EmbreeScene

        self._scene = EmbreeScene(robust=True)
        self._empty = len(triangles) == 0
        if not self._empty:
            vertices = np.ascontiguousarray(vertices, dtype=np.float32)
            TriangleMesh(self._scene, vertices, np.ascontiguousarray(triangles, dtype=np.int32))

    def intersect(self, origins: Array, directions: Array) -> Hits:
        """Return what rays, origins and directions (N, 3) float32, meet first."""
        if self._empty:
            nothing = np.zeros(len(origins), dtype=np.float32)
            return Hits(np.full(len(origins), -1, dtype=np.int32), nothing, nothing, nothing, np.zeros_like(origins))
        hit = self._scene.run(origins, directions, output=1)
        return Hits(hit["primID"], hit["u"], hit["v"], hit["tfar"], hit["Ng"])

    def blocked(self, origins: Array, directions: Array, reach: float | Array = 1e30) -> Array:
        """Return which rays (N, 3) float32 hit anything closer than ``reach`` direction lengths, (N,) bool."""
        if self._empty:
            return np.zeros(len(origins), dtype=bool)
        limits = np.full(len(origins), reach, dtype=np.float32)
        return self._scene.run(origins, directions, dists=limits, query="OCCLUDED") == 0
