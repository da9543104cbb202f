"""Floor plans are those of houses: sizes, doors to everywhere, windows to the outside."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from relocbench.sim.scenes.houses.drafting import draft_floor
from relocbench.sim.scenes.houses.floor_plan import HALF_WALL, OUTER_WALL, FloorPlan, Opening
from shapely.geometry import Point, box
from shapely.ops import unary_union

SEEDS = range(60)


@pytest.fixture(scope="module")
def plans() -> list[FloorPlan]:
    return [draft_floor(np.random.default_rng(seed)) for seed in SEEDS]


def beyond(opening: Opening, distance: float) -> list[Point]:
    """Points ``distance`` metres to both sides of an opening's wall line."""
    x, y = opening.centre
    step = np.eye(2)[1 - opening.axis] * distance
    return [Point(x + step[0], y + step[1]), Point(x - step[0], y - step[1])]


def test_rooms_have_the_sizes_of_rooms(plans: list[FloorPlan]) -> None:
    for plan in plans:
        assert 3 <= len(plan.rooms) <= 12
        assert 2.4 <= plan.ceiling <= 3.0
        for room in plan.rooms:
            assert 6.0 <= room.polygon.area <= 45.0


def test_every_number_of_rooms_occurs_and_can_be_asked_for(plans: list[FloorPlan]) -> None:
    assert {len(plan.rooms) for plan in plans} >= {3, 4, 6, 8, 10, 12}
    for count in range(3, 13):
        assert len(draft_floor(np.random.default_rng(5), rooms=count).rooms) == count


@pytest.mark.parametrize("count", [2, 13])
def test_other_numbers_of_rooms_are_refused(count: int) -> None:
    with pytest.raises(ValueError, match="3 to 12"):
        draft_floor(np.random.default_rng(0), rooms=count)


def test_rooms_keep_a_wall_between_them_and_fill_one_outline(plans: list[FloorPlan]) -> None:
    for plan in plans:
        for a, b in combinations(plan.rooms, 2):
            assert a.polygon.distance(b.polygon) >= 2 * HALF_WALL - 1e-6
        outline = unary_union([box(*room.cell) for room in plan.rooms])
        assert outline.geom_type == "Polygon"
        assert not outline.interiors
        assert plan.outline.contains(outline)


def test_a_house_has_what_people_need(plans: list[FloorPlan]) -> None:
    for plan in plans:
        types = [room.type for room in plan.rooms]
        assert {"living room", "kitchen", "bathroom"} <= set(types)
        assert sum(opening.kind == "entrance" for opening in plan.openings) == 1
        assert len({room.name for room in plan.rooms}) == len(types)


def test_every_room_is_reached_through_doors(plans: list[FloorPlan]) -> None:
    for plan in plans:
        reached, frontier = {0}, [0]
        while frontier:
            room = frontier.pop()
            for opening in plan.openings_of(room):
                if opening.kind in {"door", "passage"}:
                    new = set(opening.rooms) - reached
                    reached |= new
                    frontier += new
        assert reached == set(range(len(plan.rooms)))


def test_doors_lead_from_room_to_room(plans: list[FloorPlan]) -> None:
    for plan in plans:
        for opening in plan.openings:
            if opening.kind in {"door", "passage"}:
                assert opening.end - opening.start >= 0.9
                for room in opening.rooms:
                    assert any(plan.rooms[room].polygon.contains(p) for p in beyond(opening, 0.2))


def test_windows_look_outside(plans: list[FloorPlan]) -> None:
    for plan in plans:
        for opening in plan.openings:
            if opening.kind != "window":
                continue
            inside = plan.rooms[opening.rooms[0]].polygon
            sides = beyond(opening, OUTER_WALL + 0.05)
            assert sum(plan.outline.contains(side) for side in sides) == 1
            assert any(inside.contains(side) for side in beyond(opening, 0.1))
            assert 0 < opening.bottom < opening.top < plan.ceiling


def test_rooms_for_living_have_daylight(plans: list[FloorPlan]) -> None:
    for plan in plans:
        for index, room in enumerate(plan.rooms):
            if room.type not in {"bathroom", "corridor"}:
                assert any(opening.kind == "window" for opening in plan.openings_of(index))


def test_openings_of_a_wall_do_not_overlap(plans: list[FloorPlan]) -> None:
    for plan in plans:
        for a, b in combinations(plan.openings, 2):
            if a.axis == b.axis and abs(a.line - b.line) < 0.2:
                assert a.end < b.start or b.end < a.start


def test_twins_are_as_large_as_each_other(plans: list[FloorPlan]) -> None:
    twins = [(room, plan.rooms[room.twin_of]) for plan in plans for room in plan.rooms if room.twin_of is not None]
    assert len(twins) > 5
    for copy, original in twins:
        assert copy.type == original.type
        assert copy.polygon.area == pytest.approx(original.polygon.area, rel=0.02)


def test_the_same_seed_gives_the_same_plan() -> None:
    assert draft_floor(np.random.default_rng(3)) == draft_floor(np.random.default_rng(3))
