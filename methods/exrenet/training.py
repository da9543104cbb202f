"""Teach an `ExReNet` the pose of one frame relative to another, and which features match."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any, Literal, Self
from weakref import WeakKeyDictionary

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import model_validator
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
from .correlation import correct_share, cross_entropy, extensive_counts, guided_counts, triplet_loss
from .network import ExReNet, Matched
from .outputs import pose_loss, relative_poses, targets
from .pairs import DENSE, SPARSE, pixel_matches, training_pairs
from .settings import FULL, DirectionForm, NetworkSettings, NetworkSize, RotationForm, settings_of

Array = NDArray[Any]

_MIRROR = np.diag([-1.0, 1.0, 1.0, 1.0])
#: Weight of the paper's auxiliary loss, and between which overlaps pairs are drawn equally often. The paper trains for
#: 500,000 steps with a weight of 1, on pairs as they come, most of which overlap little. Of a few thousand steps, those
#: without matches teach nothing. After 150 steps with EssNet's regression part, on houses not trained on: 18 % of the
#: coarse features found their match with a weight of 1, 24 % with 10; directions were wrong by 52 degrees, the median,
#: with pairs as they come, by 47 with levels of overlap drawn evenly.
_TRIPLET_WEIGHT = 10.0
_OVERLAPS = (0.25, 0.4, 0.55, 0.7)
_GROUP = 8  # frames of a batch that are drawn together, around one pair: most of them are pairs too
_PAIRS = 32  # of a batch, at most; each is learned from both sides

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

    matching_only: bool = False
    """Teach the encoder to match, and nothing of poses: what is behind it keeps its first weights."""

    matching_loss: Literal["cross-entropy", "triplet"] = "cross-entropy"
    """The auxiliary loss: how improbable the true matches are, or the paper's equation 5."""

    @model_validator(mode="after")
    def _teaches_something(self) -> Self:
        if self.keep_encoder and self.matching_only:
            raise ValueError("keep_encoder and matching_only leave nothing to learn; drop one")
        return self


