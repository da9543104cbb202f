"""A dataset at one glance: where cameras stood, their frusta, rooms and places, beside what they saw.

Where there is no scene, every map is drawn from above as far as its views tell: paths, frusta and a scale.
"""

from __future__ import annotations

from collections.abc import Collection
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray
from shapely import unary_union
from shapely.geometry import MultiPoint, Polygon

from ..datasets.dataset import OVERVIEW, Dataset
from ..datasets.manifest import SceneRecord
from ..datasets.views import ViewSet
from ..errors import InputError
from ..sim.processes.whole_files import disk_errors
from ..sim.scene import Scene
from ..sim.scene_files import load_scene
from .camera_plan import COLOUR_OF, REFERENCE, draw_cameras, frustum_outlines
from .figures import INK, MUTED
from .floor_plan import evenly

FLOOR, FREE, FURNITURE = "#f4f2ee", "#dfeadf", "#cfc8bd"
PLACE = "#CC79A7"
COVISIBILITY_COLOURS = "viridis_r"

MAPS_SHOWN = 5  # per scene, in the contact sheet
IMAGES_SHOWN = 4  # per role and map
MARKS_SHOWN = 240  # per role on a floor plan: more and they hide each other
_DPI = 110
_WIDTH, _ROW, _HEADER = 16.5, 6.4, 0.6  # inches


def write_overview(folder: str | Path, out: Path | None = None) -> Path:
    """Draw the dataset in ``folder`` into a PNG, ``overview.png`` in the folder by default, and return its path.

    Raises `InputError` where the folder holds no dataset or the place cannot be written to.
    """
    dataset = Dataset.open(folder)
    path = dataset.root / OVERVIEW if out is None else out
    if path.suffix.lower() != ".png":
        raise InputError(f"{path}: the overview is a PNG; name a file that ends in .png")
    picture = draw_overview(dataset)
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))[1].tobytes())
    return path


def draw_overview(dataset: Dataset, *, scenes: int = 3) -> NDArray[Any]:
    """Return a picture (H, W, 3) uint8 sRGB of up to ``scenes`` scenes, or maps without one, test scenes first."""
    parts = _parts(dataset)[:scenes]
    if not parts:
        raise InputError(f"{dataset.root}: holds no view to draw")
    figure = Figure(figsize=(_WIDTH, _HEADER + _ROW * len(parts)), dpi=_DPI, facecolor="white")
    canvas = FigureCanvasAgg(figure)
    manifest = dataset.manifest
    scene_word = "scene" if len(manifest.scenes) == 1 else "scenes"
    counts = ", ".join(f"{c.scenes} {split}" for split, c in manifest.splits.items() if c.scenes)
    title = f"{manifest.name}: {manifest.views} views of {len(manifest.scenes)} {scene_word} ({counts})"
    heights = [_HEADER] + [_ROW] * len(parts)
    header, *rows = figure.subfigures(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
    header.text(0.02, 0.4, title, fontsize=14, color=INK)
    for row, (record, views) in zip(rows, parts, strict=True):
        _draw_part(row, dataset, record, views)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def _parts(dataset: Dataset) -> list[tuple[SceneRecord, ViewSet]]:
    """Return what gets a row of its own: a scene, or each map of one that is known from its views only."""
    order = {"test": 0, "val": 1, "train": 2}
    parts = []
    for record in sorted(dataset.manifest.scenes, key=lambda record: order[record.split]):
        views = dataset.views.where(scene=record.name)
        maps = [views.where(map=name) for name in dict.fromkeys(views.table["map"])]
        parts += [(record, part) for part in ([views] if record.file else maps) if len(part)]
    return parts


def _draw_part(figure: SubFigure, dataset: Dataset, record: SceneRecord, views: ViewSet) -> None:
    left, right = figure.subfigures(1, 2, width_ratios=[6, 9], squeeze=False)[0]
    plan = left.subplots()
    left.subplots_adjust(left=0.08, right=0.98, top=0.88, bottom=0.08)
    if record.file:
        scene = load_scene(dataset.root / record.file)
        draw_plan(plan, scene, views, skipped={room.room for room in record.skipped_rooms})
    else:
        draw_cameras(plan, views)
        _legend(plan, views)
    if record.places is not None:
        _draw_places(plan, views, np.array(record.places.points))
    name = views.table["map"].iloc[0] if not record.file and views.table["map"].iloc[0] else record.name
    plan.set_title(f"{name} ({record.split})", loc="left", fontsize=11, color=INK, pad=22)
    _draw_contact_sheet(right, views)


def draw_plan(axis: Axes, scene: Scene, views: ViewSet, *, skipped: Collection[str] = ()) -> None:
    """Draw a scene's rooms, furniture and free floor from above, and the frusta of the given views.

    ``skipped`` names rooms that the dataset leaves out; they are hatched.
    """
    for room in scene.rooms:
        _fill(axis, room.polygon, FLOOR, INK, hatch="////" if room.name in skipped else None)
    for polygon in scene.navigable.geoms:
        _fill(axis, polygon, FREE, "none")
    for outline in furniture_outlines(scene):
        _fill(axis, outline, FURNITURE, MUTED, width=0.4)
    for role in ("train", "query", "reference"):
        _draw_frusta(axis, views.where(role=role), role)
    for room in scene.rooms:
        x, y = room.polygon.representative_point().coords[0]
        halo = [withStroke(linewidth=2, foreground="white")]
        axis.text(x, y, room.name, ha="center", va="center", fontsize=7, color=INK, path_effects=halo, zorder=5)
    axis.set_aspect("equal")
    _frame(axis, scene)
    axis.set_xlabel("x (m)")
    axis.set_ylabel("y (m)")
    axis.tick_params(labelsize=8)
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)
    _legend(axis, views)


