"""The rows of planned views, and the random numbers of a plan."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from ..sim.geometry import Pose
from ..sim.scene import Scene
from .spec import DatasetSpec
from .views import CAMERA_COLUMNS, VIEW_COLUMNS, pose_columns


def generator(spec: DatasetSpec, scene: str, *purpose: str) -> np.random.Generator:
    """Return the random numbers of one purpose in the scene of that name.

    They depend on the spec's seed, the scene's name and the purpose only: asking for more queries moves no reference,
    and adding a scene changes no other.
    """
    names = [zlib.crc32(name.encode()) for name in (scene, *purpose)]
    return np.random.default_rng([spec.seed, *names])


#: What a protocol's own column holds until something is known, by dtype.
_UNKNOWN: dict[str, Any] = {"string": "", "int32": -1, "float64": np.nan}


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
        **dict.fromkeys(("covisible_reference", "image", "depth", "semantic"), ""),
    }
    own = spec.protocol.columns
    unknown = {name: _UNKNOWN[dtype] for name, dtype in own.items()}
    dtypes = {**VIEW_COLUMNS, **own}
    return pd.DataFrame({**columns, **unknown}, index=range(len(names))).astype(dtypes)[list(dtypes)]


def joined(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return tables of planned views as one, in order; an empty one where there are none."""
    if not tables:
        return pd.DataFrame({column: pd.Series(dtype=dtype) for column, dtype in VIEW_COLUMNS.items()})
    return pd.concat(tables, ignore_index=True)
