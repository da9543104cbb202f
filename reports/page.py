"""`PageGroup`: the part of the page on one group of results, in the terms of the template."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from ..bench.curves import accuracy_curve
from ..bench.latency import TOTAL
from ..bench.questions.metric import MetricColumn
from ..bench.records import first_replicate
from ..bench.roles import is_blind
from ..bench.store import CellRecord, RunRecord, RunStore
from ..bench.tracks import SweepSpec
from .classes import chance_by_scene, class_table
from .figures import inline_svg, svg_text
from .floor_plan import QUERIES_PER_PLAN, SCENES_PER_FIGURE, floor_plan
from .latency import map_table, query_table, stage_means, stage_table
from .leaderboard import difference_table, failure_table, further_columns, further_table, main_table
from .marks import spelled_out
from .page_tables import PageTable, page_table
from .palette import page_colour
from .plots import (
    accuracy_against_latency,
    accuracy_against_steps,
    accuracy_curves,
    cumulative_shares,
    stage_bars,
    value_against_sweep,
)
from .query_browser import browse_queries
from .results import Results
from .summary import MachineSummary, Summary
from .tables import Table


@dataclass(frozen=True, eq=False)
class Plot:
    """A figure with its file name, its place in a switcher (``key``), title and caption; as SVG, and for the page."""

    name: str
    key: str
    title: str
    caption: str
    figure: Figure
    document: str
    svg: str


@dataclass(frozen=True, eq=False)
class MachinePart:
    """What the page says of one machine."""

    title: str
    description: str
    latency: PageTable
    stages: PageTable
    maps: PageTable
    plots: list[Plot]


@dataclass(frozen=True, eq=False)
class BrowserPart:
    """The browser of single queries: its records as JSON that is safe inside a page, and what was left out."""

    json: str
    note: str


@dataclass(frozen=True, eq=False)
class ProvenancePart:
    """Where one run came from."""

    title: str
    facts: list[tuple[str, str]]
    methods: list[tuple[str, str]]
    raw: str


@dataclass(frozen=True, eq=False)
class PageGroup:
    """Everything that the template shows of one group of results.

    Tables and plots with a key are of that step of the sweep, which the axis names.
    """

    id: str
    title: str
    axis: str
    lede: str
    warnings: list[str]
    leaderboards: list[tuple[str, PageTable]]
    further: list[tuple[str, PageTable]]
    differences: PageTable | None
    failures: PageTable
    distributions: list[Plot]
    accuracy: list[Plot]
    floor_plans: list[Plot]
    classes: PageTable | None
    latency_note: str
    machines: list[MachinePart]
    browser: BrowserPart
    provenance: list[ProvenancePart]

    @property
    def plots(self) -> list[Plot]:
        """All plots of the group."""
        of_machines = [plot for machine in self.machines for plot in machine.plots]
        return [*self.distributions, *self.accuracy, *self.floor_plans, *of_machines]


def page_group(summary: Summary, *, identifier: str) -> PageGroup:
    """Draw and lay out one group; ``identifier`` keeps its element ids apart from other groups'."""
    results, terms = summary.results, summary.terms
    boards = [(f"{step:g}", summary.board[summary.board["sweep"] == step]) for step in summary.steps]
    primary = _column_title(terms.question.column(results.primary))

    def shown(table: Table, kind: str = "", sorted_by: str = "") -> PageTable:
        if len(summary.steps) == 1:  # a column that says the same in every row says nothing
            table = table.without(terms.header)
        return page_table(table, summary.styles, summary.roles, kind=kind, sorted_by=sorted_by)

    return PageGroup(
        id=identifier,
        title=results.name,
        axis=terms.header,
        lede=_lede(summary),
        warnings=_warnings(results),
        leaderboards=[(key, shown(main_table(board, terms), "board", primary)) for key, board in boards],
        further=[
            (key, shown(further_table(board, terms), "further"))
            for key, board in boards
            if further_columns(board, terms)
        ],
        differences=shown(difference_table(summary.differences, results.primary, summary.roles, terms))
        if len(summary.differences)
        else None,
        failures=shown(failure_table(summary.reasons, summary.board, terms)),
        distributions=_distributions(summary, identifier),
        accuracy=_accuracy_plots(summary, identifier),
        floor_plans=_floor_plans(summary, identifier),
        classes=_classes(summary, shown),
        latency_note=_latency_note(summary),
        machines=[_machine_part(summary, machine, identifier, shown) for machine in summary.machines],
        browser=_browser(summary),
        provenance=[_provenance(store) for store in results.stores],
    )


