"""What view synthesis costs at query time: nothing (paper 000, section III), measured query by query, side by side."""

from __future__ import annotations

from time import perf_counter

import numpy as np
from relocbench.methods.box_room import random_poses, write_views
from relocbench.methods.method import Query
from relocbench.methods.registry import make_method

ROUNDS = 12


def test_synthesized_views_cost_a_query_nothing(benchmark, tmp_path):
    rng = np.random.default_rng(0)
    references = write_views(tmp_path, random_poses(rng, 20), seed=1, role="reference", name="references")
    queries = [
        Query(view.image(), view.camera, index)
        for index, view in enumerate(write_views(tmp_path, random_poses(rng, 10), seed=1, role="query", name="queries"))
    ]
    methods = [make_method("scene-graph"), make_method("scene-graph-vs")]
    for method in methods:
        method.build_map(references)

    def ask_both() -> list[list[float]]:
        seconds: list[list[float]] = [[], []]
        for round_ in range(ROUNDS):
            for query in queries:
                for index in (0, 1) if round_ % 2 else (1, 0):  # neither always finds the other's data in the caches
                    start = perf_counter()
                    methods[index].localize(query)
                    seconds[index].append(perf_counter() - start)
        return seconds

    without, with_views = benchmark.pedantic(ask_both, rounds=1, warmup_rounds=1)
    ratio = float(np.median(with_views) / np.median(without))
    benchmark.extra_info["p50 with / without synthesized views"] = round(ratio, 4)
    assert abs(ratio - 1) < 0.05
