"""`PageGroup`: the part of the page on one group of results, in the terms of the template."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from ..bench.curves import error_quartiles, mrr_curve
from ..bench.latency import TOTAL
from ..bench.metrics import chance_reciprocal_rank
from ..bench.store import RunStore
from .classes import class_table
from .figures import inline_svg, svg_text
from .floor_plan import QUERIES_PER_PLAN, SCENES_PER_FIGURE, floor_plan
from .latency import DENSITY, map_table, query_table, stage_means, stage_table
from .leaderboard import (
    SHOWN,
    difference_table,
    failure_table,
    further_table,
    in_words,
    main_table,
    ranks_places,
)
from .marks import spelled_out
from .page_tables import PageTable, page_table
from .palette import page_colour
from .plots import (
    COVISIBILITY,
    NEAREST,
    accuracy_against_latency,
    error_against,
    error_against_references,
    error_cdfs,
    mrr_against,
    rank_curves,
    stage_bars,
    value_against_sweep,
)
from .query_browser import browse_queries
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
    """Everything that the template shows of one group of results; tables with a key are of that density."""

    id: str
    title: str
    lede: str
    warnings: list[str]
    leaderboards: list[tuple[str, PageTable]]
    further: list[tuple[str, PageTable]]
    differences: PageTable | None
    failures: PageTable
    cdfs: list[Plot]
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
        return [*self.cdfs, *self.accuracy, *self.floor_plans, *of_machines]


def page_group(summary: Summary, *, identifier: str) -> PageGroup:
    """Draw and lay out one group; ``identifier`` keeps its element ids apart from other groups'."""
    results = summary.results
    boards = [summary.board[summary.board["density"] == density] for density in summary.densities]
    primary = _column_title(results.primary)

    def shown(table: Table, kind: str = "", sorted_by: str = "") -> PageTable:
        if len(summary.densities) == 1:  # a column that says the same in every row says nothing
            table = table.without(DENSITY)
        return page_table(table, summary.styles, summary.roles, kind=kind, sorted_by=sorted_by)

    return PageGroup(
        id=identifier,
        title=results.name,
        lede=_lede(summary),
        warnings=[f"Without images and floor plans: {results.trouble}."] if results.trouble else [],
        leaderboards=[
            (str(density), shown(main_table(board), "board", primary))
            for density, board in zip(summary.densities, boards, strict=True)
        ],
        further=[
            (str(density), shown(further_table(board), "further"))
            for density, board in zip(summary.densities, boards, strict=True)
        ],
        differences=shown(difference_table(summary.differences, results.primary, summary.roles))
        if len(summary.differences)
        else None,
        failures=shown(failure_table(summary.reasons, summary.board)),
        cdfs=[_cdf(summary, density, identifier) for density in summary.densities],
        accuracy=_accuracy_plots(summary, identifier),
        floor_plans=_floor_plans(summary, identifier),
        classes=_classes(summary, shown),
        latency_note=_latency_note(summary),
        machines=[_machine_part(summary, machine, identifier, shown) for machine in summary.machines],
        browser=_browser(summary),
        provenance=[_provenance(store) for store in results.stores],
    )


def _classes(summary: Summary, shown: Callable[..., PageTable]) -> PageTable | None:
    places = summary.results.places
    return shown(class_table(places, summary.at(summary.base_density)), "classes") if places else None


def _column_title(metric: str) -> str:
    shown = SHOWN[metric]
    return f"{shown.header} ({shown.unit})" if shown.unit else shown.header


def _plot(figure: Figure, name: str, identifier: str, *, title: str, caption: str, key: str = "") -> Plot:
    document = svg_text(figure)
    return Plot(name, key, title, caption, figure, document, inline_svg(document, f"{identifier}-{name}", title))


#: What the recognition of places is drawn against: column, file name, title, axis label, factor and ends of the bins.
_CURVES = (
    ("reference_angle", "angle", "What turning away costs", "Angle between query and training image (°)", 1.0),
    ("reference_distance", "distance", "What moving away costs", "Distance between query and training image (m)", 1.0),
    ("covisibility", "covisibility", "What overlap is worth", "Pixels that the training image sees, too (%)", 100.0),
)
_CURVE_EDGES = {
    "reference_angle": (0, 30, 60, 90, 120, 150, 180),
    "reference_distance": (0, 0.5, 1, 1.5, 2, 3, 4, 6, 10),
    "covisibility": (0, 0.01, 0.05, 0.1, 0.2, 0.4, 1),
}