class RelativePoseTask(TrainingTask[RelativePoseConfig]):
    """The paper's losses on pairs of one house: of direction, rotation and scale (`pose_loss`), and the auxiliary loss.

    A batch is groups of frames that see each other; all pairs of a group are learned from, which costs little, as each
    frame is encoded once. Every pair is learned from both sides, and in half of the batches as in a mirror: a mirrored
    house is a house too. With ``keep_encoder`` only what comes behind the encoder learns, and nothing is asked of its
    matches. Frames that are sampled in six dimensions make the pairs of the paper's dense training set, others those of
    its sparse one.
    """

    network: ExReNet

    def __init__(self, config: RelativePoseConfig | None = None, frames: FrameSettings | None = None) -> None:
        super().__init__(config, frames)
        if self.config.matching_only and self.network.settings.matching not in ("hierarchical", "single"):
            raise InputError(f"--matching-only: {self.name} has no correlation layer that could learn to match")
        self.network.encoder.requires_grad_(not self.config.keep_encoder)
        self._camera = self.frames.camera
        self._rule = DENSE if self.frames.sampling == "6dof" else SPARSE
        self._overlaps: WeakKeyDictionary[HouseFrames, Array] = WeakKeyDictionary()

    def make_network(self) -> ExReNet:
        """Return the network of this name, and of the size and the forms of answer of the configuration."""
        settings = settings_of(self.name, self.config.size)
        return ExReNet(replace(settings, rotation=self.config.rotation, direction=self.config.direction))

    @property
    def label(self) -> str:
        """The name with the size."""
        return f"{self.name}-{self.config.size}"

    def about(self) -> dict[str, Any]:
        """Return the network's settings, the rule of its pairs, and what was taught how."""
        network, pairs = asdict(self.network.settings), asdict(self._rule)
        return {"network": network, "pairs": pairs, **self.config.model_dump(exclude={"size"})}

    def starts_from(self, start: Start) -> None:
        """Raise ``InputError`` where an encoder is to be kept that was not filled from a checkpoint."""
        if self.config.keep_encoder and start not in ("network", "encoder"):
            raise InputError("--keep-encoder: --init holds no encoder of this network to keep; name another checkpoint")

    def draw(self, houses: Sequence[HouseFrames], count: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Return ``count`` frames (B, 2), house and frame, in groups around a pair that keeps the rule.

        Houses are drawn evenly, then how much a pair overlaps, then the pair, then frames that make a pair with one of
        the two; houses without any pair are passed over.
        """
        overlaps = [self._overlap(house) for house in houses]
        able = np.flatnonzero([overlap.any() for overlap in overlaps])
        if not len(able):
            raise RunError(f"training {self.label}: no two frames of {len(houses)} houses keep {self._rule}")
        frames: list[tuple[int, int]] = []
        while len(frames) < count:
            house = int(rng.choice(able))
            group = _group(overlaps[house], min(_GROUP, count - len(frames)), rng)
            frames += [(house, int(frame)) for frame in group]
        return np.array(frames, dtype=np.int64).reshape(-1, 2)

    def loss(self, houses: Sequence[HouseFrames], batch: NDArray[np.int64]) -> tuple[Tensor, dict[str, float]]:
        """Return the pose loss (mu = beta = 1) and the auxiliary loss, the paper's ``_TRIPLET_WEIGHT`` times.

        For the log: both losses, the batch's median errors and the share of right matches.
        """
        mirrored = bool(torch.rand(()) < 0.5)
        images, depth, poses = self.frames_of(houses, batch, mirrored)
        features = self.network.features(jittered(images))
        one, other = self._pairs(houses, batch)
        reference, query = torch.cat([one, other]), torch.cat([other, one])
        matched = self.network.match(features[reference], features[query])
        losses: list[Tensor] = []
        log: dict[str, float] = {}
        if not self.config.matching_only:
            answer = self.network.head(self.network.summarise(matched)).float()
            truth = Pose(poses[query.numpy()]).relative_to(Pose(poses[reference.numpy()]))
            losses.append(pose_loss(answer, truth, self.network.settings))
            log |= {"pose": losses[-1].item(), **_errors(answer, truth, self.network.settings)}
        if not self.config.keep_encoder and matched.extensive is not None:
            world = torch.from_numpy(poses).to(self.device)
            auxiliary, right = self._auxiliary_loss(matched, depth, world, reference, query)
            losses.append(auxiliary * (_TRIPLET_WEIGHT if self.config.matching_loss == "triplet" else 1.0))
            log |= {"auxiliary": auxiliary.item(), "matches": right}
        return torch.stack(losses).sum(), log

    def _pairs(self, houses: Sequence[HouseFrames], batch: Array) -> tuple[Tensor, Tensor]:
        """Return the places i < j in a batch of its pairs, each (P,); where there are too many, drawn so that all
        levels of overlap have an equal chance."""
        overlap = np.zeros((len(batch), len(batch)), dtype=np.float32)
        for house in np.unique(batch[:, 0]):
            at = np.flatnonzero(batch[:, 0] == house)
            overlap[np.ix_(at, at)] = self._overlap(houses[house])[np.ix_(batch[at, 1], batch[at, 1])]
        one, other = np.nonzero(np.triu(overlap, k=1))
        level = np.digitize(overlap[one, other], _OVERLAPS)
        weights = torch.from_numpy(1 / np.bincount(level)[level])
        kept = torch.multinomial(weights, min(_PAIRS, len(one))).sort().values
        return torch.from_numpy(one)[kept], torch.from_numpy(other)[kept]

    @torch.no_grad()
    def quality(self, houses: Sequence[HouseFrames]) -> dict[str, float]:
        """Return the median errors over pairs of the houses, and those of one constant answer.

        Direction and rotation in degrees, the scale as a share of the truth; ``matches`` is the share of the coarse
        positions with a match whose best match it is. The constant is the mean direction, quaternion and scale of these
        very pairs: what can be had without looking.
        """
        rng = np.random.default_rng(0)
        answers, truths, right = [], [], []
        for house in houses:
            pairs = np.argwhere(np.triu(self._overlap(house)))
            pairs = pairs[np.sort(rng.permutation(len(pairs))[:_EVALUATED])]
            for start in range(0, len(pairs), _TOGETHER):
                batch = np.stack([np.zeros_like(pairs), pairs], axis=-1)[start : start + _TOGETHER].reshape(-1, 2)
                images, depth, poses = self.frames_of([house], batch, mirrored=False)
                features = self.network.features(images)
                reference, query = torch.arange(0, len(batch), 2), torch.arange(1, len(batch), 2)
                matched = self.network.match(features[reference], features[query])
                answers.append(self.network.head(self.network.summarise(matched)).float().cpu())
                if matched.extensive is not None:
                    world = torch.from_numpy(poses).to(self.device)
                    right.append((self._auxiliary_loss(matched, depth, world, reference, query)[1], len(reference)))
                truths.append(Pose(poses[1::2]).relative_to(Pose(poses[0::2])))
        if not answers:
            return {}
        answer, truth = torch.cat(answers), Pose(np.concatenate([each.matrix for each in truths]))
        constant = targets(truth).mean(dim=0, keepdim=True).expand(len(truth), -1)
        constant = constant if self.network.settings.scale else constant[:, :-1]
        blind = {f"{name}_constant": value for name, value in _errors(constant, truth, FULL).items()}
        quality = _errors(answer, truth, self.network.settings) | blind
        if right:
            shares, counts = np.transpose(right)
            quality["matches"] = float((shares * counts).sum() / counts.sum())
        return quality

    def _overlap(self, house: HouseFrames) -> Array:
        """Return (N, N) float32: how much two frames of a house overlap where they keep the rule, else 0."""
        if house not in self._overlaps:
            pairs, overlap = training_pairs(house, self._rule, self._camera)
            symmetric = np.zeros((len(house), len(house)), dtype=np.float32)
            symmetric[pairs[:, 0], pairs[:, 1]] = symmetric[pairs[:, 1], pairs[:, 0]] = overlap
            self._overlaps[house] = symmetric
        return self._overlaps[house]

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
    ) -> tuple[Tensor, float]:
        """Return the mean of the auxiliary losses of all correlation layers, and the share of coarse matches that are
        right: equations 5 to 7, or how improbable true matches are to the softmax that the regression part sees."""
        assert matched.extensive is not None
        seen = pixel_matches(depth[reference], poses[reference], depth[query], poses[query], self._camera)
        size = depth.new_tensor(depth.shape[:0:-1], dtype=torch.float32)  # width, height
        source, target, valid = seen[0] / size, seen[1] / size, seen[2]
        sharpness = self.network.sharpness if self.network.settings.softmax else depth.new_ones(2, dtype=torch.float32)
        coarse = matched.extensive.float()
        counts = extensive_counts(source, target, valid, *coarse.shape[2:])
        right = correct_share(coarse, counts)
        losses = [self._matching_loss(coarse * sharpness[0], counts)]
        if matched.guided is not None and matched.windows is not None:
            height, width = matched.guided.shape[2:]
            counts = guided_counts(source, target, valid, height, width, matched.windows)
            inside = matched.windows.inside(height, width)
            losses.append(self._matching_loss(matched.guided.float() * sharpness[1], counts, inside))
        return torch.stack(losses).mean(), right

    def _matching_loss(self, correlation: Tensor, counts: Tensor, inside: Tensor | None = None) -> Tensor:
        loss = cross_entropy if self.config.matching_loss == "cross-entropy" else triplet_loss
        return loss(correlation, counts, inside)


def _group(overlap: Array, size: int, rng: np.random.Generator) -> Array:
    """Return up to ``size`` frames of a house, of whose overlaps (N, N) at least one pair's is not 0: a pair, drawn by
    its level of overlap, and frames that make a pair with one of the two."""
    pairs = np.argwhere(np.triu(overlap))
    level = np.digitize(overlap[tuple(pairs.T)], _OVERLAPS)
    pairs = pairs[level == rng.choice(np.unique(level))]
    pair = pairs[rng.integers(len(pairs))]
    beside = np.flatnonzero((overlap[pair] > 0).any(axis=0))
    beside = rng.permutation(np.setdiff1d(beside, pair))
    return np.concatenate([pair, beside])[:size]


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
