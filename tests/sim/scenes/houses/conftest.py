"""Houses that the tests of this folder look at: generated once."""

from __future__ import annotations

import pytest
from relocbench.sim.scene import Scene
from relocbench.sim.scenes.houses import generate_house

SEEDS = (1, 9)


@pytest.fixture(scope="session")
def houses() -> list[Scene]:
    """A few houses at the default level of detail. Read-only, shared."""
    return [generate_house(seed) for seed in SEEDS]
