"""The dataset that a track is run on: its own, generated where it is missing, or one that the user names."""

from __future__ import annotations

from pathlib import Path

from ..datasets.dataset import Dataset
from ..datasets.spec import SimulatorSpec
from .tracks import TrackSpec


def default_folder(track: str | Path, size: str, simulator: SimulatorSpec | None) -> Path:
    """Return where a run goes that was given no folder: datasets of different simulators lie apart."""
    return Path("runs") / "-".join([Path(track).stem, size, *([] if simulator is None else [simulator.name])])


def track_dataset(
    track: TrackSpec, size: str, folder: Path, given: str | Path | None, *, jobs: int | None, progress: bool
) -> Dataset:
    """Open ``given``, or else the track's dataset in ``folder``; raises ``InputError`` and ``RunError`` as those do."""
    if given is not None:
        return Dataset.open(given)
    from ..datasets.generate import generate  # brings the renderer, which a run on a given dataset has no use for

    return generate(track.size(size).dataset, folder, jobs=jobs, progress=progress)
