"""The one training loop: resumable after every house, seeded, in mixed precision on a GPU where there is one."""

from __future__ import annotations

import io
import json
import math
import time
from collections import deque
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from rich.progress import Progress

from ... import __version__
from ...errors import InputError, RunError
from ...sim.processes.cores import available_cores
from ...sim.processes.executor import Executor
from ...sim.processes.local import LocalProcesses
from ...sim.processes.whole_files import write_whole
from ..networks.checkpoints import save_network
from .frames import HouseFrames, stream_houses
from .log import draw_log
from .sampling import FrameSettings
from .task import TrainingTask

#: House seeds to train on, and to measure quality on. Tracks use seeds below 10,000: no track shows a network a house
#: that it was trained on.
TRAINING_HOUSES = range(100_000, 110_000)
HELD_OUT_HOUSES = range(110_000, 120_000)

_FEWEST_HOUSES = 8  # in the buffer before the first step: a batch of one house alone would teach that house
_WARM_UP = 0.03  # share of the steps in which the learning rate rises
_LARGEST_GRADIENT = 5.0
_SETTLING_BATCHES = 24


@dataclass(frozen=True)
class TrainingSettings:
    """What decides a training's outcome besides its task."""

    houses: int = 120
    """Houses to stream."""
    first_house: int = TRAINING_HOUSES[0]
    """Seed of the first of them; the others follow."""
    steps_per_house: int = 30
    """Steps for each new house; they draw from all houses in the buffer."""
    buffer: int = 40
    """Houses kept in memory to draw batches from, about 35 MB each."""
    batch: int = 32
    """Frames per step."""
    learning_rate: float = 2e-3
    """Of AdamW at its highest; it rises linearly, then falls along a cosine."""
    weight_decay: float = 1e-4
    """Of AdamW."""
    held_out: int = 6
    """Houses to measure quality on."""
    seed: int = 0
    """Decides batches, augmentation and initial weights; the houses are the same for every seed."""
    frames: FrameSettings = field(default_factory=FrameSettings)
    """What is rendered of each house."""

    @property
    def first(self) -> int:
        """The number of houses before the first step."""
        return min(_FEWEST_HOUSES, self.houses)

    @property
    def steps(self) -> int:
        """Steps of the whole training."""
        return (self.houses - self.first + 1) * self.steps_per_house


@dataclass
class _Progress:
    """How far a training has come: houses whose steps are done, rows of the log, seconds of all sessions."""

    houses: int = 0
    rows: list[dict[str, float]] = field(default_factory=list)
    seconds: float = 0.0


def train_network(
    task: TrainingTask[Any],
    out: Path,
    *,
    settings: TrainingSettings,
    about: dict[str, Any],
    jobs: int | None = None,
    executor: Executor | None = None,
    cache: Path | None = None,
    progress: bool = True,
) -> Path:
    """Train a network and return the folder with ``<task>.safetensors``, ``.json``, ``.csv`` and ``.png``.

    The JSON says what made the weights (``about``, settings, seconds, machine) and how good they are on houses that
    were not trained on. A training that was interrupted goes on from its last house. ``executor`` renders ahead, by
    default ``jobs`` processes of this machine; ``cache`` keeps rendered frames.
    Raises ``InputError`` where ``out`` holds another training or houses are kept for other uses, ``RunError`` where the
    loss is no number any more.
    """
    _check_houses(settings)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    task.network.to(device)
    optimizer = torch.optim.AdamW(
        task.network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
    )
    described = {"task": task.label, **about, "settings": asdict(settings), "relocbench": __version__}
    out.mkdir(parents=True, exist_ok=True)
    state_file = out / f"{task.label}.resume.pt"
    done = _resume(state_file, task, optimizer, described)
    buffer: deque[HouseFrames] = deque(maxlen=settings.buffer)
    executor = executor or LocalProcesses(jobs=jobs or max(1, available_cores() - 1))
    # what is still to be done, and before it the houses that the buffer then held
    start = max(0, done.houses - settings.buffer)
    seeds = [settings.first_house + index for index in range(start, settings.houses)]
    houses = stream_houses(seeds, settings.frames, executor=executor, cache=cache)
    clock = time.perf_counter() - done.seconds
    with Progress(disable=not progress) as bar:
        shown = bar.add_task(f"training {task.label}", total=settings.houses, completed=done.houses)
        for number, house in enumerate(houses, start + 1):
            buffer.append(house)
            if number <= done.houses or number < settings.first:
                continue
            done.rows += _steps(task, optimizer, list(buffer), number, settings)
            done.houses, done.seconds = number, time.perf_counter() - clock
            _save_state(state_file, task, optimizer, described, done)
            pd.DataFrame(done.rows).to_csv(out / f"{task.label}.csv", index=False, float_format="%.6g")
            bar.update(shown, completed=number, description=f"training {task.label}, loss {done.rows[-1]['loss']:.3f}")
    _settle_statistics(task, list(buffer), settings)
    task.network.eval().requires_grad_(False)
    task.finish(list(buffer))
    _write_results(task, out, settings, described, done, device, executor=executor, cache=cache)
    state_file.unlink()
    return out


def _check_houses(settings: TrainingSettings) -> None:
    last = settings.first_house + settings.houses - 1
    if settings.first_house not in TRAINING_HOUSES or last not in TRAINING_HOUSES:
        raise InputError(
            f"houses {settings.first_house} to {last}: those to train on are {TRAINING_HOUSES[0]} to "
            f"{TRAINING_HOUSES[-1]}; all others are kept to measure on"
        )


