"""Frames per second of every simulator that runs here, on the same houses: 256 x 256, colour, depth and semantics.

Run with ``pytest tests/benchmarks/test_simulators.py -m slow -o addopts=--import-mode=importlib -s``; prints the rates
and their ratios. Every worker is one process with one thread; what is loaded or baked once is not counted.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from relocbench.sim.diagnosis import diagnose
from relocbench.sim.processes.cores import available_cores
from relocbench.sim.processes.local import LocalProcesses
from relocbench.sim.scene_files import save_scene
from relocbench.sim.scenes.houses import generate_house
from relocbench.sim.simulators import SIMULATORS

TRIANGLES = (20_000, 100_000, 600_000)
WORKERS = sorted({1, available_cores()})
FRAMES = {"raycast": 60, "habitat": 20, "blenderproc": 2}  # per worker and round: a second or more of each
ROUNDS = 2
FASTER = 30  # times as many frames as BlenderProc, at least

#: Frames per second by simulator, triangles asked for, and workers.
Rates = dict[tuple[str, int, int], float]


@cache
def problem_with(simulator: str) -> str:
    return diagnose(simulator).problem


@pytest.fixture(scope="module")
def rates(request: pytest.FixtureRequest) -> Iterator[Rates]:
    found: Rates = {}
    yield found
    with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        print("\n\n" + table(found))


def table(rates: Rates) -> str:
    lines = [f"{'triangles':>9} {'workers':>8} {'simulator':<12} {'frames/s':>9} {'ray caster is faster by':>24}"]
    for (simulator, triangles, workers), rate in sorted(rates.items(), key=lambda item: item[0][1:]):
        base = rates.get(("raycast", triangles, workers))
        ratio = f"{base / rate:.1f}" if base else ""
        lines.append(f"{triangles:>9,} {workers:>8} {simulator:<12} {rate:>9.2f} {ratio:>24}")
    return "\n".join(lines)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Path]:
    folder = tmp_path_factory.mktemp("houses")
    return cache(lambda triangles: save_scene(generate_house(1, triangles=triangles), folder / f"{triangles}"))


#: Every house with the ray caster first, because the others are compared with it.
CASES = [(triangles, name) for triangles in TRIANGLES for name in SIMULATORS.names()]


@pytest.fixture(scope="module", params=CASES, ids=lambda case: f"{case[1]}-{case[0]}")
def loaded(
    request: pytest.FixtureRequest, house: Callable[[int], Path]
) -> Iterator[tuple[str, int, Path, LocalProcesses]]:
    """Yield a simulator's name, the house, and workers that have it loaded and have rendered a frame."""
    triangles, simulator = request.param
    if problem_with(simulator):
        pytest.skip(f"{simulator}: {problem_with(simulator)}")
    from simulator_tasks import Frames

    path = house(triangles)
    with LocalProcesses(jobs=max(WORKERS)) as pool:
        list(pool.run([Frames(simulator, path, 1, str(worker)) for worker in range(max(WORKERS))], {}))
        yield simulator, triangles, path, pool


@pytest.fixture(scope="module", autouse=True)
def tasks_importable() -> Iterator[None]:
    sys.path.insert(0, str(Path(__file__).parent))
    yield
    sys.path.remove(str(Path(__file__).parent))


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("workers", WORKERS)
def test_frames_per_second(
    benchmark, rates: Rates, loaded: tuple[str, int, Path, LocalProcesses], workers: int
) -> None:
    from simulator_tasks import Frames

    simulator, triangles, path, pool = loaded
    shares = [Frames(simulator, path, FRAMES[simulator], str(worker)) for worker in range(workers)]
    frames = benchmark.pedantic(lambda: sum(count for _, count in pool.run(shares, {})), rounds=ROUNDS)
    assert frames == workers * FRAMES[simulator]
    rate = rates[simulator, triangles, workers] = frames / benchmark.stats.stats.min
    benchmark.extra_info.update(fps=rate, triangles=triangles, workers=workers)
    if simulator == "blenderproc":
        assert rates["raycast", triangles, workers] >= FASTER * rate
