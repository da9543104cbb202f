"""Every guest has a door: somebody else's package adds one thing of each kind, by one file and one entry point."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import yaml
from relocbench.sim.scene_files import save_scene

PACKAGE = Path(__file__).parent / "guests"


@pytest.fixture(scope="module")
def guests(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the guests' package was installed into."""
    folder = tmp_path_factory.mktemp("guests")
    source = shutil.copytree(PACKAGE, folder / "source")
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*install, "--target", str(folder / "site"), str(source)], check=True, capture_output=True)
    return folder / "site"


@pytest.fixture(scope="module")
def relocbench(guests: Path, tmp_path_factory: pytest.TempPathFactory):
    """A function that runs the command line with the guests installed, and the folder that it runs in."""
    folder = tmp_path_factory.mktemp("work")
    path = os.pathsep.join([str(guests), *filter(None, [os.environ.get("PYTHONPATH")])])

    def run(*arguments: object, code: str = "from relocbench.cli import main; main()") -> str:
        command = [sys.executable, "-c", code, *map(str, arguments)]
        result = subprocess.run(
            command, cwd=folder, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, timeout=250
        )
        assert result.returncode == 0, result.stderr
        return result.stdout

    run.folder = folder
    return run


@pytest.fixture(scope="module")
def dataset(relocbench, make_box_room) -> Path:
    """A dataset of the guest protocol, made by the guest executor."""
    scene = save_scene(make_box_room(4), relocbench.folder)
    track = {
        "name": "guests",
        "version": 1,
        "description": "Strolls.",
        "protocol": {"name": "stroll", "steps": 6},
        "dataset": {"camera": {"width": 64, "height": 48}, "outputs": ["rgb"]},
        "sizes": {"mini": {"dataset": {"scenes": {"test": [scene.name]}}}},
        "methods": ["random", {"name": "retrieval", "as": "tiny", "config": {"descriptor": "tiny-image"}}],
    }
    (relocbench.folder / "guests.yaml").write_text(yaml.safe_dump(track))
    relocbench("generate", "guests.yaml", "--size", "mini", "--out", "stroll", "--executor", "one-by-one")
    return relocbench.folder / "stroll"


@pytest.fixture(scope="module")
def finished(relocbench, dataset: Path) -> Path:
    """A run of the guest descriptor on that dataset, ranked by the guest question, by the guest executor."""
    told = relocbench(
        "run", "guests.yaml", "--size", "mini", "--dataset", dataset, "--executor", "one-by-one", "--out", "out"
    )
    assert "Within 3 m" in told
    return relocbench.folder / "out"


def test_a_protocol_with_a_parameter_and_a_column_of_its_own(dataset: Path) -> None:
    views = pd.read_parquet(dataset / "views.parquet")
    assert views["role"].tolist() == ["reference"] * 3 + ["query"] * 3
    assert sorted(views["step"]) == list(range(6))
    assert json.loads((dataset / "dataset.json").read_text())["origin"]["spec"]["protocol"] == {
        "name": "stroll",
        "steps": 6,
    }


def test_a_question_with_a_metric_of_its_own_ranks(finished: Path) -> None:
    board = pd.read_csv(finished / "leaderboard.csv")
    assert {"near", "near_low", "near_high"} <= set(board.columns)
    assert "median_translation_error" not in board
    assert (finished / "report" / "report.html").exists()


def test_an_executor_that_knows_neither_generation_nor_runs(finished: Path, dataset: Path, relocbench) -> None:
    relocbench("run", "guests.yaml", "--size", "mini", "--dataset", dataset, "--jobs", "1", "--out", "local")
    local, guest = (
        pd.concat([pd.read_parquet(path) for path in sorted(folder.rglob("estimates.parquet"))])
        for folder in (relocbench.folder / "local", finished)
    )
    measured = ["seconds", "load_seconds"]
    pd.testing.assert_frame_equal(local.drop(columns=measured), guest.drop(columns=measured))


def test_a_descriptor_is_taken_by_configuration(finished: Path) -> None:
    (path,) = finished.glob("methods/tiny-*/estimates.parquet")
    estimates = pd.read_parquet(path)
    assert (estimates["status"] == "ok").all()
    assert (estimates["ranking"].map(len) == 3).all()


def test_a_format_goes_all_the_way_to_a_report(relocbench) -> None:
    """Thirty pictures with poses: methods that must learn first answer with what ships learned."""
    source = relocbench.folder / "pictures"
    source.mkdir()
    random = np.random.default_rng(0)
    np.savetxt(source / "centres.txt", random.uniform(0, 5, (30, 2)))
    for index in range(30):
        texture = cv2.resize(random.integers(0, 255, (12, 16, 3), np.uint8), (64, 48), interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(source / f"{index:03d}.png"), texture)
    relocbench("import", source, "--format", "numbered", "--out", "imported")
    assert "sound: 30 views" in relocbench("check", "imported")
    relocbench("view", "imported")
    methods = "random,oracle-nearest,dense-vlad,sift-5pt,sift-pnp"
    told = relocbench("run", "sparse-reference-v1", "--dataset", "imported", "--methods", methods, "--out", "pictured")
    assert "imported from numbered" in told
    estimates = pd.concat(
        [pd.read_parquet(path) for path in (relocbench.folder / "pictured").rglob("estimates.parquet")]
    )
    assert estimates["method"].nunique() == 5
    assert (estimates.loc[estimates["method"] == "dense-vlad", "status"] == "ok").all()
    board = pd.read_csv(relocbench.folder / "pictured" / "leaderboard.csv")
    assert board["mrr"].isna().all()  # nobody says which reference sees a query: not asked, and not 0
    assert (relocbench.folder / "pictured" / "report" / "report.html").exists()


TRAIN = """
from pathlib import Path
from relocbench.methods.training.loop import TrainingSettings
from relocbench.methods.training.sampling import FrameSettings
from relocbench.methods.training.train import train_task

frames = FrameSettings(frames=4, side=32, triangles=20_000)
settings = TrainingSettings(houses=1, steps_per_house=2, batch=2, held_out=1, frames=frames)
train_task("brightness", Path("weights"), settings=settings, jobs=1)
"""


def test_a_network_is_trained_by_its_name(relocbench) -> None:
    assert "brightness" in relocbench("list", "networks")
    relocbench(code=TRAIN)
    about = json.loads((relocbench.folder / "weights" / "brightness.json").read_text())
    assert about["steps"] == 2
    assert about["quality"]["error"] >= 0
