"""The report's plots: one message each. Every function takes tables and returns a figure; nothing is measured here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray

from ..bench.curves import recall_curve
from ..bench.latency import OTHER
from ..bench.pareto import pareto_front
from ..bench.questions.question import Curve, Distribution, Panel
from ..bench.roles import COMPETITOR, is_blind
from .figures import INK, MUTED, LogScale, ShareScale, drawing, log_ticks, new_figure, plain_ticks
from .marks import spelled_out
from .palette import COLOURS, MARKERS, MethodStyle

Styles = Mapping[str, MethodStyle]

CURVE_POINTS = 400  # a curve over a million queries needs no more than this to look exact
STAGE_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#7F6AB0", "#A6A13B", "#4D8F8B")
OTHER_COLOUR = "#B4BAC2"


def cumulative_shares(
    estimates: pd.DataFrame, distribution: Distribution, order: Sequence[str], styles: Styles
) -> Figure:
    """Draw, for every bound, the share of all queries within it; failures keep a curve from reaching 100 %.

    ``estimates`` has ``ESTIMATE_COLUMNS``; ``order`` is the leaderboard's.
    """
    panels = distribution.panels
    with drawing():
        figure, axes = new_figure(len(panels), height=4.1, sharey=True)
        for axis, panel in zip(axes[0], panels, strict=True):
            asked = estimates[estimates[panel.column].notna()]
            draw = _rank_panel if panel.ranks else _cdf_panel
            draw(axis, asked, panel, order, styles)
            axis.set_ylim(0, 1.02)
            axis.set_xlabel(panel.label)
        axes[0, 0].set_ylabel(distribution.share_label)
        axes[0, 0].yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        _method_legend(figure, order, styles, markers=False)
    return figure


def _rank_panel(axis: Axes, estimates: pd.DataFrame, panel: Panel, order: Sequence[str], styles: Styles) -> None:
    """Draw recall@N against N, and chance."""
    references = int(estimates["references"].max())
    first = np.arange(1, references + 1)
    sizes, queries = np.unique(estimates["references"], return_counts=True)  # of maps, which may differ
    chance = np.average(np.minimum(first[:, None] / sizes, 1.0), axis=1, weights=queries)
    axis.plot(first, chance, color=MUTED, linestyle=(0, (1, 2)), linewidth=1.0)
    for method in reversed(order):
        share = recall_curve(estimates.loc[estimates["method"] == method, panel.column], references)
        style = styles[method]
        axis.plot(first, share, color=style.colour, linestyle=style.dash, linewidth=1.4 if style.is_bound else 2.0)
    axis.set_xscale("log")
    axis.set_xlim(1, max(references, 1.5))
    plain_ticks(axis, "x", [float(n) for n in (1, 2, 5, 10, 20, 50, 100, 200, 500) if n <= references])


def _cdf_panel(axis: Axes, estimates: pd.DataFrame, panel: Panel, order: Sequence[str], styles: Styles) -> None:
    column, floor = panel.column, panel.floor
    errors = estimates[column].to_numpy(dtype=np.float64)
    finite = errors[np.isfinite(errors)]
    low = max(floor, float(np.quantile(finite, 0.01))) if len(finite) else floor
    high = max(float(finite.max()), 2 * low) if len(finite) else 10 * floor
    for method in reversed(order):  # the best method is drawn last, on top
        x, y = _cumulative(estimates.loc[estimates["method"] == method, column].to_numpy(dtype=np.float64))
        style = styles[method]
        axis.plot(
            np.clip([low, *x, high], low, high),
            [0.0, *y, y[-1] if len(y) else 0.0],
            color=style.colour,
            linestyle=style.dash,
            linewidth=1.4 if style.is_bound else 2.0,
            drawstyle="steps-post",
        )
    axis.set_xscale("log")
    axis.set_xlim(low, high)
    plain_ticks(axis, "x", log_ticks(low, high))


def _cumulative(errors: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return sorted finite errors and the share of all queries at or below each, thinned to ``CURVE_POINTS``."""
    finite = np.sort(errors[np.isfinite(errors)])
    share = np.arange(1, len(finite) + 1) / max(len(errors), 1)
    if len(finite) > CURVE_POINTS:
        keep = np.unique(np.linspace(0, len(finite) - 1, CURVE_POINTS).round().astype(int))
        finite, share = finite[keep], share[keep]
    return finite, share


