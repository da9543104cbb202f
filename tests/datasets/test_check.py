"""The checker finds nothing wrong with what was generated, and finds every way in which it can be damaged."""

from __future__ import annotations

import json
import shutil

import cv2
import numpy as np
import pandas as pd
import pytest
from relocbench.datasets.check import check
from relocbench.datasets.dataset import CHECKSUMS, OVERVIEW, VIEWS, Dataset
from relocbench.datasets.generate import generate
from relocbench.datasets.manifest import MANIFEST
from relocbench.datasets.views import pose_columns, pose_from_table
from relocbench.errors import InputError
from relocbench.reports.check_table import check_table
from relocbench.sim.geometry import Pose
from rich.console import Console
from scipy.spatial.transform import Rotation


def test_a_generated_dataset_is_sound(dataset):
    report = check(dataset.root, jobs=2)
    assert report.ok, report.problems
    assert len(report.scenes) == 2
    for scene in report.scenes:
        assert scene.median_metres < 1e-3
        assert scene.median_pixels < 0.05
        assert scene.agreement > 0.99
    assert "sound: 60 views" in report.verdict
    assert report.compared > 50
    console = Console(width=100, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(check_table(report))
    assert "box-room-0" in console.export_text()


def flip_byte(path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def problems(folder) -> list[str]:
    return list(check(folder, jobs=1).problems)


def test_a_flipped_byte_a_missing_and_an_extra_file_are_named(geometry_dataset, copy_of):
    folder = copy_of(geometry_dataset)
    flipped, missing = (geometry_dataset.views.table["depth"][i] for i in (3, 11))
    (glb,) = (record.file for record in geometry_dataset.manifest.scenes)
    flip_byte(folder / flipped)
    flip_byte(folder / glb)
    (folder / missing).unlink()
    (folder / "depth" / "notes.txt").write_text("")
    (folder / OVERVIEW).write_bytes(b"a picture that 'relocbench view' left")
    found = "\n".join(problems(folder))
    assert found.count("\n") == 3
    assert f"{folder / flipped}: differs from its checksum" in found
    assert f"{folder / glb}: differs from its checksum" in found
    assert f"{folder / missing}: missing" in found
    assert "notes.txt: does not belong to the dataset" in found


@pytest.mark.parametrize("name", [VIEWS, CHECKSUMS])
def test_a_damaged_table_is_named_at_once(geometry_dataset, copy_of, name):
    folder = copy_of(geometry_dataset)
    flip_byte(folder / name)
    with pytest.raises(InputError, match=name):
        Dataset.open(folder)
    (folder / name).unlink()
    with pytest.raises(InputError, match=f"{name}: missing"):
        Dataset.open(folder)


def change_manifest(folder, **changes) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps({**manifest, **changes}))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": 4}, "has format version 4, this relocbench reads versions 2 and 3"),
        ({"format": "kapture"}, "not the manifest of a relocbench dataset"),
        ({"colour": "blue"}, "unknown key 'colour'"),
        ({"depth_unit": 0.001}, "was changed after it was written"),
    ],
)
def test_another_manifest_is_refused_with_the_reason(geometry_dataset, copy_of, changes, message):
    folder = copy_of(geometry_dataset)
    change_manifest(folder, **changes)
    with pytest.raises(InputError, match=message) as caught:
        check(folder)
    assert str(folder / MANIFEST) in str(caught.value)


def test_what_is_no_dataset_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"not a complete dataset, it has no dataset\.json"):
        check(tmp_path)
    with pytest.raises(InputError, match="the folder does not exist"):
        check(tmp_path / "nowhere")
    (tmp_path / MANIFEST).write_text("{")
    with pytest.raises(InputError, match="cannot be read as JSON"):
        check(tmp_path)


def test_a_pose_that_is_no_rotation_is_named(geometry_dataset, copy_of, sealed_with):
    folder, table = copy_of(geometry_dataset), geometry_dataset.views.table.copy()
    table.loc[5, ["qw", "qx", "qy", "qz"]] *= 1.1
    table.loc[6, "tx"] = np.nan
    sealed_with(folder, table)
    found = problems(folder)
    assert len(found) == 2
    assert all(f"the pose of view {table['view'][row]} is no rotation" in found[row - 5] for row in (5, 6))


def test_a_scene_in_two_splits_is_named(geometry_dataset, copy_of, sealed_with):
    folder, table = copy_of(geometry_dataset), geometry_dataset.views.table.copy()
    table.loc[:20, "split"] = "train"
    sealed_with(folder, table)
    assert any("occurs in several splits" in problem for problem in problems(folder))