def _warnings(results: Results) -> list[str]:
    differs = {
        record.dataset_differs for record in (store.record for store in results.stores) if record.dataset_differs
    }
    return [
        *(f"Not the track's own dataset: {difference}." for difference in sorted(differs)),
        *([f"Without images and floor plans: {results.trouble}."] if results.trouble else []),
    ]


def _classes(summary: Summary, shown: Callable[..., PageTable]) -> PageTable | None:
    places = summary.results.places
    return shown(class_table(places, chance_by_scene(summary.at(summary.base_step))), "classes") if places else None


def _column_title(column: MetricColumn) -> str:
    return f"{column.header} ({column.unit})" if column.unit else column.header


def axis_label(column: MetricColumn) -> str:
    """Return the label of an axis of a metric; shares bring their percent signs with their ticks."""
    if column.unit == "%":
        return f"{column.header} of all queries"
    words = f"{column.in_words[0].upper()}{column.in_words[1:]}"
    return f"{words} ({column.unit})" if column.unit else words


def _plot(figure: Figure, name: str, identifier: str, *, title: str, caption: str, key: str = "") -> Plot:
    document = svg_text(figure)
    return Plot(name, key, title, caption, figure, document, inline_svg(document, f"{identifier}-{name}", title))


def _distributions(summary: Summary, identifier: str) -> list[Plot]:
    distribution = summary.terms.question.distribution
    if distribution is None:
        return []
    several = len(summary.steps) > 1
    return [
        _plot(
            cumulative_shares(summary.at(step), distribution, summary.order, summary.styles),
            f"{distribution.name}-{step:g}" if several else distribution.name,
            identifier,
            title=distribution.title,
            caption=_at_step(summary, step) + distribution.caption,
            key=f"{step:g}",
        )
        for step in summary.steps
        if all(summary.at(step)[panel.column].notna().any() for panel in distribution.panels)
    ]


def _at_step(summary: Summary, step: float) -> str:
    return f"With {summary.terms.at(step)}. "


def _accuracy_plots(summary: Summary, identifier: str) -> list[Plot]:
    plots = [*_sweep_plots(summary, identifier), *_curves(summary, identifier)]
    question, axis = summary.terms.question, summary.terms.header
    column = question.column(question.drawn or summary.results.primary)
    points = metric_points(summary.board, column.name)
    if len(summary.steps) > 1 and points["value"].notna().any():
        options: dict[str, Any] = {"label": axis_label(column), "axis_label": axis, "share": column.unit == "%"}
        plots.append(
            _plot(
                accuracy_against_steps(points, summary.order, summary.styles, **options),
                "error-references",
                identifier,
                title="What larger maps are worth",
                caption="All queries count; bars are the leaderboard's intervals.",
            )
        )
    return plots


def _curves(summary: Summary, identifier: str) -> list[Plot]:
    """Draw what makes queries hard, as far as the records know of it."""
    estimates, question = summary.at(summary.base_step), summary.terms.question
    levels = question.mean_chance(summary.terms.queries[summary.base_step])
    plots = []
    for curve in question.curves:
        if curve.column not in estimates:
            continue
        bins = accuracy_curve(estimates, curve.column, question.metric(curve.metric), curve.edges)
        if len(bins):
            share, chance = question.column(curve.metric).unit == "%", levels.get(curve.metric)
            plots.append(
                _plot(
                    accuracy_curves(bins, curve, summary.order, summary.styles, share=share, chance=chance),
                    curve.name,
                    identifier,
                    title=curve.title,
                    caption=_at_step(summary, summary.base_step) + curve.caption,
                )
            )
    return plots


