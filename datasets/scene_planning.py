"""`PlanScene`: bring one scene into the dataset's folder and let the protocol plan its views."""

from __future__ import annotations

import os
import re
import shutil
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..sim.processes.whole_files import disk_errors
from ..sim.scene import Scene, check_renderable
from .manifest import SceneRecord
from .plan import Plan
from .recorded_task import RecordedTask
from .rendering_state import RenderState, plan_file, scene_file
from .spec import DatasetSpec, SceneEntry, SceneFile
from .strict import Strict
from .writer import FileRecord, digest, read_record, work_in_progress, write_table


class PlannedScene(Strict):
    """What planning a scene left on disk: its record for the manifest, its categories, its files."""

    scene: SceneRecord
    categories: tuple[str, ...]
    files: tuple[FileRecord, ...]

    @property
    def name(self) -> str:
        """The scene's name."""
        return self.scene.name

    @property
    def file(self) -> str:
        """The scene's ``.glb``, relative to the dataset."""
        assert self.scene.file is not None  # a generated dataset holds its scenes
        return self.scene.file


@dataclass(frozen=True)
class PlanScene(RecordedTask):
    """A task: generate or load a scene, save it under ``scenes/``, and let the protocol plan its views."""

    index: int
    split: str
    entry: SceneEntry

    @property
    def name(self) -> str:
        """What an error message calls it."""
        return f"planning scene {self.entry!r}"

    @property
    def affinity(self) -> str:
        """Every scene on its own."""
        return str(self.index)

    @property
    def record(self) -> str:
        """Where the record of the planned scene lies."""
        return f"plans/{self.index:05d}.json"

    def done(self, root: Path) -> bool:
        """Return whether the scene and its plan are there and whole."""
        return read_record(root, self.record) is not None and all(f.holds(root) for f in self.planned(root).files)

    def planned(self, root: Path) -> PlannedScene:
        """Return what was planned; raises `RunError` where the scene is not planned yet."""
        return PlannedScene.model_validate(self.result(root))

    def work(self, state: RenderState) -> dict[str, Any]:
        """Write the scene and its plan, and return the `PlannedScene`."""
        scene = _checked(_obtain(self.entry, state.spec), self.entry, state.spec)
        plan = state.spec.protocol.plan(scene, self.split, state.spec)
        files = [*_save(scene, state.root), write_table(state.root, plan_file(scene.name), plan.table)]
        record = _record(scene, self.split, self.entry, plan, state.root)
        planned = PlannedScene(scene=record, categories=scene.categories, files=tuple(files))
        return planned.model_dump(mode="json")


def merged_categories(scenes: Sequence[PlannedScene]) -> tuple[str, ...]:
    """Return the dataset's categories: those of all scenes, in order of first appearance, "unknown" first."""
    return tuple(dict.fromkeys(["unknown", *(category for scene in scenes for category in scene.categories)]))


def check_scenes(scenes: Sequence[PlannedScene], spec: DatasetSpec) -> None:
    """Raise `InputError` where two scenes share a name or, under two names, their content."""
    for what in ("name", "sha256"):
        counts = Counter(getattr(scene.scene, what) for scene in scenes)
        for value, count in counts.items():
            if count > 1:
                sources = [f"{s.scene.source!r} in {s.scene.split}" for s in scenes if getattr(s.scene, what) == value]
                raise InputError(f"scenes: {' and '.join(sources)} are the same ({what} {value}); splits are disjoint")


def _obtain(entry: SceneEntry, spec: DatasetSpec) -> Scene:
    if isinstance(entry, int):
        from ..sim.scenes.houses import generate_house

        return generate_house(entry, triangles=spec.scenes.triangles)
    from ..sim.camera_placement.single_room import as_one_room
    from ..sim.habitat.scene_dataset import is_scene_dataset_entry, load_dataset_scene
    from ..sim.scene_files import load_scene

    if isinstance(entry, SceneFile):
        scene = load_scene(Path(entry.file), scale=entry.scale, up=entry.up)
    else:
        scene = load_dataset_scene(entry) if is_scene_dataset_entry(entry) else load_scene(Path(entry))
    return scene if scene.rooms else as_one_room(scene)


def _checked(scene: Scene, entry: SceneEntry, spec: DatasetSpec) -> Scene:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", scene.name):
        raise InputError(
            f"scene {entry!r}: its name {scene.name!r} is no file name; use letters, digits, '.', '_' and '-'"
        )
    for condition in {spec.condition, spec.condition_of("query")}:
        if condition not in scene.conditions:
            known = ", ".join(scene.conditions)
            raise InputError(f"scene {entry!r}: has no condition {condition!r}; it has {known}")
    check_renderable(scene, spec.simulator.name)
    return scene


def _save(scene: Scene, root: Path) -> list[FileRecord]:
    """Save the scene aside, then rename each file into place."""
    from ..sim.scene_files import save_scene

    aside = work_in_progress(root) / uuid.uuid4().hex
    with disk_errors(root / "scenes"):
        aside.mkdir(parents=True)
        (root / "scenes").mkdir(exist_ok=True)
        save_scene(scene, aside)
        records = []
        for file in sorted(aside.iterdir()):
            data = file.read_bytes()
            os.replace(file, root / "scenes" / file.name)
            records.append(FileRecord(f"scenes/{file.name}", len(data), digest(data)))
        shutil.rmtree(aside)
    return records


def _record(scene: Scene, split: str, entry: SceneEntry, plan: Plan, root: Path) -> SceneRecord:
    from ..sim.scene_files import scene_sha256

    file = scene_file(scene.name)
    return SceneRecord(
        name=scene.name,
        split=split,
        source=entry,
        file=file,
        sha256=scene_sha256(root / file),
        triangles=len(scene.triangles),
        rooms=len(scene.rooms),
        skipped_rooms=plan.skipped,
        origin=scene.origin,
    )