def _draw_places(axis: Axes, views: ViewSet, points: NDArray[Any]) -> None:
    """Draw each place's representative point, and the line that leads to it from its training image."""
    references = views.where(role="reference")
    eyes = references.poses.translation[:, :2]
    ends = points[references.table["place"].to_numpy()]
    axis.add_collection(LineCollection(list(np.stack([eyes, ends], axis=1)), colors=REFERENCE, linewidths=0.8))
    axis.scatter(points[:, 0], points[:, 1], s=26, color=PLACE, edgecolors="white", linewidths=0.7, zorder=4)


def _frame(axis: Axes, scene: Scene) -> None:
    """Show the rooms, and not the garden; all there is in a scene without rooms."""
    x0, y0, x1, y1 = (
        unary_union([room.polygon for room in scene.rooms]).bounds if scene.rooms else scene.bounds[:, :2].flat
    )
    axis.set_xlim(x0 - 0.4, x1 + 0.4)
    axis.set_ylim(y0 - 0.4, y1 + 0.4)


def furniture_outlines(scene: Scene) -> list[Polygon]:
    """Return the convex outline, in world x, y, of every object that stands between ankle and eye height.

    An outline that spans half a room or more belongs to walls, floor or ceiling, and is left out.
    """
    heights = scene.vertices[:, 2] - scene.floor_height
    largest = 0.5 * max([room.polygon.area for room in scene.rooms], default=np.inf)
    order = np.argsort(scene.triangle_instance, kind="stable")
    starts = np.searchsorted(scene.triangle_instance[order], np.arange(len(scene.instances) + 1))
    outlines = []
    for start, stop in pairwise(starts):
        corners = np.unique(scene.triangles[order[start:stop]])
        if len(corners) < 3 or heights[corners].min() > 1.7 or heights[corners].max() < 0.1:
            continue
        outline = MultiPoint(scene.vertices[corners, :2]).convex_hull
        if isinstance(outline, Polygon) and 0.02 < outline.area < largest:
            outlines.append(outline)
    return outlines


def _fill(axis: Axes, polygon: Polygon, face: str, edge: str, *, width: float = 1.2, hatch: str | None = None) -> None:
    axis.fill(*polygon.exterior.xy, facecolor=face, edgecolor=edge, linewidth=width, hatch=hatch)
    for hole in polygon.interiors:
        axis.fill(*hole.xy, facecolor=FLOOR, edgecolor="none")


def _draw_frusta(axis: Axes, views: ViewSet, role: str) -> None:
    if not len(views):
        return
    table = evenly(views.table, MARKS_SHOWN)
    shown = ViewSet(table, views.root, depth_unit=views.depth_unit)
    # of a sweep's references, the ones that every step has
    first = (role == "reference") & (table["density"] == table["density"].min()).to_numpy()
    outlines = frustum_outlines(shown, np.where(first, 0.55, 0.25))
    collection = PolyCollection(outlines, linewidths=np.where(first, 1.5, 0.6))
    if role == "query" and table["covisibility"].notna().any():
        colours = ScalarMappable(Normalize(0, 1), COVISIBILITY_COLOURS).to_rgba(table["covisibility"].to_numpy())
        collection.set(edgecolors=colours, facecolors=colours * [1, 1, 1, 0.35])
        _colour_bar(axis)
    else:
        collection.set(edgecolors=COLOUR_OF[role], facecolors=(1, 1, 1, 0.25))
    axis.add_collection(collection)
    x, y, _ = shown.poses.translation.T
    axis.scatter(x, y, s=np.where(first, 14, 2), color=COLOUR_OF[role], zorder=3)


