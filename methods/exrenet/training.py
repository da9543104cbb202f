"""Teach an `ExReNet` the pose of one frame relative to another, and which features match."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from ...errors import InputError, RunError
from ...sim.geometry import Pose, rotation_error
from ..configuration import MethodConfig
from ..training.augmentation import jittered
from ..training.frames import HouseFrames, image_batch
from ..training.initialisation import Start
from ..training.sampling import FrameSettings
from ..training.task import TrainingTask
from .correlation import extensive_counts, guided_counts, triplet_loss
from .network import ExReNet, Matched
from .outputs import pose_loss, relative_poses, targets
from .pairs import DENSE, SPARSE, pixel_matches, training_pairs
from .settings import FULL, DirectionForm, NetworkSettings, NetworkSize, RotationForm, settings_of

Array = NDArray[Any]

_MIRROR = np.diag([-1.0, 1.0, 1.0, 1.0])
#: Weight of the auxiliary loss, and between which overlaps pairs are drawn equally often. The paper trains for 500,000
#: steps with a weight of 1, on pairs as they come, most of which overlap little. Of a few thousand steps, those without
#: matches teach nothing. After 150 steps with EssNet's regression part, on houses not trained on: 18 % of the coarse
#: features found their match with a weight of 1, 24 % with 10; directions were wrong by 52 degrees, the median, with
#: pairs as they come, by 47 with levels of overlap drawn evenly.
_AUXILIARY_WEIGHT = 10.0
_OVERLAPS = (0.25, 0.4, 0.55, 0.7)

_EVALUATED = 150  # pairs of every held-out house
_TOGETHER = 32  # pairs that are evaluated at once


class RelativePoseConfig(MethodConfig):
    """Settings of the training of a relative-pose network."""

    size: NetworkSize = "small"
    """small, or full: the paper's network."""

    keep_encoder: bool = False
    """Teach what is behind the encoder, and leave that as the checkpoint of --init has it."""

    rotation: RotationForm = "quaternion"
    """quaternion, or yaw: a distribution over the turn about the camera's vertical axis, and what remains."""

    direction: DirectionForm = "vector"
    """vector, or azimuth: a distribution over it, and the elevation."""


