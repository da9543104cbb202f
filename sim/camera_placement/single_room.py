"""`as_one_room`: what lets protocols that go room by room run on a scene that somebody brought without rooms."""

from __future__ import annotations

from dataclasses import replace

from shapely.geometry import Polygon

from ...errors import InputError
from ..scene import Room, Scene
from .navigable import ROBOT_RADIUS, floor_level, navigable_floor


def as_one_room(scene: Scene) -> Scene:
    """Return the scene with one room, "interior": the convex hull of its largest stretch of navigable floor.

    A scene that knows its navigable floor keeps it; else the floor is the lowest large level surface. The hull is
    widened by the robot's radius, so that it reaches the walls. Raises `InputError` where a robot can stand nowhere.
    """
    known = not scene.navigable.is_empty
    navigable = scene.navigable if known else navigable_floor(scene)
    if navigable.is_empty:
        raise InputError(
            f"scene {scene.name}: no level floor with room for a robot was found; where its file is not y up and in "
            "metres, name it in the track as {file: ..., scale: ..., up: ...}"
        )
    largest = max(navigable.geoms, key=lambda part: part.area)
    outline = largest.buffer(ROBOT_RADIUS, join_style="mitre").convex_hull
    assert isinstance(outline, Polygon)
    room = Room("interior", "room", outline)
    height = scene.floor_height if known else floor_level(scene)
    return replace(scene, rooms=(room,), navigable=navigable, floor_height=height)