def _steps(
    task: TrainingTask[Any],
    optimizer: torch.optim.Optimizer,
    buffer: list[HouseFrames],
    number: int,
    settings: TrainingSettings,
) -> list[dict[str, float]]:
    """Take the steps of one new house, and return a row of the log: their means."""
    device = next(task.network.parameters()).device
    _learning_mode(task.network)
    rows = []
    first = (number - settings.first) * settings.steps_per_house
    for step in range(first, first + settings.steps_per_house):
        torch.manual_seed(settings.seed * 1_000_003 + step)  # a resumed training draws what it would have drawn
        rng = np.random.default_rng([settings.seed, step])
        rate = _learning_rate(step, settings)
        for group in optimizer.param_groups:
            group["lr"] = rate
        batch = task.draw(buffer, settings.batch, rng)
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=device.type == "cuda"):
            loss, extra = task.loss(buffer, batch)
        if not torch.isfinite(loss):
            raise RunError(f"training {task.label}: the loss of step {step} is {loss.item()}; lower the learning rate")
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(task.network.parameters(), _LARGEST_GRADIENT)
        optimizer.step()
        rows.append({"loss": loss.item(), **extra, "learning_rate": rate})
    means = {str(name): float(value) for name, value in pd.DataFrame(rows).mean().items()}
    return [{"step": first + settings.steps_per_house, "houses": number, **means}]


def _learning_mode(network: torch.nn.Module) -> None:
    """Set to training what learns; a part none of whose parameters do infers as it always will."""
    network.train()
    for part in network.children():
        if not any(parameter.requires_grad for parameter in part.parameters()):
            part.eval()


@torch.no_grad()
def _settle_statistics(task: TrainingTask[Any], buffer: list[HouseFrames], settings: TrainingSettings) -> None:
    """Average what batch normalisation subtracts and divides by over fresh batches of the final network.

    Running averages lag behind: those of MobileNetV3 by hundreds of steps, much of a short training.
    """
    torch.manual_seed(settings.seed * 1_000_003 + settings.steps)
    _learning_mode(task.network)
    for module in task.network.modules():
        if module.training and isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            module.reset_running_stats()
            module.momentum = None  # a plain average
    for step in range(settings.steps, settings.steps + _SETTLING_BATCHES):
        batch = task.draw(buffer, settings.batch, np.random.default_rng([settings.seed, step]))
        task.loss(buffer, batch)


def _learning_rate(step: int, settings: TrainingSettings) -> float:
    warm = max(1, round(_WARM_UP * settings.steps))
    if step < warm:
        return settings.learning_rate * (step + 1) / warm
    return settings.learning_rate * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, settings.steps - warm)))


def _save_state(
    path: Path,
    task: TrainingTask[Any],
    optimizer: torch.optim.Optimizer,
    described: dict[str, Any],
    done: _Progress,
) -> None:
    state = {
        "network": task.network.state_dict(),
        "optimizer": optimizer.state_dict(),
        "described": json.dumps(described),
        "progress": asdict(done),
    }
    content = io.BytesIO()
    torch.save(state, content)
    write_whole(path, content.getvalue())


def _resume(
    path: Path, task: TrainingTask[Any], optimizer: torch.optim.Optimizer, described: dict[str, Any]
) -> _Progress:
    """Go back to where an interrupted training was; where there was none, start."""
    if path.with_name(f"{task.label}.safetensors").exists():
        raise InputError(f"{path.parent}: holds a trained {task.label} already; choose another --out")
    if not path.exists():
        return _Progress()
    try:
        state = torch.load(path, weights_only=True, map_location=next(task.network.parameters()).device)
    except Exception as error:  # torch raises whatever its reader comes across
        raise InputError(f"{path}: cannot be read ({error}); delete it to start again") from error
    if state["described"] != json.dumps(described):
        raise InputError(f"{path}: is of a training with other settings; delete it, or choose another --out")
    task.network.load_state_dict(state["network"])
    optimizer.load_state_dict(state["optimizer"])
    return _Progress(**state["progress"])


def _write_results(
    task: TrainingTask[Any],
    out: Path,
    settings: TrainingSettings,
    described: dict[str, Any],
    done: _Progress,
    device: torch.device,
    *,
    executor: Executor,
    cache: Path | None,
) -> None:
    seeds = HELD_OUT_HOUSES[: settings.held_out]
    held_out = list(stream_houses(seeds, settings.frames, executor=executor, cache=cache))
    quality = {name: round(value, 4) for name, value in task.quality(held_out).items()}
    facts = {
        **described,
        "steps": settings.steps,
        "training_houses": [settings.first_house, settings.first_house + settings.houses - 1],
        "held_out_houses": [seeds[0], seeds[-1]] if len(seeds) else [],
        "quality": quality,
        "seconds": round(done.seconds),
        "frames_per_second": round(settings.steps * settings.batch / max(done.seconds, 1e-9), 1),
        "device": torch.cuda.get_device_name() if device.type == "cuda" else f"{torch.get_num_threads()} CPU threads",
        "torch": torch.__version__,
        "parameters": sum(parameter.numel() for parameter in task.network.parameters()),
    }
    (out / f"{task.label}.json").write_text(json.dumps(facts, indent=1) + "\n")
    draw_log(pd.DataFrame(done.rows), out / f"{task.label}.png", title=f"{task.label}: {settings.houses} houses")
    save_network(task.network, out / f"{task.label}.safetensors", about=facts)