def _sweep_plots(summary: Summary, identifier: str) -> list[Plot]:
    """Draw the primary metric against what sweeps vary, one plot per axis; a share only, as shares are drawn here."""
    metric = summary.terms.question.column(summary.results.primary)
    if metric.unit != "%":
        return []
    points = metric_points(summary.board[summary.board["sweep"] == summary.base_step], metric.name)
    plots = []
    for number, axis in enumerate(dict.fromkeys(sweep.axis for sweep in summary.results.sweeps)):
        swept = sweep_points(points, summary.results.sweeps, axis)
        if len(set(swept["x"])) < 2:
            continue
        levels = points[~points["method"].isin(swept["method"])]
        plots.append(
            _plot(
                value_against_sweep(swept, levels, summary.styles, label=axis_label(metric), axis_label=axis),
                f"sweep-{number + 1}" if number else "sweep",
                identifier,
                title=f"What {axis[0].lower()}{axis[1:]} are worth",
                caption="Bars are the leaderboard's intervals; the other methods are drawn as levels.",
            )
        )
    return plots


def sweep_points(points: pd.DataFrame, sweeps: Iterable[SweepSpec], axis: str) -> pd.DataFrame:
    """Return those of `metric_points` that sweeps over ``axis`` are of, with the ``sweep`` and its ``x``."""
    named = points.set_index("method")
    rows = [
        {"sweep": sweep.name, "x": float(x), "method": method, **named.loc[method, ["value", "low", "high"]]}
        for sweep in sweeps
        for method, x in sweep.values.items()
        if sweep.axis == axis and method in named.index
    ]
    return pd.DataFrame(rows, columns=["sweep", "x", "method", "value", "low", "high"])


