"""The worker that renders with habitat-sim: it does what it is told in habitat-sim's own conventions.

Runs under the interpreter that has habitat-sim (Python 3.9 with the conda packages) and imports nothing of relocbench.
World and cameras are y up here, the camera looks along -z; who calls has converted.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import json
import os
import re
import tempfile
from collections.abc import Iterator
from typing import Any

threads = int(os.environ.get("RELOCBENCH_THREADS", "1"))
if threads > 0:  # both count their threads when they are loaded
    os.environ["LP_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = str(threads)
for quiet in ("HABITAT_SIM_LOG", "MAGNUM_LOG", "GLOG_minloglevel"):
    os.environ.setdefault(quiet, "2" if quiet.startswith("GLOG") else "quiet")

import habitat_sim  # noqa: E402
import numpy as np  # noqa: E402
import quaternion  # noqa: E402 - numpy-quaternion, which habitat-sim depends on
from habitat_sim.sensor import CameraSensorSpec, SensorSubType, SensorType  # noqa: E402

spec = importlib.util.spec_from_file_location("relocbench_serving", os.environ["RELOCBENCH_SERVING"])
assert spec is not None
assert spec.loader is not None
serving = importlib.util.module_from_spec(spec)
spec.loader.exec_module(serving)

SENSORS = {"rgb": SensorType.COLOR, "depth": SensorType.DEPTH, "instance": SensorType.SEMANTIC}
RENDERING = 1  # the agent with the sensors in use; agent 0 keeps one of each, so that all of a scene stays loaded
View = dict[str, Any]
Reply = tuple[dict[str, Any], dict[str, Any]]
TINY: View = {"width": 8, "height": 8, "hfov": 90.0, "near": 0.05, "outputs": sorted(SENSORS)}


class Stage:
    """The one simulator that is open at a time: two would abort at exit."""

    def __init__(self) -> None:
        self.simulator: Any = None
        self.view: View = TINY
        self.scene = "NONE"  # habitat-sim's name for a world without anything in it
        self.dataset: str | None = None
        self.background: tuple[float, ...] = (0.0, 0.0, 0.0)

    def close(self) -> None:
        """Close the simulator, if one is open."""
        if self.simulator is not None:
            self.simulator.close()
        self.simulator = None

    def open(self, scene: str, dataset: str | None, background: tuple[float, ...] = (0.0, 0.0, 0.0)) -> None:
        """Load a scene; raises ``Refusal`` where habitat-sim does not know it."""
        self.close()
        self.background, self.dataset = background, dataset
        self.scene = scene_handle(scene, dataset) if dataset else scene
        self.view = TINY
        with without_image_based_light():
            self.simulator = habitat_sim.Simulator(self.configuration(TINY))
        template = self.simulator.get_stage_initialization_template()
        if template is not None and not template.force_flat_shading and "flat" not in str(template.shader_type).lower():
            self.close()  # a scene with lights of its own: once more, with all of them
            self.simulator = habitat_sim.Simulator(self.configuration(TINY))

    def aim(self, view: View) -> None:
        """Make the sensors those of ``view``; the scene stays loaded, because nothing else is configured."""
        if view != self.view:
            self.simulator.reconfigure(self.configuration(view))
            self.view = view

    def configuration(self, view: View) -> Any:
        """Return the configuration of the loaded scene with sensors for ``view``."""
        backend = habitat_sim.SimulatorConfiguration()
        backend.scene_id = self.scene
        if self.dataset:
            backend.scene_dataset_config_file = self.dataset
        backend.gpu_device_id = -1  # whichever there is: any other number ends a process without CUDA
        backend.enable_physics = False
        backend.random_seed = 0
        backend.load_semantic_mesh = True
        return habitat_sim.Configuration(backend, [self.agent(TINY), self.agent(view)])

    def agent(self, view: View) -> Any:
        """Return an agent that consists of nothing but its cameras."""
        agent = habitat_sim.agent.AgentConfiguration()
        agent.sensor_specifications = [self.sensor(output, view) for output in view["outputs"]]
        return agent

    def sensor(self, output: str, view: View) -> Any:
        """Return a pinhole camera at the agent's origin; the default one sits 1.5 m above it."""
        sensor = CameraSensorSpec()
        sensor.uuid = sensor_name(output, view)
        sensor.sensor_type = SENSORS[output]
        sensor.sensor_subtype = SensorSubType.PINHOLE
        sensor.resolution = [view["height"], view["width"]]
        sensor.hfov = view["hfov"]
        sensor.near, sensor.far = view["near"], 1000.0
        sensor.position = [0.0, 0.0, 0.0]
        if output == "rgb":
            sensor.clear_color = [*self.background, 1.0]
        return sensor


stage = Stage()


@contextlib.contextmanager
def without_image_based_light() -> Iterator[None]:
    """Keep a simulator that starts in here from computing light that a flat stage does not show, for half a minute.

    habitat-sim reads its default configuration from this place below the working folder, or makes one up.
    """
    before = os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(os.path.join(folder, "data"))
        with open(os.path.join(folder, "data", "default.pbr_config.json"), "w") as file:
            json.dump({"enable_ibl": False, "ibl_blut_filename": "none", "ibl_envmap_filename": "none"}, file)
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(before)


def sensor_name(output: str, view: View) -> str:
    """Return a name that no other view's sensor has: habitat-sim takes sensors of one name for the same."""
    return "{output} {width} x {height}, {hfov!r} degrees from {near!r} m".format(output=output, **view)


