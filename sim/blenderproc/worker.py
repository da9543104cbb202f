"""What runs beside Blender: import blenderproc, hold one scene, and render the views that are asked for."""
# A launcher (`blenderproc run`) demands the words "import blenderproc" in the first line that is no comment.

import contextlib
import importlib.util
import os
import platform
import struct
import sys
import sysconfig
import tempfile
import types
from typing import Any

import numpy as np

spec = importlib.util.spec_from_file_location("relocbench_serving", os.environ["RELOCBENCH_SERVING"])
assert spec is not None
assert spec.loader is not None
serving = importlib.util.module_from_spec(spec)
spec.loader.exec_module(serving)

_INSIDE = "INSIDE_OF_THE_INTERNAL_BLENDER_PYTHON_ENVIRONMENT"  # set by `blenderproc run`, asked for by the package
_SETUP = "blenderproc.python.utility.SetupUtility"
_NEAR, _FAR = 1e-3, 1e5  # metres
_OPENNESS_REACH = 0.5  # metres; on average as soft as the ray caster's, which weighs up to one metre by distance
_FLOAT, _HALF = 2, 1  # EXR's pixel types


def import_blenderproc() -> Any:
    """Return the package BlenderProc, under a Blender that its launcher started or on the `bpy` wheel.

    The package expects Blender's own Python: it would install packages there and hide the rest. On the wheel they are
    installed already, so its set-up becomes a module that does nothing, and the path stays as it was.
    """
    if _INSIDE in os.environ:
        import blenderproc

        return blenderproc

    class SetupUtility:
        @staticmethod
        def setup(*_: Any) -> None:
            pass

    os.environ[_INSIDE] = "1"
    stand_in = types.ModuleType(_SETUP)
    stand_in.__dict__["SetupUtility"] = SetupUtility
    sys.modules[_SETUP] = stand_in
    path = list(sys.path)
    sys.path.append(sysconfig.get_path("purelib"))  # the package takes the first mention of its folder out
    try:
        import blenderproc
    finally:
        sys.path[:] = path
    return blenderproc


bproc = import_blenderproc()

import bpy  # noqa: E402 - Blender's modules are there once the package is
from blenderproc.python.renderer.RendererUtility import render_init  # noqa: E402
from mathutils import Matrix, Vector  # noqa: E402

with contextlib.suppress(OSError):  # Blender's folder for temporary files would stay behind when it is killed
    os.rmdir(bpy.app.tempdir)

_options: dict[str, Any] = {}
_loaded: dict[str, Any] = {"glb": None, "lights": [], "images": {}}


def open_renderer(fields: dict[str, Any], arrays: Any) -> tuple[dict, dict]:
    """Set up Cycles as the options say. What this does is `bproc.init` without its language, which the wheel lacks."""
    _options.update(fields)
    _clear()
    bproc.renderer.set_render_devices(use_only_cpu=True)  # other devices would give other pixels
    render_init()
    bproc.renderer.set_cpu_threads(int(os.environ["RELOCBENCH_THREADS"]))
    bproc.renderer.set_noise_threshold(0)
    bproc.renderer.set_denoiser(None)
    bproc.renderer.set_output_format("OPEN_EXR_MULTILAYER", 32, enable_transparency=True)
    scene = bpy.context.scene
    scene.render.image_settings.exr_codec = "NONE"
    scene.render.use_file_extension = False
    scene.render.use_compositing = scene.render.use_sequencer = False
    scene.cycles.seed = fields["seed"]
    scene.cycles.use_animated_seed = False
    scene.cycles.denoiser = "OPENIMAGEDENOISE"
    scene.cycles.denoising_input_passes = "RGB_ALBEDO_NORMAL"
    scene.cycles.denoising_prefilter = "FAST"
    return {}, {}


def load(fields: dict[str, Any], arrays: Any) -> tuple[dict, dict]:
    """Load a scene's .glb, unless it is the one that is there, and put its lights up."""
    if fields["glb"] != _loaded["glb"]:
        _loaded["glb"] = None
        _clear()
        if not os.path.isfile(fields["glb"]):
            raise FileNotFoundError(f"{fields['glb']} is gone")
        for item in bproc.loader.load_obj(fields["glb"]):
            item.blender_obj.pass_index = int(item.get_name().split("_")[0])
        _loaded["images"] = {
            material.name: next(node.image for node in material.node_tree.nodes if node.type == "TEX_IMAGE")
            for material in bpy.data.materials
        }
        _loaded["glb"] = fields["glb"]
    shades = set(fields["shades"])
    for name, image in _loaded["images"].items():
        emission = fields["emission"].get(name, (0.0, 0.0, 0.0))
        _paint(bpy.data.materials[name], image, emission, int(name) in shades, fields["ambient"])
    _light(fields)
    return {}, {}


