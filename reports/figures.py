"""The look that all figures share, an axis that can show infinity, and how figures are saved."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from pathlib import Path
from types import MappingProxyType
from typing import Any

import matplotlib
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator, PercentFormatter
from numpy.typing import NDArray

from .palette import BLIND_COLOUR, CHANCE_COLOUR, COLOURS, ORACLE_COLOUR, page_colour

INK = "#1d232b"
MUTED = "#68707a"
GRID = "#e3e6ea"
FLOOR = "#f4f5f7"
WIDTH = 9.6  # inches: a text block's width at 100 pixels per inch, so that 9-point type reads as 9-point type

_STYLE: Any = {
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlecolor": INK,
    "axes.labelsize": 9.5,
    "axes.linewidth": 0.8,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same figure on every machine
    "font.size": 9,
    "lines.linewidth": 1.9,
    "svg.fonttype": "path",
    "svg.hashsalt": "relocbench",  # element ids that do not change from run to run
    "savefig.dpi": 160,
}


@contextmanager
def drawing() -> Iterator[None]:
    """Draw under the report's style, on a canvas that needs no display; the caller's settings come back after."""
    with matplotlib.rc_context(), sns.axes_style("ticks", rc=_STYLE), matplotlib.rc_context(_STYLE):
        yield


def new_figure(columns: int = 1, *, height: float, rows: int = 1, **options: Any) -> tuple[Figure, NDArray[Any]]:
    """Return a figure of the report's width, ``height`` inches tall, and its axes (rows, columns)."""
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, **options)
    for axis in axes.ravel():
        axis.grid(True, which="major")
        axis.set_axisbelow(True)
        sns.despine(ax=axis)
    return figure, axes


def svg_text(figure: Figure) -> str:
    """Return a figure as an SVG document, the same text for the same figure."""
    buffer = io.StringIO()
    with drawing():
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": "relocbench"})
    return buffer.getvalue()


def save_png(figure: Figure, path: Path, *, texts: Mapping[str, str] = MappingProxyType({})) -> None:
    """Write a figure as PNG, the same bytes for the same figure; ``texts`` are kept in the file by their keywords."""
    with drawing():
        figure.savefig(path, format="png", metadata={"Software": None, **texts})


def inline_svg(document: str, name: str, description: str) -> str:
    """Return an SVG document as an element for a page: labelled, ids made unique by ``name``, colours left to the page.

    Ink, greys, background and the methods' colours become CSS variables, so that one drawing suits a light and a dark
    page.
    """
    svg = document[document.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', svg)
    svg = re.sub(r'href="#([^"]+)"', rf'href="#{name}-\1"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", svg)
    svg = re.sub(r' (width|height)="[\d.]+pt"', "", svg, count=2)
    for colour, variable in (
        (INK, "--ink"),
        (MUTED, "--muted"),
        (GRID, "--line"),
        (FLOOR, "--floor"),
        ("#ffffff", "--paper"),
    ):
        svg = svg.replace(colour, f"var({variable})")
    for colour in (*COLOURS, BLIND_COLOUR, CHANCE_COLOUR, ORACLE_COLOUR):
        svg = svg.replace(colour.lower(), page_colour(colour))
    return svg.replace("<svg", f'<svg role="img" aria-label="{escape(description)}"', 1)


@dataclass(frozen=True)
class LogScale:
    """A logarithmic axis whose end holds what is infinite: medians of methods that mostly fail."""

    low: float
    high: float
    infinity: float | None

    @classmethod
    def around(cls, values: NDArray[Any], *, floor: float = 1e-3) -> LogScale:
        """Return the scale that holds ``values``; those below ``floor`` are drawn at it."""
        values = np.asarray(values, dtype=np.float64)
        finite = values[np.isfinite(values)]
        low, high = (finite.min(), finite.max()) if len(finite) else (1.0, 1.0)
        low, high = max(low, floor) / 1.35, max(high, floor) * 1.35
        decades = np.log10(high / low)
        return cls(low, high, high * 10 ** (0.09 * decades + 0.05) if np.isinf(values).any() else None)

    def place(self, values: Any) -> NDArray[Any]:
        """Return where to draw ``values``: infinite ones on the strip at the end, tiny ones at the low end."""
        values = np.asarray(values, dtype=np.float64)
        shown = np.clip(values, self.low, self.high)
        return np.where(np.isposinf(values), self.infinity if self.infinity is not None else self.high, shown)

    def apply(self, axis: Axes, which: str = "y") -> None:
        """Set the axis' scale, limits and ticks; infinity gets a tick of its own behind a thin rule."""
        top = self.high if self.infinity is None else self.infinity * (self.infinity / self.high)
        ticks = log_ticks(self.low, self.high)
        getattr(axis, f"set_{which}scale")("log")
        getattr(axis, f"set_{which}lim")(self.low, top)
        plain_ticks(axis, which, ticks, infinity=self.infinity)
        if self.infinity is not None:
            rule = axis.axhline if which == "y" else axis.axvline
            rule(self.high, color=MUTED, linewidth=0.8, linestyle=(0, (1, 2)), zorder=1)


@dataclass(frozen=True)
class ShareScale:
    """A linear axis of shares from 0 on, in percent."""

    high: float

    @classmethod
    def up_to(cls, values: NDArray[Any]) -> ShareScale:
        """Return the scale that holds ``values``; NaN is left out."""
        finite = np.asarray(values, dtype=np.float64)
        finite = finite[np.isfinite(finite)]
        return cls(float(finite.max()) * 1.12 if len(finite) and finite.max() > 0 else 1.0)

    def place(self, values: Any) -> NDArray[Any]:
        """Return where to draw ``values``."""
        return np.clip(np.asarray(values, dtype=np.float64), 0.0, self.high)

    def apply(self, axis: Axes) -> None:
        """Set the limits and ticks of the vertical axis."""
        axis.set_ylim(0.0, self.high)
        axis.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0 if self.high > 0.05 else 1))


def log_ticks(low: float, high: float) -> list[float]:
    """Return round numbers in [low, high]: the more, the shorter the range."""
    ratio = high / low
    steps: tuple[float, ...] = (1, 1.5, 2, 3, 4, 5, 7) if ratio < 12 else (1, 2, 5) if ratio < 500 else (1, 3)
    steps = steps if ratio < 3000 else (1,)
    decades = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    return [step * 10.0**decade for decade in decades for step in steps if low <= step * 10.0**decade <= high]


def plain_ticks(axis: Axes, which: str, ticks: list[float], *, infinity: float | None = None) -> None:
    """Label ``ticks`` with plain decimals instead of powers, and ``infinity``, where there is one, with its sign."""
    target = axis.yaxis if which == "y" else axis.xaxis
    target.set_major_locator(FixedLocator([*ticks, *([] if infinity is None else [infinity])]))
    target.set_minor_locator(NullLocator())
    target.set_major_formatter(
        FuncFormatter(lambda value, _: "∞" if infinity is not None and value > infinity * 0.999 else f"{value:.12g}")
    )
