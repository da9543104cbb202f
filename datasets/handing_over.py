"""Both ends of a sealed folder: views as plain values on the way in, and as views again where they are read."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from ..sim.geometry import Camera, Pose
from .sealed import TABLE, QueryToSeal, SealedQuery, SealedViews, ViewsToSeal, opaque
from .views import CAMERA_COLUMNS, FILES, POSE_COLUMNS, VIEW_COLUMNS, View, ViewSet


def views_to_seal(views: ViewSet) -> ViewsToSeal:
    """Return views with all that is known of them, to be laid into a sealed folder."""
    files = {kind: tuple(views.table[kind]) for kind in FILES}
    names = {kind: [opaque(number, kind, path) for number, path in enumerate(paths)] for kind, paths in files.items()}
    table = views.table.assign(**{kind: pd.Series(own, dtype=VIEW_COLUMNS[kind]) for kind, own in names.items()})
    content = io.BytesIO()
    table.to_parquet(content, index=False)
    return ViewsToSeal(str(views.root), views.depth_unit, files, content.getvalue())


def references_to_seal(references: ViewSet) -> ViewsToSeal:
    """Return references with what a method may know of them: nothing that a protocol says, or that tells of queries."""
    table = references.table[list(VIEW_COLUMNS)].assign(covisibility=float("nan"), covisible_reference="")
    known = ViewSet(table.astype(VIEW_COLUMNS), references.root, depth_unit=references.depth_unit)
    return views_to_seal(known)


def queries_to_seal(queries: ViewSet, seed: Callable[[str], int]) -> tuple[QueryToSeal, ...]:
    """Return queries, each with the ``seed`` of its id."""
    table = queries.table
    files = [dict(zip(FILES, paths, strict=True)) for paths in zip(*(table[kind] for kind in FILES), strict=True)]
    cameras = table[CAMERA_COLUMNS].to_numpy(dtype=np.float64).tolist()
    poses = table[POSE_COLUMNS].to_numpy(dtype=np.float64).tolist()
    root = str(queries.root)
    return tuple(
        QueryToSeal(name, root, own, queries.depth_unit, tuple(camera), seed(name), tuple(pose))
        for name, own, camera, pose in zip(queries.ids, files, cameras, poses, strict=True)
    )


def opened(sealed: SealedViews) -> ViewSet:
    """Return the views in a sealed folder; reading what was withheld raises `WithheldError`."""
    folder = Path(sealed.folder)
    return ViewSet(
        pd.read_parquet(folder / TABLE), folder, depth_unit=sealed.depth_unit, withheld=frozenset(sealed.withheld)
    )


def query_view(sealed: SealedQuery) -> View:
    """Return a query as a view without a name; its pose is the identity where that was not handed over."""
    width, height, *intrinsics = sealed.camera
    values = np.array(sealed.pose or (1, 0, 0, 0, 0, 0, 0), dtype=np.float64)
    return View(
        id="query",
        scene="",
        split="",
        role="query",
        map="",
        room="",
        condition="",
        place=-1,
        camera=Camera(int(width), int(height), *intrinsics),
        pose=Pose.from_quaternion(values[:4], values[4:]),
        root=Path(sealed.folder),
        files={**dict.fromkeys(FILES, ""), **sealed.files},
        depth_unit=sealed.depth_unit,
    )