def accuracy_against_latency(points: pd.DataFrame, styles: Styles, *, label: str, share: bool = False) -> Figure:
    """Draw each method's accuracy against the median cost of a query, and the front that no method is better than.

    ``points`` has a row per method: ``method``, ``latency`` (seconds, p50), ``value`` with ``low`` and ``high``. The
    value is an error, inf where more than half of the queries fail, or with ``share`` a share, of which more is better.
    ``label`` names it. Methods that are given a part of the truth stay off the front.
    """
    competing = ~points["method"].map(lambda name: styles[name].is_bound).to_numpy(dtype=bool)
    bounds, points = points[~competing], points[competing]
    milliseconds = points["latency"].to_numpy() * 1e3
    with drawing():
        figure, axes = new_figure(height=4.4)
        axis = axes[0, 0]
        values = np.concatenate([points[["value", "low", "high"]].to_numpy().ravel(), bounds["value"].to_numpy()])
        vertical = ShareScale.up_to(values) if share else LogScale.around(values)
        horizontal = _padded(LogScale.around(milliseconds, floor=1e-4), 2.2)
        vertical.apply(axis)
        horizontal.apply(axis, "x")
        _bound_levels(axis, bounds, vertical, styles)
        _front(axis, points, vertical, horizontal, share=share)
        for row, x in zip(points.to_dict("records"), milliseconds, strict=True):
            _latency_point(axis, row, x, styles[row["method"]], vertical)
        _label_points(axis, points, milliseconds, vertical.place(points["value"]), styles)
        axis.set_xlabel("Latency of one query, p50 (ms)")
        axis.set_ylabel(label)
    return figure


def _bound_levels(axis: Axes, bounds: pd.DataFrame, scale: LogScale | ShareScale, styles: Styles) -> None:
    """Draw chance and methods that were given a part of the truth as levels: what those cost means nothing.

    A name that would cover another's stands farther to the right.
    """
    across = axis.get_yaxis_transform()
    heights = axis.transData.transform(np.column_stack([np.ones(len(bounds)), scale.place(bounds["value"])]))[:, 1]
    taken: list[tuple[int, float]] = []
    for name, value, height in zip(bounds["method"], scale.place(bounds["value"]), heights, strict=True):
        style = styles[name]
        axis.axhline(value, color=style.colour, linestyle=style.dash, linewidth=1.2, zorder=2)
        free = (slot for slot in range(len(bounds)) if all(s != slot or abs(h - height) > 14 for s, h in taken))
        slot = next(free)
        taken.append((slot, height))
        at: Any = {"xycoords": across, "textcoords": "offset points", "color": style.colour}
        axis.annotate(spelled_out(name, style.role), (min(0.33 * slot, 0.7), value), (5, 3), **at)


def _padded(scale: LogScale, factor: float) -> LogScale:
    return LogScale(scale.low / factor, scale.high * factor, scale.infinity)


def _latency_point(
    axis: Axes, row: Mapping[Any, Any], x: float, style: MethodStyle, scale: LogScale | ShareScale
) -> None:
    value, low, high = (float(scale.place(row[name])) for name in ("value", "low", "high"))
    axis.plot([x, x], [low, high], color=style.colour, linewidth=1.4, alpha=0.8, solid_capstyle="butt", zorder=3)
    axis.plot(
        x,
        value,
        marker=style.marker,
        color=style.colour,
        markersize=8,
        linestyle="none",
        zorder=4,
    )


def _label_points(axis: Axes, points: pd.DataFrame, x: NDArray[Any], y: NDArray[Any], styles: Styles) -> None:
    """Name each point beside it; a name that would cover its neighbour's moves below."""
    placed: list[tuple[float, float]] = []
    to_display = axis.transData.transform(np.column_stack([x, y]))
    for index in np.argsort(-to_display[:, 1]):
        shift = 5.0
        px, py = to_display[index]
        while any(abs(px - qx) < 130 and abs(py + shift - qy) < 14 for qx, qy in placed):
            shift -= 14
        placed.append((px, py + shift))
        name = str(points["method"].iloc[index])
        axis.annotate(name, (x[index], y[index]), (9, shift), textcoords="offset points", color=styles[name].colour)


