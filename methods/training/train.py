"""`train_task`: train a network by its name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from ...sim.processes.executor import Executor
from ..configuration import validated
from ..networks.checkpoints import about_checkpoint
from ..trainable import NETWORKS
from .initialisation import checkpoint_of, initialise
from .loop import TrainingSettings, train_network


def train_task(
    name: str,
    out: Path,
    *,
    settings: TrainingSettings,
    options: Mapping[str, Any] | None = None,
    init: str | None = None,
    command: str = "",
    jobs: int | None = None,
    executor: Executor | None = None,
    cache: Path | None = None,
    progress: bool = True,
) -> Path:
    """Train ``name``, one of `NETWORKS`, into the folder ``out`` and return it.

    ``options`` are settings of the network's own, as plain values; ``init`` is what it starts from, see
    `initialise`. ``command`` is kept beside the weights, and so is what is known of the checkpoint that it started
    from. Raises ``InputError`` where there is no such network, an option does not fit, or there is nothing to start
    from.
    """
    torch.manual_seed(settings.seed)
    cls = NETWORKS.load(name)
    task = cls(validated(cls.Config, options, origin=f"network {name!r}"), settings.frames)
    start = initialise(task.network, init)
    task.starts_from(start)
    init = init or start
    about: dict[str, Any] = {"command": command, "init": init, **task.about()}
    if start == "scratch":
        settings = replace(settings, backbone_rate=1.0, kept_stages=0)
    elif start != "imagenet":
        about["started_from"] = about_checkpoint(checkpoint_of(init))
    return train_network(
        task, out, settings=settings, about=about, jobs=jobs, executor=executor, cache=cache, progress=progress
    )
