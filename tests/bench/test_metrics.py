from __future__ import annotations

import doctest

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from relocbench.bench import metrics

errors = arrays(np.float64, st.integers(1, 40), elements=st.floats(0, 1e3) | st.just(np.inf))


def test_the_examples_in_the_documentation_hold():
    failed, attempted = doctest.testmod(metrics)
    assert attempted >= 8
    assert failed == 0


@given(st.integers(1, 300))
def test_chance_is_what_every_rank_equally_often_gives(references):
    """With one reference a guess is right; otherwise its mean is that of all ranks, each as likely."""
    mean, deviation = metrics.chance_reciprocal_rank(references)
    every = np.arange(1, references + 1)
    assert mean == pytest.approx(metrics.mean_reciprocal_rank(every))
    assert deviation**2 == pytest.approx(metrics.mean_reciprocal_rank(every.astype(float) ** 2) - mean**2, abs=1e-12)


@given(errors)
def test_a_further_failure_never_improves_a_metric(error):
    worse = np.append(error, np.inf)
    assert metrics.median_error(worse) >= metrics.median_error(error)
    assert metrics.recall_area(worse, up_to=1.0) <= metrics.recall_area(error, up_to=1.0)
    assert metrics.joint_recall(worse, worse, metres=1, degrees=1) <= metrics.joint_recall(
        error, error, metres=1, degrees=1
    )
    assert metrics.recall_at_distance(worse, metres=1) <= metrics.recall_at_distance(error, metres=1)


@given(errors)
def test_localized_medians_ignore_failures_and_only_those(error):
    with_failures = np.concatenate([error, np.full(7, np.inf)])
    expected, given = metrics.median_error_localized(error), metrics.median_error_localized(with_failures)
    assert np.array_equal(expected, given, equal_nan=True)


@given(errors, st.floats(0.1, 10))
def test_the_recall_area_is_the_integral_of_the_recall_curve(error, up_to):
    thresholds = (np.arange(4000) + 0.5) / 4000 * up_to
    curve = [np.mean(error <= t) for t in thresholds]
    assert metrics.recall_area(error, up_to=up_to) == pytest.approx(np.mean(curve), abs=1e-3)


@given(errors)
def test_recall_grows_with_its_thresholds_and_reaches_the_success_rate(error):
    recalls = [metrics.joint_recall(error, error, metres=m, degrees=m) for m in (0.1, 1, 10, 1e3)]
    assert recalls == sorted(recalls)
    assert recalls[-1] == metrics.success_rate(np.isfinite(error))


def test_a_random_ranking_has_the_mean_reciprocal_rank_that_probability_says():
    rank = np.random.default_rng(0).integers(1, 5, 40_000)
    assert metrics.mean_reciprocal_rank(rank) == pytest.approx(np.mean(1 / np.arange(1, 5)), abs=5e-3)
    assert metrics.recall_at_n(rank, n=2) == pytest.approx(0.5, abs=1e-2)


def test_without_queries_nothing_was_measured():
    nothing = np.zeros(0)
    assert np.isnan(metrics.median_error(nothing))
    assert np.isnan(metrics.median_error_localized([np.inf]))
    assert np.isnan(metrics.success_rate(nothing))
    assert np.isnan(metrics.joint_recall(nothing, nothing, metres=1, degrees=1))
    assert np.isnan(metrics.recall_area(nothing, up_to=1))
    assert np.isnan(metrics.mean_reciprocal_rank(nothing))
    assert np.isnan(metrics.recall_at_n(nothing, n=1))
    assert np.isnan(metrics.recall_at_distance(nothing, metres=1))


def test_a_hole_in_a_column_is_an_error():
    with pytest.raises(ValueError, match="NaN"):
        metrics.median_error([0.1, np.nan])
    with pytest.raises(ValueError, match="one value per query"):
        metrics.median_error([[0.1]])
    with pytest.raises(ValueError, match="start at 1"):
        metrics.mean_reciprocal_rank([0])
