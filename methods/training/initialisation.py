"""What a network starts from: nothing, ImageNet, or as much of a checkpoint as fits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from ...errors import InputError
from ..networks.checkpoints import checkpoint_path, fill, read_tensors
from ..weights import PACKAGED

#: How much of a network was filled: nothing, its encoder from ImageNet, all of it, its encoder, its feature pyramid.
Start = Literal["scratch", "imagenet", "network", "encoder", "pyramid"]

_PYRAMID, _ENCODER = "pyramid.", "encoder."  # in the names of parameters


def initialise(network: nn.Module, init: str) -> Start:
    """Fill a network and return how much of it.

    ``init`` is "scratch"; "imagenet", torchvision's weights for its encoder; or one of our checkpoints, by name or by
    path: all of it where it is of the same network, else its encoder, else its feature pyramid. Raises ``InputError``
    where there is nothing to start from.
    """
    if init == "scratch":
        return "scratch"
    if init == "imagenet":
        return _from_imagenet(network)
    path = checkpoint_of(init)
    trained = read_tensors(path)
    encoder = getattr(network, "encoder", network)
    parts: tuple[tuple[Any, str, Start], ...] = ((network, "", "network"), (encoder, _ENCODER, "encoder"))
    for module, prefix, start in parts:
        part = {name.removeprefix(prefix): value for name, value in trained.items() if name.startswith(prefix)}
        if _shapes(part) == _shapes(module.state_dict()):
            fill(module, part)
            return start
    pyramid = {name.partition(_PYRAMID)[2]: value for name, value in trained.items() if _PYRAMID in name}
    own = getattr(encoder, "pyramid", None)
    if own is None or pyramid.keys() != own.state_dict().keys():
        raise InputError(f"{path}: holds neither this network, nor its encoder, nor a feature pyramid to start from")
    fill(own, pyramid)
    return "pyramid"


def checkpoint_of(init: str) -> Path:
    """Return the file of a checkpoint, which is named as one that comes with the package, or by its path."""
    packaged = (PACKAGED / f"{init}.safetensors").is_file()
    return checkpoint_path("synthetic" if packaged else init, task=init)


def _from_imagenet(network: nn.Module) -> Start:
    able: Iterator[Any] = (module for module in network.modules() if hasattr(module, "load_imagenet"))
    for module in able:
        module.load_imagenet()
        return "imagenet"
    raise InputError("--init imagenet: this network has no part that torchvision has weights for")


def _shapes(values: Mapping[str, Tensor]) -> dict[str, torch.Size]:
    return {name: value.shape for name, value in values.items()}
