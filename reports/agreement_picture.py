"""The picture of an `Agreement`: some views, what each simulator shows of them, and where they differ."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from ..errors import InputError, RunError
from ..sim.agreement import DEPTH_LIMIT, Agreement, PairAgreement, ViewDifference
from ..sim.scenes.houses.contact_sheet import view_score
from .figures import INK, MUTED

Array = NDArray[Any]

VIEWS_SHOWN = 4
LEFT_OUT, WRONG = (0.86, 0.87, 0.89), (0.84, 0.0, 0.16)
_METRES = LogNorm(1e-6, 1e-2, clip=True)
_COLOURS = "YlGnBu"
_PANEL, _GAP, _MARGIN, _TOP, _BOTTOM, _DPI = 2.6, 0.06, 0.15, 0.6, 0.8, 110  # inches, and pixels per inch


def write_picture(agreement: Agreement, out: Path) -> Path:
    """Draw the agreement into the JPEG or PNG ``out`` and return its path; raises ``InputError`` for a wrong name."""
    check_name(out)
    quality = [] if out.suffix.lower() == ".png" else [cv2.IMWRITE_JPEG_QUALITY, 90]
    content = cv2.imencode(out.suffix, cv2.cvtColor(draw_picture(agreement), cv2.COLOR_RGB2BGR), quality)[1]
    try:
        out.write_bytes(content.tobytes())
    except OSError as error:
        raise RunError(f"{out}: cannot be written: {error.strerror}") from error
    return out


def check_name(out: Path) -> None:
    """Raise ``InputError`` where no picture can be written to ``out``: better before the rendering than after it."""
    if not out.parent.is_dir() or out.suffix.lower() not in {".jpg", ".jpeg", ".png"}:
        raise InputError(f"{out}: name a .jpg or .png in a folder that exists")


def draw_picture(agreement: Agreement) -> Array:
    """Return the picture (H, W, 3) uint8 sRGB: one row per view; all are compared with the first simulator."""
    names = list(agreement.observations)
    pairs = [pair for pair in agreement.pairs if pair.first == names[0]]
    views = _telling_views(agreement)
    width, height = _PANEL, _PANEL * agreement.camera.height / agreement.camera.width
    columns = len(names) + 2 * len(pairs)
    size = (
        2 * _MARGIN + columns * width + (columns - 1) * _GAP,
        _TOP + _BOTTOM + len(views) * height + (len(views) - 1) * _GAP,
    )
    figure = Figure(figsize=size, dpi=_DPI, facecolor="white")
    canvas = FigureCanvasAgg(figure)

    def panel(row: int, column: int) -> Axes:
        left, top = _MARGIN + column * (width + _GAP), size[1] - _TOP - row * (height + _GAP)
        axis = figure.add_axes((left / size[0], (top - height) / size[1], width / size[0], height / size[1]))
        axis.set_axis_off()
        return axis

    for row, view in enumerate(views):
        for column, name in enumerate(names):
            axis = panel(row, column)
            axis.imshow(np.asarray(agreement.observations[name][view].rgb))
            if row == 0:
                _head(axis, name, "colour")
        for number, pair in enumerate(pairs):
            depth, labels = (panel(row, len(names) + 2 * number + k) for k in (0, 1))
            one, other = (agreement.observations[name][view] for name in (pair.first, pair.second))
            difference = ViewDifference.between(one, other)
            depth.imshow(_depth_panel(difference))
            labels.imshow(_label_panel(difference, np.asarray(one.instance)))
            if row == 0:
                _head_pair(depth, labels, pair)
    _explain(figure, agreement, start=(2 * _MARGIN + len(names) * (width + _GAP)) / size[0], height=size[1])
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def _telling_views(agreement: Agreement) -> list[int]:
    """Return the indices of the views in which most is to be seen, in order."""
    first = next(iter(agreement.observations.values()))
    scores = [view_score(np.asarray(view.instance), np.asarray(view.depth)) for view in first]
    return sorted(np.argsort(scores)[::-1][:VIEWS_SHOWN].tolist())


def _depth_panel(difference: ViewDifference) -> Array:
    """Return the depth difference in colours (H, W, 3) in [0, 1]; grey where it is not compared."""
    mappable = ScalarMappable(_METRES, _COLOURS)
    return np.where(difference.both[..., None], mappable.to_rgba(difference.depth)[..., :3], LEFT_OUT)


def _label_panel(difference: ViewDifference, instance: Array) -> Array:
    """Return every object in a pale colour (H, W, 3) in [0, 1], red where the labels differ, grey where left out."""
    pale = 0.72 + 0.26 * np.random.default_rng(3).random((int(instance.max()) + 1, 3))
    wrong = difference.seen & ~(difference.category & difference.instance)
    picture = np.where(difference.seen[..., None], pale[instance], LEFT_OUT)
    return np.where(wrong[..., None], WRONG, picture)


def _head(axis: Axes, title: str, below: str) -> None:
    axis.text(0.0, 1.115, title, transform=axis.transAxes, fontsize=11, fontweight="bold", color=INK, va="bottom")
    axis.text(0.0, 1.02, below, transform=axis.transAxes, fontsize=8.8, color=MUTED, va="bottom")


def _head_pair(depth: Axes, labels: Axes, pair: PairAgreement) -> None:
    _head(
        depth,
        f"depth: {pair.second}, {pair.first}",
        f"median {length(pair.depth_median)}, 99 % below {length(pair.depth_p99)}",
    )
    _head(labels, f"labels: {pair.second}, {pair.first}", f"{percent(pair.instance)} the same object")


def length(metres: float) -> str:
    """Return a length with three digits, in micrometres below a millimetre; "–" for NaN."""
    if np.isnan(metres):
        return "–"
    return f"{metres * 1e6:.3g} µm" if metres < 0.9995e-3 else f"{metres * 1e3:.3g} mm"


def percent(share: float) -> str:
    """Return a share in percent with two decimals, rounded down: 100 % means all; "–" for NaN."""
    return "–" if np.isnan(share) else f"{np.floor(share * 1e4) / 100:.5g} %"


def _explain(figure: Figure, agreement: Agreement, *, start: float, height: float) -> None:
    """Write what the colours mean below the panels."""
    scene, camera = agreement.scene, agreement.camera
    figure.text(
        _MARGIN / figure.get_figwidth(),
        0.42 / height,
        f"{scene.name}, {agreement.condition}: {len(agreement.poses.matrix)} poses, "
        f"{camera.width} × {camera.height} pixels, {len(scene.triangles):,} triangles",
        fontsize=10,
        color=INK,
        va="center",
    )
    bar_axis = figure.add_axes((start, 0.52 / height, 0.2, 0.13 / height))
    bar = figure.colorbar(ScalarMappable(_METRES, _COLOURS), cax=bar_axis, orientation="horizontal")
    bar.set_ticks(ticks := [1e-6, 1e-5, 1e-4, 1e-3, 1e-2], labels=[length(tick) for tick in ticks])
    bar.ax.axvline(DEPTH_LIMIT, color=WRONG, linewidth=1.2)
    bar.ax.tick_params(labelsize=9, colors=INK)
    bar.ax.minorticks_off()
    bar.outline.set_visible(False)
    figure.legend(
        handles=[
            Patch(color=LEFT_OUT, label="within 2 pixels of a depth edge, or nothing hit: not compared"),
            Patch(color=WRONG, label="labels differ; on the scale: the limit of the median"),
        ],
        loc="center left",
        bbox_to_anchor=(start + 0.22, 0.46 / height),
        fontsize=9.5,
        frameon=False,
        labelcolor=INK,
    )
