"""The checker's tasks: read every file once, verify its bytes and values, and reproject the views into each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..sim.geometry import Camera
from ..sim.processes.executor import check_shared
from .dataset import Dataset
from .reprojection import DepthView, compare, frustum_overlap
from .views import STORED, camera_of, pose_from_table
from .writer import digest

LEAST_OVERLAP = 0.15  # of the frusta of two views that are worth reprojecting
LEAST_POINTS = 100  # that agree, before a pair's residuals say something about one view

_PAIR_COLUMNS = ["view", "partner", "points", "contradictions", "metres", "pixels"]
_QUANTILES = np.linspace(0.025, 0.975, 20)
_EXPECTED = {"image": (np.uint8, 3), "depth": (np.uint16, 2), "semantic": (np.uint16, 2)}

Array = NDArray[Any]


@dataclass(frozen=True)
class CheckState:
    """What a checking worker needs to know of the dataset."""

    dataset: Dataset

    def __setstate__(self, state: dict[str, Dataset]) -> None:
        check_shared(state["dataset"].root)
        self.__dict__.update(state)


@dataclass(frozen=True, eq=False)
class ViewsResult:
    """What one task found: problems, and one row per pair of views that was reprojected (``view``, ``partner``,
    ``points``, ``contradictions``, and 20 quantiles of the residuals in ``metres`` and ``pixels``)."""

    number: int
    scene: str
    files: int
    problems: tuple[str, ...]
    pairs: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=_PAIR_COLUMNS))

    def suspicious(self, *, metres: float, agreement: float) -> Iterator[tuple[str, str]]:
        """Yield the views that contradict their neighbours in every pair, with the evidence.

        A pair contradicts where a quarter of its residuals reach ``metres``, or the share of agreeing points stays
        below ``agreement``. Every pair, because a view whose partner is wrong has nothing to answer for while its
        other partner agrees. Pairs with few comparable points tell nothing.
        """
        evidence: dict[str, list[str]] = {}
        for pair in self.pairs.to_dict("records"):
            comparable = pair["points"] + pair["contradictions"]
            if comparable >= LEAST_POINTS:
                said = ""
                if pair["points"] < agreement * comparable:
                    said = f"{pair['contradictions']} of {comparable} points"
                elif (quartile := float(np.quantile(pair["metres"], 0.75))) >= metres:
                    said = f"{quartile * 1e3:.1f} mm"
                for view in (pair["view"], pair["partner"]):
                    evidence.setdefault(view, []).append(said)
        for view, statements in evidence.items():
            if all(statements):
                yield view, statements[0]


@dataclass(frozen=True)
class FileCheck:
    """A task: verify the digest of one file that is no image."""

    number: int
    path: str
    blake2b: str

    @property
    def name(self) -> str:
        """What an error message calls it."""
        return f"checking {self.path}"

    affinity = "files"

    def perform(self, state: CheckState) -> ViewsResult:
        """Return the result, which holds a problem or none."""
        problem, _ = _read(state.dataset.root, self.path, self.blake2b)
        return ViewsResult(self.number, "", 1, (problem,) if problem else ())


@dataclass(frozen=True, eq=False)
class CheckViews:
    """A task: verify the files of some views of one map, and compare each view with those it overlaps most."""

    number: int
    scene: str
    table: pd.DataFrame
    digests: dict[str, str]
    pairs_per_view: int

    @property
    def name(self) -> str:
        """What an error message calls it."""
        return f"checking {len(self.table)} views of scene {self.scene}"

    @property
    def affinity(self) -> str:
        """The scene."""
        return self.scene

    def perform(self, state: CheckState) -> ViewsResult:
        """Return what was found."""
        problems: list[str] = []
        views = [self._view(state, row, problems) for row in range(len(self.table))]
        pairs = self._pairs(views)
        return ViewsResult(self.number, self.scene, len(self.digests), tuple(problems), pairs)

    def _view(self, state: CheckState, row: int, problems: list[str]) -> DepthView | None:
        """Return the view's geometry, None where it has no sound depth map."""
        values = self.table.iloc[row]
        camera = camera_of(values)
        arrays: dict[str, Array] = {}
        for kind in _EXPECTED:
            if path := values[kind]:
                problem, data = _read(state.dataset.root, path, self.digests.get(path))
                array = None if problem else _decoded(data, kind)
                problem = problem or _value_problem(state.dataset, path, kind, array, camera)
                if problem:
                    problems.append(problem)
                elif array is not None:
                    arrays[kind] = array
        if "depth" not in arrays:
            return None
        unit = state.dataset.manifest.depth_unit
        depth = arrays["depth"].astype(np.float32) * np.float32(unit)
        return DepthView(camera, pose_from_table(self.table.iloc[[row]])[0], depth, arrays.get("semantic"), unit)

    def _pairs(self, views: list[DepthView | None]) -> pd.DataFrame:
        sound = [index for index, view in enumerate(views) if view is not None]
        rows = []
        for index, partner in sorted(_partners(self.table.iloc[sound], self.pairs_per_view)):
            a, b = views[sound[index]], views[sound[partner]]
            assert a is not None
            assert b is not None
            residuals = compare(a, b)
            if len(residuals.metres) + residuals.contradictions == 0:
                continue
            quantiles = [_quantiles(values) for values in (residuals.metres, residuals.pixels)]
            names = [str(self.table["view"].iloc[sound[i]]) for i in (index, partner)]
            rows.append((*names, len(residuals.metres), residuals.contradictions, *quantiles))
        return pd.DataFrame(rows, columns=_PAIR_COLUMNS)