def _front(
    axis: Axes, points: pd.DataFrame, vertical: LogScale | ShareScale, horizontal: LogScale, *, share: bool
) -> None:
    """Draw the Pareto front as steps: to its right, another method is at least as good in both."""
    accurate = points[np.isfinite(points["value"].to_numpy())]
    values = accurate["value"].to_numpy()
    front = pareto_front(accurate["latency"].to_numpy(), -values if share else values)
    if len(front) == 0:
        return
    x, y = accurate["latency"].to_numpy()[front] * 1e3, vertical.place(values[front])
    worst = axis.get_ylim()[0 if share else 1]
    axis.step(
        [x[0], *x, horizontal.high], [worst, *y, y[-1]], where="post", color=MUTED, linewidth=1.0, alpha=0.7, zorder=2
    )
    beyond = (-4, 4 if share else -12)
    axis.annotate("Pareto front", (horizontal.high, y[-1]), beyond, textcoords="offset points", color=MUTED, ha="right")


def stage_bars(stages: pd.DataFrame, order: Sequence[str], styles: Styles) -> Figure:
    """Draw where a query's time goes: per method, the mean exclusive time of each stage, end to end.

    ``stages`` has a row per method and stage: ``method``, ``stage`` (a path of names), ``seconds`` (exclusive).
    """
    shown = [method for method in order if method in set(stages["method"])]
    names = _largest_stages(stages)
    colours = dict(zip(names, STAGE_COLOURS, strict=False))
    with drawing():
        figure, axes = new_figure(height=1.5 + 0.42 * len(shown))
        axis = axes[0, 0]
        for position, method in enumerate(shown):
            rows = stages[stages["method"] == method].set_index("stage")["seconds"] * 1e3
            left = 0.0
            for name in names:
                width = float(rows.get(name, 0.0))
                axis.barh(
                    position, width, left=left, height=0.62, color=colours[name], edgecolor="white", linewidth=0.6
                )
                left += width
            rest = float(rows[~rows.index.isin(names)].sum())
            axis.barh(position, rest, left=left, height=0.62, color=OTHER_COLOUR, edgecolor="white", linewidth=0.6)
            axis.text(left + rest, position, f"  {left + rest:.3g}", va="center", color=INK, fontsize=8.5)
        names_shown = [spelled_out(method, styles[method].role, joint="\n") for method in shown]
        axis.set_yticks(range(len(shown)), names_shown)
        axis.invert_yaxis()
        axis.grid(False, axis="y")
        axis.set_xlabel("Mean time per query, exclusive of inner stages (ms)")
        axis.set_xlim(0, 1.08 * max(axis.dataLim.x1, 1e-9))
        handles = [Patch(color=colours[name], label=name) for name in names]
        others = set(stages["stage"]) - set(names)
        if others:
            handles.append(Patch(color=OTHER_COLOUR, label=OTHER if others == {OTHER} else "other"))
        figure.legend(handles=handles, loc="outside lower left", ncols=4, handlelength=1.1, columnspacing=1.4)
    return figure


def _largest_stages(stages: pd.DataFrame) -> list[str]:
    """Return the stages with a colour of their own, in the order in which they first appear."""
    totals = (
        stages[stages["stage"] != OTHER].groupby("stage")["seconds"].max().sort_values(ascending=False, kind="stable")
    )
    large = set(totals.index[: len(STAGE_COLOURS)])
    return [stage for stage in dict.fromkeys(stages["stage"]) if stage in large]


