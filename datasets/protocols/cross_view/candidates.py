"""From rendered candidates to views: the second phase of the protocol cross-view.

Three passes over a scene's candidates, each of them tasks with a record on disk: how much each looks like the cluster
centre; which of them become training images, and with them the classes; which class each belongs to. Nothing is held in
memory but one view, the cones of the training images, and a few numbers per candidate.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ....errors import InputError, RunError
from ....sim.camera_placement.navigable import free_floor
from ....sim.geometry import Pose, translation_error
from ...covisibility import read_depth
from ...plan import Decision, PlacesRecord, PlaceStatistics
from ...planning import generator
from ...recorded_task import RecordedTask, SceneTask, ShardTask
from ...rendering import file_paths
from ...rendering_state import RenderState, read_plan, scene_file
from ...spec import DatasetSpec
from ...strict import Strict
from ...views import pose_from_table
from .appearance import describe, nbnn_distance
from .parameters import AppearanceSpace, PlaceParameters
from .places import choose_training_images, place_of, pose_cells, rule, view_angle
from .queries import angle_histogram, drawn_queries
from .statistics import deciles, rooms_in_sight
from .visibility import VisibilityCone

#: The role of a planned view that may become a reference, a query, or nothing.
CANDIDATE = "candidate"

SHARD = 128  # candidates per task: a few seconds of work

Array = NDArray[Any]


class Places(Strict):
    """The classes of one scene: the plan's row of each training image, each point (x, y), the cluster centre, how many
    rooms each training image shows (none where no statistics are kept), and how many candidates were passed over for
    which reason."""

    centre: int | None
    rows: tuple[int, ...]
    points: tuple[tuple[float, float], ...]
    rooms: tuple[int, ...]
    passed_over: dict[str, int]


@dataclass(frozen=True)
class MeasureAppearance(ShardTask):
    """A task: how little some candidates of a scene look like its cluster centre."""

    space: AppearanceSpace

    doing: ClassVar[str] = "appearance"
    folder: ClassVar[str] = "appearance"

    def work(self, state: RenderState) -> list[float | None]:
        """Return the distance of each candidate to the centre, None where it has nothing to compare."""
        table = state.plan(self.scene)
        _, centre = cluster_centre(state, self.scene, self.space)
        distances = [nbnn_distance(_described(state, table, row, self.space), centre) for row in self.rows]
        return [value if np.isfinite(value) else None for value in distances]


@dataclass(frozen=True)
class ChoosePlaces(SceneTask):
    """A task: the training images of one scene, and with them its classes."""

    parameters: PlaceParameters

    doing: ClassVar[str] = "choosing the places"
    folder: ClassVar[str] = "places"

    def work(self, state: RenderState) -> dict[str, Any]:
        """Return the scene's `Places`; raises `InputError` where too few of them can be made."""
        wanted, table = self.parameters, state.plan(self.scene)
        order, centre = _random_order(state.spec, self.scene, len(table)), None
        if wanted.training_images == "similar":
            centre, _ = cluster_centre(state, self.scene, wanted.alike_in)
            compared = _appearance(self.scene, len(table), wanted)
            distance = _joined(state.root, compared, unknown=np.inf)
            order = np.argsort(distance, kind="stable")[: np.isfinite(distance).sum()]
        cells = pose_cells(pose_from_table(table), wanted)
        floor = free_floor(state.scene(scene_file(self.scene))) if wanted.free_floor else None
        chosen = choose_training_images(order, cells, lambda row: _cone(state, table, row), wanted, floor=floor)
        if len(chosen.rows) < wanted.places:
            why = ", ".join(f"{reason}: {count}" for reason, count in chosen.passed_over.items())
            raise InputError(
                f"scene {self.scene}: of {len(table)} candidates in {len(set(cells))} cells, {len(chosen.rows)} can be "
                f"training images of a place each, not {wanted.places} ({why}); ask for fewer places, more views, "
                "smaller cells or a larger house"
            )
        return Places(
            centre=centre,
            rows=tuple(chosen.rows),
            points=tuple((float(x), float(y)) for x, y in chosen.points),
            rooms=() if wanted.as_first_published else self._rooms(state, chosen.rows),
            passed_over=chosen.passed_over,
        ).model_dump(mode="json")

    def _rooms(self, state: RenderState, rows: Sequence[int]) -> tuple[int, ...]:
        table, rooms = state.plan(self.scene), state.scene(scene_file(self.scene)).rooms
        return tuple(rooms_in_sight(_cone(state, table, row), rooms) for row in rows)

    def places(self, root: Path) -> Places:
        """Return what was chosen."""
        return Places.model_validate(self.result(root))


@dataclass(frozen=True)
class AssignPlaces(ShardTask):
    """A task: which class each of some candidates of a scene belongs to."""

    parameters: PlaceParameters

    doing: ClassVar[str] = "places"
    folder: ClassVar[str] = "assigned"

    def work(self, state: RenderState) -> list[int]:
        """Return the class of each candidate, -1 for none."""
        table = state.plan(self.scene)
        points = np.array(ChoosePlaces(self.scene, self.parameters).places(state.root).points)
        return [place_of(_cone(state, table, row), points, self.parameters) for row in self.rows]


