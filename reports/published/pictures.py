"""The pictures of pages, drawn by the report's own functions from what a summary holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from PIL import Image

from ...bench.provenance import digest
from ...errors import InputError
from ..figures import save_png
from ..page import axis_label, metric_points, sweep_points
from ..palette import method_styles
from ..plots import accuracy_against_steps, accuracy_curves, value_against_sweep
from .specs import PictureSpec
from .summaries import Frame, RunSummary

_STAMP = "Source"  # the text in a PNG that says what it was drawn from


def drawn_from(summary: RunSummary, spec: PictureSpec) -> str:
    """Return what stands for all that a picture shows: pictures of equal ones are equal.

    Raises ``InputError`` where the picture asks for what the summary has not.
    """
    shown = {"asked": spec.model_dump(mode="json"), "roles": summary.roles, "order": _order(summary, spec)}
    return digest({**shown, "data": Frame.of(_data(summary, spec)).model_dump(mode="json")})


def is_current(path: Path, stamp: str) -> bool:
    """Return whether a picture was drawn from what ``stamp`` stands for."""
    if not path.exists():
        return False
    with Image.open(path) as image:
        return image.info.get(_STAMP) == stamp


def draw(path: Path, summary: RunSummary, spec: PictureSpec) -> None:
    """Draw a picture and stamp it with what it was drawn from; raises ``InputError`` as `drawn_from`."""
    save_png(_figure(summary, spec), path, texts={_STAMP: drawn_from(summary, spec)})


def _figure(summary: RunSummary, spec: PictureSpec) -> Figure:
    data, order, styles = _data(summary, spec), _order(summary, spec), method_styles(summary.roles)
    question = summary.asked
    if spec.curve:
        curve = next(curve for curve in question.curves if curve.name == spec.curve)
        share = question.column(curve.metric).unit == "%"
        chance = question.mean_chance(summary.steps[0].references).get(curve.metric)
        return accuracy_curves(data, curve, order, styles, share=share, chance=chance)
    column = question.column(spec.steps or summary.primary)
    options: dict[str, Any] = {"label": axis_label(column)}
    if spec.sweep:
        swept = data["x"].notna()
        return value_against_sweep(data[swept], data[~swept], styles, axis_label=spec.sweep, **options)
    options |= {"axis_label": summary.terms.header, "share": column.unit == "%"}
    return accuracy_against_steps(data, order, styles, **options)


def _order(summary: RunSummary, spec: PictureSpec) -> list[str]:
    """Return the methods that are drawn, in the order of the leaderboard; raises ``InputError`` for one without."""
    there = list(summary.methods)
    for method in spec.methods:
        if method not in there:
            raise InputError(f"{spec.picture}: has no method {method!r}; there are {', '.join(there)}")
    return [method for method in there if not spec.methods or method in spec.methods]


def _data(summary: RunSummary, spec: PictureSpec) -> pd.DataFrame:
    if [bool(asked) for asked in (spec.curve, spec.sweep, spec.steps)].count(True) != 1:
        raise InputError(f"{spec.picture}: a picture of a run is of one of curve, sweep and steps")
    order = _order(summary, spec)
    if spec.curve:
        curves = summary.steps[0].curves
        if spec.curve not in curves:
            raise InputError(f"{spec.picture}: has no curve {spec.curve!r}; there are {', '.join(curves) or 'none'}")
        bins = curves[spec.curve].table
        return bins[bins["method"].isin(order)]
    boards = [step.board.table.assign(sweep=step.sweep) for step in summary.steps]
    if spec.steps:
        summary.asked.metric(spec.steps)
        points = metric_points(pd.concat(boards, ignore_index=True), spec.steps).drop(columns="latency")
        return points[points["method"].isin(order)]
    points = metric_points(boards[0], summary.primary).drop(columns=["latency", "sweep"])
    points = points[points["method"].isin(order)]
    swept = sweep_points(points, summary.sweeps, spec.sweep)
    if swept.empty:
        raise InputError(f"{spec.picture}: has no sweep over {spec.sweep!r}")
    return pd.concat([swept, points[~points["method"].isin(swept["method"])]], ignore_index=True)