class RelativePoseTask(TrainingTask[RelativePoseConfig]):
    """The paper's losses on pairs of one house: of direction, rotation and scale (`pose_loss`), and the auxiliary loss.

    Every pair is learned from both sides, and in half of the batches as in a mirror: a mirrored house is a house too.
    With ``keep_encoder`` only what comes behind the encoder learns, and nothing is asked of its matches. Frames that
    are sampled in six dimensions make the pairs of the paper's dense training set, others those of its sparse one.
    """

    network: ExReNet

    def __init__(self, config: RelativePoseConfig | None = None, frames: FrameSettings | None = None) -> None:
        super().__init__(config, frames)
        self.network.encoder.requires_grad_(not self.config.keep_encoder)
        self._camera = self.frames.camera
        self._rule = DENSE if self.frames.sampling == "6dof" else SPARSE
        self._pairs: WeakKeyDictionary[HouseFrames, list[Array]] = WeakKeyDictionary()

    def make_network(self) -> ExReNet:
        """Return the network of this name, and of the size and the forms of answer of the configuration."""
        settings = settings_of(self.name, self.config.size)
        return ExReNet(replace(settings, rotation=self.config.rotation, direction=self.config.direction))

    @property
    def label(self) -> str:
        """The name with the size."""
        return f"{self.name}-{self.config.size}"

    def about(self) -> dict[str, Any]:
        """Return the network's settings, the rule of its pairs, and whether its encoder was kept."""
        network, pairs = asdict(self.network.settings), asdict(self._rule)
        return {"network": network, "pairs": pairs, "keep_encoder": self.config.keep_encoder}

    def starts_from(self, start: Start) -> None:
        """Raise ``InputError`` where an encoder is to be kept that was not filled from a checkpoint."""
        if self.config.keep_encoder and start not in ("network", "encoder"):
            raise InputError("--keep-encoder: --init holds no encoder of this network to keep; name another checkpoint")

    def draw(self, houses: Sequence[HouseFrames], count: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Return ``count`` frames (B, 2), house and frame: neighbours in the list are pairs that keep the rule.

        Houses are drawn evenly, then how much a pair overlaps, then the pair; houses without any are passed over.
        """
        own = [self._pairs_of(house) for house in houses]
        able = np.flatnonzero([len(levels) for levels in own])
        if not len(able):
            raise RunError(f"training {self.label}: no two frames of {len(houses)} houses keep {self._rule}")
        frames: list[tuple[int, int]] = []
        for house in rng.choice(able, size=count // 2):
            level = own[house][rng.integers(len(own[house]))]
            frames += [(int(house), int(frame)) for frame in level[rng.integers(len(level))]]
        return np.array(frames, dtype=np.int64).reshape(-1, 2)

    def loss(self, houses: Sequence[HouseFrames], batch: NDArray[np.int64]) -> tuple[Tensor, dict[str, float]]:
        """Return the pose loss (mu = beta = 1) and ``_AUXILIARY_WEIGHT`` times the auxiliary loss, and for the log both
        losses and the batch's median errors."""
        mirrored = bool(torch.rand(()) < 0.5)
        images, depth, poses = self.frames_of(houses, batch, mirrored)
        features = self.network.features(jittered(images))
        one, other = torch.arange(0, len(batch), 2), torch.arange(1, len(batch), 2)
        reference, query = torch.cat([one, other]), torch.cat([other, one])
        matched = self.network.match(features[reference], features[query])
        answer = self.network.head(self.network.summarise(matched)).float()
        truth = Pose(poses[query.numpy()]).relative_to(Pose(poses[reference.numpy()]))
        pose = pose_loss(answer, truth, self.network.settings)
        log = {"pose": pose.item(), **_errors(answer, truth, self.network.settings)}
        if self.config.keep_encoder:
            return pose, log
        auxiliary = self._auxiliary_loss(matched, depth, torch.from_numpy(poses).to(self.device), reference, query)
        return pose + _AUXILIARY_WEIGHT * auxiliary, log | {"auxiliary": auxiliary.item()}

    @torch.no_grad()
    def quality(self, houses: Sequence[HouseFrames]) -> dict[str, float]:
        """Return the median errors over pairs of the houses, and those of one constant answer.

        Direction and rotation in degrees, the scale as a share of the truth. The constant is the mean direction,
        quaternion and scale of these very pairs: what can be had without looking.
        """
        rng = np.random.default_rng(0)
        answers, truths = [], []
        for house in houses:
            pairs = np.concatenate([np.zeros((0, 2), np.int64), *self._pairs_of(house)])
            pairs = pairs[np.sort(rng.permutation(len(pairs))[:_EVALUATED])]
            for start in range(0, len(pairs), _TOGETHER):
                batch = np.stack([np.zeros_like(pairs), pairs], axis=-1)[start : start + _TOGETHER].reshape(-1, 2)
                images, _, poses = self.frames_of([house], batch, mirrored=False)
                answers.append(self.network(images[0::2], images[1::2]).float().cpu())
                truths.append(Pose(poses[1::2]).relative_to(Pose(poses[0::2])))
        if not answers:
            return {}
        answer, truth = torch.cat(answers), Pose(np.concatenate([each.matrix for each in truths]))
        constant = targets(truth).mean(dim=0, keepdim=True).expand(len(truth), -1)
        constant = constant if self.network.settings.scale else constant[:, :-1]
        blind = {f"{name}_constant": value for name, value in _errors(constant, truth, FULL).items()}
        return _errors(answer, truth, self.network.settings) | blind

    def _pairs_of(self, house: HouseFrames) -> list[Array]:
        """Return the pairs (P, 2) of a house, level by level of overlap, without levels that have none."""
        if house not in self._pairs:
            pairs, overlap = training_pairs(house, self._rule, self._camera)
            level = np.digitize(overlap, _OVERLAPS)
            self._pairs[house] = [pairs[level == each] for each in np.unique(level)]
        return self._pairs[house]

    def frames_of(self, houses: Sequence[HouseFrames], batch: Array, mirrored: bool) -> tuple[Tensor, Tensor, Array]:
        """Return images (B, 3, S, S) of the network's side, depth (B, S', S') and poses (B, 4, 4) of frames (B, 2)."""
        side = self.network.settings.side
        images = image_batch(houses, batch, self.device)
        images = functional.interpolate(images, size=(side, side), mode="bilinear", antialias=True)
        depth = torch.from_numpy(np.stack([houses[house].depth[frame] for house, frame in batch])).to(self.device)
        poses = np.stack([houses[house].poses[frame] for house, frame in batch])
        if mirrored:
            return images.flip(-1), depth.flip(-1), _MIRROR @ poses @ _MIRROR
        return images, depth, poses

    def _auxiliary_loss(
        self, matched: Matched, depth: Tensor, poses: Tensor, reference: Tensor, query: Tensor
    ) -> Tensor:
        """Return the mean of the auxiliary losses of all correlation layers: equations 5 to 7."""
        if matched.extensive is None:
            return depth.new_zeros((), dtype=torch.float32)
        seen = pixel_matches(depth[reference], poses[reference], depth[query], poses[query], self._camera)
        size = depth.new_tensor(depth.shape[:0:-1], dtype=torch.float32)  # width, height
        source, target, valid = seen[0] / size, seen[1] / size, seen[2]
        counts = extensive_counts(source, target, valid, *matched.extensive.shape[2:])
        losses = [triplet_loss(matched.extensive.float(), counts)]
        if matched.guided is not None and matched.windows is not None:
            height, width = matched.guided.shape[2:]
            counts = guided_counts(source, target, valid, height, width, matched.windows)
            losses.append(triplet_loss(matched.guided.float(), counts, matched.windows.inside(height, width)))
        return torch.stack(losses).mean()


def _errors(answer: Tensor, truth: Pose, settings: NetworkSettings) -> dict[str, float]:
    """Return median errors: direction and rotation in degrees, and the scale's as a share of the truth."""
    found, scales = relative_poses(answer.detach().cpu().numpy(), settings)
    length = np.linalg.norm(truth.translation, axis=1)
    cosine = (found.translation * truth.translation).sum(axis=1) / np.maximum(length, 1e-9)
    errors = {
        "direction": float(np.median(np.degrees(np.arccos(np.clip(cosine, -1, 1))))),
        "rotation": float(np.median(rotation_error(found, truth))),
    }
    if scales is not None:
        errors["scale"] = float(np.median(np.abs(scales - length) / np.maximum(length, 1e-9)))
    return errors


class ExReNetTask(RelativePoseTask):
    """ExReNet: hierarchical correlation, direction, rotation and scale (paper 002)."""

    name = "exrenet"
