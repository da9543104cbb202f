"""The dataset that a run is given: it asks what the track asks, and a run says in what it is not the track's own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from relocbench.bench.cell import Lessons
from relocbench.bench.runner import run_track
from relocbench.datasets.dataset import Dataset
from relocbench.datasets.manifest import MANIFEST, Imported
from relocbench.errors import InputError


@pytest.fixture
def imported(tiny_dataset: Path, tmp_path: Path) -> Path:
    """The tiny dataset as if it had been imported, its queries asking for places."""
    folder = Path(shutil.copytree(tiny_dataset, tmp_path / "imported"))
    origin = Imported(format="made-up", source="x", question="place")
    manifest = Dataset.open(folder).manifest.model_copy(update={"origin": origin})
    (folder / MANIFEST).write_text(manifest.sealed().to_json())
    return folder


def test_a_dataset_of_another_protocol_is_refused_before_anything_is_written(tiny_dataset: Path, tmp_path: Path):
    wrong = r"follows the protocol sparse-reference, the track cross-view-v1 is one of cross-view"
    with pytest.raises(InputError, match=wrong):
        run_track("cross-view-v1", size="mini", methods=["random"], dataset=tiny_dataset, out=tmp_path / "out")
    assert not (tmp_path / "out" / "run.json").exists()


def test_a_dataset_that_asks_something_else_is_refused(imported: Path, shared_track: Path, tmp_path: Path):
    with pytest.raises(InputError, match="asks for the place, the track tiny for the pose"):
        run_track(shared_track, size="mini", dataset=imported, out=tmp_path / "out")


def test_who_asks_to_learn_from_a_dataset_that_has_nothing_is_told(tiny_dataset: Path):
    dataset = Dataset.open(tiny_dataset)
    assert Lessons.asked_for(dataset).views == 6
    dataset.views = dataset.views.where(split="test")
    assert Lessons.of(dataset).views == 0
    with pytest.raises(InputError, match="has no training views to learn from"):
        Lessons.asked_for(dataset)


def test_another_dataset_of_the_protocol_is_taken_and_the_run_says_what_differs(tiny_dataset, shared_track, tmp_path):
    options = {"size": "mini", "methods": ["random"], "dataset": tiny_dataset, "progress": False}
    store = run_track(shared_track, out=tmp_path / "own", **options)
    assert store.record.dataset_differs == "camera.height is 16 there, 256 is asked for"
    store = run_track("quickstart", out=tmp_path / "other", **options)
    assert store.record.dataset_differs.startswith("camera.height is 16 there")