def _place_curves(summary: Summary, identifier: str) -> list[Plot]:
    """Draw what "cross-view" means: recognition against angle, distance and overlap."""
    estimates = summary.at(summary.base_density)
    chance, _ = chance_reciprocal_rank(int(estimates["references"].max()))
    plots = []
    for column, name, title, label, factor in _CURVES:
        curve = mrr_curve(estimates, column, _CURVE_EDGES[column])
        curve[["start", "stop"]] *= factor
        if len(curve):
            plots.append(
                _plot(
                    mrr_against(curve, summary.order, summary.styles, label=label, chance=chance),
                    f"mrr-{name}",
                    identifier,
                    title=title,
                    caption="Mean reciprocal rank of the queries of each bin, failures counted as 0; bands are 95 % "
                    "bootstrap intervals over places, of methods that see the image only.",
                )
            )
    return plots


def _cdf(summary: Summary, density: int, identifier: str) -> Plot:
    several = len(summary.densities) > 1
    if ranks_places(summary.results.primary):
        return _plot(
            rank_curves(summary.at(density), summary.order, summary.styles),
            f"rank-curve-{density}" if several else "rank-curve",
            identifier,
            title="How far down the ranking places come",
            caption=f"{_at_density(density)}A random ranking follows the dotted line.",
            key=str(density),
        )
    return _plot(
        error_cdfs(summary.at(density), summary.order, summary.styles),
        f"error-cdf-{density}" if several else "error-cdf",
        identifier,
        title="How many queries come within an error",
        caption=f"{_at_density(density)}A curve that levels off below 100 % belongs to a method that fails on the "
        "rest. The legend follows the leaderboard.",
        key=str(density),
    )


def _at_density(density: int) -> str:
    return f"With {density} references per map. " if density > 0 else ""


_ERROR_PLOTS = (
    (COVISIBILITY, "covisibility", "What overlap with the references is worth"),
    (NEAREST, "distance", "What distance from the references costs"),
)


def _accuracy_plots(summary: Summary, identifier: str) -> list[Plot]:
    if ranks_places(summary.results.primary):
        return [*_sweep_plots(summary, identifier), *_place_curves(summary, identifier)]
    plots = _sweep_plots(summary, identifier)
    estimates = summary.at(summary.base_density)
    plots += [
        _plot(
            error_against(estimates, by, summary.order, summary.styles),
            f"error-{name}",
            identifier,
            title=title,
            caption=f"{_at_density(summary.base_density)}Medians with quartiles over the queries of a bin, "
            "failures included as infinitely wrong.",
        )
        for by, name, title in _ERROR_PLOTS
        if len(error_quartiles(estimates, by.column))
    ]
    if len(summary.densities) > 1:
        plots.append(
            _plot(
                error_against_references(
                    _metric_points(summary.board, "median_translation_error"), summary.order, summary.styles
                ),
                "error-references",
                identifier,
                title="What more references are worth",
                caption="Medians over all queries with the leaderboard's intervals.",
            )
        )
    return plots


def _sweep_plots(summary: Summary, identifier: str) -> list[Plot]:
    """Draw the primary metric against what sweeps vary, one plot per axis; a share only, as shares are drawn here."""
    metric = SHOWN[summary.results.primary]
    if metric.unit != "%":
        return []
    points = _metric_points(summary.board[summary.board["density"] == summary.base_density], metric.name)
    points = points.set_index("method")
    plots = []
    for number, axis in enumerate(dict.fromkeys(sweep.axis for sweep in summary.results.sweeps)):
        rows = [
            {"sweep": sweep.name, "x": x, "method": method, **points.loc[method, ["value", "low", "high"]]}
            for sweep in summary.results.sweeps
            for method, x in sweep.values.items()
            if sweep.axis == axis and method in points.index
        ]
        if len({row["x"] for row in rows}) < 2:
            continue
        swept = {row["method"] for row in rows}
        levels = points.loc[[method not in swept for method in points.index]].reset_index()
        plots.append(
            _plot(
                value_against_sweep(
                    pd.DataFrame(rows), levels, summary.styles, label=f"{metric.header} of all queries", axis_label=axis
                ),
                f"sweep-{number + 1}" if number else "sweep",
                identifier,
                title=f"What {axis[0].lower()}{axis[1:]} are worth",
                caption="Bars are the leaderboard's intervals; the other methods are drawn as levels.",
            )
        )
    return plots


def _metric_points(board: pd.DataFrame, name: str) -> pd.DataFrame:
    names = {name: "value", f"{name}_low": "low", f"{name}_high": "high", "seconds_p50": "latency"}
    points = board.rename(columns=names)[["method", "density", "value", "low", "high", "latency"]]
    # An interval that nobody knows (one scene of one query) has no length.
    return points.assign(low=points["low"].fillna(points["value"]), high=points["high"].fillna(points["value"]))