def _clear() -> None:
    # one by one, as `clean_up` removes what is left, takes many seconds for a house
    bpy.data.batch_remove([*bpy.data.objects, *bpy.data.meshes, *bpy.data.materials, *bpy.data.images])
    bproc.clean_up(clean_up_camera=True)
    bpy.ops.outliner.orphans_purge(do_recursive=True)
    _loaded.update(lights=[], images={})


def _paint(material: Any, image: Any, emission: Any, is_shade: bool, ambient: Any) -> None:
    """Build a material from nothing: a matt surface, what it emits, and the ambient light that it shows.

    The shade of a lamp is seen to shine, but the lamp inside lights the room, through it.
    """
    nodes, links = material.node_tree.nodes, material.node_tree.links
    nodes.clear()
    texture = nodes.new("ShaderNodeTexImage")
    texture.image = image
    path = nodes.new("ShaderNodeLightPath")
    surface = nodes.new("ShaderNodeBsdfDiffuse")
    links.new(texture.outputs["Color"], surface.inputs["Color"])
    shader = surface.outputs["BSDF"]

    def added(first: Any, second: Any, kind: str = "ShaderNodeAddShader") -> Any:
        node = nodes.new(kind)
        links.new(first, node.inputs[-2])
        links.new(second, node.inputs[-1])
        return node

    if max(emission) > 0:
        shine = nodes.new("ShaderNodeEmission")
        shine.inputs["Color"].default_value = (*emission, 1.0)
        if is_shade:
            links.new(path.outputs["Is Camera Ray"], shine.inputs["Strength"])
        shader = added(shader, shine.outputs["Emission"]).outputs["Shader"]
    material.cycles.emission_sampling = "NONE" if is_shade else "AUTO"
    if max(ambient) > 0:
        open_to_light = nodes.new("ShaderNodeAmbientOcclusion")
        open_to_light.inputs["Distance"].default_value = _OPENNESS_REACH
        open_to_light.samples = 4
        links.new(texture.outputs["Color"], open_to_light.inputs["Color"])
        tint = nodes.new("ShaderNodeVectorMath")
        tint.operation = "MULTIPLY"
        tint.inputs[1].default_value = ambient
        links.new(open_to_light.outputs["Color"], tint.inputs[0])
        shine = nodes.new("ShaderNodeEmission")
        links.new(tint.outputs["Vector"], shine.inputs["Color"])
        links.new(path.outputs["Is Camera Ray"], shine.inputs["Strength"])
        shader = added(shader, shine.outputs["Emission"]).outputs["Shader"]
        material.cycles.emission_sampling = "NONE"
    if is_shade:
        mixed = added(shader, nodes.new("ShaderNodeBsdfTransparent").outputs["BSDF"], "ShaderNodeMixShader")
        links.new(path.outputs["Is Shadow Ray"], mixed.inputs["Fac"])
        shader = mixed.outputs["Shader"]
    links.new(shader, nodes.new("ShaderNodeOutputMaterial").inputs["Surface"])


def _light(fields: dict[str, Any]) -> None:
    """Replace the lights: a sky that is alike in all directions, the sun, lamps."""
    for light in _loaded["lights"]:
        data = light.blender_obj.data
        light.delete()
        bpy.data.lights.remove(data)
    bproc.renderer.set_world_background(list(fields["sky"]))
    lights = []
    if fields["sun"] is not None:
        direction = Vector(fields["sun"]["direction"])
        sun = _new_light("SUN", fields["sun"]["irradiance"], 1.0)
        sun.set_rotation_mat(np.array(direction.to_track_quat("-Z", "Y").to_matrix()))
        sun.blender_obj.data.angle = fields["sun"]["angle"]
        lights.append(sun)
    for lamp in fields["lamps"]:
        light = _new_light("POINT", lamp["intensity"], 4 * np.pi)  # watts into all directions
        light.blender_obj.data.use_soft_falloff = False
        light.set_location(lamp["position"])
        light.set_radius(lamp["radius"])
        lights.append(light)
    _loaded["lights"] = lights
    # the tree finds the lamp that matters among many; with the sun and the sky only, it doubles the time for nothing
    bproc.renderer.toggle_light_tree(bool(fields["lamps"]))


def _new_light(kind: str, colour: Any, factor: float) -> Any:
    light = bproc.types.Light(kind)
    strength = max(*colour, 1e-9)
    light.set_color([channel / strength for channel in colour])
    light.set_energy(factor * strength)
    # a ray that leaves a surface would meet a lamp only where its shade does not stop it: lamps are sampled instead
    light.blender_obj.data.cycles.use_multiple_importance_sampling = kind == "SUN"
    return light


