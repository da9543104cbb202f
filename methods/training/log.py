"""The picture of a training: its loss, and what else its task reports, over the steps."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

_INK, _LINE = "#1f2430", "#0072B2"
_ACROSS = 3  # panels in a row
_NO_CURVE = ("step", "houses", "learning_rate")


def draw_log(log: pd.DataFrame, path: Path, *, title: str) -> None:
    """Draw each column of a training's log over its steps into a PNG, one panel each."""
    columns = [name for name in log.columns if name not in _NO_CURVE]
    across = min(len(columns), _ACROSS)
    down = -(-len(columns) // across)
    figure = Figure(figsize=(4.2 * across, 3.2 * down), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(down, across, squeeze=False).ravel()
    for unused in axes[len(columns) :]:
        unused.set_visible(False)
    for axis, name in zip(axes, columns, strict=False):
        axis.plot(log["step"], log[name], color=_LINE, linewidth=0.8, alpha=0.4)
        axis.plot(log["step"], log[name].rolling(9, min_periods=1, center=True).mean(), color=_LINE, linewidth=1.8)
        axis.set_xlabel("Step")
        axis.set_ylabel(name.replace("_", " "))
        axis.grid(alpha=0.25)
        axis.spines[["top", "right"]].set_visible(False)
    figure.suptitle(title, color=_INK, fontsize=11)
    figure.savefig(path)
