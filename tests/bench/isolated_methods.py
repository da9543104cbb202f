"""Plain classes for an interpreter that has NumPy only. The tiny dataset's images carry their pose."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
MIB = 2**20


def pose_in(image):
    """Read the pose that the tiny dataset hid in an image, (4, 4) world_from_camera."""
    w, x, y, z, *translation = np.frombuffer(np.ascontiguousarray(image).tobytes()[:56], np.float64)
    pose = np.eye(4)
    pose[:3, :3] = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    pose[:3, 3] = translation
    return pose


class ReadsPose:
    """Answers exactly; its confidence is its process's id."""

    name = "reads-pose-elsewhere"

    def build_map(self, references):
        assert importlib.util.find_spec("relocbench") is None
        assert os.environ["OMP_NUM_THREADS"] == "1"
        assert all(np.allclose(pose_in(r.image), r.world_from_camera) and r.depth is None for r in references)
        self.ids = [reference.id for reference in references]
        self.centres = np.stack([reference.world_from_camera[:3, 3] for reference in references])
        np.ones(200 * MIB, np.uint8)  # for a moment

    def localize(self, query):
        assert query.image.shape == (query.camera.height, query.camera.width, 3)
        with query.stage("look"):
            pose = pose_in(query.image)
            with query.stage("decode"):
                order = np.argsort(np.linalg.norm(self.centres - pose[:3, 3], axis=1))
        ranking = [self.ids[i] for i in order]
        answer = {"world_from_camera": pose, "ranking": ranking, "confidence": os.getpid(), "flags": ["exact"]}
        print("looked at a query")
        return answer


class InTrouble(ReadsPose):
    """Gets into the trouble that a file beside this one names for some queries, in maps of four references."""

    name = "in-trouble"

    def localize(self, query):
        answer = super().localize(query)
        troubles = json.loads((HERE / "troubles.json").read_text())
        trouble = troubles.get("{:.6f}".format(*answer["world_from_camera"][:1, 3]))
        return answer if trouble is None or len(self.ids) > 4 else getattr(self, trouble)(answer)

    def die(self, answer):
        os.kill(os.getpid(), signal.SIGSEGV)

    def hang(self, answer):
        child = subprocess.Popen(["sleep", "1000"])
        (HERE / "hanging.json").write_text(json.dumps([os.getpid(), child.pid]))
        time.sleep(1000)

    def eat(self, answer):
        self.hoard = [np.ones(50 * MIB, np.uint8) for _ in range(40)]  # no more than that, should nobody stop it
        time.sleep(1000)

    def babble(self, answer):
        pipe = max(int(name) for name in os.listdir("/proc/self/fd") if is_pipe(name))
        os.write(pipe, b"this is no message at all, and longer than a head")
        return answer

    def fail(self, answer):
        raise ValueError("bad luck\nand more of it")

    def leave(self, answer):
        sys.exit(3)

    def give_up(self, answer):
        return "too dark"

    def invent(self, answer):
        return {**answer, "ranking": ["nowhere"]}

    def mislabel(self, answer):
        return {"pose": answer["world_from_camera"]}

    def shrug(self, answer):
        return None

    def skew(self, answer):
        return {"world_from_camera": np.ones((4, 4))}

    def print_garbage(self, answer):
        print("RLB1" * 10_000)
        os.system("echo RLB1 from a child")
        return answer


def is_pipe(name):
    """Whether a file descriptor of this process is a pipe."""
    try:
        return os.readlink(f"/proc/self/fd/{name}").startswith("pipe:")
    except OSError:
        return False  # that of the listing itself


class CannotBuild(ReadsPose):
    """Raises in the maps of kitchens, dies in those of bathrooms."""

    name = "cannot-build-elsewhere"

    def build_map(self, references):
        super().build_map(references)
        if "kitchen" in self.ids[0]:
            raise RuntimeError("kitchens are too greasy")
        os._exit(7)
