"""The metrics, as pure functions over whole columns: one value per query in, one number out.

Conventions that all of them share:

- A failure is counted, never dropped: its errors are ``inf``, its ranks are ``inf``, its distances are ``inf``.
- ``inf`` is a value like any other: it sorts last, and it is within no threshold.
- NaN is no value: it raises ``ValueError``, so that a hole in a table cannot pass as a good score.
- Without queries every metric is NaN: nothing was measured, which is neither perfect nor useless.

Metrics that are the mean of a per-query score have that score as a function of its own (``..._scores``), because the
bootstrap resamples scores, not results.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[Any]


def median_error(error: ArrayLike) -> float:
    """Return the median error over all queries, a failure counting as infinitely wrong.

    ``error`` (N,) metres or degrees. The result is ``inf`` as soon as half of the queries fail, NaN without queries.

    >>> median_error([0.1, 0.3, 0.2, float("inf")])
    0.25
    >>> median_error([0.1, float("inf"), float("inf")])
    inf
    """
    error = _column(error)
    return float(np.median(error)) if error.size else float("nan")


def median_error_localized(error: ArrayLike) -> float:
    """Return the median error over the queries that were localized (finite error); read it beside the success rate.

    ``error`` (N,) metres or degrees. NaN where no query was localized. This is the "median error" of papers that report
    only the images their method answered for (paper 002, table III).

    >>> median_error_localized([0.1, 0.3, float("inf")])
    0.2
    """
    error = _column(error)
    return median_error(error[np.isfinite(error)])


def success_rate(localized: ArrayLike) -> float:
    """Return the share of queries that got an answer at all, right or wrong, in [0, 1]; NaN without queries.

    ``localized`` (N,) bool: whether the method answered instead of failing.

    >>> success_rate([True, True, False, True])
    0.75
    """
    return _mean(np.asarray(localized, dtype=bool))


def joint_recall_scores(translation: ArrayLike, rotation: ArrayLike, *, metres: float, degrees: float) -> Array:
    """Return 1.0 where both errors are within their thresholds, else 0.0: (N,) float64. A failure scores 0."""
    return ((_column(translation) <= metres) & (_column(rotation) <= degrees)).astype(np.float64)


def joint_recall(translation: ArrayLike, rotation: ArrayLike, *, metres: float, degrees: float) -> float:
    """Return the share of all queries localized within ``metres`` and ``degrees`` at once, in [0, 1].

    ``translation`` (N,) metres, ``rotation`` (N,) degrees. A failure is not within any threshold. NaN without queries.
    Source: Sattler et al., "Benchmarking 6DOF Outdoor Visual Localization in Changing Conditions", CVPR 2018.

    >>> joint_recall([0.1, 0.2, float("inf")], [1.0, 9.0, float("inf")], metres=0.25, degrees=2.0)
    0.3333333333333333
    """
    return _mean(joint_recall_scores(translation, rotation, metres=metres, degrees=degrees))


def recall_area_scores(error: ArrayLike, *, up_to: float) -> Array:
    """Return ``max(0, 1 - error / up_to)`` (N,): what each query adds to the area under the recall curve."""
    if not up_to > 0:
        raise ValueError(f"the area under the recall curve needs a positive end, not {up_to}")
    return np.clip(1.0 - _column(error) / up_to, 0.0, 1.0)


def recall_area(error: ArrayLike, *, up_to: float) -> float:
    """Return the area under the recall curve from 0 to ``up_to``, divided by ``up_to``, in [0, 1].

    ``error`` (N,) and ``up_to`` in metres or degrees. The curve ``recall(t)`` is the share of queries with an error of
    at most ``t``. Its integral needs no sampling: a query with error e is within t on (e, up_to], so the normalised
    area is the mean of ``max(0, 1 - e / up_to)``. A failure adds nothing. NaN without queries. The usual "AUC@t" of
    relative pose (Sarlin et al., "SuperGlue", CVPR 2020) is this area with trapezoids in place of the integral.

    >>> recall_area([0.0, 0.5, 2.0, float("inf")], up_to=1.0)
    0.375
    """
    return _mean(recall_area_scores(error, up_to=up_to))


def joint_recall_area_scores(translation: ArrayLike, rotation: ArrayLike, *, metres: float, degrees: float) -> Array:
    """Return ``max(0, 1 - max(t / metres, r / degrees))`` (N,): what each query adds to the joint area."""
    larger = np.maximum(_column(translation) / metres, _column(rotation) / degrees)
    return recall_area_scores(larger, up_to=1.0)


def joint_recall_area(translation: ArrayLike, rotation: ArrayLike, *, metres: float, degrees: float) -> float:
    """Return the area under the joint recall curve whose thresholds grow together up to ``metres`` and ``degrees``.

    ``translation`` (N,) metres, ``rotation`` (N,) degrees. At s in [0, 1] the curve is the share of queries within
    ``s * metres`` and ``s * degrees`` at once (:func:`joint_recall`), and the area its exact integral over s, in
    [0, 1]: of two errors the one that takes the larger share of its threshold counts. A failure adds nothing. NaN
    without queries.

    >>> joint_recall_area([0.5, 0.0, float("inf")], [1.0, 10.0, float("inf")], metres=1.0, degrees=10.0)
    0.16666666666666666
    """
    return _mean(joint_recall_area_scores(translation, rotation, metres=metres, degrees=degrees))


def reciprocal_rank_scores(rank: ArrayLike) -> Array:
    """Return ``1 / rank`` (N,), 0 where the relevant reference was not ranked (rank ``inf``)."""
    rank = _column(rank)
    if (rank < 1).any():
        raise ValueError("ranks start at 1")
    return 1.0 / rank


def mean_reciprocal_rank(rank: ArrayLike) -> float:
    """Return the mean reciprocal rank of the relevant reference, in [0, 1].

    ``rank`` (N,) 1-based, ``inf`` where it was not ranked or the method failed, which scores 0. NaN without queries.
    Source: Voorhees, "The TREC-8 Question Answering Track Report", 1999; used by paper 000, section III.

    >>> mean_reciprocal_rank([1, 2, float("inf")])
    0.5
    """
    return _mean(reciprocal_rank_scores(rank))


def recall_at_n_scores(rank: ArrayLike, *, n: int) -> Array:
    """Return 1.0 where the relevant reference is among the first ``n``, else 0.0: (N,) float64."""
    if n < 1:
        raise ValueError(f"recall@N needs N >= 1, not {n}")
    return (_column(rank) <= n).astype(np.float64)


def recall_at_n(rank: ArrayLike, *, n: int) -> float:
    """Return recall@N: the share of queries whose relevant reference is among the first ``n`` ranked, in [0, 1].

    ``rank`` (N,) 1-based, ``inf`` where it was not ranked or the method failed. NaN without queries.
    Source: Arandjelovic et al., "NetVLAD", CVPR 2016, section 5.1.

    >>> recall_at_n([1, 4, float("inf"), 2], n=3)
    0.5
    """
    return _mean(recall_at_n_scores(rank, n=n))


def recall_at_distance_scores(distance: ArrayLike, *, metres: float) -> Array:
    """Return 1.0 where the reference ranked first lies within ``metres`` of the query, else 0.0: (N,) float64."""
    return (_column(distance) <= metres).astype(np.float64)


def recall_at_distance(distance: ArrayLike, *, metres: float) -> float:
    """Return recall@D: the share of queries whose first-ranked reference was taken within ``metres`` of it, in [0, 1].

    ``distance`` (N,) metres from the query to the reference ranked first; ``inf`` where nothing was ranked, which is a
    miss. NaN without queries. Source: paper 003, section 4 ("Top-1 Recall @D").

    >>> recall_at_distance([0.2, 3.0, float("inf"), 0.9], metres=1.0)
    0.5
    """
    return _mean(recall_at_distance_scores(distance, metres=metres))


def chance_reciprocal_rank(references: int) -> tuple[float, float]:
    """Return the mean and the standard deviation of one query's reciprocal rank under a random ranking.

    The rank of the one relevant reference is then uniform over 1..K, so that the mean is H(K) / K with the K-th
    harmonic number: 5.19 % for the 100 places of paper 000.

    >>> chance_reciprocal_rank(100)[0]
    0.05187377517639621
    """
    scores = 1.0 / np.arange(1, references + 1)
    return float(scores.mean()), float(scores.std())


def _column(values: ArrayLike) -> Array:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise ValueError(f"a column has one value per query, not shape {array.shape}")
    if np.isnan(array).any():
        raise ValueError(f"{int(np.isnan(array).sum())} of {array.size} values are NaN; a failure counts as inf")
    return array


def _mean(scores: Array) -> float:
    return float(scores.mean()) if scores.size else float("nan")
