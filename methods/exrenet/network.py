"""ExReNet: the pose of one image relative to another, from correlated features (paper 002, section IV-B)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from ...errors import InputError
from ..networks.checkpoints import about_checkpoint, checkpoint_path, load_network
from .correlation import Windows, extensive_correlation, guided_correlation, matches, open_windows
from .encoders import COARSE, FINE, Features, encoder
from .regression import HiddenLayers, trunk
from .settings import NetworkSettings, NetworkSize, settings_of

_FIRST_SHARPNESS = 5.0  # of the softmax over dot products, which the auxiliary loss holds about 1 apart


@dataclass(frozen=True, eq=False)
class Matched:
    """What two feature maps say together: the maps (B, C, h, w) that enter the regression part, and the dot products
    (B, h * w, h, w) and (B, d * d, H, W) of the extensive and the guided layer, None where a network has no such layer.
    """

    entering: tuple[Tensor, ...]
    extensive: Tensor | None = None
    guided: Tensor | None = None
    windows: Windows | None = None


class ExReNet(nn.Module):
    """The pose of a query's camera in a reference's frame (``reference_from_query``), from the two images.

    An output (B, 7) or (B, 8) is the direction of the translation, a quaternion (w, x, y, z), neither normalised, and
    the translation's length in metres.
    """

    def __init__(self, settings: NetworkSettings) -> None:
        super().__init__()
        self.settings = settings
        self.encoder = encoder(settings)
        cells = settings.side // COARSE
        correlated = settings.matching in ("hierarchical", "single")
        channels = cells**2 if correlated else 2 * self.encoder.coarse_channels
        if settings.matching == "hierarchical":
            channels += round(COARSE // FINE * (1 + 2 * settings.border)) ** 2
        self.trunk, features = trunk(settings, channels, cells)
        self.head: nn.Module
        if settings.regression == "essnet":
            self.head = nn.Linear(features, settings.outputs)
        else:
            self.head = HiddenLayers(features, settings.hidden, settings.outputs, settings.dropout)
        if settings.softmax:
            self.sharpness = nn.Parameter(torch.full((2,), _FIRST_SHARPNESS))

    def features(self, images: Tensor) -> Features:
        """Return the features of images (B, 3, S, S) in [0, 1]."""
        return self.encoder(images)

    def match(self, references: Features, queries: Features) -> Matched:
        """Compare the features of B references with those of B queries."""
        kind = self.settings.matching
        first, second = references.coarse, queries.coarse
        if kind == "concatenation":
            return Matched((torch.cat([first, second], dim=1),))
        if kind == "pooled":
            return Matched((torch.cat([first.mean(dim=(2, 3)), second.mean(dim=(2, 3))], dim=1),))
        extensive = extensive_correlation(first, second)
        entering = self._mutual(extensive)
        if kind == "single":
            return Matched((entering,), extensive)
        match_y, match_x = matches(extensive, second.shape[2])
        windows = open_windows(match_y, match_x, upscale=COARSE // FINE, border=self.settings.border)
        guided = guided_correlation(references.fine, queries.fine, windows)
        inside = windows.inside(*queries.fine.shape[2:])
        return Matched((entering, self._within(guided, inside)), extensive, guided, windows)

    def summarise(self, matched: Matched) -> Tensor:
        """Return the vectors (B, F) of the regression part, before its hidden layers."""
        if self.settings.matching == "pooled":
            return self.trunk(matched.entering[0])
        side = self.settings.regression_side
        if self.settings.regression == "essnet":
            side = self.settings.side // COARSE
        return self.trunk(torch.cat([_enlarged(maps, side) for maps in matched.entering], dim=1))

    def forward(self, references: Tensor, queries: Tensor) -> Tensor:
        """Return the outputs (B, 7 or 8) of pairs of images (B, 3, S, S) in [0, 1]."""
        return self.head(self.summarise(self.match(self.features(references), self.features(queries))))

    def _mutual(self, extensive: Tensor) -> Tensor:
        """Return how sure it is that two coarse positions match each other, (B, h * w, h, w)."""
        if not self.settings.softmax:
            return extensive
        scores = (self.sharpness[0] * extensive).flatten(2)
        return (scores.softmax(dim=1) * scores.softmax(dim=2)).view_as(extensive)

    def _within(self, guided: Tensor, inside: Tensor) -> Tensor:
        """Return how sure a fine position's matches in its window are, (B, d * d, H, W)."""
        if not self.settings.softmax:
            return guided
        return (self.sharpness[1] * guided).masked_fill(~inside, -torch.inf).softmax(dim=1)


def _enlarged(maps: Tensor, side: int) -> Tensor:
    return maps if maps.shape[-1] == side else functional.interpolate(maps, size=(side, side), mode="nearest")


def open_network(weights: str, name: str, size: NetworkSize) -> ExReNet:
    """Return one of the networks of ``VARIANTS``, ready to infer.

    ``weights`` is "synthetic", the checkpoint that comes with the package, or a path. Its file says which network it
    belongs to; a plain state dict is taken for that of ``name`` and ``size``. Raises ``InputError`` where there is no
    such file, or what it says or holds is of no such network.
    """
    task = f"{name}-{size}"
    path = checkpoint_path(weights, task=task)
    described = about_checkpoint(path).get("network")
    try:
        settings = settings_of(name, size) if described is None else NetworkSettings(**described)
    except TypeError as error:
        raise InputError(f"{path}: describes a network that this version does not know ({error})") from error
    network = ExReNet(settings)
    load_network(network, str(path), task=task)
    return network
