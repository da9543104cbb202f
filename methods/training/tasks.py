"""What ``relocbench train`` can train, by name, and what the networks may start from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torchvision.models import MobileNet_V3_Small_Weights

from ...errors import InputError
from ..networks.checkpoints import load_network
from ..networks.dense_prediction import SegmentationNetwork
from ..networks.feature_pyramid import FeaturePyramid
from .dense_tasks import DepthTask, SegmentationTask
from .loop import TrainingSettings, train_network
from .place_task import PlaceTask
from .task import TrainingTask

_TASKS: dict[str, Callable[[], TrainingTask]] = {
    "segmentation": SegmentationTask,
    "depth": DepthTask,
    "netvlad": PlaceTask,
}


def train_task(
    name: str,
    out: Path,
    *,
    settings: TrainingSettings,
    init: str = "scratch",
    command: str = "",
    jobs: int | None = None,
    cache: Path | None = None,
    progress: bool = True,
) -> Path:
    """Train ``name`` into the folder ``out`` and return it.

    ``init`` is what the feature pyramid starts from: "scratch"; "imagenet", torchvision's weights for its encoder; or
    "segmentation", our checkpoint, or the path of one like it. ``command`` is kept beside the weights. Raises
    ``InputError`` where there is no such task or nothing to start from.
    """
    if name not in _TASKS:
        raise InputError(f"no network {name!r} to train; there are {', '.join(_TASKS)}")
    torch.manual_seed(settings.seed)
    task = _TASKS[name]()
    _initialise(task.network.pyramid, init)
    about: dict[str, Any] = {"command": command, "init": init}
    return train_network(task, out, settings=settings, about=about, jobs=jobs, cache=cache, progress=progress)


def _initialise(pyramid: Any, init: str) -> None:
    if init == "scratch":
        return
    if init == "imagenet":
        _load_imagenet(pyramid)
        return
    trained = SegmentationNetwork()
    load_network(trained, "synthetic" if init == "segmentation" else init, task="segmentation")
    pyramid.load_state_dict(trained.pyramid.state_dict())


def _load_imagenet(pyramid: FeaturePyramid) -> None:
    """Fill the encoder with torchvision's ImageNet weights, from its cache or the network."""
    weights = MobileNet_V3_Small_Weights.IMAGENET1K_V1
    try:
        state = weights.get_state_dict(progress=False, check_hash=True)
    except OSError as error:
        folder = Path(torch.hub.get_dir()) / "checkpoints"
        raise InputError(
            f"ImageNet weights cannot be fetched ({error}): put {weights.url} into {folder}, or use --init scratch"
        ) from error
    own = {f"encoder.{name}" for name in pyramid.encoder.state_dict()}
    encoder = {name.replace("features.", "encoder."): value for name, value in state.items()}
    pyramid.load_state_dict({name: encoder[name] for name in own}, strict=False)
