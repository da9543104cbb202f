"""Generation: complete, exact, the same bytes however it went, and respectful of what is already there."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from relocbench.datasets.dataset import Dataset
from relocbench.datasets.generate import generate
from relocbench.datasets.spec import DatasetSpec
from relocbench.datasets.views import VIEW_COLUMNS
from relocbench.datasets.writer import WORK, write_record
from relocbench.errors import InputError, RunError
from relocbench.sim.geometry import Pose, covisibility
from relocbench.sim.raycast import Raycaster
from relocbench.sim.scene_files import load_scene


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_table_is_complete(dataset, spec):
    table = dataset.views.table
    assert list(table.columns) == list(VIEW_COLUMNS)
    assert table["view"].is_unique
    assert table.groupby("scene")["split"].nunique().max() == 1
    counts = table.groupby(["split", "role"]).size().to_dict()
    assert counts == {
        ("train", "train"): 20,
        ("test", "reference"): 16,
        ("test", "query"): 24,
    }
    assert dataset.manifest.views == len(table) == 60
    assert dataset.manifest.splits["test"].maps == 2
    assert not (dataset.root / WORK).exists()


def test_views_read_back(dataset):
    view = dataset.views.where(role="query")[0]
    assert view.image().shape == (120, 160, 3)
    assert view.depth().shape == view.semantic().shape == (120, 160)
    assert (view.depth() > 0).mean() > 0.9
    assert view.semantic().max() < len(dataset.manifest.categories)
    assert view.condition == "evening"
    assert dataset.views.where(role="reference")[0].condition == "day"


def test_a_view_is_what_its_row_says(dataset):
    """Rendering the stored pose with the stored camera, in the stored scene, gives the stored pixels."""
    view = dataset.views.where(split="test", role="query")[3]
    simulator = Raycaster()
    scene = load_scene(dataset.root / dataset.record(view.scene).file)
    simulator.load(scene, view.condition)
    (seen,) = simulator.render(Pose.stack([view.pose]), view.camera, frozenset({"rgb", "depth", "semantic"}))
    assert (view.image() == seen.rgb).all()
    assert np.abs(view.depth() - seen.depth).max() <= dataset.manifest.depth_unit / 2 + 1e-6
    names = np.array(dataset.manifest.categories)[view.semantic()]
    assert (names == np.array(scene.categories)[seen.semantic]).all()


def test_covisibility_is_the_best_of_the_first_density(dataset):
    for view_index in (0, 7):
        queries = dataset.views.where(split="test", role="query")
        query, row = queries[view_index], queries.table.iloc[view_index]
        references = dataset.views.where(map=query.map, role="reference").at_density(4)
        shares = [covisibility(query.depth(), query.pose, r.depth(), r.pose, query.camera) for r in references]
        assert len(shares) == 4
        assert row["covisibility"] == pytest.approx(max(shares), abs=1e-4)
        assert row["covisible_reference"] == references.ids[int(np.argmax(shares))]
    assert dataset.views.where(role="query").table["covisibility"].between(0, 1).all()
    assert dataset.views.where(role="reference").table["covisibility"].isna().all()


def test_the_number_of_jobs_changes_no_byte(geometry_dataset, geometry_spec, tmp_path):
    other = generate(geometry_spec, tmp_path / "three", jobs=3, progress=False)
    assert other.sha256 == geometry_dataset.sha256
    assert contents(other.root) == contents(geometry_dataset.root)


def test_the_number_of_jobs_changes_no_place(blind_dataset, blind_spec, tmp_path):
    other = generate(blind_spec, tmp_path / "three", jobs=3, progress=False)
    assert contents(other.root) == contents(blind_dataset.root)


def test_depth_that_was_not_asked_for_is_not_kept(geometry_spec, geometry_dataset, with_parameters, tmp_path):
    spec = with_parameters(geometry_spec, queries_per_room=3).model_copy(update={"outputs": ("semantic",)})
    views = generate(spec, tmp_path / "d", jobs=1, progress=False).views.where(role="query")
    assert not (tmp_path / "d" / "depth").exists()
    assert (views.table["depth"] == "").all()
    assert views.table["covisibility"].notna().all()
    with pytest.raises(InputError, match="has no depth"):
        views[0].depth()


def test_a_complete_dataset_is_opened_and_not_touched(geometry_dataset, geometry_spec):
    before = {path: path.stat().st_mtime_ns for path in geometry_dataset.root.rglob("*")}
    assert generate(geometry_spec, geometry_dataset.root, progress=False).sha256 == geometry_dataset.sha256
    assert {path: path.stat().st_mtime_ns for path in geometry_dataset.root.rglob("*")} == before


def test_another_spec_does_not_replace_a_dataset(geometry_dataset, geometry_spec):
    before = contents(geometry_dataset.root)
    with pytest.raises(InputError, match=r"another dataset .seed is 0 there, 9 is asked for"):
        generate(geometry_spec.model_copy(update={"seed": 9}), geometry_dataset.root, progress=False)
    assert contents(geometry_dataset.root) == before


def test_foreign_folders_and_files_are_left_alone(geometry_spec, tmp_path):
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(InputError, match="not empty and holds no dataset"):
        generate(geometry_spec, tmp_path, progress=False)
    with pytest.raises(InputError, match=r"thesis\.tex: is a file"):
        generate(geometry_spec, tmp_path / "thesis.tex", progress=False)
    with pytest.raises(InputError, match="cannot be written"):
        generate(geometry_spec, tmp_path / "thesis.tex" / "deeper", progress=False)
    assert contents(tmp_path) == {"thesis.tex": b"precious"}


def test_a_scene_that_does_not_fit_is_named(geometry_spec, scene_files, tmp_path):
    dark = geometry_spec.model_copy(update={"query_condition": "midnight"})
    with pytest.raises(InputError, match="has no condition 'midnight'; it has day, evening"):
        generate(dark, tmp_path / "a", jobs=1, progress=False)
    missing = DatasetSpec(protocol="sparse-reference", scenes={"test": [str(tmp_path / "nowhere.glb")]})
    with pytest.raises(InputError, match=r"nowhere\.glb"):
        generate(missing, tmp_path / "b", jobs=1, progress=False)


def test_one_scene_under_two_paths_is_not_two_scenes(geometry_spec, scene_files, with_parameters, tmp_path):
    again = str(Path(scene_files[0]).parent / ".." / Path(scene_files[0]).parent.name / Path(scene_files[0]).name)
    few = with_parameters(geometry_spec, queries_per_room=1).model_dump()
    spec = DatasetSpec.model_validate({**few, "scenes": {"train": [again], "test": scene_files[:1]}})
    with pytest.raises(InputError, match=r"are the same.*splits are disjoint"):
        generate(spec, tmp_path / "d", jobs=2, progress=False)


def test_a_killed_worker_costs_nothing(geometry_dataset, geometry_spec, tmp_path):
    def kill_one_worker() -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if any((tmp_path / "d" / WORK / "tmp").glob("*")) or any((tmp_path / "d" / "depth").glob("*/*")):
                workers = [
                    p for p in psutil.Process().children() if "relocbench.sim.processes.local" in " ".join(p.cmdline())
                ]
                if workers:
                    workers[0].kill()
                    return
            time.sleep(0.01)

    killer = threading.Thread(target=kill_one_worker)
    killer.start()
    made = generate(geometry_spec, tmp_path / "d", jobs=2, progress=False)
    killer.join()
    assert made.sha256 == geometry_dataset.sha256


def test_two_generations_do_not_mix(geometry_spec, tmp_path):
    script = write_script(geometry_spec, tmp_path)
    first = subprocess.Popen([sys.executable, str(script)], start_new_session=True)
    try:
        wait_until(lambda: (tmp_path / "d" / WORK / "spec.json").exists())
        with pytest.raises(RunError, match="another process is generating"):
            generate(geometry_spec, tmp_path / "d", progress=False)
    finally:
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
    with pytest.raises(InputError, match=r"unfinished dataset of another spec or version .seed is 0 there"):
        generate(geometry_spec.model_copy(update={"seed": 9}), tmp_path / "d", progress=False)
    with pytest.raises(InputError, match="generation was interrupted"):
        Dataset.open(tmp_path / "d")


def test_five_kills_change_nothing(geometry_dataset, geometry_spec, tmp_path):
    assert_kills_change_nothing(geometry_spec, geometry_dataset, tmp_path)


def test_five_kills_change_no_place_and_no_choice_of_queries(limited_dataset, limited_spec, tmp_path):
    assert_kills_change_nothing(limited_spec, limited_dataset, tmp_path)


@pytest.mark.slow
def test_five_kills_change_no_place_that_looks_alike(cross_view_dataset, cross_view_spec, tmp_path):
    assert_kills_change_nothing(cross_view_spec, cross_view_dataset, tmp_path)


def test_what_a_complete_dataset_left_behind_goes_at_the_next_call(blind_dataset, blind_spec, copy_of):
    """Killed after the manifest was written: files of dropped views are still there, and their list."""
    folder = copy_of(blind_dataset)
    candidates, kept = 200, set(blind_dataset.views.ids)
    scene = blind_dataset.manifest.scenes[0].name
    views = (f"{scene}/view-{number:06d}" for number in range(candidates))
    dropped = [f"depth/{view}.png" for view in views if view not in kept]
    assert len(dropped) == blind_dataset.manifest.scenes[0].places.dropped > 0
    for path in dropped:
        (folder / path).write_bytes(b"left")
    write_record(folder, "leftovers.json", dropped)
    generate(blind_spec, folder, progress=False)
    assert contents(folder) == contents(blind_dataset.root)


@pytest.mark.slow
def test_five_kills_change_nothing_with_pictures(dataset, spec, tmp_path):
    assert_kills_change_nothing(spec, dataset, tmp_path)


def assert_kills_change_nothing(spec: DatasetSpec, expected: Dataset, tmp_path: Path) -> None:
    """Run the generation in a process group, kill the group at five random moments, and let it finish."""
    script, folder = write_script(spec, tmp_path, jobs=1), tmp_path / "d"
    moments = sorted(random.Random(3).sample(range(len(contents(expected.root))), 5))
    for files in moments:
        run = subprocess.Popen([sys.executable, str(script)], start_new_session=True)
        wait_until(lambda wanted=files: sum(path.is_file() for path in folder.rglob("*")) > wanted)
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()
        assert not (folder / "dataset.json").exists()
    subprocess.run([sys.executable, str(script)], check=True)
    assert Dataset.open(folder).sha256 == expected.sha256
    assert contents(folder) == contents(expected.root)


@pytest.mark.slow
@pytest.mark.parametrize("protocol", ["sparse-reference", "cross-view"])
def test_memory_does_not_grow_with_the_number_of_views(geometry_spec, blind_spec, with_parameters, tmp_path, protocol):
    peaks = []
    for views in (80, 2400):
        if protocol == "sparse-reference":
            spec = with_parameters(geometry_spec, queries_per_room=views // 2)
        else:
            spec = with_parameters(blind_spec, views_per_scene=views)
        folder = tmp_path / str(views)
        folder.mkdir()
        measured = write_script(
            spec,
            folder,
            after="import resource; print(max(resource.getrusage(who).ru_maxrss "
            "for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))",
        )
        run = subprocess.run([sys.executable, str(measured)], check=True, capture_output=True, text=True)
        peaks.append(int(run.stdout) / 1024)
    assert peaks[1] < 1024  # MiB per process
    assert peaks[1] - peaks[0] < 64


def write_script(spec: DatasetSpec, folder: Path, *, jobs: int = 2, after: str = "") -> Path:
    script = folder / "script.py"
    script.write_text(
        "from pathlib import Path\n"
        "from relocbench.datasets.generate import generate\n"
        "from relocbench.datasets.spec import DatasetSpec\n"
        f"spec = DatasetSpec.model_validate_json({spec.model_dump_json()!r})\n"
        f"generate(spec, Path({str(folder / 'd')!r}), jobs={jobs}, progress=False)\n{after}\n"
    )
    return script


def wait_until(happened, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.02)
