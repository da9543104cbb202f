"""`check`: is a dataset what its manifest says, and do its depth maps and poses describe one world?"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import InputError
from ..sim.processes.executor import Executor, Unit
from ..sim.processes.local import LocalProcesses
from .check_views import CheckState, CheckViews, FileCheck, ViewsResult
from .dataset import CHECKSUMS, OVERVIEW, VIEWS, Dataset
from .manifest import MANIFEST
from .views import POSE_COLUMNS
from .writer import WORK

MEDIAN_METRES = 1e-3
MEDIAN_PIXELS = 0.05
LEAST_AGREEMENT = 0.98  # in a sound dataset of furnished houses no pair of views falls below 0.995
#: A view is named, even where its scene's median is fine, when a quarter of its residuals are as large as this: one
#: wrong pose slides along walls and floor unseen, but never along all of them.
VIEW_METRES = 1e-3

_GROUP = 64  # views that are verified, and paired, by one task
_NORM_TOLERANCE = 1e-6


@dataclass(frozen=True)
class SceneGeometry:
    """The reprojection residuals of one scene, every pair of views weighing the same, in metres and in pixels;
    ``agreement`` is the share of comparable points that agree."""

    scene: str
    pairs: int
    points: int
    median_metres: float
    p95_metres: float
    median_pixels: float
    p95_pixels: float
    agreement: float

    @classmethod
    def of(cls, scene: str, pairs: pd.DataFrame) -> SceneGeometry:
        """Summarize the pairs of a scene (see `ViewsResult`)."""
        metres, pixels = (np.concatenate(pairs[unit].to_list()) for unit in ("metres", "pixels"))
        agreeing, contradictions = int(pairs["points"].sum()), int(pairs["contradictions"].sum())
        return cls(
            scene,
            len(pairs),
            agreeing,
            median_metres=_percentile(metres, 50),
            p95_metres=_percentile(metres, 95),
            median_pixels=_percentile(pixels, 50),
            p95_pixels=_percentile(pixels, 95),
            agreement=agreeing / (agreeing + contradictions),
        )


def _percentile(values: NDArray[Any], share: float) -> float:
    """Return a percentile, infinity where there is no value: nothing agreed."""
    return float(np.percentile(values, share)) if len(values) else float("inf")


@dataclass(frozen=True, eq=False)
class CheckReport:
    """What `check` found: problems, one line each, and the geometry of every scene with overlapping views.

    ``compared`` of the ``views`` overlap another one enough for their poses to be tested by reprojection.
    """

    folder: Path
    views: int
    compared: int
    files: int
    problems: tuple[str, ...]
    scenes: tuple[SceneGeometry, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    @property
    def verdict(self) -> str:
        """One line: sound, or the first problem and how many there are."""
        if self.ok:
            tested = f"{self.compared} views agree with their neighbours" if self.scenes else "no two views to compare"
            return f"sound: {self.views} views, {self.files} files; {tested}"
        more = f" (and {len(self.problems) - 1} more problems)" if len(self.problems) > 1 else ""
        return self.problems[0] + more


def check(
    folder: str | Path, *, pairs_per_view: int = 2, jobs: int | None = None, executor: Executor | None = None
) -> CheckReport:
    """Verify a dataset: every file's digest, sizes and ranges, poses, splits, and geometry.

    Every view is compared with the ``pairs_per_view`` views of its room whose frusta overlap its own most. Raises
    `InputError` where the folder holds no complete dataset of this version, or its manifest or tables were changed;
    everything else that is wrong is a line in the report's ``problems``.
    """
    dataset = Dataset.open(Path(folder).resolve())
    table = dataset.views.table
    problems = [*_table_problems(dataset, table), *_file_list_problems(dataset, table)]
    if any(_bad_poses(table)):
        return CheckReport(dataset.root, len(table), 0, 0, tuple(problems), ())
    tasks: list[Unit] = [*_scene_file_tasks(dataset), *_view_tasks(dataset, table, pairs_per_view)]
    with executor or LocalProcesses(jobs=jobs) as executor:
        results = [result for _, result in executor.run(tasks, CheckState(dataset))]
    results.sort(key=lambda result: result.number)
    problems += [problem for result in results for problem in result.problems]
    scenes = _scenes(results)
    if dataset.manifest.spec is not None:  # exact depth is what a simulator promises, not a sensor
        problems += _geometry_problems(scenes, results, dataset.manifest.depth_unit)
    compared = sum(len(set(result.pairs["view"]) | set(result.pairs["partner"])) for result in results)
    files = sum(result.files for result in results)
    return CheckReport(dataset.root, len(table), compared, files, tuple(problems), scenes)


def _table_problems(dataset: Dataset, table: pd.DataFrame) -> Iterator[str]:
    where = dataset.root / VIEWS
    if len(table) != dataset.manifest.views:
        yield f"{where}: has {len(table)} rows, {MANIFEST} says {dataset.manifest.views}"
    for view in table["view"][table["view"].duplicated()]:
        yield f"{where}: view {view} occurs twice"
    for view in table["view"][_bad_poses(table)]:
        yield f"{where}: the pose of view {view} is no rotation (its quaternion's norm is not 1) or is not finite"
    splits = table.groupby("scene")["split"].nunique()
    for scene in splits.index[splits > 1]:
        yield f"{where}: scene {scene} occurs in several splits; splits are disjoint"
    recorded = {record.name: record.split for record in dataset.manifest.scenes}
    for scene, split in table.groupby("scene")["split"].first().items():
        if recorded.get(str(scene)) != split:
            yield f"{where}: scene {scene} is in split {split}, {MANIFEST} says {recorded.get(str(scene))}"
    hashes = pd.Series({record.name: record.sha256 for record in dataset.manifest.scenes if record.sha256})
    for scene in hashes.index[hashes.duplicated()]:
        yield f"{dataset.root / MANIFEST}: scene {scene} is the same as another one under a second name"
    references = set(table["view"][table["role"] == "reference"])
    for view in table["covisible_reference"][table["covisible_reference"] != ""]:
        if view not in references:
            yield f"{where}: names {view} as a reference, and there is none"
    place = table.set_index("view")["place"]
    of_another = table[table["covisible_reference"].isin(references)]
    of_another = of_another[place[of_another["covisible_reference"]].to_numpy() != of_another["place"]]
    for view in of_another["view"]:
        yield f"{where}: view {view} is compared with a reference of another place than its own"
    outside = table["covisibility"].notna() & ~table["covisibility"].between(0, 1)
    for view in table["view"][outside]:
        yield f"{where}: the covisibility of view {view} is not in [0, 1]"


def _bad_poses(table: pd.DataFrame) -> pd.Series:
    values = table[POSE_COLUMNS].to_numpy(dtype=np.float64)
    norm = np.linalg.norm(values[:, :4], axis=1)
    good = np.isfinite(values).all(axis=1) & (np.abs(norm - 1) < _NORM_TOLERANCE) & (values[:, 0] >= 0)
    return pd.Series(~good, index=table.index)


def _file_list_problems(dataset: Dataset, table: pd.DataFrame) -> Iterator[str]:
    """Compare the checksums with the views and with what is on disk; missing files show when they are read."""
    listed = set(dataset.checksums()["path"])
    wanted = {path for column in ("image", "depth", "semantic") for path in table[column] if path}
    for path in sorted(wanted - listed):
        yield f"{dataset.root / CHECKSUMS}: has no line for {path}, which {VIEWS} names"
    expected = listed | {MANIFEST, CHECKSUMS, OVERVIEW}
    for path in _walk(dataset.root):
        if path not in expected:
            yield f"{dataset.root / path}: does not belong to the dataset; remove it"


def _walk(root: Path) -> Iterator[str]:
    for folder, subfolders, files in os.walk(root):
        subfolders[:] = sorted(name for name in subfolders if Path(folder, name) != root / WORK)
        for name in sorted(files):
            yield Path(folder, name).relative_to(root).as_posix()


def _scene_file_tasks(dataset: Dataset) -> list[FileCheck]:
    checksums = dataset.checksums()
    scenes = checksums[checksums["path"].str.startswith("scenes/")]
    return [FileCheck(-1, path, blake2b) for path, blake2b in zip(scenes["path"], scenes["blake2b"], strict=True)]


def _view_tasks(dataset: Dataset, table: pd.DataFrame, pairs_per_view: int) -> list[CheckViews]:
    """Cut every room into groups of random views: views that overlap then meet, and a group fits into memory."""
    digests = dataset.checksums().set_index("path")["blake2b"]
    tasks: list[CheckViews] = []
    for rows in table.groupby(["scene", "room"], sort=False).indices.values():
        scene = str(table["scene"].iloc[rows[0]])
        shuffled = np.random.default_rng(len(tasks)).permutation(rows)
        for start in range(0, len(rows), _GROUP):
            group = table.iloc[np.sort(shuffled[start : start + _GROUP])]
            files = [path for column in ("image", "depth", "semantic") for path in group[column] if path]
            known = {path: str(digests[path]) for path in files if path in digests.index}
            tasks.append(CheckViews(len(tasks), scene, group, known, pairs_per_view))
    return tasks


def _scenes(results: Sequence[ViewsResult]) -> tuple[SceneGeometry, ...]:
    names = dict.fromkeys(result.scene for result in results if len(result.pairs))
    pairs = {name: pd.concat([result.pairs for result in results if result.scene == name]) for name in names}
    return tuple(SceneGeometry.of(name, table) for name, table in pairs.items())


def _geometry_problems(
    scenes: Sequence[SceneGeometry], results: Sequence[ViewsResult], depth_unit: float
) -> Iterator[str]:
    metres = max(MEDIAN_METRES, depth_unit)  # what is stored in coarse steps agrees to within them
    for scene in scenes:
        where = f"scene {scene.scene}: the median reprojection residual is"
        if not scene.median_metres < metres:
            yield f"{where} {scene.median_metres * 1e3:.2f} mm, not below {metres * 1e3:g} mm"
        if not scene.median_pixels < MEDIAN_PIXELS:
            yield f"{where} {scene.median_pixels:.3f} px, not below {MEDIAN_PIXELS:g} px"
        if scene.agreement < LEAST_AGREEMENT:
            yield f"scene {scene.scene}: only {scene.agreement:.0%} of the points that two views share agree in depth"
    for result in results:
        for view, evidence in result.suspicious(metres=max(VIEW_METRES, 2 * depth_unit), agreement=LEAST_AGREEMENT):
            yield f"view {view}: contradicts its neighbours by {evidence}: its pose or its depth is wrong"


def raise_if_unsound(report: CheckReport) -> None:
    """Raise `InputError` with the verdict where a report lists problems."""
    if not report.ok:
        raise InputError(f"{report.folder}: {report.verdict}")
