"""The comparison finds what it must find, and nothing where two simulators show the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from relocbench.errors import InputError
from relocbench.sim.agreement import Agreement, PairAgreement, compare, compare_views, named_scene, near_edge
from relocbench.sim.diagnosis import diagnose
from relocbench.sim.geometry import Camera, Pose
from relocbench.sim.raycast import Raycaster
from relocbench.sim.scene import Scene
from relocbench.sim.scene_files import save_scene
from relocbench.sim.simulator import Observation, Simulator
from relocbench.sim.simulators import SIMULATORS, open_simulator

CAMERA = Camera.from_fov(160, 120, 80.0)


class Wrong(Raycaster):
    """A ray caster that gets one thing wrong: where the camera is, or what it saw."""

    def __init__(
        self,
        *,
        camera: Callable[[Camera], Camera] = lambda camera: camera,
        true_from_wrong: np.ndarray | None = None,
        seen: Callable[[Observation], Observation] = lambda observation: observation,
    ) -> None:
        super().__init__()
        self.camera, self.seen = camera, seen
        self.offset = Pose(np.eye(4) if true_from_wrong is None else true_from_wrong)

    def render(self, poses: Pose, camera: Camera, outputs: frozenset[str]) -> Iterator[Observation]:
        for observation in super().render(poses @ self.offset, self.camera(camera), outputs - {"rgb"}):
            yield self.seen(observation)


def moved(x: float = 0.0, y: float = 0.0, z: float = 0.0) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, 3] = x, y, z
    return matrix


def turned(degrees: float) -> np.ndarray:
    """Roll about the optical axis."""
    matrix, angle = np.eye(4), np.radians(degrees)
    matrix[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    return matrix


def against_truth(scene: Scene, other: Simulator) -> Agreement:
    return compare(scene, {"right": Wrong(), "other": other}, condition="day", camera=CAMERA)


def only_pair(agreement: Agreement) -> PairAgreement:
    (pair,) = agreement.pairs
    return pair


def test_a_simulator_agrees_with_itself(box_room: Scene) -> None:
    agreement = against_truth(box_room, Wrong())
    pair = only_pair(agreement)
    assert agreement.complaints == []
    assert pair.depth_p99 == pair.relative_p99 == pair.hit_by_one == 0
    assert pair.category == pair.instance == 1
    assert pair.compared > 0.8  # most of a room is no edge, and all of it is compared


@pytest.mark.parametrize(
    "offset", [moved(x=0.01), moved(y=0.01), moved(z=0.01), turned(1.0)], ids=["right", "down", "ahead", "rolled"]
)
def test_a_camera_off_by_a_centimetre_or_a_degree_is_found(box_room: Scene, offset: np.ndarray) -> None:
    agreement = against_truth(box_room, Wrong(true_from_wrong=offset))
    assert only_pair(agreement).depth_median > 1e-3
    assert "right and other: median depth difference" in agreement.complaints[0]


def test_a_principal_point_off_by_half_a_pixel_is_found(box_room: Scene) -> None:
    agreement = against_truth(box_room, Wrong(camera=lambda camera: replace(camera, cx=camera.cx + 0.5)))
    assert agreement.complaints


def test_distance_instead_of_depth_is_found(box_room: Scene) -> None:
    stretch = np.linalg.norm(CAMERA.rays(), axis=-1).astype(np.float32)
    agreement = against_truth(box_room, Wrong(seen=lambda o: replace(o, depth=o.depth * stretch)))
    assert only_pair(agreement).relative_median > 0.1
    assert agreement.complaints


@pytest.mark.parametrize("label", ["semantic", "instance"])
def test_a_swapped_label_is_found_and_only_that(box_room: Scene, label: str) -> None:
    def swapped(observation: Observation) -> Observation:
        labels: Any = getattr(observation, label).copy()
        one, other = (3, 2) if label == "semantic" else (1, 2)
        labels[getattr(observation, label) == one], labels[getattr(observation, label) == other] = other, one
        return replace(observation, **{label: labels})

    pair = only_pair(against_truth(box_room, Wrong(seen=swapped)))
    assert len(pair.complaints) == 1
    assert pair.complaints[0].startswith("equal categories" if label == "semantic" else "equal objects")
    assert pair.depth_p99 == 0


def test_a_wall_that_one_does_not_show_is_found(box_room: Scene) -> None:
    def without_walls(observation: Observation) -> Observation:
        wall = observation.semantic == 1
        return Observation(
            depth=np.where(wall, 0, observation.depth),
            semantic=np.where(wall, 0, observation.semantic),
            instance=np.where(wall, 0, observation.instance),
        )

    pair = only_pair(against_truth(box_room, Wrong(seen=without_walls)))
    assert pair.depth_p99 == 0  # what both show is in place
    assert pair.hit_by_one > 0.1
    assert {complaint.split()[1] for complaint in pair.complaints} == {"categories", "objects"}


def test_seeing_nothing_is_no_agreement() -> None:
    shape = (24, 32)
    nothing = Observation(
        depth=np.zeros(shape, np.float32), semantic=np.zeros(shape, np.uint16), instance=np.zeros(shape, np.uint32)
    )
    assert len(compare_views("one", "other", [nothing], [nothing]).complaints) == 3


def test_edges_are_left_out_on_both_sides_and_slopes_are_not() -> None:
    step = np.full((9, 20), 2.0)
    step[:, 10:] = 3.0
    assert np.flatnonzero(near_edge(step)[4]).tolist() == [8, 9, 10, 11]
    miss = np.full((9, 20), 2.0)
    miss[:, 10:] = 0.0
    assert np.flatnonzero(near_edge(miss)[4]).tolist() == [8, 9, 10, 11]
    slope = np.linspace(2.0, 3.0, 20) * np.ones((9, 1))
    assert not near_edge(slope).any()
    assert not near_edge(np.zeros((9, 20))).any()


def test_every_pair_is_compared_in_the_same_poses(box_room: Scene) -> None:
    asked = []
    simulators = {name: Wrong() for name in ("a", "b", "c")}
    agreement = compare(box_room, simulators, condition="evening", count=2, camera=CAMERA, progress=asked.append)
    assert [(pair.first, pair.second) for pair in agreement.pairs] == [("a", "b"), ("a", "c"), ("b", "c")]
    assert asked == ["a", "a", "b", "b", "c", "c"]


def test_what_cannot_be_compared_is_said(box_room: Scene) -> None:
    with pytest.raises(InputError, match="takes two simulators, not raycast"):
        compare(box_room, {"raycast": Raycaster()}, condition="day")
    both = {"raycast": Raycaster(), "again": Raycaster()}
    with pytest.raises(InputError, match=r"no condition 'fog'; choose one of: day, evening"):
        compare(box_room, both, condition="fog")
    with pytest.raises(InputError, match="no such file"):
        named_scene("missing.glb")


def test_a_scene_is_named_by_its_file(box_room: Scene, tmp_path: Path) -> None:
    assert named_scene(str(save_scene(box_room, tmp_path))).name == box_room.name


@pytest.mark.slow
def test_a_house_is_named_by_its_seed() -> None:
    assert named_scene("7").generator["seed"] == 7


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in SIMULATORS.names() if name != "raycast"])
def test_installed_simulators_agree_with_the_ray_caster(box_room: Scene, name: str) -> None:
    problem = diagnose(name).problem
    if problem:
        pytest.skip(problem)
    with closing(open_simulator(name)) as other:
        agreement = against_truth(box_room, other)
    assert agreement.complaints == []
    assert only_pair(agreement).compared > 0.8