def _partners(table: pd.DataFrame, count: int) -> set[tuple[int, int]]:
    """Return pairs (i, j), i < j: for each view, up to ``count`` views whose frusta overlap its own most."""
    if len(table) < 2:
        return set()
    overlap = frustum_overlap(pose_from_table(table), [camera_of(table.iloc[row]) for row in range(len(table))])
    np.fill_diagonal(overlap, 0)
    best = np.argsort(-overlap, axis=1, kind="stable")[:, :count]
    chosen = [(i, int(j)) for i, row in enumerate(best) for j in row if overlap[i, j] >= LEAST_OVERLAP]
    return {(min(pair), max(pair)) for pair in chosen}


def _quantiles(values: Array) -> Array:
    return np.quantile(values, _QUANTILES).astype(np.float32) if len(values) else np.zeros(0, np.float32)


def _read(root: Path, path: str, expected: str | None) -> tuple[str, bytes]:
    """Return a problem, "" for none, and the bytes of a file."""
    try:
        data = (root / path).read_bytes()
    except OSError as error:
        return f"{root / path}: missing or unreadable ({error.strerror}); regenerate the dataset", b""
    if expected is not None and digest(data) != expected:
        return f"{root / path}: differs from its checksum (a byte changed); restore it or regenerate the dataset", b""
    return "", data


def _decoded(data: bytes, kind: str) -> Array | None:
    flags = STORED if kind == "image" else cv2.IMREAD_UNCHANGED
    return cv2.imdecode(np.frombuffer(data, np.uint8), flags)


def _value_problem(dataset: Dataset, path: str, kind: str, array: Array | None, camera: Camera) -> str:
    where = dataset.root / path
    if array is None:
        return f"{where}: is not an image"
    dtype, dimensions = _EXPECTED[kind]
    if array.dtype != dtype or array.ndim != dimensions:
        return f"{where}: holds {array.dtype} with {array.ndim} axes, not {np.dtype(dtype)} with {dimensions}"
    if array.shape[:2] != (camera.height, camera.width):
        return f"{where}: is {array.shape[1]} x {array.shape[0]}, its camera {camera.width} x {camera.height}"
    if kind == "depth" and not array.any() and dataset.manifest.spec is not None:  # a sensor may have seen nothing
        return f"{where}: shows no surface at all"
    categories = len(dataset.manifest.categories)
    if kind == "semantic" and array.max(initial=0) >= categories:
        return f"{where}: holds category {array.max()}, the manifest names {categories}"
    return ""
