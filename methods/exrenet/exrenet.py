"""`exrenet`: retrieval, a network for the pose relative to each reference, and triangulation (paper 002)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import torch
from numpy.typing import NDArray
from pydantic import Field

from ...datasets.views import ViewSet
from ...sim.geometry import Pose
from ..method import Estimate, Method, Query, best_first
from ..retrieval.retrieval import Retrieval, RetrievalConfig
from ..retrieval.spread import SpreadConfig
from ..solvers.pose_fusion import fuse_poses
from ..solvers.triangulation import triangulate_pose
from ..timing import stage
from .certainty import CertaintyConfig
from .encoders import Features
from .input import network_image
from .network import open_network
from .outputs import possible_rotations, relative_poses, rotation_lengths
from .regression import HiddenLayers
from .settings import NetworkSettings, NetworkSize

Array = NDArray[Any]

#: How relative poses become one: by what they say most surely together, or by the paper's RANSAC over pairs.
Fusion = Literal["certainty", "pairs"]

_ENCODED_TOGETHER = 16  # references
_AGREES = 0.5  # probability from which on a reference's rotation counts as right


class ExReNetConfig(SpreadConfig):
    """Settings of `exrenet` and `essnet-scale`."""

    weights: str = "synthetic"
    """"synthetic": trained on generated houses, comes with the package; or the path of a .safetensors file of
    'relocbench train', or of a state dict that torch saved."""

    size: NetworkSize = "small"
    """Which packaged network, "small" or "full"; and which network a file belongs to that does not say."""

    fusion: Fusion = "certainty"
    """How the relative poses become one: "certainty", each reference counting by how sure its answer is; or "pairs",
    the paper's: RANSAC over pairs whose rays meet, all references counting alike."""

    certainty: CertaintyConfig = CertaintyConfig()
    """With fusion by certainty: what makes an answer sure."""

    use_scale: bool = True
    """Use the estimated distance to each reference, where the network has it: to tell which references agree, and, with
    fusion by certainty, for the place."""

    samples: int = Field(default=100, ge=0)
    """Answers under Monte Carlo dropout, whose mean counts and, with fusion by pairs, whose variance breaks ties; 0:
    one without dropout."""

    retrieved: int = Field(default=5, ge=1)
    """References that are retrieved, and relative poses computed."""

    max_angle: float = Field(default=15.0, gt=0, lt=180)
    """With fusion by pairs: the largest angle between a reference's ray and a hypothesis that it agrees with, in
    degrees."""

    scale_ratio: tuple[float, float] = (0.5, 2.0)
    """With fusion by pairs: between these a hypothesis' distance to a reference that agrees lies, as a share of the
    estimated one."""

    retrieval: RetrievalConfig = RetrievalConfig()
    """Image retrieval: ``descriptor`` and its settings."""