def accuracy_curves(
    bins: pd.DataFrame, curve: Curve, order: Sequence[str], styles: Styles, *, share: bool, chance: float | None = None
) -> Figure:
    """Draw a metric bin by bin of what makes queries hard: a share, of which more is better, or an error.

    ``bins`` has the columns of ``bench.curves.accuracy_curve``. Shares have bands, above the level of ``chance`` where
    that is known. Of errors the quartiles are drawn: where more than half of a bin fails, the median lies on the line
    marked with the sign of infinity.
    """
    with drawing():
        figure, axes = new_figure(height=4.3)
        axis = axes[0, 0]
        shown = [method for method in order if method in set(bins["method"])]
        if share:
            _share_lines(axis, bins, shown, styles)
            if chance is not None:
                _chance_level(axis, chance)
        else:
            _error_lines(axis, bins, shown, styles)
        labels = bins.drop_duplicates("bin").sort_values("bin")
        ends = [_bin_text(curve, start, stop) for start, stop in zip(labels["start"], labels["stop"], strict=True)]
        counts = labels["queries"]
        axis.set_xticks(list(labels["bin"]), [f"{text}\n{n} queries" for text, n in zip(ends, counts, strict=True)])
        axis.grid(False, axis="x")
        axis.set_xlabel(f"{curve.label} ({curve.unit})" if curve.unit else curve.label)
        axis.set_ylabel(curve.value_label)
        _method_legend(figure, shown, styles)
    return figure


def _bin_text(curve: Curve, start: float, stop: float) -> str:
    """Return the ends of a bin: as they were given, or with the decimals that those of even bins deserve."""
    how = "g" if curve.edges else f".{curve.digits}f"
    return f"{curve.factor * start:{how}}–{curve.factor * stop:{how}}"


def _share_lines(axis: Axes, bins: pd.DataFrame, shown: Sequence[str], styles: Styles) -> None:
    for method in reversed(shown):  # the best method is drawn last, on top
        rows, style = bins[bins["method"] == method], styles[method]
        x = rows["bin"].to_numpy(dtype=np.float64)
        if style.role == COMPETITOR or is_blind(style.role):  # the bands of all would cover each other
            band: Any = {"alpha": 0.14 * min(1.0, 5 / len(shown)), "linewidth": 0}
            axis.fill_between(x, rows["low"], rows["high"], color=style.colour, **band)
        face = "white" if style.is_bound else style.colour
        line: Any = {"linestyle": style.dash, "linewidth": 1.2 if style.is_bound else 1.9, "markersize": 5.5}
        axis.plot(x, rows["value"], color=style.colour, marker=style.marker, markerfacecolor=face, **line)
    ShareScale.up_to(bins[["value", "high"]].to_numpy().ravel()).apply(axis)


def _chance_level(axis: Axes, chance: float) -> None:
    axis.axhline(chance, color=MUTED, linestyle=(0, (1, 2)), linewidth=1.0, zorder=1)
    across = axis.get_yaxis_transform()
    axis.annotate("chance", (0, chance), (4, 3), xycoords=across, textcoords="offset points", color=MUTED)


def _error_lines(axis: Axes, bins: pd.DataFrame, shown: Sequence[str], styles: Styles) -> None:
    scale = LogScale.around(bins[["low", "value", "high"]].to_numpy().ravel(), floor=0.005)
    for position, method in enumerate(shown):
        rows = bins[bins["method"] == method]
        x = rows["bin"].to_numpy() + (position - (len(shown) - 1) / 2) * 0.7 / max(len(shown), 1)
        _interval_line(axis, x, rows, scale, styles[method])
    scale.apply(axis)


def _interval_line(
    axis: Axes, x: NDArray[Any], rows: pd.DataFrame, scale: LogScale | ShareScale, style: MethodStyle
) -> None:
    low, middle, high = (scale.place(rows[name]) for name in ("low", "value", "high"))
    finite = np.isfinite(rows["value"].to_numpy())
    line: Any = {"color": style.colour, "linestyle": style.dash, "linewidth": 1.2 if style.is_bound else 1.7}
    face = "white" if style.is_bound else style.colour
    axis.vlines(x, low, high, color=style.colour, linewidth=1.3, alpha=0.55)
    # No line leads to infinity: its slope would mean nothing.
    axis.plot(x, np.where(finite, middle, np.nan), **line)
    axis.plot(x, middle, color=style.colour, marker=style.marker, markersize=5.5, markerfacecolor=face, linestyle="")


