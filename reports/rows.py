"""Rows of data frames, one by one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd


def each_row(table: pd.DataFrame) -> Iterator[Any]:
    """Yield the rows as named tuples. What a column holds is known to the table, not to the type checker."""
    yield from table.itertuples()
