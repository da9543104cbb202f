"""The worker that renders with habitat-sim: it does what it is told in habitat-sim's own conventions.

Runs under the interpreter that has habitat-sim (Python 3.9 with the conda packages) and imports nothing of relocbench.
World and cameras are y up here, the camera looks along -z; who calls has converted.
"""

import contextlib
import importlib.util
import os
import sys

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
serving = importlib.util.module_from_spec(spec)
spec.loader.exec_module(serving)

SENSORS = {"rgb": SensorType.COLOR, "depth": SensorType.DEPTH, "instance": SensorType.SEMANTIC}
WATCHING, RENDERING = 0, 1  # agents: one keeps what the scene was loaded for, the other has the sensors in use
TINY = {"width": 8, "height": 8, "hfov": 90.0, "near": 0.05, "outputs": sorted(SENSORS)}


class Stage:
    """The one simulator that is open at a time: two would abort at exit."""

    def __init__(self):
        self.simulator = None
        self.view = None
        self.backend = None
        self.background = (0.0, 0.0, 0.0)

    def close(self):
        """Close the simulator, if one is open."""
        if self.simulator is not None:
            self.simulator.close()
        self.simulator = self.view = None

    def open(self, scene, dataset, background=(0.0, 0.0, 0.0)):
        """Load a scene; raises ``Refusal`` where habitat-sim does not know it."""
        self.close()
        self.background = background
        self.backend = {"scene": scene_handle(scene, dataset) if dataset else scene, "dataset": dataset}
        self.simulator = habitat_sim.Simulator(self.configuration(TINY))
        self.view = TINY

    def aim(self, view):
        """Make the sensors those of ``view``; the scene stays loaded, because nothing else is configured."""
        if view != self.view:
            self.simulator.reconfigure(self.configuration(view))
            self.view = view

    def configuration(self, view):
        """Return the configuration of the loaded scene with sensors for ``view``."""
        backend = habitat_sim.SimulatorConfiguration()
        backend.scene_id = self.backend["scene"]
        if self.backend["dataset"]:
            backend.scene_dataset_config_file = self.backend["dataset"]
        backend.gpu_device_id = -1  # whichever there is: any other number ends a process without CUDA
        backend.enable_physics = False
        backend.random_seed = 0
        backend.load_semantic_mesh = True
        return habitat_sim.Configuration(backend, [self.agent(TINY), self.agent(view)])

    def agent(self, view):
        """Return an agent that consists of nothing but its cameras."""
        agent = habitat_sim.agent.AgentConfiguration()
        agent.sensor_specifications = [self.sensor(output, view) for output in view["outputs"]]
        return agent

    def sensor(self, output, view):
        """Return a pinhole camera at the agent's origin; the default one sits 1.5 m above it."""
        sensor = CameraSensorSpec()
        sensor.uuid = output
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


def scene_handle(scene, dataset):
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
    return found[0]


def open_worker(fields, arrays):
    """Nothing to prepare: options come with each view, threads were counted at the start."""
    return {}, {}


def load(fields, arrays):
    """Make a stage, or a scene of a dataset, the one that is rendered."""
    stage.open(fields["scene"], fields.get("dataset"), tuple(fields["background"]))
    return {}, {}


def render(fields, arrays):
    """Return what the sensors see from one place."""
    if stage.simulator is None:
        raise serving.Refusal("no scene is loaded")
    stage.aim({key: fields[key] for key in TINY})
    position, rotation = np.array(fields["position"], np.float64), quaternion.quaternion(*fields["rotation"])
    state = habitat_sim.AgentState(position, rotation)
    for output in fields["outputs"]:
        state.sensor_states[output] = habitat_sim.SixDOFPose(position, rotation)
    stage.simulator.get_agent(RENDERING).set_state(state, infer_sensor_states=False)
    seen = stage.simulator.get_sensor_observations(agent_ids=RENDERING)
    return {}, {output: seen[output] for output in fields["outputs"]}


def survey(fields, arrays):
    """Return a scene's navigable mesh, island by island, and its objects.

    A mesh that comes with the scene is taken as it is; where there is none, one is made for the given agent.
    """
    stage.open(fields["scene"], fields["dataset"])
    finder, made = stage.simulator.pathfinder, False
    if not finder.is_loaded:
        wanted = habitat_sim.NavMeshSettings()
        wanted.set_defaults()
        wanted.agent_radius, wanted.agent_height = fields["agent_radius"], fields["agent_height"]
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
        "scene": stage.backend["scene"],
        "objects": [_object(item) for item in _objects()],
    }
    return described, {
        "vertices": np.concatenate(vertices or [np.zeros((0, 3))]),
        "triangles": np.concatenate(triangles or [np.zeros((0, 3), np.int64)]),
        "islands": np.concatenate(islands or [np.zeros(0, np.int64)]),
    }


def _objects():
    semantics = stage.simulator.semantic_scene
    return [item for item in semantics.objects if item is not None] if semantics is not None else []


def _object(item):
    category = item.category.name() if item.category is not None else ""
    return {"id": int(item.semantic_id), "name": str(item.id), "category": str(category)}


def renderer():
    """Return what draws, as OpenGL names it."""
    stage.backend = {"scene": "NONE", "dataset": None}
    stage.simulator = habitat_sim.Simulator(stage.configuration(TINY))
    try:
        import magnum

        return str(magnum.gl.Context.current.renderer_string)
    except (ImportError, AttributeError, RuntimeError):
        return "OpenGL, with CUDA" if habitat_sim.cuda_enabled else "OpenGL"
    finally:
        stage.close()


if __name__ == "__main__":
    with contextlib.redirect_stdout(sys.stderr):
        hello = {
            "name": "habitat",
            "versions": {"habitat_sim": habitat_sim.__version__, "numpy": np.__version__},
            "renderer": renderer(),
        }
    operations = {"open": open_worker, "load": load, "render": render, "survey": survey}
    serving.serve(operations, hello)