def _floor_plans(summary: Summary, identifier: str) -> list[Plot]:
    if ranks_places(summary.results.primary):  # which asks for no pose
        return []
    outlines = {scene: [room.ring for room in rooms] for scene, rooms in summary.results.rooms.items()}
    estimates = summary.at(summary.base_density)
    scenes = estimates["scene"].nunique()
    thinned = estimates.groupby(["method", "scene"]).size().max() > QUERIES_PER_PLAN
    caption = _at_density(summary.base_density)
    caption += "An arrow is a true pose, a line leads to where the method put it, a cross is a failure."
    if thinned:
        caption += f" {QUERIES_PER_PLAN} queries per scene are drawn, evenly chosen."
    if scenes > SCENES_PER_FIGURE:
        caption += f" {SCENES_PER_FIGURE} of {scenes} scenes are drawn."
    methods = [method for method in summary.order if summary.roles[method] != "chance"]
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
        latency=shown(query_table(machine.latency, machine.estimates, summary.roles)),
        stages=shown(stage_table(machine.latency, summary.roles)),
        maps=shown(map_table(machine.maps, summary.results.fit_seconds, summary.roles)),
        plots=_machine_plots(summary, machine, identifier),
    )


def _machine_plots(summary: Summary, machine: MachineSummary, identifier: str) -> list[Plot]:
    suffix = "" if len(summary.machines) == 1 else f"-{machine.fingerprint}"
    density = summary.base_density
    plots = []
    latency = machine.latency[machine.latency["density"] == density]
    stages = stage_means(latency)
    if len(stages):
        plots.append(
            _plot(
                stage_bars(stages, summary.order, summary.styles),
                f"stages{suffix}",
                identifier,
                title="Where the time of a query goes",
                caption=f"{_at_density(density)}Means, because they add up to the mean latency, which is the "
                "number beside a bar; the table has the percentiles. Methods that name no stages are left out.",
            )
        )
    board = summary.board[(summary.board["density"] == density)]
    here = latency[latency["stage"] == TOTAL].set_index("method")["p50"]
    places = ranks_places(summary.results.primary)
    name = summary.results.primary if places else "median_translation_error"
    points = _metric_points(board, name).assign(latency=board["method"].map(here))
    points = points[points["latency"].notna()]
    if (points["method"].map(summary.roles) == "").any():
        label = f"{SHOWN[name].header} of all queries" if places else "Median translation error, all queries (m)"
        plots.append(
            _plot(
                accuracy_against_latency(points, summary.styles, label=label, share=places),
                f"accuracy-latency{suffix}",
                identifier,
                title="What accuracy costs",
                caption=f"{_at_density(density)}{'Upper' if places else 'Lower'} left is better. No method is both "
                "faster and more accurate than those on the front. Bars are the leaderboard's intervals; chance, and "
                "methods that were given a part of the truth, are drawn as levels.",
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
    board = summary.board[summary.board["density"] == summary.base_density]
    estimates = summary.at(summary.base_density)
    counts = [
        _counted(len(summary.order), "method"),
        _counted(estimates["query"].nunique(), "query", "queries"),
        _counted(estimates["map"].nunique(), "map"),
        _counted(estimates["scene"].nunique(), "scene"),
    ]
    several = len(summary.densities) > 1
    references = f"{summary.densities[0]} to {summary.densities[-1]}" if several else str(summary.densities[0])
    sentence = f"{counts[0]} localized {counts[1]} in {counts[2]} of {counts[3]}, from {references} references per map."
    first = list(board.loc[board["rank"] == 1, "method"])
    metric = in_words(results.primary)
    if len(first) == 1:
        return f"{sentence} By {metric}, {first[0]} ranks first{_with_base(summary)}."
    names = f"{', '.join(first[:-1])} and {first[-1]}" if first else "no method"
    return f"{sentence} By {metric}, {names} share the first rank{_with_base(summary)}."


def _with_base(summary: Summary) -> str:
    return f" with {summary.base_density} references" if len(summary.densities) > 1 else ""


def _counted(number: int, noun: str, plural: str = "") -> str:
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def _browser(summary: Summary) -> BrowserPart:
    results = summary.results
    browser = browse_queries(
        results.estimates, summary.order, results.views, results.rooms, places=ranks_places(results.primary)
    )
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
        *([("Not the track's own dataset", record.dataset_differs)] if record.dataset_differs else []),
        ("Seed", str(record.seed)),
        ("Timeouts", f"{record.query_timeout:g} s per query, {record.map_timeout:g} s per map"),
        ("Ranked by", in_words(record.primary)),
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
    methods = [(cell.label, f"{cell.method} {json.dumps(cell.config)}") for cell in record.cells]
    raw = json.dumps(record.model_dump(mode="json"), indent=1)
    return ProvenancePart(f"Run {store.folder.name}", facts, methods, raw)
