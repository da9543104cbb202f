"""The accuracy tables: leaderboard, further metrics, paired differences, reasons of failure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from ..bench.metrics import chance_reciprocal_rank
from ..bench.scoring import METRICS
from .marks import map_notes, mark_notes, marked
from .tables import NOTHING, Cell, Column, Table, column_decimals, number_cell, text_cell

PERCENT_DECIMALS_FROM = 500  # queries: with fewer, a tenth of a percent is less than one query


@dataclass(frozen=True)
class MetricColumn:
    """How a column of the scored leaderboard is shown: its name there, header, unit, and the unit's factor."""

    name: str
    header: str
    unit: str
    factor: float = 1.0
    smaller_is_better: bool = False


def _share(name: str, header: str) -> MetricColumn:
    return MetricColumn(name, header, "%", 100.0)


MAIN = (
    _share("auc_translation_1m", "AUC to 1 m"),
    MetricColumn("median_translation_error", "Median translation error, all", "m", smaller_is_better=True),
    MetricColumn("median_rotation_error", "Median rotation error, all", "°", smaller_is_better=True),
    _share("success_rate", "Success rate"),
    MetricColumn("localized_translation_error", "Translation error, localized", "m", smaller_is_better=True),
    MetricColumn("localized_rotation_error", "Rotation error, localized", "°", smaller_is_better=True),
    _share("recall_0.25m_2deg", "Recall 0.25 m, 2°"),
    _share("recall_0.5m_5deg", "Recall 0.5 m, 5°"),
)
FURTHER = (
    _share("recall_0.1m_1deg", "Recall 0.1 m, 1°"),
    _share("recall_5m_10deg", "Recall 5 m, 10°"),
    _share("auc_rotation_10deg", "AUC to 10°"),
    _share("mrr", "MRR"),
    _share("recall_at_1", "Recall@1"),
    _share("recall_at_5", "Recall@5"),
    _share("recall_within_0.5m", "Recall within 0.5 m"),
    _share("recall_within_1m", "Recall within 1 m"),
)
#: What leads where places are recognized: poses are then no more than what a ranking implies.
PLACES = (_share("mrr", "MRR"), _share("recall_at_1", "Top-1"), _share("recall_at_5", "Top-5"))
SHOWN = {metric.name: metric for metric in (*MAIN, *FURTHER)}


def in_words(metric: str) -> str:
    """Return how a sentence names a metric of the scored leaderboard."""
    header = SHOWN[metric].header
    lowered = header if header[:2].isupper() else f"{header[0].lower()}{header[1:]}"
    return lowered.replace(", all", " over all queries")


def leaderboard_tables(board: pd.DataFrame) -> list[Table]:
    """Return, for each density of a scored leaderboard, the table that ranks and the table of further metrics."""
    return [
        table
        for density in sorted(set(board["density"]))
        for table in (main_table(board[board["density"] == density]), further_table(board[board["density"] == density]))
    ]


def main_metrics(board: pd.DataFrame) -> tuple[MetricColumn, ...]:
    """Return the metrics that lead: those of places where one of them ranks, or else those of poses."""
    primary = str(board["primary"].iloc[0])
    for metrics in (PLACES, MAIN):
        if primary in [metric.name for metric in metrics]:
            return metrics
    return (SHOWN[primary], *MAIN)


def ranks_places(metric: str) -> bool:
    """Return whether a metric judges the ranking of references, and no pose."""
    return METRICS[metric].of_ranking


def main_table(board: pd.DataFrame) -> Table:
    """Return the table that ranks the methods of one density; the metric that ranks is among its columns."""
    metrics = main_metrics(board)
    columns = [Column("Rank", smaller_is_better=True), Column("Method", numeric=False)]
    columns += [_column(metric) for metric in metrics]
    columns += [Column("Failures"), Column("Latency p50", "ms", smaller_is_better=True)]
    cells = [_rank_cells(board), method_cells(board["method"], board["role"])]
    cells += [_metric_cells(board, metric) for metric in metrics]
    cells += [
        [number_cell(failures) for failures in board["failures"]],
        _plain_cells(board["seconds_p50"] * 1e3),
    ]
    return Table(_caption(board, "Leaderboard"), tuple(columns), _transposed(cells), _notes(board))


def further_table(board: pd.DataFrame) -> Table:
    """Return the table of the metrics of one density that do not lead: strict recall, areas under curves, and so on."""
    leading = [metric.name for metric in main_metrics(board)]
    metrics = [metric for metric in SHOWN.values() if metric.name not in leading]
    columns = [Column("Method", numeric=False), *(_column(metric) for metric in metrics)]
    cells = [method_cells(board["method"], board["role"]), *(_metric_cells(board, metric) for metric in metrics)]
    notes = (
        "Recall@N: the share of queries whose covisible reference is among the first N. "
        "Recall within a distance: the reference ranked first was taken that close to the query. "
        f"{NOTHING}: the method ranks no references.",
        *map_notes(board["role"]),
    )
    return Table(_caption(board, "Further metrics"), tuple(columns), _transposed(cells), notes)


