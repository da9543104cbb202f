"""`Summary`: everything that tables, plots and the page of one report share, scored once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any

import pandas as pd

from ..bench.latency import latency_table
from ..bench.roles import ORACLE, is_ranked
from ..bench.scoring import failure_reasons, leaderboard, paired_all
from .latency import in_order
from .palette import MethodStyle, method_styles
from .results import Results
from .terms import Terms


@dataclass(frozen=True, eq=False)
class MachineSummary:
    """What was measured on one kind of machine, and the description of it that the run recorded."""

    fingerprint: str
    hardware: Mapping[str, Any]
    threads: Mapping[str, str]
    jobs: tuple[int, ...]
    estimates: pd.DataFrame
    latency: pd.DataFrame
    maps: pd.DataFrame


@dataclass(frozen=True, eq=False)
class Summary:
    """One group of results with its leaderboard; ``order`` lists the methods as it does, ``roles`` what they are."""

    results: Results
    board: pd.DataFrame
    order: list[str]
    roles: dict[str, str]
    styles: dict[str, MethodStyle]
    machines: list[MachineSummary]

    @cached_property
    def terms(self) -> Terms:
        """In which words the group is spoken of."""
        return Terms.of(self.results.stores[0])

    @property
    def steps(self) -> list[float]:
        """How much maps were made of, the least first."""
        return sorted(float(step) for step in set(self.board["sweep"]))

    @property
    def base_step(self) -> float:
        """The smallest maps: what plots show that can show only one."""
        return self.steps[0]

    @cached_property
    def reasons(self) -> pd.DataFrame:
        """How often each method failed for which reason."""
        return in_order(failure_reasons(self.results.estimates), self.order)

    @cached_property
    def differences(self) -> pd.DataFrame:
        """What `compared` says of the metric that ranks."""
        return self.compared(self.results.primary)

    def compared(self, metric: str) -> pd.DataFrame:
        """Every two methods in one metric, in the leaderboard's order and at each step, but for who knows the pose.

        The pairs of ranked methods are one family, as in the leaderboard; the others, of which one was given maps of
        the simulator or does not look, are another one.
        """
        compared = [method for method in self.order if self.roles[method] != ORACLE]
        ranked = {method for method in compared if is_ranked(self.roles[method])}
        pairs = list(combinations(compared, 2))
        families = [[pair for pair in pairs if (ranked >= set(pair)) == both] for both in (True, False)]
        estimates, question = self.results.estimates, self.terms.question
        tables = [paired_all(estimates, family, question, metric=metric) for family in families if family]
        if not tables:
            return pd.DataFrame()
        table = pd.concat(tables, ignore_index=True)
        place = {pair: number for number, pair in enumerate(pairs)}
        order = [(row["sweep"], place[row["a"], row["b"]]) for row in table.to_dict("records")]
        return table.iloc[sorted(range(len(table)), key=order.__getitem__)].reset_index(drop=True)

    def at(self, step: float) -> pd.DataFrame:
        """Return the records of one step of the sweep."""
        estimates = self.results.estimates
        return estimates[estimates["sweep"] == step]


def summarise(results: Results) -> Summary:
    """Score results and sort them by machine."""
    board = leaderboard(results.estimates, results.stores[0].question)
    order = list(dict.fromkeys(board.sort_values("sweep", kind="stable")["method"]))
    roles = dict(zip(board["method"], board["role"], strict=True))
    return Summary(results, board, order, roles, method_styles(roles), _machines(results, order))


def _machines(results: Results, order: list[str]) -> list[MachineSummary]:
    sessions = [session for store in results.stores for session in store.record.sessions]
    machines = []
    for fingerprint in dict.fromkeys(results.estimates["machine"]):
        estimates, spans, maps = (
            table[table["machine"] == fingerprint] for table in (results.estimates, results.spans, results.maps)
        )
        here = [session for session in sessions if fingerprint in _hosts(session)]
        machines.append(
            MachineSummary(
                fingerprint=fingerprint,
                hardware=_hosts(here[-1])[fingerprint] if here else {},
                threads=here[-1].get("threads", {}) if here else {},
                jobs=tuple(sorted({int(session["jobs"]) for session in here if "jobs" in session})),
                estimates=estimates,
                latency=in_order(latency_table(estimates, spans), order),
                maps=in_order(maps, order),
            )
        )
    return machines


def _hosts(session: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    """Return the hardware of the machines that computed in a session; earlier versions recorded one."""
    return session.get("hosts") or {session.get("machine", ""): session.get("hardware", {})}
