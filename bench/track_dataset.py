"""The dataset that a track is run on: its own, generated where it is missing, or one that the user names."""

from __future__ import annotations

from pathlib import Path

from ..datasets.dataset import Dataset
from ..datasets.spec import SimulatorSpec
from ..errors import InputError
from ..sim.processes.executor import Executor
from .tracks import TrackSpec


def default_folder(track: str | Path, size: str, simulator: SimulatorSpec | None) -> Path:
    """Return where a run goes that was given no folder: datasets of different simulators lie apart."""
    return Path("runs") / "-".join([Path(track).stem, size, *([] if simulator is None else [simulator.name])])


def track_dataset(
    track: TrackSpec, size: str, folder: Path, given: str | Path | None, *, executor: Executor | None, progress: bool
) -> Dataset:
    """Open ``given``, or else the track's dataset in ``folder``; raises ``InputError`` and ``RunError`` as those do.

    A dataset that was given may hold other scenes than the track's, and must ask what the track asks: one that was
    generated follows the same protocol.
    """
    if given is not None:
        dataset = Dataset.open(given)
        _check_fits(dataset, track)
        return dataset
    from ..datasets.generate import generate  # brings the renderer, which a run on a given dataset has no use for

    return generate(track.size(size).dataset, folder, executor=executor, progress=progress)


def _check_fits(dataset: Dataset, track: TrackSpec) -> None:
    manifest = dataset.manifest
    if manifest.spec is not None and manifest.spec.protocol.name != track.protocol.name:
        raise InputError(
            f"{dataset.root}: follows the protocol {manifest.spec.protocol.name}, the track {track.name} is one of "
            f"{track.protocol.name}; name a track of that protocol or another dataset"
        )
    if manifest.origin.question != track.question.name:
        raise InputError(
            f"{dataset.root}: asks for the {manifest.origin.question}, the track {track.name} for the "
            f"{track.question.name}; name another track or another dataset"
        )
