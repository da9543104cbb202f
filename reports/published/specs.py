"""The markers by which a page asks for results, as HTML comments that GitHub does not show.

A block holds YAML, and what stands between it and ``<!-- end -->`` is written by ``relocbench docs``::

    <!-- table: cross-view-v1-small
    rows: [scene-graph-vs, netvlad]          # in this order; by default all, as the leaderboard has them
    names: {scene-graph-vs: ours}            # what to call them; by default as the track does
    columns: [rank, method, mrr, {difference: mrr, of: scene-graph-vs, header: ours is better by (%)}]
    -->
    | ... |
    <!-- end -->

    <!-- picture: cross-view-v1-small
    curve: mrr-angle
    -->
    ![What turning away costs](cross-view-angle.png)
    <!-- end -->

``<!-- places: NAME -->`` asks for the table of places. Inside a sentence, though never at the start of a line, a value
is asked for by ``<!--= NAME METHOD METRIC -->…<!--/-->``, a difference by ``NAME METHOD - METHOD METRIC``, a fact by
``NAME queries``, ``maps``, ``scenes`` or ``chance METRIC``; ``plain`` leaves the interval out, ``bare`` the unit, and
``at=16`` names the step of a sweep. What a page says in words is held to the results by claims, which show nothing::

    <!-- claims: cross-view-v1-small
    hold:
    - scene-graph-vs better than netvlad in mrr
    - scene-graph-vs like dense-vlad in mrr
    -->
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from ...datasets.spec import first_problem
from ...errors import InputError

END = "<!-- end -->"
BLOCK = re.compile(r"<!-- ((?:table|places|picture): .*?)-->\n(.*?)<!-- end -->", re.DOTALL)
CLAIMS = re.compile(r"<!-- (claims: .*?)-->", re.DOTALL)
INLINE = re.compile(r"<!--=(.*?)-->(.*?)<!--/-->", re.DOTALL)
#: A comment here begins a block of HTML in Markdown, in which nothing else is Markdown any more.
AT_LINE_START = re.compile(r"^[ \t]*(?:(?:[-*+>]|\d+\.)[ \t]+)*<!--=", re.MULTILINE)

ROW, ABOVE = "row", "above"


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class MetricSpec(_Strict):
    """A column of a metric: its ``header``, by default the question's, and whether its ``interval`` is shown."""

    metric: str
    header: str = ""
    interval: bool = True


class DifferenceSpec(_Strict):
    """A column of paired differences in a metric: method ``of`` minus method ``minus``, bold where they can be told
    apart when all pairs are asked about at once.

    Either is a method's name, "row" for that of the row, or "above" for that of the row above.
    """

    difference: str
    of: str = ROW
    minus: str = ROW
    header: str = ""
    interval: bool = True


class TableSpec(_Strict):
    """A table of a summary: of the methods ``rows``, or of all but those ``without``; ``at`` is the step of a sweep.

    ``head`` is the header of the methods' names. Of a summary of kind "table" nothing is to be said: it is shown as it
    is.
    """

    table: str
    columns: tuple[str | MetricSpec | DifferenceSpec, ...] = ()
    rows: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    names: dict[str, str] = {}
    head: str = "Method"
    at: float | None = None


class PlacesSpec(_Strict):
    """The table of a summary's places and their queries."""

    places: str


class PictureSpec(_Strict):
    """A picture of a summary: a ``curve`` of its question, a metric by the ``sweep`` of an axis, or by the ``steps`` of
    the sweep of maps. Of a summary of kind "table" nothing is to be said: its pictures were drawn when it was made."""

    picture: str
    curve: str = ""
    sweep: str = ""
    steps: str = ""
    methods: tuple[str, ...] = ()


class ClaimsSpec(_Strict):
    """What a page says of a summary in words."""

    claims: str
    hold: tuple[str, ...]
    at: float | None = None


Spec = TableSpec | PlacesSpec | PictureSpec | ClaimsSpec
_KINDS: dict[str, type[Spec]] = {
    "table": TableSpec,
    "places": PlacesSpec,
    "picture": PictureSpec,
    "claims": ClaimsSpec,
}


def parse_block(text: str) -> Any:
    """Return what a block asks for; raises ``InputError`` where it is not understood."""
    named = text.partition("\n")[0].strip()
    try:
        data = yaml.safe_load(text.strip())
        return _KINDS[text.partition(":")[0]].model_validate(data)
    except yaml.YAMLError as error:
        raise InputError(f"'{named}': is not YAML: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        kind = _KINDS[text.partition(":")[0]]
        raise InputError(f"'{named}': {first_problem(error, known=list(kind.model_fields))}") from error


@dataclass(frozen=True)
class Value:
    """What is asked for inside a sentence: words that name it, and how it is shown."""

    summary: str
    words: tuple[str, ...]
    at: float | None = None
    plain: bool = False
    bare: bool = False


def parse_value(text: str) -> Value:
    """Return what a marker inside a sentence asks for; raises ``InputError`` where it is not understood."""
    words = text.split()
    if len(words) < 2:
        raise InputError(f"'<!--={text}-->': name a summary and what of it")
    steps = [word for word in words if word.startswith("at=")]
    try:
        at = float(steps[0].removeprefix("at=")) if steps else None
    except ValueError:
        raise InputError(f"'<!--={text}-->': {steps[0]} is no step of a sweep") from None
    rest = tuple(word for word in words[1:] if word not in (*steps, "plain", "bare"))
    return Value(words[0], rest, at, "plain" in words, "bare" in words)


CLAIM = re.compile(r"^(?P<a>\S+) (?P<says>better than|worse than|like) (?P<b>\S+) in (?P<metric>\S+)$")


def parse_claim(text: str) -> dict[str, str]:
    """Return the parts of a claim: methods ``a`` and ``b``, what it ``says``, ``metric``."""
    match = CLAIM.match(text)
    if match is None:
        raise InputError(f"claim {text!r}: say 'A better than B in METRIC', 'A worse than …' or 'A like …'")
    return match.groupdict()
