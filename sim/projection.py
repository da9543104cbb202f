"""One view as compiled kernels read it, and the rays of its pixels."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .compiled import compiled
from .geometry import Camera

Array = NDArray[Any]


class Projection(NamedTuple):
    """One view: rotation (3, 3) and centre (3,) of world_from_camera, float64; intrinsics; offset inside the pixel."""

    rotation: Array
    centre: Array
    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float
    du: float = 0.5
    dv: float = 0.5

    @classmethod
    def of(cls, world_from_camera: Array, camera: Camera) -> Projection:
        """Return the view of one pose (4, 4), through pixel centres."""
        pose = np.ascontiguousarray(world_from_camera[:3, :3]), np.ascontiguousarray(world_from_camera[:3, 3])
        size = (int(camera.width), int(camera.height))
        return cls(*pose, *size, float(camera.fx), float(camera.fy), float(camera.cx), float(camera.cy))


@compiled(error_model="numpy")
def primary_rays(view, origins, directions):  # type: ignore[no-untyped-def]
    """Fill origins and directions (H * W, 3) float32 of a view's rays in the world, scaled to z = 1 in the camera."""
    for row in range(view.height):
        y = (row + view.dv - view.cy) / view.fy
        for column in range(view.width):
            x = (column + view.du - view.cx) / view.fx
            pixel = row * view.width + column
            for k in range(3):
                origins[pixel, k] = view.centre[k]
                directions[pixel, k] = view.rotation[k, 0] * x + view.rotation[k, 1] * y + view.rotation[k, 2]


@compiled(error_model="numpy")
def plain_view(view):  # type: ignore[no-untyped-def]
    """Return a view as plain numbers: rotation row by row (0-8), centre (9-11), 1 / fx and 1 / fy (12, 13)."""
    r, c = view.rotation, view.centre
    return (
        r[0, 0], r[0, 1], r[0, 2], r[1, 0], r[1, 1], r[1, 2], r[2, 0], r[2, 1], r[2, 2],
        c[0], c[1], c[2], 1.0 / view.fx, 1.0 / view.fy,
    )  # fmt: skip
