"""From rendered candidates to views: the second phase of the protocol cross-view.

Three passes over a scene's candidates, each of them tasks with a record on disk: how much each looks like the cluster
centre; which of them become training images, and with them the classes; which class each belongs to. Nothing is held in
memory but one view, the cones of the training images, and a few numbers per candidate.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from ..errors import InputError, RunError
from ..sim.geometry import translation_error
from ..sim.processes.executor import Unit
from .appearance import local_descriptors, nbnn_distance
from .covisibility import read_depth
from .manifest import PlacesRecord
from .places import choose_training_images, place_of, pose_cells, rule, view_angle
from .planning import generator
from .rendering import RenderState, file_paths
from .scene_planning import read_plan
from .spec import DatasetSpec
from .views import pose_from_table
from .visibility import VisibilityCone
from .writer import read_record, write_record

#: The role of a planned view that may become a reference, a query, or nothing.
CANDIDATE = "candidate"

SHARD = 128  # candidates per task: a few seconds of work

Array = NDArray[Any]


class Places(BaseModel):
    """The classes of one scene: the plan's row of each training image, each point (x, y), and the cluster centre."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    centre: int | None
    rows: tuple[int, ...]
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class MeasureAppearance:
    """A task: how little some candidates of a scene look like its cluster centre."""

    scene: str
    number: int
    rows: tuple[int, ...]

    @property
    def name(self) -> str:
        """What an error message calls it."""
        return f"appearance of shard {self.number} of scene {self.scene}"

    @property
    def affinity(self) -> str:
        """The scene, whose plan the worker keeps."""
        return self.scene

    @property
    def record(self) -> str:
        """Where the result lies."""
        return f"appearance/{self.scene}-{self.number:05d}.json"

    def perform(self, state: RenderState) -> None:
        """Write the distance of each candidate to the centre, null where it has nothing to compare."""
        if read_record(state.root, self.record) is not None:
            return
        table = state.plan(self.scene)
        _, centre = cluster_centre(state, self.scene)
        distances = [nbnn_distance(_described(state, table, row), centre) for row in self.rows]
        write_record(state.root, self.record, [value if np.isfinite(value) else None for value in distances])


@dataclass(frozen=True)
class ChoosePlaces:
    """A task: the training images of one scene, and with them its classes."""

    scene: str

    @property
    def name(self) -> str:
        """What an error message calls it."""
        return f"choosing the places of scene {self.scene}"

    @property
    def affinity(self) -> str:
        """The scene, whose plan the worker keeps."""
        return self.scene

    @property
    def record(self) -> str:
        """Where the result lies."""
        return f"places/{self.scene}.json"

    def perform(self, state: RenderState) -> None:
        """Write the scene's `Places`; raises `InputError` where too few of them can be made."""
        if read_record(state.root, self.record) is None:
            write_record(state.root, self.record, self._choose(state).model_dump(mode="json"))

    def _choose(self, state: RenderState) -> Places:
        spec, table = state.spec.cross_view, state.plan(self.scene)
        order, centre = _random_order(state.spec, self.scene, len(table)), None
        if spec.training_images == "similar":
            centre, _ = cluster_centre(state, self.scene)
            distance = _distances(state.root, self.scene, len(table))
            order = np.argsort(distance, kind="stable")[: np.isfinite(distance).sum()]
        cells = pose_cells(pose_from_table(table), spec)
        rows, points = choose_training_images(order, cells, lambda row: _cone(state, table, row), spec)
        if len(rows) < spec.places:
            raise InputError(
                f"scene {self.scene}: of {len(table)} candidates in {len(set(cells))} cells, {len(rows)} can be "
                f"training images of a place each, not {spec.places}; ask for fewer places, more views or smaller cells"
            )
        return Places(centre=centre, rows=tuple(rows), points=tuple((float(x), float(y)) for x, y in points))


@dataclass(frozen=True)
class AssignPlaces:
    """A task: which class each of some candidates of a scene belongs to."""

    scene: str
    number: int
    rows: tuple[int, ...]

    @property
    def name(self) -> str:
        """What an error message calls it."""
        return f"places of shard {self.number} of scene {self.scene}"

    @property
    def affinity(self) -> str:
        """The scene, whose plan the worker keeps."""
        return self.scene

    @property
    def record(self) -> str:
        """Where the result lies."""
        return f"assigned/{self.scene}-{self.number:05d}.json"

    def perform(self, state: RenderState) -> None:
        """Write the class of each candidate, -1 for none."""
        if read_record(state.root, self.record) is not None:
            return
        table, points = state.plan(self.scene), np.array(_read_places(state.root, self.scene).points)
        spec = state.spec.cross_view
        write_record(state.root, self.record, [place_of(_cone(state, table, row), points, spec) for row in self.rows])


def passes_over_candidates(spec: DatasetSpec, root: Path, scenes: Sequence[str]) -> Iterator[tuple[str, list[Unit]]]:
    """Yield the title and the tasks of each pass over the rendered candidates of ``scenes``; none without any."""
    candidates = (
        {scene: _candidates(read_plan(root, scene)) for scene in scenes} if spec.protocol == "cross-view" else {}
    )
    here = {scene: count for scene, count in candidates.items() if count}
    if not here:
        return
    shards = [(scene, number, rows) for scene, count in here.items() for number, rows in enumerate(_chunks(count))]
    if spec.cross_view.training_images == "similar":
        yield "comparing candidates", [MeasureAppearance(*shard) for shard in shards]
    yield "choosing places", [ChoosePlaces(scene) for scene in here]
    yield "assigning views", [AssignPlaces(*shard) for shard in shards]


