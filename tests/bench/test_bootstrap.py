from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from relocbench.bench.bootstrap import MedianDraws, cluster_counts, differences, interval, mean_draws


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
    counts = cluster_counts(clusters, resamples=20, seed=seed)
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


def test_every_resample_draws_as_many_clusters_as_there_are():
    counts = cluster_counts(7)
    assert (counts.sum(axis=1) == 7).all()
    assert np.array_equal(counts, cluster_counts(7))
    assert counts.mean(axis=0) == pytest.approx(np.ones(7), abs=0.1)


@pytest.mark.parametrize("clusters", [5, 18])
def test_intervals_cover_the_truth_as_often_as_they_say(clusters):
    """Scenes differ from each other; ignoring that would cover the true median far less often."""
    random = np.random.default_rng(clusters)
    cluster = np.repeat(np.arange(clusters), 20)
    covered, naive, trials = 0, 0, 300
    for trial in range(trials):
        values = random.normal(size=clusters)[cluster] + random.normal(size=cluster.size)
        low, high = interval(
            MedianDraws(values, cluster, clusters).over_all(cluster_counts(clusters, resamples=500, seed=trial)),
            clusters=clusters,
        )
        covered += low <= 0 <= high
        half = 1.96 * 1.2533 * values.std() / np.sqrt(values.size)  # as if queries were independent
        naive += abs(np.median(values)) <= half
    assert covered / trials > 0.88
    assert naive / trials < 0.75


def test_one_cluster_says_nothing_about_others():
    draws = MedianDraws(np.arange(10.0), np.zeros(10, int), 1).over_all(cluster_counts(1))
    assert np.isnan(interval(draws, clusters=1)).all()


def test_intervals_admit_infinity():
    draws = np.array([0.5] * 100 + [np.inf] * 1900)
    assert interval(draws, clusters=10) == (0.5, np.inf)


def test_two_methods_that_fail_alike_differ_by_nothing():
    assert differences(np.array([np.inf, np.inf, 2.0]), np.array([np.inf, 1.0, np.inf])).tolist() == [
        0,
        np.inf,
        -np.inf,
    ]