def metric_points(board: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return a metric of a leaderboard as plots take it: method, sweep, value, low, high, latency (seconds, p50)."""
    names = {name: "value", f"{name}_low": "low", f"{name}_high": "high", "seconds_p50": "latency"}
    points = board.rename(columns=names)[["method", "sweep", "value", "low", "high", "latency"]]
    # An interval that nobody knows (one scene of one query) has no length.
    return points.assign(low=points["low"].fillna(points["value"]), high=points["high"].fillna(points["value"]))


def _floor_plans(summary: Summary, identifier: str) -> list[Plot]:
    if not summary.terms.question.draws_poses:
        return []
    outlines = {scene: [room.ring for room in rooms] for scene, rooms in summary.results.rooms.items()}
    estimates = first_replicate(summary.at(summary.base_step))
    scenes = estimates["scene"].nunique()
    thinned = estimates.groupby(["method", "scene"]).size().max() > QUERIES_PER_PLAN
    caption = _at_step(summary, summary.base_step)
    caption += "An arrow is a true pose, a line leads to where the method put it, a cross is a failure."
    if thinned:
        caption += f" {QUERIES_PER_PLAN} queries per scene are drawn, evenly chosen."
    if scenes > SCENES_PER_FIGURE:
        caption += f" {SCENES_PER_FIGURE} of {scenes} scenes are drawn."
    methods = [method for method in summary.order if not is_blind(summary.roles[method])]
    competitors_first = sorted(methods, key=lambda method: summary.roles[method] != "")
    return [
        _plot(
            floor_plan(estimates[estimates["method"] == method], outlines),
            f"floor-plan-{_file_name(method)}",
            identifier,
            title=f"Where {method} errs",
            caption=caption,
            key=method,
        )
        for method in competitors_first
    ]


def _file_name(method: str) -> str:
    return "".join(c if c.isalnum() or c in "-." else "-" for c in method)


def _machine_part(
    summary: Summary, machine: MachineSummary, identifier: str, shown: Callable[[Table], PageTable]
) -> MachinePart:
    return MachinePart(
        title=f"Machine {machine.fingerprint}",
        description=_machine_description(machine),
        latency=shown(query_table(machine.latency, machine.estimates, summary.roles, summary.terms)),
        stages=shown(stage_table(machine.latency, summary.roles, summary.terms)),
        maps=shown(map_table(machine.maps, summary.results.fit_seconds, summary.roles, summary.terms)),
        plots=_machine_plots(summary, machine, identifier),
    )


def _machine_plots(summary: Summary, machine: MachineSummary, identifier: str) -> list[Plot]:
    suffix = "" if len(summary.machines) == 1 else f"-{machine.fingerprint}"
    step = summary.base_step
    plots = []
    latency = machine.latency[machine.latency["sweep"] == step]
    stages = stage_means(latency)
    if len(stages):
        plots.append(
            _plot(
                stage_bars(stages, summary.order, summary.styles),
                f"stages{suffix}",
                identifier,
                title="Where the time of a query goes",
                caption=f"{_at_step(summary, step)}Means, because they add up to the mean latency, which is the "
                "number beside a bar; the table has the percentiles. Methods that name no stages are left out.",
            )
        )
    board = summary.board[(summary.board["sweep"] == step)]
    here = latency[latency["stage"] == TOTAL].set_index("method")["p50"]
    question = summary.terms.question
    column = question.column(question.drawn or summary.results.primary)
    share = column.unit == "%"
    points = metric_points(board, column.name).assign(latency=board["method"].map(here))
    points = points[points["latency"].notna() & points["value"].notna()]
    if (points["method"].map(summary.roles) == "").any():
        plots.append(
            _plot(
                accuracy_against_latency(points, summary.styles, label=axis_label(column), share=share),
                f"accuracy-latency{suffix}",
                identifier,
                title="What accuracy costs",
                caption=f"{_at_step(summary, step)}{'Lower' if column.smaller_is_better else 'Upper'} left is better. "
                "No method is both faster and more accurate than those on the front. Bars are the leaderboard's "
                "intervals; chance, and methods that were given a part of the truth, are drawn as levels.",
            )
        )
    return plots


def _machine_description(machine: MachineSummary) -> str:
    hardware = machine.hardware
    if not hardware:
        return "The run recorded no description of this machine."
    cores = f"{hardware.get('usable_cores', '?')} of {hardware.get('logical_cores', '?')} logical cores usable"
    system = ", ".join(str(hardware.get(name, "?")) for name in ("architecture", "system"))
    parts = [str(hardware.get("cpu", "unknown processor")), cores, f"{hardware.get('memory_gib', '?')} GiB", system]
    if machine.threads:
        one = set(machine.threads.values()) == {"1"}
        parts.append("one thread per method" if one else f"threads {dict(machine.threads)}")
    if machine.jobs:
        jobs = " and ".join(map(str, machine.jobs))
        parts.append("nothing beside it" if machine.jobs == (1,) else f"{jobs} processes side by side")
    return "; ".join(parts) + "."


def _latency_note(summary: Summary) -> str:
    several = "" if len(summary.machines) == 1 else " Every machine has tables of its own: times do not compare across."
    return (
        "One query at a time, from the same calls that gave the accuracy; the first query on a map is not in the "
        f"percentiles.{several}"
    )


def _lede(summary: Summary) -> str:
    """Say in one paragraph what was measured and who leads."""
    results = summary.results
    board = summary.board[summary.board["sweep"] == summary.base_step]
    estimates = summary.at(summary.base_step)
    counts = [
        _counted(len(summary.order), "method"),
        _counted(estimates["query"].nunique(), "query", "queries"),
        _counted(estimates["map"].nunique(), "map"),
        _counted(estimates["scene"].nunique(), "scene"),
    ]
    if (summary.board["failures"] == summary.board["queries"]).all():
        reason = summary.reasons.groupby("reason")["count"].sum().idxmax()
        return f"{counts[0]} failed on every one of {counts[1]}. The commonest reason: {reason}."
    first, last = summary.steps[0], summary.steps[-1]
    made_of = summary.terms.at(last) if first == last else f"{first:g} to {last:g} {summary.terms.axis}"
    sentence = f"{counts[0]} localized {counts[1]} in {counts[2]} of {counts[3]}, from {made_of}."
    best = list(board.loc[board["rank_low"] == 1, "method"])  # in the order of their estimates
    metric = summary.terms.question.column(results.primary).in_words
    if not best:
        return f"{sentence} No method is ranked by {metric}."
    leads = f"{sentence} By {metric}, {best[0]} leads{_with_base(summary)}"
    if len(best) == 1:
        return f"{leads}, beyond doubt."
    names = f"{', '.join(best[1:-1])} and {best[-1]}" if len(best) > 2 else best[1]
    return f"{leads}; {names} cannot be told from it."


def _with_base(summary: Summary) -> str:
    return f" with {summary.terms.at(summary.base_step)}" if len(summary.steps) > 1 else ""


def _counted(number: int, noun: str, plural: str = "") -> str:
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def _browser(summary: Summary) -> BrowserPart:
    results = summary.results
    browser = browse_queries(results.estimates, summary.order, results.views, results.rooms, summary.terms.question)
    competitors = [i for i, method in enumerate(summary.order) if not summary.roles[method]]
    extra = {
        "methods": [spelled_out(method, summary.roles[method]) for method in summary.order],
        "colours": [page_colour(summary.styles[method].colour) for method in summary.order],
        "start": competitors[0] if competitors else 0,
    }
    return BrowserPart(json_in_page({**browser.data, **extra}), browser.note)


def json_in_page(data: Any) -> str:
    """Return JSON that can stand inside a <script> element, whatever its strings hold."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _provenance(store: RunStore) -> ProvenancePart:
    record = store.record
    facts = [
        ("Track", f"{record.track}, version {record.track_version}, size {record.size}, {record.split} split"),
        ("About", record.description),
        ("Pictures from", record.simulator),
        ("Dataset SHA-256", record.dataset_sha256),
        ("Seed", str(record.seed)),
        ("Timeouts", f"{record.query_timeout:g} s per query, {record.map_timeout:g} s per map"),
        ("Ranked by", store.question.column(store.question.primary).in_words),
    ]
    if record.sessions:
        last = record.sessions[-1]
        facts += [
            ("Computed", ", ".join(str(session.get("started", "?")) for session in record.sessions)),
            ("Command", str(last.get("command", "?"))),
            ("Commit", str(last.get("git") or "unknown (not run from a checkout)")),
            ("Versions", ", ".join(f"{name} {version}" for name, version in last.get("versions", {}).items())),
            ("System", str(last.get("platform", "?"))),
        ]
    methods = [(_cell_name(cell, record), _cell_facts(cell)) for cell in record.cells]
    raw = json.dumps(record.model_dump(mode="json"), indent=1)
    return ProvenancePart(f"Run {store.folder.name}", facts, methods, raw)


def _cell_name(cell: CellRecord, record: RunRecord) -> str:
    """Return what provenance calls a method, or one of several trainings of it."""
    alone = [other.label for other in record.cells].count(cell.label) == 1
    return cell.label if alone else f"{cell.label}, replicate {cell.replicate}"


def _cell_facts(cell: CellRecord) -> str:
    learned = f", learned {cell.learned}" if cell.learned else ""
    return f"{cell.method} {json.dumps(cell.config)}{learned}"
