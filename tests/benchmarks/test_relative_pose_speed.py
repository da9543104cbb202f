"""What an uncertainty costs: a hundred answers under dropout beside one answer without, in one run."""

from __future__ import annotations

from time import perf_counter

import numpy as np
import torch
from relocbench.methods.exrenet.network import open_network

SAMPLES, REFERENCES, ROUNDS = 100, 5, 5


@torch.inference_mode()
def test_a_hundred_samples_cost_less_than_three_passes(benchmark):
    network = open_network("synthetic", "exrenet", "small")
    images = torch.rand(2, REFERENCES, 3, 128, 128, generator=torch.Generator().manual_seed(0))
    references = network.features(images[0])

    def seconds(samples: int) -> float:
        start = perf_counter()
        matched = network.match(references, network.features(images[1]))
        vectors = network.summarise(matched)
        if samples:
            network.head.sample(vectors, samples, torch.Generator().manual_seed(0))
        else:
            network.head(vectors)
        return perf_counter() - start

    def both() -> list[tuple[float, float]]:
        return [(seconds(0), seconds(SAMPLES)) for _ in range(ROUNDS)]

    once, sampled = np.median(benchmark.pedantic(both, rounds=1, warmup_rounds=1), axis=0)
    benchmark.extra_info["100 samples / one pass"] = round(float(sampled / once), 3)
    assert sampled < 3 * once
