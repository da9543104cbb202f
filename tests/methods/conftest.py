"""One small textured box with references and queries, rendered once for all method tests."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from relocbench.datasets.views import ViewSet
from relocbench.methods.box_room import random_poses, write_views
from relocbench.methods.netvlad.network import PlaceNetwork
from relocbench.methods.netvlad.training import PlaceTask
from relocbench.methods.networks.checkpoints import save_network
from relocbench.methods.registry import make_method
from relocbench.methods.training.frames import HouseFrames
from relocbench.sim.geometry import Camera

_CAMERA = Camera.from_fov(200, 150, 90.0)


@pytest.fixture(scope="session")
def box_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("box")


@pytest.fixture(scope="session")
def box_train(box_folder: Path) -> ViewSet:
    poses = random_poses(np.random.default_rng(1), 16)
    return write_views(box_folder, poses, seed=1, role="train", name="train", camera=_CAMERA)


@pytest.fixture(scope="session")
def box_references(box_folder: Path) -> ViewSet:
    poses = random_poses(np.random.default_rng(2), 18)
    return write_views(box_folder, poses, seed=2, role="reference", name="references", camera=_CAMERA)


@pytest.fixture(scope="session")
def box_queries(box_folder: Path) -> ViewSet:
    poses = random_poses(np.random.default_rng(3), 10)
    return write_views(box_folder, poses, seed=2, role="query", name="queries", camera=_CAMERA)


@pytest.fixture(scope="session")
def fitted_folder(box_train: ViewSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what dense-vlad, of 32 words, and the methods that share its fit learned from the training box."""
    folder = tmp_path_factory.mktemp("fitted")
    method = make_method("dense-vlad", {"words": 32})
    method.fit(box_train)
    method.save(folder)
    return folder


@pytest.fixture(scope="session")
def place_network(box_train: ViewSet) -> PlaceNetwork:
    """A place network whose filters are random, and whose clusters and whitenings are learned from the box."""
    rgb = np.stack([cv2.resize(view.image(), (160, 160)) for view in box_train])
    none = np.zeros(0)
    frames = HouseFrames(rgb, none, none, none, none, none)
    torch.manual_seed(0)
    task = PlaceTask()
    images = torch.from_numpy(rgb).permute(0, 3, 1, 2).float() / 255
    with torch.no_grad():
        for _ in range(8):
            task.network(images)  # in training mode: the statistics of the layers
    task.network.eval().requires_grad_(False)
    task.network.initialise(task.network.features(images))
    task.finish([frames])
    return task.network


@pytest.fixture(scope="session")
def place_checkpoint(place_network: PlaceNetwork, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("place") / "netvlad.safetensors"
    save_network(place_network, path, about={})
    return str(path)
