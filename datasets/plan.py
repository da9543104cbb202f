"""What a protocol answers: the views that it wants of a scene, and what it decides once they are rendered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
from pydantic import SerializerFunctionWrapHandler, model_serializer

from .strict import Strict


class SkippedRoom(Strict):
    """A room that the protocol left out, and why."""

    room: str
    reason: str


class PlaceStatistics(Strict):
    """What the places of one scene are like.

    ``tried`` candidates were looked at for training images, in order, and ``passed_over`` says how many of them for
    which reason; others took their place. ``point_distance`` is the first decile, the median and the last decile, in
    metres, of how far each representative point lies before its training image; ``rooms_in_sight`` how many rooms each
    training image shows, by class. ``view_angles`` counts queries by the angle between their direction and that of
    their training image, in steps of 30 degrees from 0 to 180; ``query_distance`` has the deciles of the metres between
    the two cameras.
    """

    tried: int
    passed_over: dict[str, int]
    point_distance: tuple[float, float, float]
    rooms_in_sight: tuple[int, ...]
    view_angles: tuple[int, ...]
    query_distance: tuple[float, float, float]

    @property
    def several_rooms(self) -> float:
        """The share of training images that show more than one room."""
        return sum(rooms > 1 for rooms in self.rooms_in_sight) / len(self.rooms_in_sight)


class PlacesRecord(Strict):
    """The place classes of one scene: how they were made, where they lie, and how evenly views belong to them.

    ``points`` are the classes' representative points in world x, y, and ``views`` the queries of each, by class. Of the
    ``candidates``, ``dropped`` belong to no class and ``over_limit`` were more queries than asked for; neither are in
    the dataset. ``centre`` is the view that the training images were to look like, None where they were chosen at
    random. ``statistics`` are None where places were made as they were before these were kept.
    """

    rule: str
    centre: str | None
    points: tuple[tuple[float, float], ...]
    candidates: int
    dropped: int
    over_limit: int = 0
    views: tuple[int, ...]
    statistics: PlaceStatistics | None = None

    @model_serializer(mode="wrap")
    def _without_none(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        content: dict[str, Any] = dump(self)
        return content if self.statistics else {key: value for key, value in content.items() if key != "statistics"}


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
