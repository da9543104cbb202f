"""Checkpoints: safetensors in half precision, which load without running code, with what made them as metadata."""

from __future__ import annotations

import json
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from ...errors import InputError
from ..weights import PACKAGED

_ABOUT = "relocbench"
_SAFETENSORS = ".safetensors"


def save_network(network: nn.Module, path: Path, *, about: dict[str, Any]) -> None:
    """Write a network's parameters and buffers, floating-point ones in half precision, and ``about`` as JSON.

    Raises ``ValueError`` where a value does not fit into half precision: silently clipped weights would be others.
    """
    tensors = {}
    for name, tensor in network.state_dict().items():
        tensor = tensor.detach().cpu().contiguous()
        if tensor.is_floating_point():
            tensor = tensor.half()
            if not torch.isfinite(tensor).all():
                raise ValueError(f"{name} has values that are too large for half precision")
        tensors[name] = tensor
    save_file(tensors, path, metadata={_ABOUT: json.dumps(about)})


def load_network(network: nn.Module, weights: str, *, task: str) -> None:
    """Fill a network from a checkpoint, and make it ready to infer: float32, eval mode, no gradients.

    ``weights`` is "synthetic", the checkpoint of ``task`` that comes with the package, or the path of a file. Raises
    ``InputError`` where the file is missing, damaged, or belongs to another network.
    """
    path = checkpoint_path(weights, task=task)
    tensors = read_tensors(path)
    expected = network.state_dict()
    shapes = {name: tuple(tensor.shape) for name, tensor in expected.items()}
    if {name: tuple(tensor.shape) for name, tensor in tensors.items()} != shapes:
        wrong = sorted(name for name in shapes if name not in tensors or tuple(tensors[name].shape) != shapes[name])
        what = f"{wrong[0]} is missing or has another shape" if wrong else "it has tensors that the network has not"
        raise InputError(f"{path}: not a checkpoint of {task}: {what}; make one with '{_training(task)}'")
    network.load_state_dict({name: tensor.to(expected[name].dtype) for name, tensor in tensors.items()})
    network.eval().requires_grad_(False)
    vars(network)["checkpoint"] = path  # held, so that its content decides what is done again


def fill(module: nn.Module, values: Mapping[str, Tensor]) -> None:
    """Set what ``values`` has of a module's parameters and buffers."""
    own = module.state_dict()
    module.load_state_dict({name: value.to(own[name].dtype) for name, value in values.items()}, strict=False)


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a .safetensors file, or of a state dict that torch saved, without running code from it.

    Raises ``InputError`` where it is damaged or holds anything but tensors.
    """
    try:
        if path.suffix == _SAFETENSORS:
            return load_file(path)
        tensors = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, SafetensorError) as error:
        raise InputError(f"{path}: is no readable safetensors file: {error}") from error
    except (RuntimeError, pickle.UnpicklingError, EOFError) as error:
        raise InputError(
            f"{path}: is no state dict of tensors that can be read without running code from it"
        ) from error
    if not isinstance(tensors, dict) or not all(isinstance(value, Tensor) for value in tensors.values()):
        raise InputError(f"{path}: is no state dict of tensors; save network.state_dict() alone")
    return tensors


def checkpoint_path(weights: str, *, task: str) -> Path:
    """Return the file that ``weights`` names; raises ``InputError`` where there is none."""
    path = PACKAGED / f"{task}{_SAFETENSORS}" if weights == "synthetic" else Path(weights)
    if not path.is_file():
        raise InputError(f"{path}: no such checkpoint; '{_training(task)}' makes one, give its path as weights")
    return path


def _training(task: str) -> str:
    """Return the command that makes a checkpoint; those of networks that come in sizes have theirs in the name."""
    name, _, size = task.rpartition("-")
    return f"relocbench train {name} --size {size}" if size in ("small", "full") else f"relocbench train {task}"


def about_checkpoint(path: Path) -> dict[str, Any]:
    """Return what was written beside the weights: the command, seed, time and quality of a training.

    Nothing for a file of another format. Raises ``InputError`` where the file is damaged.
    """
    if path.suffix != _SAFETENSORS:
        return {}
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
    except (OSError, SafetensorError) as error:
        raise InputError(f"{path}: is no readable safetensors file: {error}") from error
    return json.loads(metadata.get(_ABOUT, "{}"))
