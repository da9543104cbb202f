"""The overview is a picture of what the dataset holds."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from relocbench.datasets.check import check
from relocbench.errors import InputError
from relocbench.reports.dataset_overview import draw_overview, frustum_outlines, furniture_outlines, write_overview
from shapely.geometry import Point


def test_the_overview_is_written_and_does_not_disturb_the_dataset(geometry_dataset, copy_of):
    folder = copy_of(geometry_dataset)
    path = write_overview(folder)
    picture = cv2.imread(str(path))
    assert picture.shape[1] > 1000
    assert picture.std() > 20  # not blank
    assert check(folder, jobs=1).ok


def test_pictures_have_their_place_in_it(dataset):
    picture = draw_overview(dataset, scenes=1)
    assert picture.dtype == np.uint8
    assert picture.ndim == 3
    assert picture.shape != draw_overview(dataset, scenes=3).shape


def test_an_overview_is_a_png(geometry_dataset, tmp_path):
    with pytest.raises(InputError, match=r"ends in \.png"):
        write_overview(geometry_dataset.root, tmp_path / "overview.pdf")


def test_furniture_is_outlined_and_walls_are_not(box_room):
    outlines = furniture_outlines(box_room)
    assert any(outline.contains(Point(0.5, 2.0)) for outline in outlines)  # the sofa
    assert not any(outline.contains(Point(1.5, 2.0)) for outline in outlines)  # free floor


def test_frusta_open_in_the_viewing_direction(dataset):
    views = dataset.views.where(role="query")
    wedges = frustum_outlines(views, reach=1.0)
    assert np.allclose(wedges[:, 0], views.poses.translation[:, :2])
    middle = wedges[:, 1:].mean(axis=1) - wedges[:, 0]
    assert ((middle * views.poses.forward[:, :2]).sum(axis=1) > 0.9).all()
    assert np.allclose(np.linalg.norm(wedges[:, 1] - wedges[:, 2], axis=1), 2 * np.tan(np.radians(40)))