def full_table(board: pd.DataFrame) -> Table:
    """Return every metric of every density in one table: what a spreadsheet wants."""
    columns = [Column("References per map"), Column("Rank"), Column("Method", numeric=False)]
    columns += [Column("Role", numeric=False), *(_column(metric) for metric in SHOWN.values())]
    columns += [Column("Queries"), Column("Failures"), Column("Latency p50", "ms"), Column("Latency p95", "ms")]
    cells = [[number_cell(density) for density in board["density"]], _rank_cells(board)]
    cells += [[text_cell(value) for value in board[name]] for name in ("method", "role")]
    cells += [_metric_cells(board, metric) for metric in SHOWN.values()]
    cells += [[number_cell(value) for value in board[name]] for name in ("queries", "failures")]
    cells += [_plain_cells(board[name] * 1e3) for name in ("seconds_p50", "seconds_p95")]
    return Table("All metrics", tuple(columns), _transposed(cells))


def difference_table(differences: pd.DataFrame, metric: str, roles: Mapping[str, str]) -> Table:
    """Return paired differences (the rows of ``bench.scoring.paired``) of one metric as a table."""
    shown = SHOWN[metric]
    values = differences[["value_a", "value_b", "difference", "low", "high"]] * shown.factor
    both = values[["value_a", "value_b"]].to_numpy().ravel()
    decimals = metric_decimals(shown, both, queries=int(differences["queries"].max()))
    columns = (
        Column("References per map"),
        Column("Method A", numeric=False),
        Column("Method B", numeric=False),
        Column("A", shown.unit),
        Column("B", shown.unit),
        Column("A − B", shown.unit, has_interval=True),
        Column("Common queries"),
        Column("Verdict", numeric=False),
    )
    rows = [
        [
            number_cell(row["density"]),
            *method_cells([row["a"], row["b"]], [roles[row["a"]], roles[row["b"]]]),
            number_cell(value["value_a"], decimals),
            number_cell(value["value_b"], decimals),
            number_cell(value["difference"], decimals, low=value["low"], high=value["high"]),
            number_cell(row["queries"]),
            text_cell(_verdict(row, shown)),
        ]
        for row, value in zip(differences.to_dict("records"), values.to_dict("records"), strict=True)
    ]
    caption = f"Paired differences: {in_words(metric)}"
    notes = ("Both methods answered the same queries; the interval is of their difference.",)
    compared = {roles[name] for column in ("a", "b") for name in differences[column]}
    return Table(caption, columns, rows, (*notes, *map_notes(compared)))


def _verdict(row: Mapping[Any, Any], metric: MetricColumn) -> str:
    if not row["distinguishable"]:
        return "cannot be told apart"
    return f"{row['a'] if (row['low'] > 0) != metric.smaller_is_better else row['b']} is better"


def failure_table(reasons: pd.DataFrame, board: pd.DataFrame) -> Table:
    """Return how often each method failed for each reason (the rows of ``bench.scoring.failure_reasons``)."""
    queries = board.set_index(["method", "density"])["queries"]
    roles = dict(zip(board["method"], board["role"], strict=True))
    columns = (
        Column("Method", numeric=False),
        Column("References per map"),
        Column("Reason", numeric=False),
        Column("Failures"),
        Column("Share of queries", "%"),
    )
    rows = [
        [
            *method_cells([row["method"]], [roles[row["method"]]]),
            number_cell(row["density"]),
            text_cell(row["reason"]),
            number_cell(row["count"]),
            number_cell(100 * row["count"] / queries[row["method"], row["density"]], 1),
        ]
        for row in reasons.to_dict("records")
    ]
    return Table("Failures by reason", columns, rows, tuple(map_notes(roles[method] for method in reasons["method"])))


def method_cells(methods: Iterable[str], roles: Iterable[str]) -> list[Cell]:
    """Return the methods' names as cells, marked where they see more or less than the image."""
    return [Cell(marked(name, role), name) for name, role in zip(methods, roles, strict=True)]


def rank_texts(board: pd.DataFrame) -> list[str]:
    """Return each row's rank as text: "2=" where methods share it, "–" where the method is not ranked."""
    sharing = board["rank"].value_counts()
    return [NOTHING if pd.isna(r) else f"{int(r)}{'=' if sharing[r] > 1 else ''}" for r in board["rank"]]


def _rank_cells(board: pd.DataFrame) -> list[Cell]:
    ranks = (math.nan if pd.isna(rank) else float(rank) for rank in board["rank"])
    return [Cell(text, rank) for text, rank in zip(rank_texts(board), ranks, strict=True)]


