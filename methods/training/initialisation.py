"""What a network starts from: nothing, ImageNet, or as much of a checkpoint as fits."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from ...errors import InputError
from ..networks.backbone import Backbone
from ..networks.checkpoints import fill, read_tensors
from ..weights import PACKAGED

#: How much of a network was filled: nothing, its backbone from ImageNet, all of it, its encoder, its feature pyramid,
#: its backbone.
Start = Literal["scratch", "imagenet", "network", "encoder", "pyramid", "backbone"]

_ENCODER = "encoder."  # in the names of parameters
_INNER: tuple[Literal["pyramid", "backbone"], ...] = ("pyramid", "backbone")  # parts at any depth, the larger first


def initialise(network: nn.Module, init: str | None) -> Start:
    """Fill a network and return how much of it.

    ``init`` is "scratch"; "imagenet", for its backbone; or one of our checkpoints, by name or by path: all of it where
    it is of the same network, else its encoder, else its feature pyramid, else its backbone. None: from ImageNet where
    the network has a backbone. Raises ``InputError`` where there is nothing to start from.
    """
    backbone = next((module for module in network.modules() if isinstance(module, Backbone)), None)
    if init == "scratch" or (init is None and backbone is None):
        return "scratch"
    if init is None or init == "imagenet":
        if backbone is None:
            raise InputError("--init imagenet: this network has no backbone that ImageNet could teach")
        backbone.load_imagenet()
        return "imagenet"
    path = checkpoint_of(init)
    trained = read_tensors(path)
    encoder = getattr(network, "encoder", network)
    parts: tuple[tuple[Any, str, Start], ...] = ((network, "", "network"), (encoder, _ENCODER, "encoder"))
    for module, prefix, start in parts:
        part = {name.removeprefix(prefix): value for name, value in trained.items() if name.startswith(prefix)}
        if _shapes(part) == _shapes(module.state_dict()):
            fill(module, part)
            return start
    for kind in _INNER:
        part = {name.partition(f"{kind}.")[2]: value for name, value in trained.items() if f"{kind}." in name}
        own = getattr(encoder, kind, None) or getattr(getattr(encoder, _INNER[0], None), kind, None)
        if own is not None and _shapes(own.state_dict()).items() <= _shapes(part).items():  # the other may go deeper
            fill(own, {name: part[name] for name in own.state_dict()})
            return kind
    raise InputError(f"{path}: holds neither this network, nor its encoder, feature pyramid or backbone to start from")


def checkpoint_of(init: str) -> Path:
    """Return the file of a checkpoint, which is named as one that comes with the package, or by its path.

    Raises ``InputError`` where there is none.
    """
    path = PACKAGED / f"{init}.safetensors"
    path = path if path.is_file() else Path(init)
    if not path.is_file():
        names = ", ".join(sorted(each.stem for each in PACKAGED.glob("*.safetensors")))
        raise InputError(f"--init {init}: no such file; give imagenet, scratch, a path, or one of {names}")
    return path


def _shapes(values: Mapping[str, Tensor]) -> dict[str, torch.Size]:
    return {name: value.shape for name, value in values.items()}
