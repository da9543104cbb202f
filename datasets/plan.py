"""What a protocol answers: the views that it wants of a scene, and what it decides once they are rendered."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from .strict import Strict


class SkippedRoom(Strict):
    """A room that the protocol left out, and why."""

    room: str
    reason: str


class PlacesRecord(Strict):
    """The place classes of one scene: how they were made, where they lie, and how evenly views belong to them.

    ``points`` are the classes' representative points in world x, y, and ``views`` the queries of each, by class. Of the
    ``candidates``, ``dropped`` belong to no class and ``over_limit`` were more queries than asked for; neither are in
    the dataset. ``centre`` is the view that the training images were to look like, None where they were chosen at
    random.
    """

    rule: str
    centre: str | None
    points: tuple[tuple[float, float], ...]
    candidates: int
    dropped: int
    over_limit: int = 0
    views: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Plan:
    """A protocol's answer for one scene: rows of the views table, files and covisibility still empty, and what was left
    out."""

    table: pd.DataFrame
    skipped: tuple[SkippedRoom, ...] = ()


@dataclass(frozen=True, eq=False)
class Decision:
    """What becomes of a scene's rendered views: the rows that the dataset keeps, whose index holds the rows of the
    plan, and what the manifest says of its places."""

    table: pd.DataFrame
    places: PlacesRecord | None = None