def render(fields: dict[str, Any], arrays: Any) -> tuple[dict, dict]:
    """Render one view: ``radiance`` (H, W, 4) linear RGB and opacity, ``depth`` (H, W), ``object`` (H, W) numbers."""
    wanted = fields["outputs"]
    _aim(fields)
    in_colour = "rgb" in wanted
    scene, layer = bpy.context.scene, bpy.context.view_layer
    layer.use_pass_z = "depth" in wanted
    layer.use_pass_object_index = "object" in wanted
    layer.cycles.use_denoising = scene.cycles.use_denoising = in_colour and _options["denoise"]
    bproc.renderer.set_max_amount_of_samples(_options["samples"] if in_colour else 1)
    bounces = _options["bounces"] if in_colour else 0
    # the first bounce is the light that comes straight from the sky
    bproc.renderer.set_light_bounces(bounces, 0, 0, bounces, 0, 8, 0)
    channels = _rendered()
    reply = {}
    if in_colour:
        names = [f"{layer.name}.Combined.{channel}" for channel in "RGBA"]
        reply["radiance"] = np.stack([channels[name] for name in names], axis=-1)
        reply["world_from_camera"] = np.array(fields["world_from_camera"])
    if "depth" in wanted:
        depth = channels[f"{layer.name}.Depth.Z"]
        reply["depth"] = np.where(depth < _FAR, depth, np.float32(0))
    if "object" in wanted:
        reply["object"] = np.rint(channels[f"{layer.name}.IndexOB.X"]).astype(np.uint16)
    return {}, reply


def _aim(fields: dict[str, Any]) -> None:
    width, height = fields["size"]
    bproc.camera.set_intrinsics_from_K_matrix(fields["intrinsics"], width, height, _NEAR, _FAR)
    bpy.context.scene.camera.matrix_world = Matrix(fields["opengl_pose"])


def _rendered() -> dict[str, np.ndarray]:
    """Render; return the channels by name, float32 (H, W), through a file in memory that vanishes with the process."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("relocbench-frame")
        path = f"/proc/{os.getpid()}/fd/{descriptor}"
        with os.fdopen(descriptor, "rb") as file:
            _render_to(path)
            return read_exr(file.read())
    with tempfile.TemporaryDirectory(prefix="relocbench-frame-") as folder:
        path = os.path.join(folder, "frame.exr")
        _render_to(path)
        with open(path, "rb") as file:
            return read_exr(file.read())


def _render_to(path: str) -> None:
    bpy.context.scene.render.filepath = path
    bpy.ops.render.render(write_still=True)


def read_exr(content: bytes) -> dict[str, np.ndarray]:
    """Return the channels, (H, W) float32 by name, of an uncompressed EXR image of scanlines, as Blender writes it."""
    if content[:4] != b"v/1\x01":
        raise RuntimeError("Blender wrote no picture")
    attributes: dict[str, bytes] = {}
    position = 8  # after the magic number and the version
    while content[position] != 0:
        name_end = content.index(b"\0", position)
        type_end = content.index(b"\0", name_end + 1)
        (size,) = struct.unpack_from("<i", content, type_end + 1)
        attributes[content[position:name_end].decode()] = content[type_end + 5 : type_end + 5 + size]
        position = type_end + 5 + size
    left, top, right, bottom = struct.unpack("<4i", attributes["dataWindow"])
    width, height = right - left + 1, bottom - top + 1
    line = np.dtype(
        [
            ("row", "<i4"),
            ("size", "<i4"),
            *((n, "<f4" if t == _FLOAT else "<f2", (width,)) for n, t in _channels(attributes)),
        ]
    )
    lines = np.frombuffer(content, line, count=height, offset=position + 1 + 8 * height)  # offsets of lines come first
    if attributes["compression"] != b"\0" or (lines["row"] != np.arange(top, bottom + 1)).any():
        raise RuntimeError("Blender wrote a picture in another order than expected")
    return {name: lines[name].astype(np.float32) for name in (line.names or ())[2:]}


def _channels(attributes: dict[str, bytes]) -> list[tuple[str, int]]:
    """Return (name, pixel type) of each channel, in the file's order."""
    described, position = attributes["channels"], 0
    channels: list[tuple[str, int]] = []
    while described[position] != 0:
        end = described.index(b"\0", position)
        channels.append((described[position:end].decode(), struct.unpack_from("<i", described, end + 1)[0]))
        position = end + 17
    if any(kind not in (_FLOAT, _HALF) for _, kind in channels):
        raise RuntimeError("Blender wrote channels that are no floating point numbers")
    return channels


def _processor() -> str:
    with contextlib.suppress(OSError), open("/proc/cpuinfo") as file:
        for text in file:
            if text.startswith("model name"):
                return text.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


serving.serve(
    {"open": open_renderer, "load": load, "render": render},
    {
        "name": "blenderproc",
        "versions": {"blenderproc": bproc.__version__, "bpy": bpy.app.version_string},
        "renderer": f"Cycles on the CPU ({_processor()})",
    },
)
