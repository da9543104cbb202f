"""Many comparisons at once: how sure a difference is when one of many would have been taken for one.

With eight methods there are 28 pairs: were none better than another, some pair would still look different at the level
of a single test more often than not. The step-down maximum of Westfall and Young ("Resampling-Based Multiple Testing",
1993, algorithm 2.8; Romano and Wolf, Econometrica 2005) bounds the probability of one false difference in the whole
family, and takes how the pairs hang together from the resamples that they share.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .bootstrap import Sampled

Array = NDArray[Any]


def adjusted_p(comparisons: Sequence[Sampled], *, seed: int = 0) -> Array:
    """Return the p-value (N,) of each difference, corrected for all of the family; NaN where nothing is known.

    The draws of a difference are spread like a normal variable, its score like Student's t, as its standard error is
    known from a few scenes only: every draw is divided by the root of an own chi-square over its degrees of freedom.
    Without that, one in five families of twelve methods in six houses would have a false difference.
    """
    adjusted = np.full(len(comparisons), np.nan)
    known = [i for i, each in enumerate(comparisons) if each.freedom]
    if not known:
        return adjusted
    random = np.random.default_rng([seed, len(known)])
    scores = np.array([abs(comparisons[i].score) for i in known])
    order = np.argsort(-scores, kind="stable")
    largest = np.zeros(len(comparisons[known[0]].draws))  # of the comparisons from here on, in each resample
    # A standard error of B resamples is known to 1 / sqrt(2 B) only, and of many the smallest ones decide.
    uncertain = 1 + 1 / np.sqrt(len(largest))
    tail = np.empty(len(known))
    for place in order[::-1]:
        each = comparisons[known[place]]
        spread = np.sqrt(random.chisquare(each.freedom, len(largest)) / each.freedom)
        np.maximum(largest, uncertain * np.abs(each.standardised()) / spread, out=largest)
        tail[place] = (1 + np.count_nonzero(largest >= scores[place])) / (1 + len(largest))
    tail[order] = np.maximum.accumulate(tail[order])
    single = np.array([comparisons[i].p for i in known])
    adjusted[known] = np.maximum(tail, single) if len(known) > 1 else single
    return adjusted


def rank_ranges(better: NDArray[np.bool_]) -> Array:
    """Return the best and the worst rank (N, 2) that each of N methods may have.

    ``better`` (N, N): whether the method of the row is better than that of the column, beyond the doubt that all pairs
    together may leave; then all ranges hold at once (Mogstad, Romano, Shaikh and Wilhelm, "Inference for Ranks", Review
    of Economic Studies 2024).
    """
    return np.stack([1 + better.sum(axis=0), len(better) - better.sum(axis=1)], axis=1)
