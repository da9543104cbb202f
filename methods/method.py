"""The `Method` interface: what a localization method is given, and what it may answer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, Literal, TypeVar, cast, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from ..datasets.views import ViewSet
from ..sim.geometry import Camera, Pose

#: A part of a query's ground truth: its pose (which makes an oracle), or one of the simulator's maps.
Privilege = Literal["pose", "depth", "semantic"]


class MethodConfig(BaseModel):
    """Base of every method's typed configuration: frozen, an unknown key is an error, field docstrings are its help."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


ConfigT = TypeVar("ConfigT", bound=MethodConfig)


@dataclass(frozen=True, eq=False)
class Query:
    """What a method sees of a query: the image (H, W, 3) uint8 sRGB and the camera; never the pose or the place.

    ``seed`` is the only source of randomness a method should use in ``localize``: it is fixed per query, so that
    answers do not depend on the order of queries or on which process answers them.
    """

    image: NDArray[Any]
    camera: Camera
    seed: int = 0


@dataclass(frozen=True, eq=False)
class PrivilegedQuery(Query):
    """A query with what its method's ``privileges`` name of the ground truth; what they do not name is None.

    ``pose`` world_from_camera; ``depth`` (H, W) float32 metres, 0 where nothing was hit; ``semantic`` (H, W) uint16
    category ids, 0 for unknown.
    """

    pose: Pose | None = None
    depth: NDArray[Any] | None = None
    semantic: NDArray[Any] | None = None


@dataclass(frozen=True, eq=False)
class Estimate:
    """A method's answer: a pose (world_from_camera), and / or a ranking of reference ids or places, best first.

    ``confidence`` is any number that grows with trust, NaN where the method has none. ``flags`` are short words that
    tables count, such as "fallback".
    """

    pose: Pose | None = None
    ranking: tuple[str, ...] = ()
    confidence: float = float("nan")
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Failure:
    """The answer "cannot tell"; ``reason`` is a short phrase that tables group by. It is counted, not dropped."""

    reason: str


class Method(ABC, Generic[ConfigT]):
    """A localization method. Subclass it, name it, and implement ``build_map`` and ``localize``.

    One that can be configured derives from ``Method[MyConfig]``; its ``config`` is then a ``MyConfig``. ``fit`` is for
    what is learned once, on scenes disjoint from the test scenes: set ``needs_fit = True`` and implement ``save`` and
    ``load`` with it. ``privileges`` gives ``localize`` parts of the ground truth, and every table says so.
    """

    name: ClassVar[str]
    Config: ClassVar[type[MethodConfig]] = MethodConfig
    needs_fit: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        for argument in (argument for base in cls.__dict__.get("__orig_bases__", ()) for argument in get_args(base)):
            if isinstance(argument, type) and issubclass(argument, MethodConfig):
                cls.Config = argument

    def __init__(self, config: ConfigT | None = None) -> None:
        self.config: ConfigT = cast(ConfigT, self.Config()) if config is None else config

    @property
    def privileges(self) -> frozenset[Privilege]:
        """What of the truth ``localize`` is given, in a :class:`PrivilegedQuery`; nothing by default."""
        return frozenset()

    def fit(self, train: ViewSet) -> None:
        """Learn from the views of training scenes, once. Called only where ``needs_fit`` is true."""
        raise TypeError(f"{self.name} declares needs_fit but does not implement fit")

    def fit_identity(self) -> tuple[str, dict[str, Any]]:
        """Return what decides the outcome of ``fit``: a name and a JSON-able configuration.

        Methods that return the same identity share one fit (``sift-5pt`` uses the vocabulary of ``dense-vlad``).
        """
        return self.name, self.config.model_dump(mode="json")

    def save(self, folder: Path) -> None:
        """Write what ``fit`` learned into ``folder``, in formats that load without running code from the file."""
        raise TypeError(f"{self.name} declares needs_fit but does not implement save")

    def load(self, folder: Path) -> None:
        """Read what ``save`` wrote; takes the place of ``fit``."""
        raise TypeError(f"{self.name} declares needs_fit but does not implement load")

    @abstractmethod
    def build_map(self, references: ViewSet) -> None:
        """Prepare for one map: ``references`` give images, cameras, ids and poses. Called again for the next map."""

    @abstractmethod
    def localize(self, query: Query) -> Estimate | Failure:
        """Answer one query against the map that was built last."""

    def map_bytes(self) -> int:
        """Return the size of the map in memory, bytes; by default all arrays that ``build_map`` left in attributes."""
        return sum(_array_bytes(value) for name, value in vars(self).items() if name != "config")


def _array_bytes(value: Any) -> int:
    if isinstance(value, np.ndarray):
        return value.nbytes
    if isinstance(value, dict):
        return sum(_array_bytes(item) for item in value.values())
    if isinstance(value, list | tuple):
        return sum(_array_bytes(item) for item in value)
    if isinstance(value, Pose):
        return value.matrix.nbytes
    return 0