def decided_views(spec: DatasetSpec, root: Path, scene: str) -> pd.DataFrame:
    """Return a scene's planned views with what was decided about candidates, the training images and the queries.

    Those of no class are left out, and so are queries beyond the limit. The index holds the rows of the plan.
    """
    table = read_plan(root, scene)
    if not _candidates(table):
        return table
    places = _read_places(root, scene)
    training = np.array(places.rows)
    assigned = _assigned(root, scene, len(table))
    references = pose_from_table(table.iloc[training])
    poses, own = pose_from_table(table), np.maximum(assigned, 0)
    angle, distance = view_angle(poses, references[own]), translation_error(poses, references[own])
    table["place"] = assigned.astype(np.int32)
    table["role"] = "query"
    table["covisible_reference"] = table["view"].to_numpy()[training][own]
    table["reference_angle"], table["reference_distance"] = angle, distance
    table.loc[training, ["role", "covisible_reference"]] = "reference", ""
    table.loc[training, ["reference_angle", "reference_distance"]] = np.nan
    table.loc[training, "density"] = len(training)
    return table.loc[np.sort(np.concatenate([training, limited_queries(spec, scene, assigned, training)]))]


def limited_queries(spec: DatasetSpec, scene: str, assigned: Array, training: Array) -> Array:
    """Return the rows of a scene's queries: views of a class that train none, up to the limit, uniformly at random."""
    rows = np.setdiff1d(np.flatnonzero(assigned >= 0), training)
    return generator(spec, scene, "queries").permutation(rows)[: spec.cross_view.queries_per_scene]


def places_record(spec: DatasetSpec, root: Path, scene: str) -> PlacesRecord | None:
    """Return what the manifest says of a scene's classes, None where it has none."""
    table = read_plan(root, scene)
    if not _candidates(table):
        return None
    places = _read_places(root, scene)
    assigned, training = _assigned(root, scene, len(table)), np.array(places.rows)
    queries = limited_queries(spec, scene, assigned, training)
    dropped = int((assigned < 0).sum())
    return PlacesRecord(
        rule=rule(spec.cross_view, spec.camera.horizontal_fov),
        centre=None if places.centre is None else str(table["view"].iloc[places.centre]),
        points=places.points,
        candidates=len(table),
        dropped=dropped,
        over_limit=len(table) - dropped - len(training) - len(queries),
        views=tuple(np.bincount(assigned[queries], minlength=len(training)).tolist()),
    )


def cluster_centre(state: RenderState, scene: str) -> tuple[int, Array]:
    """Return the row of a scene's cluster centre and its descriptors: the first candidate, in random order, with any.

    Raises `InputError` where all are blank.
    """
    table = state.plan(scene)
    for row in _random_order(state.spec, scene, len(table)):
        if len(descriptors := _described(state, table, int(row))):
            return int(row), descriptors
    raise InputError(f"scene {scene}: no view of it shows any texture, so that none look alike")


def _random_order(spec: DatasetSpec, scene: str, count: int) -> Array:
    return generator(spec, scene, "cluster").permutation(count)


def _described(state: RenderState, table: pd.DataFrame, row: int) -> Array:
    path = state.root / file_paths(state.spec, table["view"].iloc[row])["rgb"]
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise RunError(f"{path}: disappeared while the dataset was generated; run the same command again")
    return local_descriptors(cv2.cvtColor(image, cv2.COLOR_BGR2RGB))


def _cone(state: RenderState, table: pd.DataFrame, row: int) -> VisibilityCone:
    path = state.root / file_paths(state.spec, table["view"].iloc[row])["depth"]
    return VisibilityCone.of(read_depth(path), pose_from_table(table.iloc[[row]])[0], state.spec.camera.camera)


def _candidates(plan: pd.DataFrame) -> int:
    """Return how many candidates a plan has: all of its views, or none of a scene to learn from."""
    return int((plan["role"] == CANDIDATE).sum())


def _chunks(count: int) -> list[tuple[int, ...]]:
    return [tuple(range(start, min(start + SHARD, count))) for start in range(0, count, SHARD)]


def _read_places(root: Path, scene: str) -> Places:
    return Places.model_validate(_finished(root, ChoosePlaces(scene).record))


def _distances(root: Path, scene: str, count: int) -> Array:
    tasks = (MeasureAppearance(scene, number, rows) for number, rows in enumerate(_chunks(count)))
    values = [value for task in tasks for value in _finished(root, task.record)]
    return np.array([np.inf if value is None else value for value in values])


def _assigned(root: Path, scene: str, count: int) -> Array:
    tasks = (AssignPlaces(scene, number, rows) for number, rows in enumerate(_chunks(count)))
    return np.array([value for task in tasks for value in _finished(root, task.record)], dtype=int)


def _finished(root: Path, record: str) -> Any:
    content = read_record(root, record)
    if content is None:
        raise RunError(f"{root}: the record {record} disappeared; run the same command again")
    return content
