"""The one training loop: resumable after every house, seeded, in mixed precision on a GPU where there is one."""

from __future__ import annotations

import io
import json
import math
import time
from collections import deque
from collections.abc import Iterator, Sequence
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
from ..networks.backbone import Backbone
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
_STATE = ".resume.pt"  # the file of a training that is not finished


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
    backbone_rate: float = 0.3
    """Share of the learning rate at which a backbone learns, which knows something before."""
    kept_stages: int = 1
    """Stages of a backbone that stay as they are, the finest first: these know edges and textures, which are the same
    everywhere, and cost a third of a step."""
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
class _Done:
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
    were not trained on. A training that was interrupted goes on from its last house, also where the ``command`` in
    ``about`` is another one: it may compute elsewhere. ``executor`` renders ahead, by default ``jobs`` processes of
    this machine; ``cache`` keeps rendered frames.
    Raises ``InputError`` where ``out`` holds another training or houses are kept for other uses, ``RunError`` where the
    loss is no number any more.
    """
    _check_houses(settings)
    described = {"task": task.label, **about, "settings": asdict(settings), "relocbench": __version__}
    executor = executor or LocalProcesses(jobs=jobs or max(1, available_cores() - 1))
    training = _Training(task, out, settings, described, executor, cache)
    training.resume()
    training.learn(progress=progress)
    training.finish()
    return out


def _check_houses(settings: TrainingSettings) -> None:
    last = settings.first_house + settings.houses - 1
    if settings.first_house not in TRAINING_HOUSES or last not in TRAINING_HOUSES:
        raise InputError(
            f"houses {settings.first_house} to {last}: those to train on are {TRAINING_HOUSES[0]} to "
            f"{TRAINING_HOUSES[-1]}; all others are kept to measure on"
        )


class _Training:
    """One training of a task into a folder: what has been done of it, and the houses that batches are drawn from."""

    def __init__(
        self,
        task: TrainingTask[Any],
        out: Path,
        settings: TrainingSettings,
        described: dict[str, Any],
        executor: Executor,
        cache: Path | None,
    ) -> None:
        self.task, self.network, self.out, self.settings = task, task.network, out, settings
        self.described, self.executor, self.cache = described, executor, cache
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.network.to(self.device)
        self.network.to(memory_format=torch.channels_last)  # convolutions on a CPU take a quarter less time
        for backbone in _backbones(self.network):
            backbone.keep(settings.kept_stages)
        self.optimizer = torch.optim.AdamW(
            _groups(self.network, settings), lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        self.done = _Done()
        self.buffer: deque[HouseFrames] = deque(maxlen=settings.buffer)

    def _file(self, suffix: str) -> Path:
        return self.out / f"{self.task.label}{suffix}"

    def _stream(self, seeds: Sequence[int]) -> Iterator[HouseFrames]:
        return stream_houses(seeds, self.settings.frames, executor=self.executor, cache=self.cache)

    def resume(self) -> None:
        """Go back to where an interrupted training was; where there was none, start."""
        self.out.mkdir(parents=True, exist_ok=True)
        if self._file(".safetensors").exists():
            raise InputError(f"{self.out}: holds a trained {self.task.label} already; choose another --out")
        path = self._file(_STATE)
        if not path.exists():
            return
        try:
            state = torch.load(path, weights_only=True, map_location=self.device)
        except Exception as error:  # torch raises whatever its reader comes across
            raise InputError(f"{path}: cannot be read ({error}); delete it to start again") from error
        if _decisive(state["described"]) != _decisive(json.dumps(self.described)):
            raise InputError(f"{path}: is of a training with other settings; delete it, or choose another --out")
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.done = _Done(**state["progress"])

    def learn(self, *, progress: bool) -> None:
        """Take the steps of every house that is still to come, and keep the state after each."""
        settings, done = self.settings, self.done
        # what is still to be done, and before it the houses that the buffer then held
        start = max(0, done.houses - settings.buffer)
        seeds = [settings.first_house + index for index in range(start, settings.houses)]
        clock = time.perf_counter() - done.seconds
        label = f"training {self.task.label}"
        with Progress(disable=not progress) as bar:
            shown = bar.add_task(label, total=settings.houses, completed=done.houses)
            for number, house in enumerate(self._stream(seeds), start + 1):
                self.buffer.append(house)
                if number <= done.houses or number < settings.first:
                    continue
                done.rows.append(self._steps(number))
                done.houses, done.seconds = number, time.perf_counter() - clock
                self._save_state()
                pd.DataFrame(done.rows).to_csv(self._file(".csv"), index=False, float_format="%.6g")
                bar.update(shown, completed=number, description=f"{label}, loss {done.rows[-1]['loss']:.3f}")

    def _steps(self, number: int) -> dict[str, float]:
        """Take the steps of one new house, and return a row of the log: their means."""
        _learning_mode(self.network)
        count = self.settings.steps_per_house
        first = (number - self.settings.first) * count
        rows = [self._step(step, list(self.buffer)) for step in range(first, first + count)]
        means = {str(name): float(value) for name, value in pd.DataFrame(rows).mean().items()}
        return {"step": first + count, "houses": number, **means}

    def _step(self, step: int, houses: list[HouseFrames]) -> dict[str, float]:
        """Take one step, and return its loss and what else the task reports."""
        seed, rate = self.settings.seed, _learning_rate(step, self.settings)
        torch.manual_seed(seed * 1_000_003 + step)  # a resumed training draws what it would have drawn
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["share"]
        batch = self.task.draw(houses, self.settings.batch, np.random.default_rng([seed, step]))
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.device.type == "cuda"):
            loss, extra = self.task.loss(houses, batch)
        if not torch.isfinite(loss):
            problem = f"the loss of step {step} is {loss.item()}; lower the learning rate"
            raise RunError(f"training {self.task.label}: {problem}")
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), _LARGEST_GRADIENT)
        self.optimizer.step()
        return {"loss": loss.item(), **extra, "learning_rate": rate}

    def _save_state(self) -> None:
        state = {
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "described": json.dumps(self.described),
            "progress": asdict(self.done),
        }
        content = io.BytesIO()
        torch.save(state, content)
        write_whole(self._file(_STATE), content.getvalue())

    def finish(self) -> None:
        """Learn what is not learned by gradient, measure on held-out houses, and write the checkpoint."""
        self._settle_statistics()
        self.network.eval().requires_grad_(False)
        self.task.finish(list(self.buffer))
        facts = self._facts()
        self._file(".json").write_text(json.dumps(facts, indent=1) + "\n")
        title = f"{self.task.label}: {self.settings.houses} houses"
        draw_log(pd.DataFrame(self.done.rows), self._file(".png"), title=title)
        save_network(self.network, self._file(".safetensors"), about=facts)
        self._file(_STATE).unlink()

    @torch.no_grad()
    def _settle_statistics(self) -> None:
        """Average what batch normalisation subtracts and divides by over fresh batches of the final network.

        Running averages lag behind: those of MobileNetV3 by hundreds of steps, much of a short training.
        """
        seed, steps, houses = self.settings.seed, self.settings.steps, list(self.buffer)
        torch.manual_seed(seed * 1_000_003 + steps)
        _learning_mode(self.network)
        for module in self.network.modules():
            if module.training and isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
                module.reset_running_stats()
                module.momentum = None  # a plain average
        for step in range(steps, steps + _SETTLING_BATCHES):
            batch = self.task.draw(houses, self.settings.batch, np.random.default_rng([seed, step]))
            self.task.loss(houses, batch)

    def _facts(self) -> dict[str, Any]:
        """Return the record of the training, with the quality on held-out houses."""
        settings, seconds = self.settings, self.done.seconds
        seeds = HELD_OUT_HOUSES[: settings.held_out]
        quality = self.task.quality(list(self._stream(seeds)))
        cuda = self.device.type == "cuda"
        return {
            **self.described,
            "steps": settings.steps,
            "training_houses": [settings.first_house, settings.first_house + settings.houses - 1],
            "held_out_houses": [seeds[0], seeds[-1]] if len(seeds) else [],
            "quality": {name: round(value, 4) for name, value in quality.items()},
            "seconds": round(seconds),
            "frames_per_second": round(settings.steps * settings.batch / max(seconds, 1e-9), 1),
            "device": torch.cuda.get_device_name() if cuda else f"{torch.get_num_threads()} CPU threads",
            "torch": torch.__version__,
            "parameters": sum(parameter.numel() for parameter in self.network.parameters()),
        }


def _backbones(network: torch.nn.Module) -> list[Backbone]:
    return [module for module in network.modules() if isinstance(module, Backbone)]


def _groups(network: torch.nn.Module, settings: TrainingSettings) -> list[dict[str, Any]]:
    """Return what learns at which share of the learning rate."""
    slow = {id(parameter) for backbone in _backbones(network) for parameter in backbone.parameters()}
    parts: dict[float, list[torch.nn.Parameter]] = {1.0: [], settings.backbone_rate: []}
    for parameter in network.parameters():
        parts[settings.backbone_rate if id(parameter) in slow else 1.0].append(parameter)
    return [{"params": parameters, "share": share} for share, parameters in parts.items() if parameters]


def _decisive(described: str) -> dict[str, Any]:
    """Return what decides the weights: the command also says where to compute, and the settings are there besides."""
    return {name: value for name, value in json.loads(described).items() if name != "command"}


def _learning_mode(network: torch.nn.Module) -> None:
    """Set to training what learns; a part none of whose parameters do infers as it always will."""
    network.train()
    for part in network.modules():
        learns = [parameter.requires_grad for parameter in part.parameters()]
        if learns and not any(learns):
            part.eval()


def _learning_rate(step: int, settings: TrainingSettings) -> float:
    warm = max(1, round(_WARM_UP * settings.steps))
    if step < warm:
        return settings.learning_rate * (step + 1) / warm
    return settings.learning_rate * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, settings.steps - warm)))
