"""The `Method` interface: what a localization method is given, and what it may answer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from ..datasets.views import ViewSet
from ..sim.geometry import Camera, Pose
from .configuration import ConfigT, MethodConfig
from .learner import Learner
from .privileges import OF_QUERIES, Privilege

__all__ = ["Baseline", "Estimate", "Failure", "Method", "MethodConfig", "Privilege", "PrivilegedQuery", "Query"]

#: A baseline that never looks at the query's image: a guess among the references, or one that knows how data sets of
#: this kind are made.
Baseline = Literal["chance", "blind"]


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


def granted(query: Query, privileges: Collection[Privilege], truth: Callable[[Privilege], Any]) -> Query:
    """Return a query with exactly what ``privileges`` name of its ground truth, for which ``truth`` is asked."""
    known: dict[str, Any] = {kind: truth(kind) for kind in OF_QUERIES if kind in privileges}
    return PrivilegedQuery(query.image, query.camera, query.seed, **known) if known else query


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

    @classmethod
    def ranked(cls, ids: Sequence[str], poses: Pose, scores: NDArray[Any]) -> Estimate:
        """Return the answer of retrieval: N references ``ids`` by their ``scores`` (N,), see `best_first`, the pose of
        the first of them (of ``poses``, (N, 4, 4) world_from_camera), and as ``confidence`` its score."""
        order = best_first(scores)
        return cls(poses[int(order[0])], tuple(ids[i] for i in order), float(scores[order[0]]))


def best_first(scores: NDArray[Any]) -> NDArray[np.intp]:
    """Return the indices (N,) of scores (N,), the largest first; equal ones keep their order."""
    return np.argsort(-scores, kind="stable")


@dataclass(frozen=True)
class Failure:
    """The answer "cannot tell"; ``reason`` is a short phrase that tables group by. It is counted, not dropped."""

    reason: str


class Method(Learner[ConfigT], ABC):
    """A localization method. Subclass it, name it, and implement ``build_map`` and ``localize``.

    One that can be configured derives from ``Method[MyConfig]``; its ``config`` is then a ``MyConfig``. ``fit`` is for
    what is learned once, on scenes disjoint from the test scenes: set ``needs_fit = True`` and implement ``save`` and
    ``load`` with it. ``privileges`` gives a method parts of the ground truth, and every table says so.
    """

    baseline: ClassVar[Baseline | None] = None
    """What it is to the others of a table, where its answers do not depend on the query's image; None for a method that
    competes."""

    @property
    def privileges(self) -> frozenset[Privilege]:
        """What of the truth a method is given; nothing by default.

        That of queries comes in a :class:`PrivilegedQuery`; "reference depth" and "reference semantic" let the
        references' ``depth`` and ``semantic`` be read.
        """
        return frozenset()

    @abstractmethod
    def build_map(self, references: ViewSet) -> None:
        """Prepare for one map: ``references`` give images, cameras, ids and poses. Called again for the next map."""

    @abstractmethod
    def localize(self, query: Query) -> Estimate | Failure:
        """Answer one query against the map that was built last."""

    def map_bytes(self) -> int:
        """Return the size of the map in memory, bytes; by default that of all arrays, and of whatever else says its
        ``nbytes``, that ``build_map`` left in attributes."""
        return sum(_array_bytes(value) for name, value in vars(self).items() if name != "config")


def _array_bytes(value: Any) -> int:
    if isinstance(value, dict):
        return sum(_array_bytes(item) for item in value.values())
    if isinstance(value, list | tuple):
        return sum(_array_bytes(item) for item in value)
    if isinstance(value, Pose):
        return value.matrix.nbytes
    size = getattr(value, "nbytes", 0)
    return size if isinstance(size, int) else 0
