"""A tiny dataset in the real format, whose images carry their own pose, and a track over it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from relocbench.datasets.dataset import CHECKSUMS, VIEWS, file_digest
from relocbench.datasets.manifest import MANIFEST, Generated, Manifest, SceneRecord, SplitCounts
from relocbench.datasets.spec import DatasetSpec
from relocbench.datasets.views import VIEW_COLUMNS, pose_columns
from relocbench.sim.geometry import Pose

SPEC = {
    "protocol": "sparse-reference",
    "scenes": {"train": [1], "test": [2, 3]},
    "camera": {"width": 16, "height": 16},
    "outputs": ["rgb"],
}
SCENES = {"scene-1": "train", "scene-2": "test", "scene-3": "test"}
ROOMS = ("kitchen", "bath")
REFERENCES = (4, 8)
QUERIES = 5
METHODS = Path(__file__).parent / "pluggable_methods.py"

TRACK = """
name: tiny
version: 1
protocol: {name: sparse-reference}
description: A test.
seed: 11
dataset: {outputs: [rgb]}
sizes:
  mini: {dataset: {scenes: {train: [1], test: [2, 3]}}}
methods: [random, oracle-nearest]
"""


@pytest.fixture(scope="session")
def tiny_dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two test scenes of two rooms, densities 4 and 8, five queries per room; one scene to train on. Read-only."""
    root = tmp_path_factory.mktemp("tiny") / "dataset"
    table = pd.concat([_scene(scene, split) for scene, split in SCENES.items()], ignore_index=True)
    table = table.astype(VIEW_COLUMNS)[list(VIEW_COLUMNS)]
    for row in table.itertuples():
        _write_image(root / row.image, np.array([row.qw, row.qx, row.qy, row.qz, row.tx, row.ty, row.tz]))
    table.to_parquet(root / VIEWS, index=False)
    checksums = [(path, (root / path).stat().st_size, file_digest(root / path)) for path in [VIEWS, *table["image"]]]
    pd.DataFrame(checksums, columns=["path", "size", "blake2b"]).to_parquet(root / CHECKSUMS, index=False)
    (root / MANIFEST).write_text(_manifest(root, len(table)).sealed().to_json())
    return root


@pytest.fixture
def tiny_track(tmp_path: Path) -> Path:
    """A track file with the two baselines, to change at will."""
    path = tmp_path / "tiny.yaml"
    path.write_text(TRACK)
    return path


@pytest.fixture(scope="session")
def shared_track(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same track file, shared by tests that leave it alone."""
    path = tmp_path_factory.mktemp("track") / "tiny.yaml"
    path.write_text(TRACK)
    return path


@pytest.fixture(scope="session")
def plugged() -> Callable[[str], str]:
    """Return how the command line names one of the classes in pluggable_methods.py."""
    return lambda cls: f"{METHODS}:{cls}"


def _scene(scene: str, split: str) -> pd.DataFrame:
    random = np.random.default_rng(int(scene[-1]))
    if split == "train":
        return _rows(random, scene, split, "train", "", [f"train-{i}" for i in range(6)])
    rooms = []
    for room in ROOMS:
        names = [f"{room}-reference-{i}" for i in range(max(REFERENCES))]
        references = _rows(random, scene, split, "reference", f"{scene}/{room}", names)
        references["density"] = [4] * 4 + [8] * 4
        queries = _rows(random, scene, split, "query", f"{scene}/{room}", [f"{room}-query-{i}" for i in range(QUERIES)])
        queries["covisible_reference"] = references["view"].iloc[2]
        queries["covisibility"] = 0.5
        rooms += [references, queries]
    return pd.concat(rooms)


def _rows(
    random: np.random.Generator, scene: str, split: str, role: str, map_name: str, names: list[str]
) -> pd.DataFrame:
    poses = Pose.from_planar(
        random.uniform(0, 4, (len(names), 2)), height=1.5, yaw=random.uniform(-np.pi, np.pi, len(names))
    )
    constants = {"scene": scene, "split": split, "role": role, "map": map_name, "room": map_name.rpartition("/")[2]}
    camera = {"width": 16, "height": 16, "fx": 8.0, "fy": 8.0, "cx": 8.0, "cy": 8.0}
    unused = {"condition": "day", "simulator": "none", "place": -1, "density": 0, "covisibility": np.nan}
    files = {"covisible_reference": "", "depth": "", "semantic": ""}
    ids = [f"{scene}/{name}" for name in names]
    columns = {"view": ids, "image": [f"images/{name}.png" for name in ids], **pose_columns(poses)}
    return pd.DataFrame({**columns, **constants, **camera, **unused, **files})


def _write_image(path: Path, pose: np.ndarray) -> None:
    image = np.zeros(16 * 16 * 3, np.uint8)
    image[: pose.size * 8] = np.frombuffer(pose.astype(np.float64).tobytes(), np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), cv2.cvtColor(image.reshape(16, 16, 3), cv2.COLOR_RGB2BGR))


def _manifest(root: Path, views: int) -> Manifest:
    scenes = [
        SceneRecord(name=name, split=split, source=i, file="", sha256="", triangles=0, rooms=2)
        for i, (name, split) in enumerate(SCENES.items(), start=1)
    ]
    nothing = SplitCounts(scenes=0, maps=0, train=0, references=0, queries=0)
    return Manifest(
        name="tiny",
        origin=Generated(spec=DatasetSpec.model_validate(SPEC)),
        versions={},
        depth_unit=0.0005,
        categories=("unknown",),
        scenes=tuple(scenes),
        splits={
            "train": SplitCounts(scenes=1, maps=0, train=6, references=0, queries=0),
            "val": nothing,
            "test": SplitCounts(scenes=2, maps=4, train=0, references=32, queries=20),
        },
        views=views,
        checksums=hashlib.sha256((root / CHECKSUMS).read_bytes()).hexdigest(),
    )
