"""Protocols turn scenes into planned views; rendering and writing them is the same for all.

A protocol is a function of a scene, its split and the spec. It must be deterministic and cheap, for it runs before
anything is rendered; a scene that does not suit it raises `InputError`.
"""

from collections.abc import Callable

from ...sim.scene import Scene
from ..planning import Plan
from ..spec import DatasetSpec
from .cross_view import plan_cross_view
from .recorded_path import plan_recorded_path
from .sparse_reference import plan_sparse_reference

Protocol = Callable[[Scene, str, DatasetSpec], Plan]

#: By the name that a spec gives under ``protocol``.
PROTOCOLS: dict[str, Protocol] = {
    "cross-view": plan_cross_view,
    "recorded-path": plan_recorded_path,
    "sparse-reference": plan_sparse_reference,
}
