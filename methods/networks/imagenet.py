"""Torchvision's ImageNet weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn
from torchvision.models import WeightsEnum

from ...errors import InputError
from .checkpoints import fill


def fill_from_imagenet(module: nn.Module, weights: WeightsEnum, theirs: Callable[[str], str]) -> None:
    """Set what ``weights`` has of a module's parameters; ``theirs`` gives torchvision's name of one of the module's.

    They come from torchvision's cache or the network; raises ``InputError`` where they cannot be fetched.
    """
    try:
        state = weights.get_state_dict(progress=False, check_hash=True)
    except OSError as error:
        folder = Path(torch.hub.get_dir()) / "checkpoints"
        raise InputError(
            f"ImageNet weights cannot be fetched ({error}): put {weights.url} into {folder}, or use --init scratch"
        ) from error
    fill(module, {name: state[theirs(name)] for name in module.state_dict() if theirs(name) in state})
