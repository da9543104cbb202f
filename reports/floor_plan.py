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

#: The colour scale of errors is the same in all plans, so that two methods' plans compare at a glance.
LEAST_ERROR, LARGEST_ERROR = 0.05, 5.0  # metres
ERROR_COLOURS = "crest"  # light to dark, and never as light as the floor
FAILURE_COLOUR = COLOURS[1]
QUERIES_PER_PLAN = 120  # more than this and arrows cover each other
SCENES_PER_FIGURE = 6
ARROW = 0.28  # metres

Outline = NDArray[Any]


def floor_plan(estimates: pd.DataFrame, outlines: Mapping[str, Sequence[Outline]]) -> Figure:
    """Draw one method's queries on the floor plan of each scene.

    An arrow is a true pose, coloured by its translation error; a line leads from it to the estimated position; a cross
    is a failure. ``estimates`` holds one method at one density (``ESTIMATE_COLUMNS``); ``outlines`` gives each scene's
    rooms as rings (K, 2) in world x, y metres, and may lack scenes. Large tables are thinned evenly.
    """
    scenes = sorted(set(estimates["scene"]))[:SCENES_PER_FIGURE]
    shown = {scene: evenly(estimates[estimates["scene"] == scene], QUERIES_PER_PLAN) for scene in scenes}
    boxes = {scene: _bounds(outlines.get(scene, ()), queries) for scene, queries in shown.items()}
    width, height = np.max([box[1] - box[0] for box in boxes.values()], axis=0)
    columns = min(len(scenes), 2)
    rows = -(-len(scenes) // columns)
    panel = min(WIDTH * 0.8 / columns / width * height, 6.0)
    with drawing():
        figure, axes = new_figure(columns, rows=rows, height=rows * (panel + 0.9) + 0.5)
        for axis, scene in zip(axes.ravel(), scenes, strict=False):
            _draw_scene(axis, shown[scene], outlines.get(scene, ()))
            _frame(axis, boxes[scene], (width, height))  # one scale for all houses
            axis.set_title(scene)
        for axis in axes.ravel()[len(scenes) :]:
            axis.set_visible(False)
        _legend(figure, axes)
    return figure


def evenly(table: pd.DataFrame, count: int) -> pd.DataFrame:
    """Return at most ``count`` rows of a table, evenly spaced, in order."""
    if len(table) <= count:
        return table
    return table.iloc[np.unique(np.linspace(0, len(table) - 1, count).round().astype(int))]


def _draw_scene(axis: Axes, queries: pd.DataFrame, rooms: Sequence[Outline]) -> None:
    for ring in rooms:
        axis.fill(*np.asarray(ring).T[:2], facecolor=FLOOR, edgecolor=MUTED, linewidth=1.1, zorder=1)
    failed = (queries["status"] == "failure").to_numpy(dtype=bool)
    _draw_failures(axis, queries[failed])
    _draw_answers(axis, queries[~failed & queries["est_tx"].notna().to_numpy(dtype=bool)])
    axis.set_aspect("equal")
    axis.grid(False)
    axis.set_xlabel("x (m)")
    axis.set_ylabel("y (m)")


def _draw_failures(axis: Axes, queries: pd.DataFrame) -> None:
    axis.scatter(
        queries["true_tx"], queries["true_ty"], marker="x", s=26, linewidths=1.4, color=FAILURE_COLOUR, zorder=4
    )


def _draw_answers(axis: Axes, queries: pd.DataFrame) -> None:
    if queries.empty:
        return
    truth = pose_from_table(queries, "true_")
    start, ahead = truth.translation[:, :2], truth.forward[:, :2]
    ends = queries[["est_tx", "est_ty"]].to_numpy()
    errors = np.clip(queries["translation_error"], LEAST_ERROR, LARGEST_ERROR)
    colours = _error_colours()(_norm()(errors))
    segments = np.stack([start, ends], axis=1)
    axis.add_collection(LineCollection(list(segments), colors=colours, linewidths=0.9, alpha=0.75, zorder=2))
    axis.scatter(ends[:, 0], ends[:, 1], s=7, color=colours, zorder=3)
    axis.quiver(
        *start.T,
        *(ahead * ARROW).T,
        color=colours,
        angles="xy",
        scale_units="xy",
        scale=1,
        units="xy",
        width=0.055,
        headwidth=3.6,
        headlength=3.6,
        headaxislength=3.4,
        zorder=4,
    )


def _bounds(rooms: Sequence[Outline], queries: pd.DataFrame) -> NDArray[Any]:
    """Return the box (2, 2) around the rooms, not the estimates: an answer far outside must not shrink the house."""
    points = [np.asarray(ring)[:, :2] for ring in rooms] or [queries[["true_tx", "true_ty"]].to_numpy()]
    corners = np.concatenate(points)
    return np.stack([corners.min(axis=0) - 0.3, corners.max(axis=0) + 0.3])


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
