"""Floor plans with true and estimated poses: where a method errs, and in which direction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from ..datasets.views import pose_from_table
from .figures import FLOOR, INK, MUTED, WIDTH, drawing, new_figure
from .palette import COLOURS
from .top_view import WORLD_TOP, TopView

#: The colour scale of errors is the same in all plans, so that two methods' plans compare at a glance.
LEAST_ERROR, LARGEST_ERROR = 0.05, 5.0  # metres
ERROR_COLOURS = "crest"  # light to dark, and never as light as the floor
FAILURE_COLOUR = COLOURS[1]
QUERIES_PER_PLAN = 120  # more than this and arrows cover each other
SCENES_PER_FIGURE = 6
ARROW = 0.28  # metres, in rooms
_ARROW_SHARE = 0.03  # of the extent, elsewhere

Outline = NDArray[Any]


def floor_plan(estimates: pd.DataFrame, outlines: Mapping[str, Sequence[Outline]]) -> Figure:
    """Draw one method's queries on the floor plan of each scene.

    An arrow is a true pose, coloured by its translation error; a line leads from it to the estimated position; a cross
    is a failure. ``estimates`` holds one method at one step of the sweep (``ESTIMATE_COLUMNS``); ``outlines`` gives
    each scene's rooms as rings (K, 2) in world x, y metres. A scene without rooms is seen as `TopView` finds best, and
    its arrows are as long as its extent asks for. Large tables are thinned evenly.
    """
    scenes = sorted(set(estimates["scene"]))[:SCENES_PER_FIGURE]
    shown = {scene: evenly(estimates[estimates["scene"] == scene], QUERIES_PER_PLAN) for scene in scenes}
    tops = {scene: scene_view(queries, outlines.get(scene, ())) for scene, queries in shown.items()}
    boxes = {scene: _bounds(outlines.get(scene, ()), queries, tops[scene]) for scene, queries in shown.items()}
    width, height = np.max([box[1] - box[0] for box in boxes.values()], axis=0)
    columns = min(len(scenes), 2)
    rows = -(-len(scenes) // columns)
    panel = min(WIDTH * 0.8 / columns / width * height, 6.0)
    with drawing():
        figure, axes = new_figure(columns, rows=rows, height=rows * (panel + 0.9) + 0.5)
        for axis, scene in zip(axes.ravel(), scenes, strict=False):
            _draw_scene(axis, shown[scene], outlines.get(scene, ()), tops[scene])
            _frame(axis, boxes[scene], (width, height))  # one scale for all houses
            axis.set_title(scene)
        for axis in axes.ravel()[len(scenes) :]:
            axis.set_visible(False)
        _legend(figure, axes)
    return figure


def scene_view(queries: pd.DataFrame, rooms: Sequence[Any]) -> TopView:
    """Return from where a scene is drawn: along z where it has rooms, or else so that its true poses spread out."""
    return WORLD_TOP if len(rooms) else TopView.of(pose_from_table(queries, "true_"))


def evenly(table: pd.DataFrame, count: int) -> pd.DataFrame:
    """Return at most ``count`` rows of a table, evenly spaced, in order."""
    if len(table) <= count:
        return table
    return table.iloc[np.unique(np.linspace(0, len(table) - 1, count).round().astype(int))]


def _draw_scene(axis: Axes, queries: pd.DataFrame, rooms: Sequence[Outline], top: TopView) -> None:
    for ring in rooms:
        axis.fill(*np.asarray(ring).T[:2], facecolor=FLOOR, edgecolor=MUTED, linewidth=1.1, zorder=1)
    failed = (queries["status"] == "failure").to_numpy(dtype=bool)
    arrow = ARROW if len(rooms) else _ARROW_SHARE * max(float(np.ptp(_true_places(queries, top), axis=0).max()), 1e-3)
    _draw_failures(axis, queries[failed], top)
    _draw_answers(axis, queries[~failed & queries["est_tx"].notna().to_numpy(dtype=bool)], top, arrow=arrow)
    axis.set_aspect("equal")
    axis.grid(False)
    axis.set_xlabel("x (m)" if top.along_z else "along the largest spread of the cameras (m)")
    axis.set_ylabel("y (m)" if top.along_z else "across it (m)")


def _true_places(queries: pd.DataFrame, top: TopView) -> NDArray[Any]:
    """Return where the queries were taken (N, 2), in the picture."""
    return top.place(queries[["true_tx", "true_ty", "true_tz"]].to_numpy(dtype=np.float64))[:, :2]


def _draw_failures(axis: Axes, queries: pd.DataFrame, top: TopView) -> None:
    x, y = _true_places(queries, top).T
    axis.scatter(x, y, marker="x", s=26, linewidths=1.4, color=FAILURE_COLOUR, zorder=4)


def _draw_answers(axis: Axes, queries: pd.DataFrame, top: TopView, *, arrow: float) -> None:
    if queries.empty:
        return
    start = _true_places(queries, top)
    ahead = top.place(pose_from_table(queries, "true_").forward)[:, :2]
    ends = top.place(queries[["est_tx", "est_ty", "est_tz"]].to_numpy())[:, :2]
    errors = np.clip(queries["translation_error"], LEAST_ERROR, LARGEST_ERROR)
    colours = _error_colours()(_norm()(errors))
    segments = np.stack([start, ends], axis=1)
    axis.add_collection(LineCollection(list(segments), colors=colours, linewidths=0.9, alpha=0.75, zorder=2))
    axis.scatter(ends[:, 0], ends[:, 1], s=7, color=colours, zorder=3)
    axis.quiver(
        *start.T,
        *(ahead * arrow).T,
        color=colours,
        angles="xy",
        scale_units="xy",
        scale=1,
        units="xy",
        width=0.2 * arrow,
        headwidth=3.6,
        headlength=3.6,
        headaxislength=3.4,
        zorder=4,
    )


def _bounds(rooms: Sequence[Outline], queries: pd.DataFrame, top: TopView) -> NDArray[Any]:
    """Return the box (2, 2) around the rooms, not the estimates: an answer far outside must not shrink the house."""
    corners = np.concatenate([np.asarray(ring)[:, :2] for ring in rooms] or [_true_places(queries, top)])
    margin = 0.3 if len(rooms) else 0.06 * np.ptp(corners, axis=0).max() + 0.05
    return np.stack([corners.min(axis=0) - margin, corners.max(axis=0) + margin])


def _frame(axis: Axes, box: NDArray[Any], size: tuple[float, float]) -> None:
    centre, (width, height) = box.mean(axis=0), size
    axis.set_xlim(centre[0] - width / 2, centre[0] + width / 2)
    axis.set_ylim(centre[1] - height / 2, centre[1] + height / 2)


def _error_colours() -> Any:
    return sns.color_palette(ERROR_COLOURS, as_cmap=True)


def _norm() -> LogNorm:
    return LogNorm(LEAST_ERROR, LARGEST_ERROR)


def _legend(figure: Figure, axes: NDArray[Any]) -> None:
    scale = ScalarMappable(_norm(), _error_colours())
    bar = figure.colorbar(scale, ax=list(axes.ravel()), aspect=30, pad=0.015, extend="both")
    ticks = [0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0]
    bar.set_ticks(ticks, labels=[f"{tick:g}" for tick in ticks])
    bar.minorticks_off()
    bar.outline.set_visible(False)
    bar.set_label("Translation error (m)")
    handles = [
        Line2D([], [], marker=(3, 0, -90), color=INK, linestyle="", markersize=8, label="true pose"),
        Line2D([], [], marker="o", color=INK, markersize=3, linewidth=0.9, label="to the estimated position"),
        Line2D([], [], marker="x", color=FAILURE_COLOUR, linestyle="", markeredgewidth=1.4, label="failed there"),
    ]
    figure.legend(handles=handles, loc="outside lower left", ncols=3)
