"""The `Simulator` interface that every adapter keeps, and what it yields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import NDArray

from .geometry import Camera, Pose
from .scene import Scene

OUTPUTS = frozenset({"rgb", "depth", "semantic", "instance"})


@dataclass(frozen=True, eq=False)
class Observation:
    """What one camera saw; outputs that were not asked for are None.

    ``rgb`` (H, W, 3) uint8 sRGB; ``depth`` (H, W) float32 z-depth in metres, 0 where nothing was hit; ``semantic``
    (H, W) uint16 category ids; ``instance`` (H, W) uint32 object ids; 0 is "unknown" in both.
    """

    rgb: NDArray[Any] | None = None
    depth: NDArray[Any] | None = None
    semantic: NDArray[Any] | None = None
    instance: NDArray[Any] | None = None


class Simulator(Protocol):
    """Renders observations of one scene under one condition.

    ``render`` yields one :class:`Observation` per pose, in order; ``outputs`` is a subset of ``OUTPUTS``.
    """

    def __init__(self, *, cache_folder: Path | None, options: Mapping[str, Any]) -> None:
        """Keep what is expensive in ``cache_folder``; raises pydantic's ``ValidationError`` where options are wrong."""

    def load(self, scene: Scene, condition: str) -> None:
        """Make ``scene`` under ``condition`` the one that is rendered; raises ``KeyError`` for an unknown condition."""

    def render(self, poses: Pose, camera: Camera, outputs: frozenset[str]) -> Iterator[Observation]:
        """Yield the observation of each pose of a batch, in order."""

    def close(self) -> None:
        """Release what ``load`` took; the simulator may be loaded again."""

    def hello(self) -> Mapping[str, Any]:
        """Return ``versions``, of what decides pixels, by package, and ``renderer``, what draws them here.

        Raises ``InputError`` where it cannot run.
        """