def passes_over_candidates(
    parameters: PlaceParameters, root: Path, scenes: Sequence[str]
) -> Iterator[tuple[str, list[RecordedTask]]]:
    """Yield the title and the tasks of each pass over the rendered candidates of ``scenes``; none without any."""
    candidates = {scene: _candidates(read_plan(root, scene)) for scene in scenes}
    here = {scene: count for scene, count in candidates.items() if count}
    if not here:
        return
    if parameters.training_images == "similar":
        yield (
            "comparing candidates",
            [task for scene, count in here.items() for task in _appearance(scene, count, parameters)],
        )
    yield "choosing places", [ChoosePlaces(scene, parameters) for scene in here]
    yield "assigning views", [task for scene, count in here.items() for task in _assigning(scene, count, parameters)]


def decided_views(spec: DatasetSpec, parameters: PlaceParameters, root: Path, scene: str) -> Decision | None:
    """Return what was decided about a scene's candidates: the training images, the queries, and the places.

    Views of no class are left out, and so are queries beyond the limit. None for a scene without candidates.
    """
    table = read_plan(root, scene)
    if not _candidates(table):
        return None
    places = ChoosePlaces(scene, parameters).places(root)
    training = np.array(places.rows)
    assigned = _joined(root, _assigning(scene, len(table), parameters)).astype(int)
    references = pose_from_table(table.iloc[training])
    poses, own = pose_from_table(table), np.maximum(assigned, 0)
    angle, distance = view_angle(poses, references[own]), translation_error(poses, references[own])
    rows = np.setdiff1d(np.flatnonzero(assigned >= 0), training)
    rng = generator(spec, scene, "queries")
    queries = drawn_queries(rows, angle[rows], distance[rows], parameters, rng, scene=scene)
    centre = None if places.centre is None else str(table["view"].iloc[places.centre])
    table["place"] = assigned.astype(np.int32)
    table["role"] = "query"
    table["covisible_reference"] = table["view"].to_numpy()[training][own]
    table["reference_angle"], table["reference_distance"] = angle, distance
    table.loc[training, ["role", "covisible_reference"]] = "reference", ""
    table.loc[training, ["reference_angle", "reference_distance"]] = np.nan
    table.loc[training, "density"] = len(training)
    dropped = int((assigned < 0).sum())
    record = PlacesRecord(
        rule=rule(parameters, spec.camera.horizontal_fov),
        centre=centre,
        points=places.points,
        candidates=len(table),
        dropped=dropped,
        over_limit=len(table) - dropped - len(training) - len(queries),
        views=tuple(np.bincount(assigned[queries], minlength=len(training)).tolist()),
        statistics=None
        if parameters.as_first_published
        else _statistics(places, references, angle[queries], distance[queries]),
    )
    return Decision(table.loc[np.sort(np.concatenate([training, queries]))], record)


def _statistics(places: Places, references: Pose, angle: Array, distance: Array) -> PlaceStatistics:
    """Return what is said of a scene's places: ``angle`` and ``distance`` (Q,) are those of its queries."""
    ahead = np.linalg.norm(np.array(places.points) - references.translation[:, :2], axis=1)
    return PlaceStatistics(
        tried=len(places.rows) + sum(places.passed_over.values()),
        passed_over=places.passed_over,
        point_distance=deciles(ahead),
        rooms_in_sight=places.rooms,
        view_angles=tuple(angle_histogram(angle).tolist()),
        query_distance=deciles(distance),
    )


def cluster_centre(state: RenderState, scene: str, space: AppearanceSpace) -> tuple[int, Array]:
    """Return the row of a scene's cluster centre and its descriptors: the first candidate, in random order, with any.

    Raises `InputError` where all are blank.
    """
    table = state.plan(scene)
    for row in _random_order(state.spec, scene, len(table)):
        if len(descriptors := _described(state, table, int(row), space)):
            return int(row), descriptors
    raise InputError(f"scene {scene}: no view of it shows any texture, so that none look alike")


def _random_order(spec: DatasetSpec, scene: str, count: int) -> Array:
    return generator(spec, scene, "cluster").permutation(count)


def _described(state: RenderState, table: pd.DataFrame, row: int, space: AppearanceSpace) -> Array:
    path = state.root / file_paths(state.spec, table["view"].iloc[row])["rgb"]
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise RunError(f"{path}: disappeared while the dataset was generated; run the same command again")
    return describe(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), space)


def _cone(state: RenderState, table: pd.DataFrame, row: int) -> VisibilityCone:
    path = state.root / file_paths(state.spec, table["view"].iloc[row])["depth"]
    return VisibilityCone.of(
        read_depth(path, state.spec.depth_unit), pose_from_table(table.iloc[[row]])[0], state.spec.camera.camera
    )


def _candidates(plan: pd.DataFrame) -> int:
    """Return how many candidates a plan has: all of its views, or none of a scene to learn from."""
    return int((plan["role"] == CANDIDATE).sum())


def _chunks(count: int) -> list[tuple[int, ...]]:
    return [tuple(range(start, min(start + SHARD, count))) for start in range(0, count, SHARD)]


def _appearance(scene: str, count: int, parameters: PlaceParameters) -> list[MeasureAppearance]:
    space = parameters.alike_in
    return [MeasureAppearance(scene, number, rows, space) for number, rows in enumerate(_chunks(count))]


def _assigning(scene: str, count: int, parameters: PlaceParameters) -> list[AssignPlaces]:
    return [AssignPlaces(scene, number, rows, parameters) for number, rows in enumerate(_chunks(count))]


def _joined(root: Path, tasks: Sequence[ShardTask], *, unknown: float = np.nan) -> Array:
    """Return what the tasks found, candidate by candidate."""
    return np.array([unknown if value is None else value for task in tasks for value in task.result(root)])