def scene_handle(scene: str, dataset: str) -> str:
    """Return the full handle of the one scene of a dataset whose handle contains ``scene``, or is called so."""
    if not os.path.isfile(dataset):
        raise serving.Refusal(dataset + ": no such file; give the path of a .scene_dataset_config.json")
    backend = habitat_sim.SimulatorConfiguration()
    backend.scene_dataset_config_file = dataset
    mediator = habitat_sim.metadata.MetadataMediator(backend)
    mediator.active_dataset = dataset
    handles = list(mediator.get_scene_handles())
    if not any(scene in handle for handle in handles):
        handles = list(mediator.stage_template_manager.get_template_handles())
    found = [handle for handle in handles if scene in handle]
    exact = [handle for handle in found if os.path.basename(handle).split(".")[0] == scene]
    found = exact if len(exact) == 1 else found
    if len(found) != 1:
        known = ", ".join(sorted(os.path.basename(handle) for handle in found or handles)[:8])
        problem = "several scenes are called so" if found else "no such scene in it"
        raise serving.Refusal(f"{dataset}#{scene}: {problem}; choose one of: {known}, ...")
    return str(found[0])


def open_worker(fields: dict[str, Any], arrays: Any) -> Reply:
    """Nothing to prepare: options come with each view, threads were counted at the start."""
    return {}, {}


def load(fields: dict[str, Any], arrays: Any) -> Reply:
    """Make a stage, or a scene of a dataset, the one that is rendered."""
    stage.open(fields["scene"], fields.get("dataset"), tuple(fields["background"]))
    return {}, {}


def render(fields: dict[str, Any], arrays: Any) -> Reply:
    """Return what the sensors see from one place."""
    if stage.simulator is None:
        raise serving.Refusal("no scene is loaded")
    stage.aim({key: fields[key] for key in TINY})
    position, rotation = np.array(fields["position"], np.float64), quaternion.quaternion(*fields["rotation"])
    state = habitat_sim.AgentState(position, rotation)
    sensors = {output: sensor_name(output, stage.view) for output in fields["outputs"]}
    for sensor in sensors.values():
        state.sensor_states[sensor] = habitat_sim.SixDOFPose(position, rotation)
    stage.simulator.get_agent(RENDERING).set_state(state, infer_sensor_states=False)
    seen = stage.simulator.get_sensor_observations(agent_ids=RENDERING)
    return {}, {output: seen[sensor] for output, sensor in sensors.items()}


def survey(fields: dict[str, Any], arrays: Any) -> Reply:
    """Return a scene's navigable mesh, island by island, and its objects.

    A mesh that comes with the scene is taken as it is; where there is none, one is made for the given agent.
    """
    stage.open(fields["scene"], fields["dataset"])
    finder, made = stage.simulator.pathfinder, False
    if not finder.is_loaded:
        wanted = habitat_sim.NavMeshSettings()
        wanted.set_defaults()
        wanted.agent_radius, wanted.agent_height = fields["agent_radius"], fields["agent_height"]
        wanted.cell_height = wanted.cell_size  # heights are rounded to cells, and the default ones are 0.2 m high
        if not stage.simulator.recompute_navmesh(finder, wanted):
            raise serving.Refusal("no navigable mesh lies beside the scene, and none could be made")
        made = True
    settings = finder.nav_mesh_settings
    vertices, triangles, islands, start = [], [], [], 0
    for island in range(finder.num_islands):
        points = np.array(finder.build_navmesh_vertices(island), np.float64).reshape(-1, 3)
        corners = np.array(finder.build_navmesh_vertex_indices(island), np.int64).reshape(-1, 3)
        vertices.append(points)
        triangles.append(corners + start)
        islands.append(np.full(len(corners), island))
        start += len(points)
    described = {
        "made": made,
        "agent_radius": float(settings.agent_radius) if settings is not None else 0.0,
        "agent_height": float(settings.agent_height) if settings is not None else 0.0,
        "scene": stage.scene,
        "objects": [_object(item) for item in _objects()],
    }
    return described, {
        "vertices": np.concatenate(vertices or [np.zeros((0, 3))]),
        "triangles": np.concatenate(triangles or [np.zeros((0, 3), np.int64)]),
        "islands": np.concatenate(islands or [np.zeros(0, np.int64)]),
    }


def _objects() -> list[Any]:
    semantics = stage.simulator.semantic_scene
    return [item for item in semantics.objects if item is not None] if semantics is not None else []


def _object(item: Any) -> dict[str, Any]:
    category = item.category.name() if item.category is not None else ""
    return {"id": int(item.semantic_id), "name": str(item.id), "category": str(category)}


def renderer() -> str:
    """Return what draws, as OpenGL names it: habitat-sim only prints that, when its first context is made."""
    os.environ["MAGNUM_LOG"] = "verbose"
    with tempfile.TemporaryFile() as printed:
        before = os.dup(1)
        os.dup2(printed.fileno(), 1)
        try:
            stage.open("NONE", None)
            stage.close()
            ctypes.CDLL(None).fflush(None)
        finally:
            os.dup2(before, 1)
            os.close(before)
            os.environ["MAGNUM_LOG"] = "quiet"
        printed.seek(0)
        found = re.search(r"Renderer: (.+)", printed.read().decode(errors="replace"))
    return found[1].strip() if found else "OpenGL"


if __name__ == "__main__":
    hello = {
        "name": "habitat",
        "versions": {"habitat_sim": habitat_sim.__version__, "numpy": np.__version__},
        "renderer": renderer(),
    }
    operations = {"open": open_worker, "load": load, "render": render, "survey": survey}
    serving.serve(operations, hello)
