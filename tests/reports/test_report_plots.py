"""Plots: what they draw follows from the records; how they look is judged by eye."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from relocbench.bench.curves import accuracy_curve
from relocbench.bench.latency import OTHER
from relocbench.bench.pareto import pareto_front
from relocbench.bench.questions.place import PlaceQuestion
from relocbench.bench.questions.pose import PoseQuestion
from relocbench.reports.figures import LogScale, inline_svg, save_png, svg_text
from relocbench.reports.floor_plan import evenly, floor_plan
from relocbench.reports.palette import method_styles
from relocbench.reports.plots import (
    accuracy_against_latency,
    accuracy_against_steps,
    accuracy_curves,
    cumulative_shares,
    stage_bars,
    value_against_sweep,
)

ROLES = {"sift-pnp": "", "sift-5pt": "", "sift-5pt+fallback": "", "dense-vlad": ""}
ROLES |= {"oracle-nearest": "oracle", "random": "chance"}
ORDER = list(ROLES)
STYLES = method_styles(ROLES)
MARKERS = {style.marker for style in STYLES.values()}
ERRORS, RANKS = PoseQuestion.distribution, PlaceQuestion.distribution
MEDIAN = PoseQuestion().metric("median_translation_error")


def test_every_method_looks_the_same_whatever_the_order_and_unlike_the_others() -> None:
    assert method_styles(dict(reversed(ROLES.items()))) == STYLES
    assert len({(style.colour, style.dash) for style in STYLES.values()}) == len(STYLES)
    many = method_styles({f"method-{i}": "" for i in range(20)})
    assert len({(style.colour, style.dash) for style in many.values()}) == 20


def test_curves_end_at_the_success_rate(estimates: pd.DataFrame) -> None:
    figure = cumulative_shares(estimates, ERRORS, ORDER, STYLES)
    success = estimates.assign(ok=estimates["status"] == "ok").groupby("method")["ok"].mean()
    ends = [line.get_ydata()[-1] for line in figure.axes[0].lines]
    assert ends == pytest.approx([success[method] for method in reversed(ORDER)])
    for line in figure.axes[0].lines:
        assert (np.diff(line.get_ydata()) >= 0).all()
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ORDER


def test_a_thinned_curve_still_ends_where_it_must(estimates: pd.DataFrame) -> None:
    many = pd.concat([estimates] * 40)
    full, thinned = cumulative_shares(estimates, ERRORS, ORDER, STYLES), cumulative_shares(many, ERRORS, ORDER, STYLES)
    for few, lots in zip(full.axes[0].lines, thinned.axes[0].lines, strict=True):
        assert len(lots.get_ydata()) < 500
        assert lots.get_ydata()[-1] == pytest.approx(few.get_ydata()[-1])


@given(st.lists(st.tuples(st.floats(0.1, 100), st.floats(0.01, 10)), min_size=1, max_size=12))
def test_nothing_beats_the_pareto_front_and_everything_else_is_beaten(points: list[tuple[float, float]]) -> None:
    cost, error = np.array(points).T
    front = set(pareto_front(cost, error).tolist())
    for i in range(len(points)):
        at_least_as_good = (cost <= cost[i]) & (error <= error[i])
        strictly = at_least_as_good & ((cost < cost[i]) | (error < error[i]))
        assert not (i in front and strictly.any())
        if i not in front:
            assert any(at_least_as_good[j] for j in front)


def test_a_bin_where_most_queries_fail_has_an_infinite_median(estimates: pd.DataFrame) -> None:
    one = estimates[estimates["method"] == "sift-5pt"].assign(covisibility=0.05)
    failing = one.assign(translation_error=np.where(np.arange(len(one)) % 5 < 3, np.inf, 0.1))
    bins = accuracy_curve(failing, "covisibility", MEDIAN)
    assert len(bins) == 1
    assert bins["low"].iloc[0] == 0.1
    assert np.isposinf(bins["value"].iloc[0])


@given(st.lists(st.floats(1e-4, 1e4), min_size=1, max_size=20))
def test_infinity_lies_beyond_every_value_and_order_is_kept(values: list[float]) -> None:
    scale = LogScale.around(np.array([*values, np.inf]))
    placed = scale.place(sorted(values))
    assert (np.diff(placed) >= 0).all()
    assert scale.place(np.inf) > placed.max()


def test_errors_are_drawn_at_the_median_of_each_bin_and_infinite_ones_at_the_end_of_the_axis(
    estimates: pd.DataFrame,
) -> None:
    curve = PoseQuestion.curves[0]
    bins = accuracy_curve(estimates, curve.column, MEDIAN)
    assert np.isinf(bins["value"]).any()
    axis = accuracy_curves(bins, curve, ORDER, STYLES, share=False).axes[0]
    marks = {line.get_color(): line.get_ydata() for line in axis.lines if line.get_marker() in MARKERS}
    for method in set(ORDER) & set(bins["method"]):
        value, drawn = bins.loc[bins["method"] == method, "value"].to_numpy(), np.asarray(marks[STYLES[method].colour])
        assert drawn[np.isfinite(value)] == pytest.approx(value[np.isfinite(value)])
        assert (drawn[np.isinf(value)] > bins.loc[np.isfinite(bins["high"]), "high"].max()).all()
    assert [label.get_text().split("\n")[1] for label in axis.get_xticklabels()] == [
        f"{n} queries" for n in bins.drop_duplicates("bin").sort_values("bin")["queries"]
    ]


def test_bars_of_stages_add_up_to_what_is_written_beside_them() -> None:
    seconds = {"features": 0.02, "matching": 0.01, OTHER: 0.005}
    stages = pd.DataFrame({"method": "sift-pnp", "stage": list(seconds), "seconds": list(seconds.values())})
    axis = stage_bars(stages, ORDER, STYLES).axes[0]
    assert sum(bar.get_width() for bar in axis.patches) == pytest.approx(35)
    assert [text.get_text().strip() for text in axis.texts] == ["35"]
    assert [label.get_text() for label in axis.get_yticklabels()] == ["sift-pnp"]


@pytest.mark.parametrize("share", [False, True])
def test_more_references_stand_farther_right_and_values_where_they_belong(share: bool) -> None:
    points = pd.DataFrame({"method": ["dense-vlad"] * 2, "sweep": [8.0, 4.0], "value": [0.3, 0.2]})
    points = points.assign(low=points["value"] - 0.1, high=points["value"] + 0.1)
    labels = {"label": "What", "axis_label": "References per map"}
    axis = accuracy_against_steps(points, ["dense-vlad"], STYLES, share=share, **labels).axes[0]
    assert list(axis.lines[-1].get_ydata()) == [0.2, 0.3]
    assert list(axis.lines[-1].get_xdata()) == pytest.approx([4, 8])
    assert [label.get_text() for label in axis.get_xticklabels()] == ["4", "8"]


def test_where_all_fails_there_are_crosses_and_no_arrows_and_curves_stay_on_the_floor(estimates: pd.DataFrame) -> None:
    failures = estimates[(estimates["method"] == "sift-5pt") & (estimates["status"] == "failure")]
    failures = failures[failures["scene"] == "house-9"]
    (axis,) = [axis for axis in floor_plan(failures, {}).axes if axis.get_title(loc="left")]
    (crosses,) = axis.collections
    assert len(crosses.get_offsets()) == len(failures)
    for panel in cumulative_shares(failures, ERRORS, ["sift-5pt"], STYLES).axes:
        assert all((line.get_ydata() == 0).all() for line in panel.lines)


def test_the_share_of_ranks_ends_at_what_was_ranked_and_who_was_not_asked_is_not_counted() -> None:
    ranks = pd.DataFrame({"method": "dense-vlad", "references": 4, "relevant_rank": [1.0, 3.0, np.inf, np.nan]})
    line = cumulative_shares(ranks, RANKS, ["dense-vlad"], STYLES).axes[0].lines[-1]
    assert list(line.get_ydata()) == pytest.approx([1 / 3, 1 / 3, 2 / 3, 2 / 3])


def test_chance_among_maps_of_two_sizes_lies_between_theirs() -> None:
    ranks = pd.DataFrame({"method": "dense-vlad", "references": [20, 20, 100], "relevant_rank": [1.0, 3.0, 30.0]})
    chance = cumulative_shares(ranks, RANKS, ["dense-vlad"], STYLES).axes[0].lines[0].get_ydata()
    assert chance[[0, 9, 49, 99]] == pytest.approx([0.11 / 3, 1.1 / 3, 2.5 / 3, 1.0])


def test_the_same_records_give_the_same_drawing(estimates: pd.DataFrame, tmp_path: Path) -> None:
    figures = [cumulative_shares(estimates, ERRORS, ORDER, STYLES) for _ in range(2)]
    assert svg_text(figures[0]) == svg_text(figures[1])
    for name, figure in zip("ab", figures, strict=True):
        save_png(figure, tmp_path / f"{name}.png")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_two_figures_in_one_page_share_no_id(estimates: pd.DataFrame) -> None:
    document = svg_text(cumulative_shares(estimates, ERRORS, ORDER, STYLES))
    ids = [{part.split('"')[0] for part in inline_svg(document, n, "x").split(' id="')[1:]} for n in ("a", "b")]
    assert ids[0]
    assert not ids[0] & ids[1]


def test_a_floor_plan_frames_the_house_even_where_an_estimate_lies_far_outside(estimates: pd.DataFrame) -> None:
    one = estimates[(estimates["method"] == "dense-vlad") & (estimates["scene"] == "house-9")].copy()
    one.loc[one.index[0], "est_tx"] = 500.0
    ring = np.array([[0, 0], [4, 0], [4, 3], [0, 3]])
    left, right = floor_plan(one, {"house-9": [ring]}).axes[0].get_xlim()
    assert left <= 0
    assert 4 <= right < 6


@given(st.integers(1, 300), st.integers(1, 50))
def test_an_even_sample_keeps_both_ends_and_the_order(rows: int, count: int) -> None:
    sample = evenly(pd.DataFrame({"i": range(rows)}), count)["i"].tolist()
    assert len(sample) <= max(count, 1)
    assert sample == sorted(set(sample))
    assert sample[0] == 0


WITH_MAPS = method_styles({"plain": "", "other": "", "maps": "oracle segmentation", "random": "chance"})


def test_who_was_given_maps_says_so_in_the_legend_and_stands_back() -> None:
    assert WITH_MAPS["maps"].is_bound
    assert not WITH_MAPS["plain"].is_bound
    assert len({(style.colour, style.dash) for style in WITH_MAPS.values()}) == len(WITH_MAPS)
    without = method_styles({"plain": "", "other": "", "random": "chance"})
    assert all(WITH_MAPS[name] == style for name, style in without.items())  # nobody changes looks because of them
    curve = pd.DataFrame({"method": ["plain", "maps"], "bin": 0, "start": 0, "stop": 30, "queries": 20})
    curve = curve.assign(value=[0.2, 0.4], low=[0.1, 0.3], high=[0.3, 0.5])
    figure = accuracy_curves(curve, PlaceQuestion.curves[0], ["maps", "plain"], WITH_MAPS, share=True, chance=0.1)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["maps\n(oracle segmentation)", "plain"]


def front_of(figure: Any) -> list[tuple[float, float]]:
    (steps,) = [line for line in figure.axes[0].lines if line.get_drawstyle() == "steps-post"]
    return list(zip(*(np.round(data, 6) for data in steps.get_data()), strict=True))


def test_of_shares_more_is_better_and_the_front_runs_along_the_top() -> None:
    points = pd.DataFrame({"method": ["plain", "other", "maps"], "latency": [0.01, 0.02, 0.001]})
    points = points.assign(value=[0.1, 0.3, 0.9], low=[0.05, 0.2, 0.8], high=[0.15, 0.4, 1.0])
    figure = accuracy_against_latency(points, WITH_MAPS, label="MRR of all queries", share=True)
    axis = figure.axes[0]
    assert axis.get_ylim()[0] == 0
    assert axis.get_ylim()[1] > 0.9
    assert front_of(figure)[:3] == [(10, 0), (10, 0.1), (20, 0.3)]  # the one with maps is not on it
    assert "maps (oracle segmentation)" in {text.get_text() for text in axis.texts}
    worse = points.assign(value=[0.3, 0.1, 0.9])
    assert front_of(accuracy_against_latency(worse, WITH_MAPS, label="MRR", share=True))[:2] == [(10, 0), (10, 0.3)]
    errors = accuracy_against_latency(worse, WITH_MAPS, label="Error (m)")
    assert [x for x, _ in front_of(errors)[1:3]] == [10, 20]  # of errors, less is


def test_a_sweep_is_a_line_over_the_levels_of_the_others() -> None:
    sweep = pd.DataFrame({"sweep": "views", "x": [25, 0, 10], "method": list("abc"), "value": [0.3, 0.1, 0.2]})
    sweep = sweep.assign(low=sweep["value"] - 0.02, high=sweep["value"] + 0.02)
    levels = pd.DataFrame({"method": ["plain", "random"], "value": [0.15, 0.05]})
    figure = value_against_sweep(sweep, levels, WITH_MAPS, label="MRR", axis_label="Views")
    axis = figure.axes[0]
    assert [label.get_text() for label in axis.get_xticklabels()] == ["0", "10", "25"]
    assert list(axis.lines[0].get_ydata()) == [0.1, 0.2, 0.3]
    assert [line.get_ydata()[0] for line in axis.lines[1:]] == [0.15, 0.05]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["views", "plain", "random"]
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("Views", "MRR")
