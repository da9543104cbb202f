"""Cameras seen from above, without a scene: their frusta, the paths along which they come, and a bar for the scale."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from numpy.typing import ArrayLike, NDArray
from shapely.geometry import MultiPoint

from ..datasets.views import CAMERA_COLUMNS, ViewSet
from .figures import INK, MUTED
from .top_view import WORLD_TOP, TopView

REFERENCE, QUERY, TRAIN = "#0072B2", "#D55E00", "#009E73"  # Okabe and Ito
COLOUR_OF = {"reference": REFERENCE, "query": QUERY, "train": TRAIN}

REACH = 0.035  # of a frustum without a scene, as a share of the extent; so far they stand apart, too
NEIGHBOURS = 0.4  # of the distance between any two views: from there on neighbours are no neighbours
JUMP = 8.0  # times the usual step: a path ends there, and another begins


def draw_cameras(axis: Axes, views: ViewSet) -> None:
    """Draw views without a scene: their frusta, the path where they come along one, and a bar for the scale."""
    top = TopView.of(views.poses)
    centres = top.place(views.poses.translation)[:, :2]
    low, high = centres.min(axis=0), centres.max(axis=0)
    extent = max(float(np.linalg.norm(high - low)), 1e-3)
    for role in ("train", "reference", "query"):
        own = views.where(role=role)
        for path in paths(own.poses.translation):
            axis.plot(*top.place(path).T[:2], color=COLOUR_OF[role], linewidth=0.8, alpha=0.5, zorder=1)
        x, y, _ = top.place(own.poses.translation).T
        axis.scatter(x, y, s=3, color=COLOUR_OF[role], zorder=2)
        reach = REACH * extent
        apart = ViewSet(own.table.iloc[spaced(np.column_stack([x, y]), reach)], own.root, depth_unit=own.depth_unit)
        frusta = PolyCollection(frustum_outlines(apart, reach, top), linewidths=1.0, zorder=3)
        frusta.set(edgecolors=COLOUR_OF[role], facecolors=(1, 1, 1, 0.25))
        axis.add_collection(frusta)
    axis.set_aspect("equal")
    margin = 0.08 * extent
    side = (high - low).max() / 2 + margin  # square, so that the picture does not depend on the shape of the path
    x, y = (low + high) / 2
    axis.set_axis_off()
    axis.set_xlim(x - side, x + side)
    axis.set_ylim(y - side, y + side)
    _scale_bar(axis, extent)
    how = "from above, along z" if top.along_z else "along the direction in which cameras spread least"
    axis.annotate(f"seen {how}", (1, 0), xycoords="axes fraction", ha="right", va="bottom", fontsize=8, color=MUTED)


def spaced(points: NDArray[Any], least: float) -> NDArray[np.intp]:
    """Return the rows, in order, of points (N, 2) that lie ``least`` or more from all points kept before."""
    kept: list[int] = []
    for row, point in enumerate(points):
        if (np.linalg.norm(points[kept] - point, axis=1) >= least).all():
            kept.append(row)
    return np.array(kept, dtype=np.intp)


def paths(centres: NDArray[Any]) -> list[NDArray[Any]]:
    """Return the stretches (K, 3) of a path in the order of camera centres (N, 3), cut at jumps.

    None where neighbours in that order lie about as far apart as any two: such photographs come along no path.
    """
    if len(centres) < 3:
        return []
    steps = np.linalg.norm(np.diff(centres, axis=0), axis=1)
    rng = np.random.default_rng(0)
    others = np.concatenate([np.linalg.norm(centres - rng.permutation(centres), axis=1) for _ in range(8)])
    if steps.mean() > NEIGHBOURS * others.mean():
        return []
    stretches = np.split(centres, 1 + np.flatnonzero(steps > JUMP * np.median(steps)))
    return [stretch for stretch in stretches if len(stretch) > 1]


def _scale_bar(axis: Axes, extent: float) -> None:
    """Draw a bar of a round length, a fifth of the extent or a little less."""
    decade = 10.0 ** np.floor(np.log10(extent / 5))
    length = max(step * decade for step in (1, 2, 5) if step * decade <= extent / 5)
    (x, right), (y, top) = axis.get_xlim(), axis.get_ylim()
    x, y = x + 0.02 * (right - x), y + 0.02 * (top - y)
    axis.plot([x, x + length], [y, y], color=INK, linewidth=2.5, solid_capstyle="butt", zorder=6)
    axis.annotate(f"{length:g} m", (x, y), (0, 5), textcoords="offset points", fontsize=8, color=INK, zorder=6)


def frustum_outlines(views: ViewSet, reach: ArrayLike, top: TopView = WORLD_TOP) -> list[NDArray[Any]]:
    """Return the outline (K, 2) of each view's frustum in a picture: of the camera and the corners of its image,
    ``reach`` (N,) or one number of metres along the optical axis."""
    cameras = views.table[CAMERA_COLUMNS].to_numpy(dtype=np.float64)
    width, height, fx, fy, cx, cy = cameras.T
    sides = [((u - cx) / fx, (v - cy) / fy) for u in (0, width) for v in (0, height)]
    corners = np.stack([np.column_stack([x, y, np.ones(len(cameras))]) for x, y in sides], axis=1)
    pyramids = np.concatenate([np.zeros((len(cameras), 1, 3)), corners], axis=1)
    scaled = pyramids * np.broadcast_to(reach, len(views))[:, None, None]
    drawn = top.place(views.poses.transform_points(scaled))[..., :2]
    return [shapely.get_coordinates(MultiPoint(points).convex_hull) for points in drawn]
