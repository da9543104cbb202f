"""Generation through a simulator in another interpreter: its workers may die at any moment and nothing shows."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil
import pytest
from relocbench.datasets.check import check, raise_if_unsound
from relocbench.datasets.dataset import Dataset
from relocbench.datasets.generate import generate
from relocbench.datasets.spec import DatasetSpec, SimulatorSpec
from relocbench.sim.agreement import near_edge
from relocbench.sim.diagnosis import diagnose

NAMES = ("blenderproc", "habitat")
CHEAP = {"blenderproc": {"samples": 1, "denoise": False}, "habitat": {}}


@pytest.fixture(scope="module", params=NAMES)
def remote_spec(request: pytest.FixtureRequest, spec: DatasetSpec) -> DatasetSpec:
    """The small spec of the other tests, smaller still, rendered by a simulator that runs here."""
    problem = diagnose(request.param).problem
    if problem:
        pytest.skip(f"{request.param} cannot run here: {problem}")
    return DatasetSpec.model_validate(
        {
            **spec.model_dump(),
            "simulator": {"name": request.param, "options": CHEAP[request.param]},
            "camera": {"width": 64, "height": 48, "horizontal_fov": 80},
            "protocol": {"name": "sparse-reference", "queries_per_room": 8, "train_views_per_scene": 8},
            "query_condition": None,
        }
    )


@pytest.fixture(scope="module")
def remote_dataset(remote_spec: DatasetSpec, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """The dataset of ``remote_spec``, undisturbed. Read-only, shared."""
    return generate(remote_spec, tmp_path_factory.mktemp("remote") / "d", jobs=1, progress=False)


@contextmanager
def killing(simulator: str, times: int) -> Iterator[list[int]]:
    """Kill a worker of the simulator every now and then, ``times`` times; yields the list of those that were killed."""
    stop, killed = threading.Event(), list[int]()

    def kill() -> None:
        pause = random.Random(7)
        while len(killed) < times and not stop.wait(pause.uniform(0.5, 3.0)):
            for process in psutil.Process().children(recursive=True):
                try:
                    if f"{simulator}/worker.py" in " ".join(process.cmdline()):
                        process.kill()
                        killed.append(process.pid)
                        break
                except psutil.NoSuchProcess:
                    continue

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        yield killed
    finally:
        stop.set()
        killer.join()


def test_workers_killed_in_the_middle_cost_nothing_but_time(
    remote_spec: DatasetSpec, remote_dataset: Dataset, tmp_path: Path
) -> None:
    with killing(remote_spec.simulator.name, times=2) as killed:
        made = generate(remote_spec, tmp_path / "d", jobs=2, progress=False)
    assert killed
    assert made.sha256 == remote_dataset.sha256
    left = [p for p in psutil.Process().children(recursive=True) if "worker.py" in " ".join(p.cmdline())]
    assert not left


def test_the_dataset_is_sound_and_says_what_rendered_it(remote_spec: DatasetSpec, remote_dataset: Dataset) -> None:
    raise_if_unsound(check(remote_dataset.root, jobs=1))
    name = remote_spec.simulator.name
    assert set(remote_dataset.views.table["simulator"]) == {name}
    assert any(package.startswith(f"{name}:") for package in remote_dataset.manifest.versions)


def test_it_shows_what_the_ray_caster_shows(remote_spec: DatasetSpec, remote_dataset: Dataset, tmp_path: Path) -> None:
    spec = remote_spec.model_copy(update={"simulator": SimulatorSpec(), "outputs": ("depth", "semantic")})
    ours = generate(spec, tmp_path / "d", jobs=1, progress=False)
    assert ours.views.ids == remote_dataset.views.ids
    differences, equal = [], []
    for one, other in zip(ours.views, remote_dataset.views, strict=True):
        inside = ~(near_edge(one.depth()) | near_edge(other.depth()))
        differences.append(np.abs(one.depth() - other.depth())[inside])
        equal.append((one.semantic() == other.semantic())[inside])
    assert np.median(np.concatenate(differences)) <= ours.manifest.depth_unit
    assert np.concatenate(equal).mean() > 0.99