def value_against_sweep(
    sweep: pd.DataFrame, levels: pd.DataFrame, styles: Styles, *, label: str, axis_label: str
) -> Figure:
    """Draw a share, of which more is better, against what one or more sweeps vary, with intervals.

    ``sweep`` has a row per method of a sweep: ``sweep`` (its name), ``x``, ``method``, ``value``, ``low``, ``high``;
    ``levels`` one per other method: ``method``, ``value``. Those are thin lines at their level.
    """
    with drawing():
        figure, axes = new_figure(height=4.4)
        axis = axes[0, 0]
        scale = ShareScale.up_to(np.concatenate([sweep[["value", "high"]].to_numpy().ravel(), levels["value"]]))
        scale.apply(axis)
        places = {x: i for i, x in enumerate(sorted(set(sweep["x"])))}
        handles = []
        for number, (name, rows) in enumerate(sweep.groupby("sweep", sort=False)):
            rows = rows.sort_values("x")
            x = rows["x"].map(places).to_numpy(dtype=np.float64) + 0.06 * number
            colour, marker = COLOURS[number % len(COLOURS)], MARKERS[number % len(MARKERS)]
            axis.vlines(x, rows["low"], rows["high"], color=colour, linewidth=1.5, alpha=0.7)
            handles += axis.plot(x, rows["value"], color=colour, marker=marker, markersize=6, label=name, zorder=4)
        ordered = levels.sort_values("value", ascending=False)
        for method, value in zip(ordered["method"], ordered["value"], strict=True):
            style = styles[method]
            label_of = spelled_out(method, style.role, joint="\n")
            width = 1.0 if style.is_bound else 1.3
            line = axis.axhline(value, color=style.colour, linestyle=style.dash, linewidth=width, alpha=0.8, zorder=2)
            line.set_label(label_of)
            handles.append(line)
        axis.set_xticks(list(places.values()), [f"{x:g}" for x in places])
        axis.set_xlim(-0.3, len(places) - 0.7)
        axis.grid(False, axis="x")
        axis.set_xlabel(axis_label)
        axis.set_ylabel(label)
        figure.legend(handles=handles, loc="outside right upper", handlelength=2.8, labelspacing=0.7)
    return figure


def accuracy_against_steps(
    points: pd.DataFrame, order: Sequence[str], styles: Styles, *, label: str, axis_label: str, share: bool
) -> Figure:
    """Draw an error, or with ``share`` a share, against how much maps are made of, with its intervals.

    ``points`` has a row per method and step of the sweep: ``method``, ``sweep``, ``value``, ``low``, ``high``.
    """
    steps = sorted(set(points["sweep"]))
    with drawing():
        figure, axes = new_figure(height=4.2)
        axis = axes[0, 0]
        values = points[["value", "low", "high"]].to_numpy().ravel()
        scale = ShareScale.up_to(values) if share else LogScale.around(values, floor=0.005)
        shown = [method for method in order if method in set(points["method"])]
        for position, method in enumerate(shown):
            rows = points[points["method"] == method].sort_values("sweep")
            x = rows["sweep"].to_numpy() * 1.02 ** (position - (len(shown) - 1) / 2)
            _interval_line(axis, x, rows, scale, styles[method])
        scale.apply(axis)
        axis.set_xscale("log", base=2)
        plain_ticks(axis, "x", [float(step) for step in steps])
        axis.set_xlabel(axis_label)
        axis.set_ylabel(label)
        _method_legend(figure, shown, styles)
    return figure


def _method_legend(figure: Figure, order: Sequence[str], styles: Styles, *, markers: bool = True) -> None:
    handles = [
        Line2D(
            [],
            [],
            color=styles[method].colour,
            linestyle=styles[method].dash,
            linewidth=1.4 if styles[method].is_bound else 2.0,
            marker=styles[method].marker if markers else None,
            markersize=5.5,
            markerfacecolor="white" if styles[method].is_bound else styles[method].colour,
            label=spelled_out(method, styles[method].role, joint="\n"),
        )
        for method in order
    ]
    figure.legend(handles=handles, loc="outside right upper", handlelength=2.8, labelspacing=0.7)
