"""Data sets that nobody here generated: images and poses are enough, and what is wrong with one is named."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from relocbench.datasets.check import check
from relocbench.datasets.formats.format import Format, Import, ImportedView
from relocbench.datasets.importing import import_dataset
from relocbench.errors import InputError
from relocbench.sim.geometry import Camera, Pose

POSES = Pose.from_planar(np.array([[0, 0], [1, 0], [2, 0], [3, 1]]), height=1.5, yaw=np.array([0, 1, 2, 3.0]))
SMALL, LARGE = Camera.from_fov(32, 24, 80), Camera.from_fov(48, 64, 60)


class Folder(Format):
    """Images called after their role; every other one is of another camera, and its depth is known."""

    name = "folder"

    def read(self, source: Path) -> Import:
        return Import(self._views(source), notes=("as found",), depth_unit=0.002)

    def _views(self, source: Path) -> Iterator[ImportedView]:
        for index, path in enumerate(sorted(source.glob("*.*"))):
            camera = LARGE if index % 2 else SMALL
            depth = np.full((camera.height, camera.width), 90.0, np.float32) if index % 2 else None
            role = "query" if "query" in path.name else "reference"
            yield ImportedView(path.stem, role, camera, POSES[index], path, depth=depth)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for index, name in enumerate(("0-reference.png", "1-query.jpg", "2-reference.png", "3-query.png")):
        camera = LARGE if index % 2 else SMALL
        cv2.imwrite(str(folder / name), np.full((camera.height, camera.width, 3), 40 * index, np.uint8))
    return folder


def test_images_are_copied_and_every_view_has_its_own_camera(source: Path, tmp_path: Path) -> None:
    dataset = import_dataset(Folder(), source, tmp_path / "out")
    assert [view.camera for view in dataset.views] == [SMALL, LARGE, SMALL, LARGE]
    np.testing.assert_allclose(dataset.views.poses.matrix, POSES.matrix, atol=1e-12)
    query = dataset.views.where(role="query")[0]
    assert (dataset.root / query.files["image"]).read_bytes() == (source / "1-query.jpg").read_bytes()
    assert set(dataset.views.where(role="reference").table["density"]) == {2}
    assert dataset.manifest.origin.notes == ("as found",)
    assert dataset.manifest.spec is None
    assert check(dataset.root, jobs=1).ok


def test_depth_reaches_as_far_as_the_step_of_the_data_set_allows(source: Path, tmp_path: Path) -> None:
    views = import_dataset(Folder(), source, tmp_path / "out").views
    assert views[1].depth().max() == pytest.approx(90.0, abs=1e-3)  # farther than 65535 steps of half a millimetre
    with pytest.raises(InputError, match="has no depth"):
        views[0].depth()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: (folder / "1-query.jpg").write_bytes(b"no"), r"1-query\.jpg: is not an image"),
        (
            lambda folder: cv2.imwrite(str(folder / "1-query.jpg"), np.zeros((9, 9, 3), np.uint8)),
            "9 x 9, its camera 48",
        ),
        (lambda folder: (folder / "1-query.jpg").rename(folder / "1-query.tif"), "images are .png or .jpg"),
        (lambda folder: (folder / "1-query.jpg").rename(folder / "1 query.jpg"), "is no file name"),
        (lambda folder: [path.unlink() for path in folder.iterdir()], "holds no views"),
        (lambda folder: [path.unlink() for path in folder.iterdir()] and folder.rmdir(), "no such file or folder"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_left(source: Path, tmp_path: Path, spoil, message: str) -> None:
    spoil(source)
    with pytest.raises(InputError, match=message):
        import_dataset(Folder(), source, tmp_path / "out")
    assert {path.name for path in tmp_path.iterdir()} <= {"photos"}


def test_maps_of_two_scenes_with_one_name_are_two_maps(source: Path, tmp_path: Path) -> None:
    class TwoScenes(Folder):
        def _views(self, source: Path) -> Iterator[ImportedView]:
            for scene in ("a", "b"):
                yield from (replace(view, scene=scene, map="ground-floor") for view in super()._views(source))

    dataset = import_dataset(TwoScenes(), source, tmp_path / "out")
    assert set(dataset.views.table["map"]) == {"a/ground-floor", "b/ground-floor"}


def test_where_the_source_lay_changes_nothing(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = Path(shutil.copytree(source, tmp_path / "elsewhere" / source.name))
    monkeypatch.chdir(elsewhere.parent)
    one, other = import_dataset(Folder(), source, tmp_path / "one"), import_dataset(Folder(), source.name, "other")
    assert one.sha256 == other.sha256


def test_an_image_is_its_pixels_as_they_are_stored(source: Path, tmp_path: Path) -> None:
    """A file that asks to be shown turned by 180 degrees is not turned: its camera describes the sensor."""
    upright = np.zeros((LARGE.height, LARGE.width, 3), np.uint8)
    upright[: LARGE.height // 2] = 255
    exif = Image.Exif()
    exif[0x0112] = 3
    Image.fromarray(upright).save(source / "1-query.jpg", exif=exif)
    stored = import_dataset(Folder(), source, tmp_path / "out").views.where(role="query")[0].image()
    assert stored[:20].mean() > 200 > 50 > stored[-20:].mean()


def test_a_sensor_may_have_seen_nothing(source: Path, tmp_path: Path) -> None:
    class Blind(Folder):
        def _views(self, source: Path) -> Iterator[ImportedView]:
            yield from (replace(v, depth=None if v.depth is None else v.depth * 0) for v in super()._views(source))

    assert check(import_dataset(Blind(), source, tmp_path / "out").root, jobs=1).ok


def test_what_is_there_is_not_overwritten(source: Path, tmp_path: Path) -> None:
    import_dataset(Folder(), source, tmp_path / "out")
    with pytest.raises(InputError, match="exists already"):
        import_dataset(Folder(), source, tmp_path / "out")