class ExReNetMethod(Method[ExReNetConfig]):
    """Winkelbauer, Denninger, Triebel, "Learning to Localize in New Environments from Synthetic Training Data", ICRA
    2021: section IV-A for retrieval, IV-B for the network, IV-C for ``fusion: pairs``.

    Every query is answered, and flagged "inconsistent" where no two references agree, "single" where it is answered
    from the most alike reference and its relative pose alone: a map has no other, or, with ``fusion: pairs``, no pair
    has a pose (parallel rays). ``confidence`` says how much likelier the references make the answer's rotation than any
    other, the logarithm; with ``fusion: pairs``, how many references agree.
    """

    name = "exrenet"
    network_name: ClassVar[str] = "exrenet"

    def __init__(self, config: ExReNetConfig | None = None) -> None:
        super().__init__(config)
        self.learning_part = self.config.retrieval.open()
        self._retrieval = Retrieval(self.learning_part)
        self._network = open_network(self.config.weights, self.network_name, self.config.size)
        self._certainty = self.config.certainty.for_form(self._network.settings.rotation)

    def build_map(self, references: ViewSet) -> None:
        """Encode the references, for retrieval and by the network."""
        self._retrieval.build(references)
        side = self._network.settings.side
        images = [network_image(view.image(), view.camera, side) for view in references]
        with torch.inference_mode():
            batches = [images[i : i + _ENCODED_TOGETHER] for i in range(0, len(images), _ENCODED_TOGETHER)]
            self._features = Features.cat([self._network.features(torch.cat(batch)) for batch in batches])

    @torch.inference_mode()
    def localize(self, query: Query) -> Estimate:
        """Answer with the triangulated pose; the ranking is that of retrieval."""
        scores = self._retrieval.scores(query.image)
        ranking = self._retrieval.answer(scores).ranking
        centres = self._retrieval.poses.translation
        selected = self.config.select(best_first(scores), centres, self.config.retrieved)
        with stage("features"):
            features = self._network.features(network_image(query.image, query.camera, self._network.settings.side))
        outputs = self._outputs(features, selected, query.seed)
        with stage("triangulation"):
            references = self._retrieval.poses[selected]
            if self.config.fusion == "pairs":
                return self._from_pairs(references, outputs, ranking)
            lengths = rotation_lengths(outputs.mean(axis=0), self._network.settings)
            return self._fused(references, outputs, self._certainty.of(lengths, scores, selected), ranking)

    def _outputs(self, features: Features, selected: list[int], seed: int) -> Array:
        """Return what the network says of the query and each selected reference (S, K, outputs), S samples or one."""
        with stage("matching"):
            references = self._features[torch.tensor(selected)]
            matched = self._network.match(references, features[torch.zeros(len(selected), dtype=torch.long)])
        with stage("regression"):
            vectors = self._network.summarise(matched)
            head = self._network.head
            if self.config.samples == 0 or not isinstance(head, HiddenLayers):
                return head(vectors)[None].numpy()
            generator = torch.Generator().manual_seed(seed % 2**63)
            return head.sample(vectors, self.config.samples, generator).numpy()

    def _fused(self, references: Pose, outputs: Array, certainties: Array, ranking: tuple[str, ...]) -> Estimate:
        relative, scales = self._relative_poses(outputs)
        if len(references) == 1:
            return _single(references, relative, scales, ranking)
        rotations, masses = possible_rotations(outputs.mean(axis=0), self._network.settings)
        found = fuse_poses(
            references,
            rotations,
            relative.translation,
            certainties,
            masses=masses,
            scales=scales,
            concentration=self._certainty.concentration,
        )
        flags = () if (found.agreement > _AGREES).sum() > 1 else ("inconsistent",)
        return Estimate(found.pose, ranking, confidence=found.support, flags=flags)

    def _from_pairs(self, references: Pose, outputs: Array, ranking: tuple[str, ...]) -> Estimate:
        relative, scales = self._relative_poses(outputs)
        found = triangulate_pose(
            references,
            relative,
            scales=scales,
            uncertainties=_spread(outputs, self._network.settings) if len(outputs) > 1 else None,
            max_angle=self.config.max_angle,
            scale_ratio=self.config.scale_ratio,
            strict=False,
        )
        if found is None:
            return _single(references, relative, scales, ranking)
        agree = bool(found.inliers[list(found.pair)].all())
        flags = () if agree else ("inconsistent",)
        return Estimate(found.pose, ranking, confidence=float(found.inliers.sum()), flags=flags)

    def _relative_poses(self, outputs: Array) -> tuple[Pose, Array | None]:
        relative, scales = relative_poses(outputs.mean(axis=0), self._network.settings)
        return relative, scales if self.config.use_scale else None


def _single(references: Pose, relative: Pose, scales: Array | None, ranking: tuple[str, ...]) -> Estimate:
    """Return the answer of the first reference alone; without scale, with that reference's own place."""
    length = 0.0 if scales is None else float(scales[0])
    step = Pose.from_rotation_translation(relative[0].rotation, length * relative[0].translation)
    return Estimate(references[0] @ step, ranking, confidence=0.0, flags=("single",))


def _spread(outputs: Array, settings: NetworkSettings) -> Array:
    """Return the variances (K,) of the query's centre over samples (S, K, outputs), square metres: the sum over axes.

    A network without scale is taken to see every query at the same distance.
    """
    samples, references, numbers = outputs.shape
    relative, scales = relative_poses(outputs.reshape(-1, numbers), settings)
    centres = relative.translation if scales is None else relative.translation * scales[:, None]
    return centres.reshape(samples, references, 3).var(axis=0).sum(axis=1)