def test_an_image_of_another_size_and_a_foreign_category_are_named(geometry_dataset, copy_of, tmp_path):
    folder = copy_of(geometry_dataset)
    labels, depth = (geometry_dataset.views.table[kind][2] for kind in ("semantic", "depth"))
    cv2.imwrite(str(folder / labels), np.full((128, 128), 999, np.uint16))
    cv2.imwrite(str(folder / depth), np.full((64, 128), 999, np.uint16))
    renew_checksums(folder)
    found = "\n".join(problems(folder))
    assert f"{folder / labels}: holds category 999" in found
    assert f"{folder / depth}: is 128 x 64, its camera 128 x 128" in found


def renew_checksums(folder) -> None:
    """Make the digests fit the files: what a generator that writes wrong values would leave."""
    import hashlib

    from relocbench.datasets.dataset import file_digest
    from relocbench.datasets.sealing import CHECKSUM_SCHEMA, write_tables
    from relocbench.datasets.writer import WORK

    dataset = Dataset.open(folder)
    table = dataset.checksums()
    table["blake2b"] = [file_digest(folder / path) for path in table["path"]]
    write_tables(folder, CHECKSUMS, CHECKSUM_SCHEMA, iter([table]))
    digest = hashlib.sha256((folder / CHECKSUMS).read_bytes()).hexdigest()
    manifest = dataset.manifest.model_copy(update={"checksums": digest})
    (folder / MANIFEST).write_text(manifest.sealed().to_json())
    shutil.rmtree(folder / WORK)


def perturbed(table: pd.DataFrame, rows, *, metres: float, degrees: float) -> pd.DataFrame:
    """Return the table with some poses moved by a length and turned by an angle, each in a random direction."""
    random = np.random.default_rng(0)
    poses = pose_from_table(table.loc[rows])
    directions, axes = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in random.normal(size=(2, len(poses), 3)))
    turned = Rotation.from_rotvec(np.radians(degrees) * axes).as_matrix() @ poses.rotation
    moved = Pose.from_rotation_translation(turned, poses.translation + metres * directions)
    table = table.copy()
    for column, values in pose_columns(moved).items():
        table.loc[rows, column] = values
    return table


@pytest.mark.parametrize(("metres", "degrees"), [(0.005, 0.0), (0.0, 0.2)])
def test_poses_that_are_slightly_wrong_are_caught(geometry_dataset, copy_of, sealed_with, metres, degrees):
    folder, table = copy_of(geometry_dataset), geometry_dataset.views.table
    sealed_with(folder, perturbed(table, table.index, metres=metres, degrees=degrees))
    found = problems(folder)
    assert any(" mm, not below 1 mm" in problem for problem in found)
    assert any(" px, not below 0.05 px" in problem for problem in found)


@pytest.mark.parametrize(("metres", "degrees"), [(0.005, 0.0), (0.0, 0.2), (0.3, 5.0)])
def test_one_wrong_pose_among_many_is_named(geometry_dataset, copy_of, sealed_with, metres, degrees):
    folder, table = copy_of(geometry_dataset), geometry_dataset.views.table
    sealed_with(folder, perturbed(table, [30], metres=metres, degrees=degrees))
    assert any(
        table["view"][30] in problem and "its pose or its depth is wrong" in problem for problem in problems(folder)
    )


def test_half_a_pixel_of_convention_is_caught(geometry_dataset, copy_of, sealed_with):
    folder, table = copy_of(geometry_dataset), geometry_dataset.views.table.copy()
    table[["cx", "cy"]] += 0.5
    sealed_with(folder, table)
    assert any("reprojection residual" in problem for problem in problems(folder))


def test_swapped_depth_maps_are_caught(geometry_dataset, copy_of, sealed_with):
    folder, table = copy_of(geometry_dataset), geometry_dataset.views.table.copy()
    table["depth"] = np.roll(table["depth"], 7)
    sealed_with(folder, table)
    assert any("agree in depth" in problem for problem in problems(folder))


def test_depth_in_coarse_steps_agrees_to_within_a_step(geometry_spec, with_parameters, tmp_path):
    """A street is stored in coarser steps than a room."""
    coarse = with_parameters(geometry_spec, queries_per_room=6).model_copy(update={"depth_unit": 0.005})
    dataset = generate(coarse, tmp_path / "coarse", jobs=1, progress=False)
    assert dataset.views[0].depth().max() > 0
    report = check(dataset.root, jobs=1)
    assert report.problems == ()
    assert report.scenes[0].median_metres > 0.0005