def _column(metric: MetricColumn) -> Column:
    return Column(metric.header, metric.unit, has_interval=True, smaller_is_better=metric.smaller_is_better)


def _metric_cells(board: pd.DataFrame, metric: MetricColumn) -> list[Cell]:
    names = [metric.name, f"{metric.name}_low", f"{metric.name}_high"]
    values = board[names].astype(float).to_numpy() * metric.factor
    decimals = metric_decimals(metric, values[:, 0], queries=int(board["queries"].max()))
    return [number_cell(value, decimals, low=low, high=high) for value, low, high in values]


def metric_decimals(metric: MetricColumn, values: Iterable[float], *, queries: int) -> int:
    """Return how many decimals a metric's column deserves: no more than its number of queries supports."""
    if metric.unit == "%":
        return 1 if queries >= PERCENT_DECIMALS_FROM else 0
    decimals = column_decimals(values)
    return min(2, max(1, decimals)) if metric.unit == "°" else max(2, decimals)


def _plain_cells(values: pd.Series) -> list[Cell]:
    """Cells of positive numbers over several decades: three significant digits each."""
    return [Cell(three_digits(value), float(value)) for value in values]


def three_digits(value: float) -> str:
    """Return a positive number with three significant digits, without an exponent."""
    if not math.isfinite(value) or value == 0:
        return NOTHING if math.isnan(value) else f"{value:g}".replace("inf", "∞")
    return f"{value:.{max(0, 2 - math.floor(math.log10(abs(value))))}f}"


def _caption(board: pd.DataFrame, title: str) -> str:
    row = board.iloc[0]
    references = f"{row['density']} references per map, " if row["density"] > 0 else ""
    caption = f"{title}: {references}{board['queries'].max()} queries in {_count(board['scenes'].max(), 'scene')}"
    if not ranks_places(str(row["primary"])):
        return caption
    places = int(row["density"])
    shares = [chance_reciprocal_rank(places)[0], 1 / places, min(5 / places, 1)]
    levels = (
        f"{name} {share:.2%}".replace("%", " %") for name, share in zip(("MRR", "top-1", "top-5"), shares, strict=True)
    )
    return f"{caption}; chance with K = {places} places: {', '.join(levels)}"


def _count(number: int, noun: str) -> str:
    plural = {"query": "queries"}.get(noun, f"{noun}s")
    return f"{number} {noun if number == 1 else plural}"


def _notes(board: pd.DataFrame) -> tuple[str, ...]:
    """Say how the intervals were made, what ties mean, and what the marks mean."""
    if ranks_places(str(board["primary"].iloc[0])):
        return _notes_on_places(board)
    ties = "Methods that the paired intervals cannot tell apart share a rank (2=)."
    area = "AUC: the area under the recall curve up to that error, over all queries; a failure adds nothing."
    failing = ["A failure counts as infinitely wrong; ∞: at least half of the queries failed."]
    return (
        interval_note(board),
        ties,
        area,
        *(failing if (board["failures"] > 0).any() else []),
        *notes_on_marks(board),
    )


def _notes_on_places(board: pd.DataFrame) -> tuple[str, ...]:
    ties = "Methods that the paired intervals cannot tell apart share a rank (2=)."
    top = "Top-N: the share of queries whose place is among the first N that were ranked; a failure scores 0 in all."
    return (interval_note(board), chance_note(board), ties, top, *notes_on_marks(board))


def notes_on_marks(board: pd.DataFrame) -> list[str]:
    """Return what the marks in a leaderboard mean."""
    return mark_notes(board["role"], places=ranks_places(str(board["primary"].iloc[0])))


def chance_note(board: pd.DataFrame) -> str:
    """Return the sentence that says what a random ranking scores, and within what it would lie for these queries."""
    places, queries = int(board["density"].max()), int(board["queries"].max())
    mean, deviation = chance_reciprocal_rank(places)
    margin = 1.96 * deviation / math.sqrt(queries)
    low, high = 100 * (mean - margin), 100 * (mean + margin)
    return (
        f"Chance is H(K) / K for MRR and N / K for top-N: with K = {places} places and {queries} queries, 95 % of "
        f"random rankings have an MRR of {low:.2f} to {high:.2f} %."
    )


def interval_note(board: pd.DataFrame) -> str:
    """Return the sentence that says what the intervals of a leaderboard are about."""
    unit, clusters = board["cluster_unit"].iloc[0], int(board["clusters"].max())
    grouped = unit == "query" and clusters < int(board["queries"].max())
    counted = f"{clusters} groups of queries" if grouped else _count(clusters, unit)
    note = f"Brackets: 95 % bootstrap intervals over {counted}"
    if unit != "scene":
        note += "; they hold for these scenes, which are too few to speak for others"
    return f"{note}."


def _transposed(columns: Sequence[list[Cell]]) -> list[list[Cell]]:
    return [list(row) for row in zip(*columns, strict=True)]
