"""`Plan`: the views that a protocol wants of one scene, as rows of the views table, before anything is rendered."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..sim.geometry import Pose
from ..sim.scene import Scene
from .manifest import SkippedRoom
from .spec import DatasetSpec
from .views import CAMERA_COLUMNS, VIEW_COLUMNS, pose_columns


@dataclass(frozen=True, eq=False)
class Plan:
    """A protocol's answer for one scene: rows with `VIEW_COLUMNS`, files and covisibility still empty, and what was
    left out."""

    table: pd.DataFrame
    skipped: tuple[SkippedRoom, ...] = ()


def generator(spec: DatasetSpec, scene: str, *purpose: str) -> np.random.Generator:
    """Return the random numbers of one purpose in the scene of that name.

    They depend on the spec's seed, the scene's name and the purpose only: asking for more queries moves no reference,
    and adding a scene changes no other.
    """
    names = [zlib.crc32(name.encode()) for name in (scene, *purpose)]
    return np.random.default_rng([spec.seed, *names])


def planned_views(
    spec: DatasetSpec,
    scene: Scene,
    *,
    split: str,
    role: str,
    poses: Pose,
    names: Sequence[str],
    rooms: Sequence[str],
    map_name: str = "",
    density: int = 0,
) -> pd.DataFrame:
    """Return the rows of views that share a role and a map; ``names`` are unique in the scene."""
    camera = spec.camera.camera
    columns = {
        "view": [f"{scene.name}/{name}" for name in names],
        "scene": scene.name,
        "split": split,
        "role": role,
        "map": map_name,
        "room": list(rooms),
        "condition": spec.condition_of(role),
        "simulator": spec.simulator.name,
        **{column: getattr(camera, column) for column in CAMERA_COLUMNS},
        **pose_columns(poses),
        "place": -1,
        "density": density,
        "covisibility": np.nan,
        **dict.fromkeys(("reference_angle", "reference_distance"), np.nan),
        **dict.fromkeys(("covisible_reference", "image", "depth", "semantic"), ""),
    }
    return pd.DataFrame(columns, index=range(len(names))).astype(VIEW_COLUMNS)[list(VIEW_COLUMNS)]


def joined(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return tables of planned views as one, in order; an empty one where there are none."""
    if not tables:
        return pd.DataFrame({column: pd.Series(dtype=dtype) for column, dtype in VIEW_COLUMNS.items()})
    return pd.concat(tables, ignore_index=True)
