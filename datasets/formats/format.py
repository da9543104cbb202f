"""`Format`: what a reader of somebody's data set is, and the neutral views that it gives."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from numpy.typing import NDArray

from ...sim.geometry import Camera, Pose

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class ImportedView:
    """One view in the conventions of this package, whatever those of its format.

    ``camera`` is a pinhole without distortion, ``pose`` is world_from_camera with OpenCV axes. ``image`` is a .png or
    .jpg file, copied as it is, or pixels (H, W, 3) uint8 sRGB where they had to be undistorted. ``depth`` (H, W) is
    z-depth in metres, 0 where unknown; ``semantic`` (H, W) holds indices into the data set's categories.
    """

    name: str  # unique in its scene: letters, digits and . _ - /
    role: Literal["reference", "query", "train"]
    camera: Camera
    pose: Pose
    image: Path | Array
    scene: str = "scene"
    map: str = ""  # the part of its scene that a query is localized in; the whole scene by default
    condition: str = ""
    depth: Array | None = None
    semantic: Array | None = None


@dataclass(frozen=True, eq=False)
class Import:
    """What a format found: its views in their order, ``notes`` on what was decided while reading them, and the question
    that the queries ask.

    ``depth_unit`` is the step in metres in which depth is stored, which bounds it at 65535 steps.
    """

    views: Iterable[ImportedView]
    notes: tuple[str, ...] = ()
    depth_unit: float = 0.001
    categories: tuple[str, ...] = ("unknown",)
    question: str = "pose"


class Format(ABC):
    """A format to import from. A newcomer writes this class, and registers it."""

    name: ClassVar[str]

    @abstractmethod
    def read(self, source: Path) -> Import:
        """Read a data set; raises `InputError` that names the file where something is missing or malformed."""
