"""The training loop, its frames and its checkpoints: what a user relies on when a training is stopped or shared."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from relocbench.bench.tracks import list_tracks
from relocbench.errors import InputError, RunError
from relocbench.methods.networks.checkpoints import about_checkpoint, load_network, save_network
from relocbench.methods.networks.feature_pyramid import PyramidConfig
from relocbench.methods.perception.networks import DepthNetwork, SegmentationNetwork
from relocbench.methods.perception.training import DepthTask, SegmentationTask
from relocbench.methods.training.frames import HouseFrames, RenderHouse, stream_houses
from relocbench.methods.training.initialisation import initialise
from relocbench.methods.training.loop import HELD_OUT_HOUSES, TRAINING_HOUSES, TrainingSettings, train_network
from relocbench.methods.training.sampling import FrameSettings
from relocbench.methods.training.train import train_task
from relocbench.sim.geometry import Pose, covisibility
from relocbench.sim.processes.local import LocalProcesses

SIDE = 32
FRAMES = FrameSettings(frames=8, side=SIDE)
SETTINGS = TrainingSettings(houses=10, steps_per_house=2, buffer=3, batch=4, held_out=1, frames=FRAMES)
COLOURS = np.array([[220, 40, 40], [40, 200, 60], [50, 60, 210]], dtype=np.uint8)
CATEGORIES = np.array([1, 4, 8], dtype=np.uint16)


def coloured_frames(seed: int) -> HouseFrames:
    """Images of coloured halves: the colour tells the category, and each category has its depth."""
    rng = np.random.default_rng(seed)
    kind = np.zeros((FRAMES.frames, SIDE, SIDE), dtype=int)
    for frame in kind:
        frame[:] = rng.integers(3)
        frame[:, rng.integers(4, SIDE - 4) :] = rng.integers(3)
    return HouseFrames(
        rgb=COLOURS[kind],
        depth=(kind + 1).astype(np.float16),
        semantic=CATEGORIES[kind],
        poses=np.broadcast_to(np.eye(4), (FRAMES.frames, 4, 4)),
        overlap=np.eye(FRAMES.frames, dtype=np.float16),
        condition=np.zeros(FRAMES.frames, dtype=np.int64),
    )


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A folder that holds the frames of all houses already."""
    folder = tmp_path / "frames"
    folder.mkdir()
    for seed in (*TRAINING_HOUSES[: SETTINGS.houses], *HELD_OUT_HOUSES[: SETTINGS.held_out]):
        np.savez(RenderHouse(seed, FRAMES, folder).path, **vars(coloured_frames(seed)))
    return folder


def train(task, out: Path, cache: Path, settings: TrainingSettings = SETTINGS, command: str = "here") -> Path:
    return train_network(task, out, settings=settings, about={"command": command}, jobs=1, cache=cache, progress=False)


def weights(folder: Path) -> dict:
    network = SegmentationNetwork(PyramidConfig())
    load_network(network, str(folder / "segmentation.safetensors"), task="segmentation")
    return network.state_dict()


@pytest.mark.parametrize(("task", "measure"), [(SegmentationTask, "pixel_accuracy"), (DepthTask, "delta_1_25")])
def test_a_trained_network_answers_on_houses_that_it_has_not_seen(task, measure, tmp_path, cache):
    torch.manual_seed(0)
    task = task()
    initialise(task.network, "imagenet")
    out = train(task, tmp_path / "out", cache, replace(SETTINGS, steps_per_house=25, batch=16, buffer=10))
    about = about_checkpoint(out / f"{task.name}.safetensors")
    assert about["quality"][measure] > 0.7  # of three categories, or depths
    log = pd.read_csv(out / f"{task.name}.csv")
    assert log["loss"].iloc[-1] < log["loss"].iloc[0]
    assert (out / f"{task.name}.png").stat().st_size > 0


def test_an_interrupted_training_ends_with_the_same_weights(tmp_path, cache):
    class Interrupted(SegmentationTask):
        def loss(self, houses, batch):
            if (tmp_path / "stopped" / "segmentation.csv").exists():  # written after each house
                raise KeyboardInterrupt
            return super().loss(houses, batch)

    torch.manual_seed(0)
    train(SegmentationTask(), tmp_path / "whole", cache)
    torch.manual_seed(0)
    with pytest.raises(KeyboardInterrupt):
        train(Interrupted(), tmp_path / "stopped", cache)
    with pytest.raises(InputError, match="other settings"):
        train(SegmentationTask(), tmp_path / "stopped", cache, replace(SETTINGS, learning_rate=1e-3))
    # from other initial weights, and with another command: those of the state and its settings count
    train(SegmentationTask(), tmp_path / "stopped", cache, command="elsewhere")
    assert about_checkpoint(tmp_path / "stopped" / "segmentation.safetensors")["command"] == "elsewhere"
    whole, stopped = weights(tmp_path / "whole"), weights(tmp_path / "stopped")
    assert all(torch.equal(whole[name], stopped[name]) for name in whole)
    logs = [pd.read_csv(tmp_path / folder / "segmentation.csv") for folder in ("whole", "stopped")]
    pd.testing.assert_frame_equal(*logs)


def test_a_finished_training_and_one_with_other_settings_are_left_alone(tmp_path, cache):
    out = train(SegmentationTask(), tmp_path / "out", cache)
    before = (out / "segmentation.safetensors").read_bytes()
    with pytest.raises(InputError, match="holds a trained segmentation already"):
        train(SegmentationTask(), out, cache)
    assert (out / "segmentation.safetensors").read_bytes() == before


