"""`Habitat`: views rendered by habitat-sim 0.3, and the conversions between its conventions and ours."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from scipy.spatial.transform import Rotation

from ...errors import InputError
from ..geometry import Camera
from ..gltf import to_y_up
from ..remote_simulator import Arrays, RemoteSimulator
from ..scene import Scene
from ..simulator import Observation
from .scene_dataset import ADVICE, MODULE, NAME, WORKER, dataset_scene
from .stage import export_stage, sky_colour

Array = NDArray[Any]

_LARGEST = 8192  # pixels along a side that graphics cards can be counted on to draw
_EXACT = 1e-3  # pixels that a sample may lie off its pixel's centre and still count as in it
_FINEST = 4  # how many times finer than the pixels a camera is drawn that fits no grid


class HabitatOptions(BaseModel):
    """What can be asked of habitat-sim."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    near: float = Field(default=0.05, gt=0, le=0.5)
    """Metres: what is closer to the camera is not drawn. The closer, the coarser is the depth of what is far."""


@dataclass(frozen=True, eq=False)
class SampledView:
    """The centred camera with square pixels that habitat-sim draws, and which of its pixels are those of ours.

    ``rows`` (H,) and ``columns`` (W,) index the drawn picture; ``hfov`` is its horizontal field of view in degrees.
    """

    width: int
    height: int
    hfov: float
    rows: Array
    columns: Array


class Habitat(RemoteSimulator):
    """Rasterised with habitat-sim 0.3, in an interpreter of its own; renders the scanned scenes of its users too.

    Scenes of ours are its stages, those of its users are read where they lie. Options are those of `HabitatOptions`.
    A camera whose principal point is off the middle, or whose pixels are not square, is cut out of a larger picture.
    Where no drawn pixel has exactly the direction of ours, pictures are drawn four times finer and the nearest is
    taken, at most an eighth of a pixel away.
    """

    name: ClassVar[str] = NAME
    worker_file: ClassVar[Path] = WORKER
    module: ClassVar[str] = MODULE
    advice: ClassVar[str] = ADVICE

    def __init__(self, *, cache_folder: Path | None = None, options: Mapping[str, Any] | None = None) -> None:
        self._near = HabitatOptions.model_validate(dict(options or {})).near
        super().__init__(cache_folder=cache_folder)
        self._categories = self._instances = np.zeros(1, np.uint32)
        self._view: tuple[Camera, SampledView] | None = None

    def _prepare(self, scene: Scene, condition: str, folder: Path) -> dict[str, Any]:
        foreign = dataset_scene(scene)
        ids = [instance.id if foreign else place for place, instance in enumerate(scene.instances, 1)]
        self._categories = np.zeros(max(ids, default=0) + 1, np.uint16)
        self._instances = np.zeros(len(self._categories), np.uint32)
        self._categories[ids] = [instance.category for instance in scene.instances]
        self._instances[ids] = [instance.id for instance in scene.instances]
        background = sky_colour(scene.conditions[condition])
        if foreign is not None:
            return {"scene": foreign[1], "dataset": foreign[0], "background": (0.0, 0.0, 0.0)}
        return {"scene": str(export_stage(scene, condition, folder).resolve()), "background": background}

    def _request(self, world_from_camera: Array, camera: Camera, outputs: frozenset[str]) -> dict[str, Any]:
        view = self._sampled(camera)
        position, rotation = agent_pose(world_from_camera)
        sensors = (outputs & {"rgb", "depth"}) | ({"instance"} if outputs & {"semantic", "instance"} else set())
        return {
            "position": position,
            "rotation": rotation,
            "width": view.width,
            "height": view.height,
            "hfov": view.hfov,
            "near": self._near,
            "outputs": sorted(sensors),
        }

    def _observation(self, reply: Arrays, camera: Camera, outputs: frozenset[str]) -> Observation:
        view = self._sampled(camera)
        seen = {name: array[view.rows[:, None], view.columns[None, :]] for name, array in reply.items()}
        raw = seen.get("instance", np.zeros(0, np.uint32))
        raw = np.where(raw < len(self._instances), raw, 0)  # what the scene's descriptor does not name
        return Observation(
            rgb=np.ascontiguousarray(seen["rgb"][..., :3]) if "rgb" in outputs else None,
            depth=seen["depth"].astype(np.float32, copy=False) if "depth" in outputs else None,
            semantic=self._categories[raw].astype(np.uint16) if "semantic" in outputs else None,
            instance=self._instances[raw] if "instance" in outputs else None,
        )

    def _sampled(self, camera: Camera) -> SampledView:
        if self._view is None or self._view[0] != camera:
            self._view = camera, sampled_view(camera)
        return self._view[1]


def agent_pose(world_from_camera: Array) -> tuple[list[float], list[float]]:
    """Return where habitat-sim puts a camera (4, 4) of ours: position (3,), and rotation (4,) as (w, x, y, z).

    The world's z axis becomes its y axis, and its cameras look along -z with y up.
    """
    rotation = to_y_up(world_from_camera[:3, :3].astype(np.float64).T).T * (1.0, -1.0, -1.0)
    quaternion = Rotation.from_matrix(rotation).as_quat(scalar_first=True)
    return to_y_up(world_from_camera[:3, 3].astype(np.float64)).tolist(), quaternion.tolist()


def sampled_view(camera: Camera) -> SampledView:
    """Return what to draw for ``camera``, and the pixels to keep; raises ``InputError`` where that is too large."""
    for finer in range(1, _FINEST + 1):
        focal = finer * camera.fx
        width, columns, off_column = _sampled_axis((np.arange(camera.width) + 0.5 - camera.cx) * finer)
        rows_at = (np.arange(camera.height) + 0.5 - camera.cy) * (focal / camera.fy)
        height, rows, off_row = _sampled_axis(rows_at)
        if max(off_column, off_row) < _EXACT:
            break
    if max(width, height) > _LARGEST:
        raise InputError(
            f"habitat: {camera} would have to be cut out of a picture of {width} x {height} pixels, and sides are at "
            f"most {_LARGEST}; choose a principal point nearer to the middle and fx equal to fy"
        )
    return SampledView(width, height, math.degrees(2 * math.atan(width / 2 / focal)), rows, columns)


def _sampled_axis(positions: Array) -> tuple[int, Array, float]:
    """Return the size of a centred axis of pixels around ``positions``, its pixels nearest to them, and how near.

    Positions are in pixels from the optical axis. Whether the axis runs through a pixel's centre or between two pixels
    is chosen so that the worst is nearest.
    """
    reach = float(np.abs(positions).max())
    found = []
    for odd in (0, 1):  # half the size is a whole number, or not
        half = math.ceil(reach + 0.5 - odd / 2 - _EXACT)
        size = 2 * half + odd
        place = positions + size / 2 - 0.5
        pixels = np.clip(np.round(place), 0, size - 1).astype(np.int64)
        found.append((float(np.abs(place - pixels).max()), size, pixels))
    off, size, pixels = min(found, key=lambda choice: choice[:2])
    return size, pixels, off
