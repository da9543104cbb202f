"""What ``relocbench train`` can train, by name, and what the networks may start from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torchvision.models import MobileNet_V3_Small_Weights, ResNet50_Weights, WeightsEnum

from ...errors import InputError
from ...sim.processes.executor import Executor
from ..exrenet.encoders import ResNetEncoder
from ..exrenet.settings import VARIANTS, NetworkSize, settings_of
from ..networks.checkpoints import PACKAGED, about_checkpoint, checkpoint_path, read_tensors
from .dense_tasks import DepthTask, SegmentationTask
from .loop import TrainingSettings, train_network
from .pairs import DENSE, SPARSE
from .place_task import PlaceTask
from .relative_pose_task import RelativePoseTask
from .task import TrainingTask

_TASKS: dict[str, Callable[[], TrainingTask]] = {
    "segmentation": SegmentationTask,
    "depth": DepthTask,
    "netvlad": PlaceTask,
}
_PYRAMID, _ENCODER = "pyramid.", "encoder."  # in the names of parameters


def train_task(
    name: str,
    out: Path,
    *,
    settings: TrainingSettings,
    size: NetworkSize = "small",
    init: str = "scratch",
    keep_encoder: bool = False,
    command: str = "",
    jobs: int | None = None,
    executor: Executor | None = None,
    cache: Path | None = None,
    progress: bool = True,
) -> Path:
    """Train ``name`` into the folder ``out`` and return it.

    ``init`` is what the network starts from: "scratch"; "imagenet", torchvision's weights for its encoder; or one of
    our checkpoints, by name or by path: all of it where it is of the same network, else its encoder, else its feature
    pyramid. ``size`` and ``keep_encoder``, which leaves the encoder as it starts, are of relative-pose networks.
    ``command`` is kept beside the weights, and so is what is known of the checkpoint that it started from. Raises
    ``InputError`` where there is no such task or nothing to start from.
    """
    torch.manual_seed(settings.seed)
    about: dict[str, Any] = {"command": command, "init": init}
    if name in VARIANTS:
        network = settings_of(name, size)
        rule = DENSE if settings.frames.sampling == "6dof" else SPARSE
        task: TrainingTask = RelativePoseTask(
            f"{name}-{size}", network, settings.frames.camera, rule, keep_encoder=keep_encoder
        )
        about |= {"network": asdict(network), "pairs": asdict(rule), "keep_encoder": keep_encoder}
    elif name in _TASKS:
        if size != "small":
            raise InputError(f"--size {size}: {name} comes in small only")
        if keep_encoder:
            raise InputError(f"--keep-encoder: is for relative-pose networks, not for {name}")
        task = _TASKS[name]()
    else:
        raise InputError(f"no network {name!r} to train; there are {', '.join([*_TASKS, *VARIANTS])}")
    _initialise(task.network, init, keep_encoder=keep_encoder)
    if init not in ("scratch", "imagenet"):
        about["started_from"] = about_checkpoint(_checkpoint(init))
    return train_network(
        task, out, settings=settings, about=about, jobs=jobs, executor=executor, cache=cache, progress=progress
    )


def _initialise(network: Any, init: str, *, keep_encoder: bool) -> None:
    if keep_encoder and init in ("scratch", "imagenet"):
        raise InputError(f"--keep-encoder: --init {init} holds no encoder of relative pose to keep; name a checkpoint")
    if init == "scratch":
        return
    encoder = getattr(network, "encoder", network)
    if isinstance(encoder, ResNetEncoder):
        if init != "imagenet":
            raise InputError(f"--init {init}: a ResNet-50 starts from scratch or imagenet")
        state = _imagenet(ResNet50_Weights.IMAGENET1K_V2)
        own = {name.replace("stem.0", "conv1").replace("stem.1", "bn1"): name for name in encoder.state_dict()}
        _fill(encoder, {own[name]: value for name, value in state.items() if name in own})
    elif init == "imagenet":
        state = _imagenet(MobileNet_V3_Small_Weights.IMAGENET1K_V1)
        own = {f"features.{name}": name for name in encoder.pyramid.encoder.state_dict()}
        _fill(encoder.pyramid.encoder, {own[name]: value for name, value in state.items() if name in own})
    else:
        _continue(network, encoder, init, keep_encoder)


def _continue(network: nn.Module, encoder: Any, init: str, keep_encoder: bool) -> None:
    """Start from one of our checkpoints: all of it where it is of the same network, else its encoder, else its feature
    pyramid."""
    path = _checkpoint(init)
    trained = read_tensors(path)
    for module, prefix in ((network, ""), (encoder, _ENCODER)):
        part = {name.removeprefix(prefix): value for name, value in trained.items() if name.startswith(prefix)}
        if _shapes(part) == _shapes(module.state_dict()):
            _fill(module, part)
            return
    if keep_encoder:
        raise InputError(f"{path}: holds no encoder of this network to keep; leave out --keep-encoder")
    pyramid = {name.partition(_PYRAMID)[2]: value for name, value in trained.items() if _PYRAMID in name}
    if pyramid.keys() != encoder.pyramid.state_dict().keys():
        raise InputError(f"{path}: holds no feature pyramid to start from; 'relocbench train segmentation' makes one")
    _fill(encoder.pyramid, pyramid)


def _checkpoint(init: str) -> Path:
    packaged = (PACKAGED / f"{init}.safetensors").is_file()
    return checkpoint_path("synthetic" if packaged else init, task=init)


def _shapes(values: Mapping[str, Tensor]) -> dict[str, torch.Size]:
    return {name: value.shape for name, value in values.items()}


def _fill(module: nn.Module, values: Mapping[str, Tensor]) -> None:
    """Set what ``values`` has of a module's parameters and buffers."""
    own = module.state_dict()
    module.load_state_dict({name: value.to(own[name].dtype) for name, value in values.items()}, strict=False)


def _imagenet(weights: WeightsEnum) -> Mapping[str, Tensor]:
    """Return torchvision's ImageNet weights, from its cache or the network."""
    try:
        return weights.get_state_dict(progress=False, check_hash=True)
    except OSError as error:
        folder = Path(torch.hub.get_dir()) / "checkpoints"
        raise InputError(
            f"ImageNet weights cannot be fetched ({error}): put {weights.url} into {folder}, or use --init scratch"
        ) from error
