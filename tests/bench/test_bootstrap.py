from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from relocbench.bench.bootstrap import MedianDraws, Sampled, cluster_counts, differences, mean_draws
from scipy.stats import t


def written_out(values, cluster, counts):
    """The resample as copies of queries, which the fast way never makes."""
    return np.repeat(values, counts.astype(int)[cluster])


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 3000), st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_draws_equal_the_statistic_of_the_resample_written_out(queries, clusters, seed):
    random = np.random.default_rng(seed)
    values = np.round(random.exponential(size=queries), 2)  # rounded: ties happen
    values[random.random(queries) < random.random()] = np.inf
    cluster = random.integers(0, clusters, queries)
    counts = cluster_counts((clusters,), resamples=20, seed=seed)
    medians = MedianDraws(values, cluster, clusters)
    every, finite = medians.over_all(counts), medians.over_finite(counts)
    means = mean_draws((values < 1).astype(float), cluster, counts)
    for b in range(20):
        resample = written_out(values, cluster, counts[b])
        if resample.size == 0:
            assert np.isnan([every[b], finite[b], means[b]]).all()
            continue
        middle = np.sort(resample)[[(resample.size - 1) // 2, resample.size // 2]]
        assert every[b] == middle.mean()
        assert means[b] == pytest.approx(np.mean(resample < 1))
        localized = resample[np.isfinite(resample)]
        assert np.array_equal(finite[b], np.median(localized) if localized.size else np.nan, equal_nan=True)


def test_every_resample_draws_as_many_clusters_of_each_stratum_as_there_are():
    counts = cluster_counts((7, 2))
    assert (counts[:, :7].sum(axis=1) == 7).all()
    assert (counts[:, 7:].sum(axis=1) == 2).all()
    assert np.array_equal(counts, cluster_counts((7, 2)))
    assert counts.mean(axis=0) == pytest.approx(np.ones(9), abs=0.1)


def of_means(means: np.ndarray) -> Sampled:
    """The mean of one value per cluster."""
    cluster = np.arange(len(means))
    return Sampled(float(means.mean()), mean_draws(means, cluster, cluster_counts((len(means),))), len(means))


@pytest.mark.parametrize("clusters", [3, 5, 20])
def test_of_one_value_per_cluster_the_interval_is_students(clusters):
    means = np.random.default_rng(clusters).normal(size=clusters)
    half = t.isf(0.025, clusters - 1) * means.std(ddof=1) / np.sqrt(clusters)
    low, high = of_means(means).interval()
    assert (high - low) / 2 == pytest.approx(half, rel=0.06)  # of 2,000 resamples
    assert (high + low) / 2 == pytest.approx(means.mean())


def test_one_cluster_says_nothing_about_others():
    sampled = Sampled(4.5, MedianDraws(np.arange(10.0), np.zeros(10, int), 1).over_all(cluster_counts((1,))), 1)
    assert np.isnan([*sampled.interval(), sampled.p]).all()


def test_clusters_that_are_all_alike_leave_no_doubt_but_at_the_ends():
    assert of_means(np.full(6, 0.25)).interval(bounds=(0, 1)) == (0.25, 0.25)
    assert np.isnan(of_means(np.zeros(6)).interval(bounds=(0, 1))).all()
    assert (of_means(np.full(6, 0.25)) - of_means(np.full(6, 0.75))).p == 0.0
    assert (of_means(np.full(6, 0.25)) - of_means(np.full(6, 0.25))).p == 1.0


def test_intervals_end_where_the_metric_does():
    low, high = of_means(np.array([0.0, 0.0, 1.0])).interval(bounds=(0.0, 1.0))
    assert (low, high) == (0.0, 1.0)


def test_intervals_admit_infinity():
    few, most = (Sampled(0.5, np.array([0.5] * (2000 - n) + [np.inf] * n), 10) for n in (1, 1000))
    assert few.interval() == (0.5, 0.5)
    assert most.interval() == (0.5, np.inf)
    never = Sampled(np.inf, np.full(2000, np.inf), 10)
    assert np.isnan(never.interval()).all()
    assert (never - never).p == 1.0


def test_a_difference_to_what_always_fails_is_infinite_and_beyond_doubt():
    always, never = of_means(np.array([0.2, 0.3, 0.25, 0.2])), Sampled(np.inf, np.full(2000, np.inf), 4)
    assert (never - always).value == np.inf
    assert (never - always).p < 0.001


def test_trainings_that_differ_widen_the_interval():
    means = np.random.default_rng(0).normal(size=8)
    one = of_means(means)
    assert Sampled.mean([one]) is one
    alike, apart = (Sampled.mean([of_means(means - d), of_means(means), of_means(means + d)]) for d in (0.0, 1.0))
    assert alike.interval() == pytest.approx(one.interval())
    assert apart.value == pytest.approx(one.value)
    assert apart.interval()[1] - apart.interval()[0] > one.interval()[1] - one.interval()[0]
    assert (apart - one).p > 0.9
    assert apart.freedom < one.freedom


@pytest.mark.parametrize("trainings", [2, 4])
def test_intervals_hold_for_other_trainings(trainings):
    """Trainings differ as much as the mean over houses does: one alone would be far off far more often."""
    random = np.random.default_rng(trainings)
    covered, studies = 0, 300
    for _ in range(studies):
        house = random.normal(size=10)
        level = random.normal(0, 0.3, trainings)
        covered += np.prod(np.sign(Sampled.mean([of_means(house + each) for each in level]).interval())) <= 0
    assert 0.9 <= covered / studies <= 0.995


def test_two_methods_that_fail_alike_differ_by_nothing():
    assert differences(np.array([np.inf, np.inf, 2.0]), np.array([np.inf, 1.0, np.inf])).tolist() == [
        0,
        np.inf,
        -np.inf,
    ]
