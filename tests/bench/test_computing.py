"""What there is to do on a dataset: every map at every density at which all maps have references."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from relocbench.bench.computing import map_work
from relocbench.datasets.views import ViewSet
from relocbench.errors import InputError


def views(references: dict[str, list[int]]) -> ViewSet:
    """Two queries in each map, and references of the given densities."""
    rows = [(name, "reference", density) for name, own in references.items() for density in own]
    rows += [(name, "query", 0) for name in references for _ in range(2)]
    table = pd.DataFrame(rows, columns=["map", "role", "density"]).assign(split="test")
    table["view"] = [f"view-{row}" for row in range(len(table))]
    return ViewSet(table, Path(), depth_unit=0.001)


def sizes(references: dict[str, list[int]]) -> list[tuple[str, int, int]]:
    work = map_work(views(references), "test", where=Path())
    return [(each.map, each.density, len(each.references)) for each in work]


def test_a_sweep_only_ever_adds_references():
    assert sizes({"a": [2, 2, 4, 4], "b": [2, 2, 4, 4]}) == [("a", 2, 2), ("b", 2, 2), ("a", 4, 4), ("b", 4, 4)]


def test_maps_with_different_numbers_of_references_are_compared_where_all_have_some():
    assert sizes({"a": [2, 2], "b": [3, 3, 3]}) == [("a", 3, 2), ("b", 3, 3)]


def test_a_map_without_references_is_named():
    with pytest.raises(InputError, match="the map b has no references"):
        map_work(views({"a": [1], "b": []}), "test", where=Path())
    with pytest.raises(InputError, match="no references or no queries"):
        map_work(views({}), "test", where=Path())