def _colour_bar(axis: Axes) -> None:
    mappable = ScalarMappable(Normalize(0, 1), COVISIBILITY_COLOURS)
    bar = axis.figure.colorbar(mappable, ax=axis, shrink=0.5, pad=0.02, aspect=30)
    bar.set_label("queries: covisibility with their reference", fontsize=7)
    bar.ax.tick_params(labelsize=7)


def _legend(axis: Axes, views: ViewSet) -> None:
    counts = views.table["role"].value_counts()
    style: dict[str, Any] = {"marker": ">", "linestyle": "none", "markersize": 5}
    marks = [
        Line2D([], [], color=COLOUR_OF[role], label=f"{counts[role]} {plural}", **style)
        for role, plural in (("reference", "references"), ("query", "queries"), ("train", "training views"))
        if role in counts
    ]
    if (views.table["place"] >= 0).any():
        places = f"{views.table['place'].nunique()} places"
        marks.append(Line2D([], [], color=PLACE, marker="o", linestyle="none", markersize=5, label=places))
    axis.legend(handles=marks, loc="lower left", bbox_to_anchor=(-0.02, 0.99), ncols=4, fontsize=8, frameon=False)


def _draw_contact_sheet(figure: SubFigure, views: ViewSet) -> None:
    rows = contact_rows(views.table)
    axes = figure.subplots(len(rows), 2 * IMAGES_SHOWN, squeeze=False)
    figure.subplots_adjust(left=0.03, right=0.99, top=0.95, bottom=0.02, wspace=0.04, hspace=0.06)
    for row, (title, table) in zip(axes, rows, strict=True):
        row[0].set_ylabel(title, fontsize=8, color=INK)
        shown = ViewSet(table, views.root, depth_unit=views.depth_unit)
        for axis, view in zip(row, shown, strict=False):
            _show(axis, view.image() if view.files["image"] else _depth_picture(view.depth()), COLOUR_OF[view.role])
        for axis in row[len(shown) :]:
            axis.set_axis_off()


def contact_rows(table: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Return (title, views) of the rows of a scene's contact sheet: per map, or per place,
    its references, then some queries; for a scene to learn from, rows of its views."""
    train = table[table["role"] == "train"]
    if len(train):
        wanted = 2 * IMAGES_SHOWN * min(MAPS_SHOWN, -(-len(train) // (2 * IMAGES_SHOWN)))
        chosen = evenly(train, wanted)
        return [
            ("training views", chosen.iloc[i : i + 2 * IMAGES_SHOWN]) for i in range(0, len(chosen), 2 * IMAGES_SHOWN)
        ]
    rows = []
    if (table["place"] >= 0).any():
        for place in np.unique(table["place"])[:MAPS_SHOWN]:
            here = table[table["place"] == place].sort_values("role", ascending=False, kind="stable")
            rows.append((f"place {place}", here.iloc[: 2 * IMAGES_SHOWN]))
        return rows
    maps = list(dict.fromkeys(table["map"]))[:MAPS_SHOWN]
    for name in maps:
        roles = [table[(table["map"] == name) & (table["role"] == role)] for role in ("reference", "query")]
        lines = min(MAPS_SHOWN // len(maps), -(-max(map(len, roles)) // IMAGES_SHOWN))
        roles = [evenly(role, lines * IMAGES_SHOWN) for role in roles]
        for start in range(0, lines * IMAGES_SHOWN, IMAGES_SHOWN):
            title = "" if start else str(name).rpartition("/")[2]
            rows.append((title, pd.concat([role.iloc[start : start + IMAGES_SHOWN] for role in roles])))
    return rows


def _show(axis: Axes, picture: NDArray[Any], frame: str) -> None:
    axis.imshow(picture)
    axis.set_xticks([])
    axis.set_yticks([])
    for spine in axis.spines.values():
        spine.set(edgecolor=frame, linewidth=2.2)


def _depth_picture(depth: NDArray[Any]) -> NDArray[Any]:
    near = np.where(depth > 0, 1 / np.maximum(depth, 0.2), 0)
    picture = cv2.applyColorMap((near / near.max() * 255).astype(np.uint8), cv2.COLORMAP_VIRIDIS)
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
