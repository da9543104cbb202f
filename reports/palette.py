"""How each method looks in every plot and in the page: one colour, dash and marker, the same throughout a report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..bench.roles import BLIND, CHANCE, ORACLE, ORACLE_MAPS

#: Okabe and Ito's colours, which people with any common colour vision tell apart, without the two that are too light
#: on white (yellow) or taken by the baselines (black).
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
DASHES = ("-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (6, 1.5, 1.2, 1.5)))
#: Of methods that were given maps of the simulator: long dashes, which no competitor has.
MAPS_DASHES = ((0, (9, 3)), (0, (9, 2, 2, 2)))
BLIND_MARKERS = ("d", "<", ">", "H")
MARKERS = ("o", "s", "D", "^", "v", "P", "X", "p", "h")

#: Baselines bound the others and stand back: greys and a brown, broken lines.
CHANCE_COLOUR = "#8A9099"
BLIND_COLOUR = "#8C6D46"
ORACLE_COLOUR = "#555B63"


@dataclass(frozen=True)
class MethodStyle:
    """A method's colour (hex), matplotlib line style and marker, and whether it only stands beside those that compete.

    ``role`` is its role, for legends.
    """

    colour: str
    dash: Any
    marker: str
    is_bound: bool
    role: str = ""


def method_styles(roles: Mapping[str, str]) -> dict[str, MethodStyle]:
    """Return each method's style, given its role in the records (:mod:`relocbench.bench.roles`).

    Methods are taken by name, so that two plots of one run agree whatever their order.
    """
    names = sorted(roles)
    styles = {name: _competitor_style(i) for i, name in enumerate(n for n in names if not roles[n])}
    competitors = len(styles)  # whose colours come first
    for i, name in enumerate(name for name in names if roles[name] in ORACLE_MAPS):
        dash = MAPS_DASHES[i // len(COLOURS) % len(MAPS_DASHES)]
        styles[name] = replace(_competitor_style(competitors + i), dash=dash, is_bound=True, role=roles[name])
    for i, name in enumerate(name for name in names if roles[name] == ORACLE):
        styles[name] = MethodStyle(ORACLE_COLOUR, (0, (4 + 2 * i, 2)), "*", True, ORACLE)
    for i, name in enumerate(name for name in names if roles[name] == CHANCE):
        styles[name] = MethodStyle(CHANCE_COLOUR, (0, (1 + i, 1.6)), "X", True, CHANCE)
    for i, name in enumerate(name for name in names if roles[name] == BLIND):
        marker = BLIND_MARKERS[i % len(BLIND_MARKERS)]
        styles[name] = MethodStyle(BLIND_COLOUR, (0, (2, 1.6, 1 + i, 1.6)), marker, True, BLIND)
    return styles


def _competitor_style(index: int) -> MethodStyle:
    cycle, colour = divmod(index, len(COLOURS))
    return MethodStyle(COLOURS[colour], DASHES[cycle % len(DASHES)], MARKERS[index % len(MARKERS)], False)


def page_colour(colour: str) -> str:
    """Return a colour as the page names it: its style sheet has a lighter tone of each for dark screens."""
    return f"var(--c-{colour.lower().removeprefix('#')}, {colour.lower()})"
