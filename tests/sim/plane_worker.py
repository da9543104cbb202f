"""A worker for tests: it sees an endless floor, z = ``height``, from any camera, and falls over when it is told to."""

import importlib.util
import os
import signal
from pathlib import Path

import numpy as np

spec = importlib.util.spec_from_file_location("relocbench_serving", os.environ["RELOCBENCH_SERVING"])
serving = importlib.util.module_from_spec(spec)
spec.loader.exec_module(serving)

scene = {}


def opened(fields, arrays):
    scene["options"] = fields
    with Path(fields["diary"]).open("a") as diary:
        diary.write(f"{os.getpid()}\n")
    return {}, {}


def load(fields, arrays):
    if fields["height"] < -100:
        raise serving.Refusal("there is no floor that deep")
    scene.update(fields)
    return {}, {}


def render(fields, arrays):
    trap = Path(scene["options"]["trap"])
    if trap.exists():
        kind, uses = trap.read_text().split()
        if int(uses) == 1:
            trap.unlink()
        else:
            trap.write_text(f"{kind} {int(uses) - 1}")
        print("stepped into the trap")
        if kind == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        signal.pause()
    rays = np.array(fields["rays"])
    world_from_camera = np.array(fields["world_from_camera"])
    falling = rays @ world_from_camera[2, :3]
    depth = (scene["height"] - world_from_camera[2, 3]) / np.where(falling == 0, np.inf, falling)
    return {}, {"depth": np.where(depth > 0, depth, 0).astype(np.float32)}


serving.serve({"open": opened, "load": load, "render": render}, {"versions": {"plane": "2"}, "renderer": "NumPy"})
