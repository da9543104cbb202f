"""What a relative-pose network is taught: pairs that keep the rule, the right poses, in the mirror too, and matches."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest
import torch
from relocbench.errors import InputError, RunError
from relocbench.methods.box_room import box_maps, random_poses, render_box
from relocbench.methods.exrenet.network import ExReNet, open_network
from relocbench.methods.exrenet.outputs import relative_poses
from relocbench.methods.exrenet.pairs import SPARSE, PairRule, pixel_matches, training_pairs
from relocbench.methods.exrenet.settings import SMALL, settings_of
from relocbench.methods.exrenet.training import RelativePoseTask, targets
from relocbench.methods.networks.checkpoints import about_checkpoint, save_network
from relocbench.methods.networks.feature_pyramid import PyramidConfig
from relocbench.methods.perception.networks import SegmentationNetwork
from relocbench.methods.training.frames import HouseFrames, RenderHouse
from relocbench.methods.training.loop import TRAINING_HOUSES, TrainingSettings
from relocbench.methods.training.sampling import FrameSettings
from relocbench.methods.training.train import train_task
from relocbench.sim.geometry import Camera, Pose, rotation_error, translation_error

SIDE = 64
CAMERA = Camera.from_fov(SIDE, SIDE, 90.0)
NEAR = PairRule(min_overlap=0.2, max_distance=1.0, max_angle=60.0)


def box_frames(seed: int, count: int = 16) -> HouseFrames:
    poses = random_poses(np.random.default_rng(seed), count)
    return HouseFrames(
        rgb=np.stack([render_box(pose, CAMERA, seed=seed) for pose in poses]),
        depth=np.stack([box_maps(pose, CAMERA)[0] for pose in poses]).astype(np.float16),
        semantic=np.zeros((count, SIDE, SIDE), np.uint16),
        poses=poses.matrix,
        overlap=np.zeros((count, count), np.float16),
        condition=np.zeros(count, np.int64),
    )


@pytest.fixture(scope="module")
def boxes() -> list[HouseFrames]:
    return [box_frames(seed) for seed in (1, 2)]


class Tiny(RelativePoseTask):
    """A network of a quarter of the side."""

    name = "tiny"
    form: ClassVar[dict[str, str]] = {}

    def make_network(self) -> ExReNet:
        return ExReNet(replace(SMALL, side=SIDE, regression_side=16, **self.form))


class TinyInBins(Tiny):
    """The same, with rotations and directions as distributions."""

    form: ClassVar[dict[str, str]] = {"rotation": "yaw", "direction": "azimuth"}


def task(rule: PairRule = SPARSE, kind: type[Tiny] = Tiny) -> RelativePoseTask:
    torch.manual_seed(0)
    subject = kind(frames=FrameSettings(side=SIDE))
    subject._rule = rule
    return subject


def test_what_is_drawn_are_groups_whose_pairs_keep_the_rule(boxes):
    subject = task(NEAR)
    drawn = subject.draw(boxes, 64, np.random.default_rng(0))
    assert drawn.shape == (64, 2)
    assert set(drawn[:, 0]) == {0, 1}
    one, other = (drawn[index.numpy()] for index in subject._pairs(boxes, drawn))
    assert len(one) > 16  # more than neighbours alone would give of so many frames
    allowed = [set(map(tuple, training_pairs(house, NEAR, CAMERA)[0])) for house in boxes]
    for (house, i), (same, j) in zip(one, other, strict=True):
        assert house == same
        assert (min(i, j), max(i, j)) in allowed[house]


def test_every_batch_has_a_pair_even_where_a_house_has_few(boxes):
    subject = task(PairRule(min_overlap=0.2, max_distance=0.7, max_angle=60.0))
    for seed in range(5):
        drawn = subject.draw(boxes, 6, np.random.default_rng(seed))
        assert len(drawn) == 6
        assert len(subject._pairs(boxes, drawn)[0]) >= 1


def test_houses_without_pairs_are_passed_over_and_none_at_all_is_an_error(boxes):
    alone = box_frames(3, count=1)
    drawn = task().draw([alone, boxes[0]], 8, np.random.default_rng(0))
    assert set(drawn[:, 0]) == {1}
    with pytest.raises(RunError, match="no two frames"):
        task().draw([alone], 8, np.random.default_rng(0))


def test_a_network_that_says_what_it_is_taught_places_the_query(boxes):
    poses = Pose(boxes[0].poses)
    references, queries = poses[:8], poses[8:]
    relative, scales = relative_poses(targets(queries.relative_to(references)).double().numpy())
    step = Pose.from_rotation_translation(relative.rotation, relative.translation * scales[:, None])
    assert translation_error(references @ step, queries).max() < 1e-5
    assert rotation_error(references @ step, queries).max() < 1e-3


def test_a_mirrored_batch_is_a_mirrored_world(boxes):
    """Pixels that match keep doing so in the mirror, where poses, depth and images are all mirrored."""
    batch = np.array([[0, 0], [0, 1], [0, 2], [0, 3]])
    subject = task()
    images, depth, poses = subject.frames_of(boxes, batch, mirrored=False)
    mirrored_images, mirrored_depth, mirrored_poses = subject.frames_of(boxes, batch, mirrored=True)
    torch.testing.assert_close(mirrored_images, images.flip(-1))
    plain = matched(depth, poses)
    mirrored = matched(mirrored_depth, mirrored_poses)
    assert plain[2].float().mean() > 0.1
    grid = (plain[0].shape[0], SIDE, SIDE)
    torch.testing.assert_close(plain[2].view(grid), mirrored[2].view(grid).flip(-1))
    known = plain[2].view(grid)
    x = (SIDE - mirrored[1][..., 0]).view(grid).flip(-1)
    torch.testing.assert_close(x[known], plain[1][..., 0].view(grid)[known], atol=1e-3, rtol=0)


def matched(depth, poses):
    poses = torch.from_numpy(poses)
    return pixel_matches(depth[0::2], poses[0::2], depth[1::2], poses[1::2], CAMERA, step=1)


@pytest.mark.parametrize(("kind", "left"), [(Tiny, 0.6), (TinyInBins, 0.8)])
def test_a_few_steps_teach_pairs_by_heart(boxes, kind, left):
    """Of the loss of bins, the entropy of their soft labels stays."""
    subject = task(kind=kind)
    batch = subject.draw(boxes, 6, np.random.default_rng(1))
    optimizer = torch.optim.AdamW(subject.network.parameters(), lr=2e-3)
    subject.network.train()
    losses = []
    for _ in range(30):
        loss, log = subject.loss(boxes, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(log)
    assert losses[-1]["pose"] < left * losses[0]["pose"]
    assert losses[-1]["matches"] > losses[0]["matches"]
    assert losses[-1]["auxiliary"] < 0.7 * losses[0]["auxiliary"]


@pytest.mark.parametrize("kind", [Tiny, TinyInBins])
def test_quality_compares_with_the_best_answer_without_looking(boxes, kind):
    subject = task(kind=kind)
    subject.network.eval()
    quality = subject.quality(boxes)
    assert {"direction", "rotation", "scale", "direction_constant", "rotation_constant"} <= quality.keys()
    assert quality["direction"] > 0.5 * quality["direction_constant"]  # nothing was learned
    assert subject.quality([box_frames(3, count=1)]) == {}


def test_a_kept_encoder_ends_as_it_began_and_the_rest_learns(boxes, tmp_path):
    frames = FrameSettings(frames=len(boxes[0]), side=SIDE)
    for seed, house in zip(TRAINING_HOUSES, boxes, strict=False):
        np.savez(RenderHouse(seed, frames, tmp_path).path, **vars(house))
    torch.manual_seed(4)
    start = ExReNet(settings_of("exrenet", "small"))
    save_network(start, tmp_path / "start.safetensors", about={"made": "here"})
    out = train_task(
        "essnet",
        tmp_path / "out",
        settings=TrainingSettings(houses=2, steps_per_house=3, batch=4, held_out=0, frames=frames),
        init=str(tmp_path / "start.safetensors"),
        options={"keep_encoder": True},
        jobs=1,
        cache=tmp_path,
        progress=False,
    )
    trained = open_network(str(out / "essnet-small.safetensors"), "essnet", "small")
    for name, value in trained.encoder.state_dict().items():
        torch.testing.assert_close(value, start.encoder.state_dict()[name], rtol=1e-3, atol=1e-4)
    assert trained.trunk.state_dict()["1.running_mean"].abs().max() > 0
    about = about_checkpoint(out / "essnet-small.safetensors")
    assert about["started_from"] == {"made": "here"}
    assert about["keep_encoder"]
    with pytest.raises(InputError, match="unknown configuration key 'keep_encoder'; allowed: backbone"):
        train_task("depth", tmp_path / "depth", settings=TrainingSettings(), options={"keep_encoder": True})
    pyramid = SegmentationNetwork(PyramidConfig())  # which goes deeper
    save_network(pyramid, tmp_path / "pyramid.safetensors", about={})
    for init in ("scratch", str(tmp_path / "pyramid.safetensors")):
        with pytest.raises(InputError, match="to keep"):
            train_task(
                "essnet", tmp_path / "none", settings=TrainingSettings(), init=init, options={"keep_encoder": True}
            )


@pytest.mark.parametrize(
    ("name", "options", "init", "message"),
    [
        (
            "exrenet",
            {"keep_encoder": True, "matching_only": True},
            None,
            "'exrenet': .* leave nothing to learn",
        ),
        ("exrenet-pooled", {"matching_only": True}, None, "no correlation layer that could learn"),
        ("exrenet", {}, "nothing", "--init nothing: no such file; give imagenet, scratch, a path, or one of depth"),
    ],
)
def test_a_training_that_cannot_begin_says_so_in_one_line(name, options, init, message, tmp_path):
    with pytest.raises(InputError, match=message) as error:
        train_task(name, tmp_path / "out", settings=TrainingSettings(), options=options, init=init)
    assert "\n" not in str(error.value)
    assert "Value error" not in str(error.value)
    assert not (tmp_path / "out").exists()
