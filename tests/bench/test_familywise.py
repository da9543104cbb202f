"""Corrected p-values and ranges of ranks, by what must be so whatever the data."""

from __future__ import annotations

import numpy as np
import pytest
from relocbench.bench.bootstrap import Sampled, cluster_counts, mean_draws
from relocbench.bench.familywise import adjusted_p, rank_ranges

HOUSES = 8


def difference(per_house: np.ndarray) -> Sampled:
    counts = cluster_counts((len(per_house),))
    draws = mean_draws(per_house, np.arange(len(per_house)), counts)
    return Sampled(float(per_house.mean()), draws, len(per_house))


@pytest.fixture
def family() -> list[Sampled]:
    random = np.random.default_rng(0)
    return [difference(random.normal(shift, 0.5, HOUSES)) for shift in (0, 0, 0.3, 0.6, 1.5, 3)]


def test_one_comparison_needs_no_correction(family):
    assert [adjusted_p([each])[0] for each in family] == [each.p for each in family]


def test_a_correction_never_makes_surer_and_keeps_the_order(family):
    adjusted = adjusted_p(family)
    single = np.array([each.p for each in family])
    assert (adjusted >= single).all()
    order = np.argsort(single)
    assert (np.diff(adjusted[order]) >= 0).all()


def test_it_is_no_stricter_than_bonferroni(family):
    single = np.array([each.p for each in family])
    assert (adjusted_p(family) <= np.minimum(1, 1.35 * len(family) * single + 0.003)).all()


def test_a_comparison_that_is_made_twice_costs_nothing():
    """What hangs together is not paid for twice; what does not, is."""
    random = np.random.default_rng(1)
    one = difference(random.normal(0.45, 0.5, HOUSES))
    others = [difference(random.normal(0, 0.5, HOUSES)) for _ in range(20)]
    repeated = adjusted_p([one] * 21)[0]
    assert one.p < repeated < adjusted_p([one, *others])[0]


def test_what_nobody_knows_stays_out(family):
    unknown = Sampled(float("nan"), np.full(2000, np.nan), HOUSES)
    with_unknown = adjusted_p([unknown, *family])
    assert np.isnan(with_unknown[0])
    assert np.array_equal(with_unknown[1:], adjusted_p(family))
    assert np.isnan(adjusted_p([unknown])).all()
    assert adjusted_p([]).size == 0


def test_ranges_of_ranks_follow_from_who_is_better():
    """a and b cannot be told apart, nor b and c; a is better than c, and all are better than d."""
    better = np.zeros((4, 4), dtype=bool)
    better[0, 2] = better[:3, 3] = True
    assert rank_ranges(better).tolist() == [[1, 2], [1, 3], [2, 3], [4, 4]]
    assert rank_ranges(np.zeros((3, 3), dtype=bool)).tolist() == [[1, 3]] * 3
    assert rank_ranges(np.zeros((0, 0), dtype=bool)).shape == (0, 2)