def test_a_loss_that_is_no_number_ends_the_training(tmp_path, cache):
    class Diverging(SegmentationTask):
        def loss(self, houses, batch):
            loss, extra = super().loss(houses, batch)
            return loss * float("nan"), extra

    with pytest.raises(RunError, match="lower the learning rate"):
        train(Diverging(), tmp_path / "out", cache)


@pytest.mark.parametrize(("name", "network"), [("depth", DepthNetwork), ("segmentation", SegmentationNetwork)])
def test_training_starts_from_all_of_its_own_network_and_from_the_pyramid_of_another(name, network, tmp_path, cache):
    torch.manual_seed(3)
    start = SegmentationNetwork(PyramidConfig())
    save_network(start, tmp_path / "start.safetensors", about={})
    still = replace(SETTINGS, learning_rate=0.0, weight_decay=0.0)
    init = str(tmp_path / "start.safetensors")
    out = train_task(name, tmp_path / "out", settings=still, init=init, jobs=1, cache=cache, progress=False)
    trained = network(PyramidConfig())
    load_network(trained, str(out / f"{name}.safetensors"), task=name)
    assert torch.allclose(trained.pyramid.lateral[0].weight, start.pyramid.lateral[0].weight, atol=1e-3)
    same_head = trained.head.weight.shape == start.head.weight.shape
    assert same_head == (network is SegmentationNetwork)
    assert not same_head or torch.allclose(trained.head.weight, start.head.weight, atol=1e-3)


def test_houses_that_are_kept_to_measure_on_are_never_trained_on(tmp_path, cache):
    for first in (HELD_OUT_HOUSES[0], 3000, TRAINING_HOUSES[-1]):
        with pytest.raises(InputError, match="kept to measure on"):
            train(SegmentationTask(), tmp_path / "out", cache, replace(SETTINGS, first_house=first))
    assert not (tmp_path / "out").exists()
    later = train(SegmentationTask(), tmp_path / "out", cache, replace(SETTINGS, first_house=100_002, houses=8))
    assert about_checkpoint(later / "segmentation.safetensors")["training_houses"] == [100_002, 100_009]


def test_unknown_tasks_and_missing_checkpoints_are_one_clear_line(tmp_path):
    with pytest.raises(InputError, match="unknown network 'colour'; known: segmentation, depth"):
        train_task("colour", tmp_path, settings=SETTINGS)
    with pytest.raises(InputError, match="relocbench train depth"):
        load_network(DepthNetwork(PyramidConfig()), str(tmp_path / "none.safetensors"), task="depth")
    (tmp_path / "damaged.safetensors").write_bytes(b"no weights")
    with pytest.raises(InputError, match="no readable safetensors"):
        load_network(DepthNetwork(PyramidConfig()), str(tmp_path / "damaged.safetensors"), task="depth")
    save_network(SegmentationNetwork(PyramidConfig()), tmp_path / "other.safetensors", about={})
    with pytest.raises(InputError, match=r"not a checkpoint of depth: head\.bias"):
        load_network(DepthNetwork(PyramidConfig()), str(tmp_path / "other.safetensors"), task="depth")


def test_checkpoints_are_small_keep_what_made_them_and_refuse_what_does_not_fit(tmp_path):
    network = DepthNetwork(PyramidConfig())
    path = tmp_path / "depth.safetensors"
    save_network(network, path, about={"seed": 7})
    assert about_checkpoint(path) == {"seed": 7}
    assert path.stat().st_size < 10e6
    loaded = DepthNetwork(PyramidConfig())
    load_network(loaded, str(path), task="depth")
    images = torch.rand(1, 3, 64, 96)
    assert torch.allclose(loaded(images), network.eval()(images), atol=0.02)
    assert not loaded.training
    assert not any(parameter.requires_grad for parameter in loaded.parameters())
    network.head.weight.data.fill_(1e6)
    with pytest.raises(ValueError, match=r"head\.weight"):
        save_network(network, path, about={})


def test_training_houses_are_in_no_track():
    used = {
        entry
        for track in list_tracks()
        for size in track.sizes.values()
        for _, entry in size.dataset.scenes.entries()
        if isinstance(entry, int)
    }
    assert not used & set(TRAINING_HOUSES)
    assert not used & set(HELD_OUT_HOUSES)
    assert not set(TRAINING_HOUSES) & set(HELD_OUT_HOUSES)


@pytest.fixture(scope="module")
def house(tmp_path_factory) -> tuple[HouseFrames, HouseFrames]:
    """One generated house: as it was rendered, and as the cache gives it back."""
    folder = tmp_path_factory.mktemp("cache")
    settings = FrameSettings(frames=9, side=32, triangles=20_000)
    first, again = (
        next(stream_houses([TRAINING_HOUSES[0]], settings, executor=LocalProcesses(jobs=1), cache=folder))
        for _ in range(2)
    )
    return first, again


def test_the_cache_gives_frames_back(house):
    first, again = house
    for name, array in vars(first).items():
        np.testing.assert_array_equal(array, getattr(again, name))
    assert set(first.condition) == {0, 1, 2}


def test_overlap_is_the_share_of_a_view_that_another_sees(house):
    frames, camera = house[0], FrameSettings(side=32).camera
    seen = (frames.depth > 0).mean(axis=(1, 2))
    np.testing.assert_allclose(
        np.diag(frames.overlap), seen, atol=0.1
    )  # a view sees itself, as far as it sees anything
    for i, j in np.argwhere(np.ones_like(frames.overlap)):
        one, other = (Pose(frames.poses[index]) for index in (i, j))
        share = covisibility(
            *(frames.depth[i].astype(np.float32), one), frames.depth[j].astype(np.float32), other, camera
        )
        assert abs(float(frames.overlap[i, j]) - share) < 0.15
