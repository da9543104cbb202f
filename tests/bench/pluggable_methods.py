"""Methods for tests, loaded as a user's own file would be. The tiny dataset's images carry their pose."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
import sys
import time
from pathlib import Path

import cv2
import numpy as np
from relocbench.datasets.views import ViewSet
from relocbench.methods.method import Estimate, Failure, Method, Privilege, PrivilegedQuery, Query
from relocbench.methods.timing import stage
from relocbench.sim.geometry import Pose


def pose_in(image: np.ndarray) -> Pose:
    """Read the pose that the tiny dataset hid in an image."""
    values = np.frombuffer(np.ascontiguousarray(image).tobytes()[:56], np.float64)
    return Pose.from_quaternion(values[:4], values[4:])


class ReadsPose(Method):
    """Answers exactly, and is never given the truth other than by looking."""

    name = "reads-pose"

    def build_map(self, references: ViewSet) -> None:
        assert cv2.getNumThreads() == 1
        assert os.environ["OMP_NUM_THREADS"] == os.environ["OPENBLAS_NUM_THREADS"] == "1"
        self.ids = references.ids
        self.poses = references.poses

    def localize(self, query: Query) -> Estimate | Failure:
        if isinstance(query, PrivilegedQuery):
            return Failure("was given the truth")
        with stage("look"):
            pose = pose_in(query.image)
            with stage("decode"):
                order = np.argsort(np.linalg.norm(self.poses.translation - pose.translation, axis=1))
        with stage("look"):
            return Estimate(pose, tuple(self.ids[i] for i in order), confidence=1.0, flags=("exact",))


class Noisy(ReadsPose):
    """Draws from its query's seed and from the global generators; slow enough to be killed half way."""

    name = "noisy"
    pause = 0.004

    def localize(self, query: Query) -> Estimate | Failure:
        time.sleep(self.pause)
        noise = np.random.default_rng(query.seed).normal(size=2) + np.random.rand(2) + random.random()  # noqa: NPY002
        if noise[0] > 2.5:
            raise ValueError(f"too noisy: {noise[0]:.3f}, says {object()!r}")
        pose = pose_in(query.image)
        return Estimate(Pose.from_rotation_translation(pose.rotation, [*(pose.translation[:2] + noise), 0.0]))


class Slow(Noisy):
    """Takes long enough for a test to count its answers while they come."""

    name = "slow"
    pause = 0.02


class Learned(Noisy):
    """Learns how many training views there are, and shows it as its confidence."""

    name = "learned"
    needs_fit = True

    def fit(self, train: ViewSet) -> None:
        time.sleep(0.1)
        self.seen = len(train)

    def save(self, folder: Path) -> None:
        (folder / "seen.json").write_text(json.dumps(self.seen))

    def load(self, folder: Path) -> None:
        self.seen = json.loads((folder / "seen.json").read_text())

    def localize(self, query: Query) -> Estimate | Failure:
        time.sleep(self.pause)
        return Estimate(pose_in(query.image), confidence=float(self.seen))


class CannotLearn(Learned):
    """Raises in fit."""

    name = "cannot-learn"

    def fit(self, train: ViewSet) -> None:
        raise ArithmeticError("nothing to learn")

    def fit_identity(self):
        return self.name, {}


class LearnsInMemory(Learned):
    """Learns unless there is no memory for it, as the environment says."""

    name = "learns-in-memory"

    def fit(self, train: ViewSet) -> None:
        if "TEST_NO_MEMORY" in os.environ:
            raise MemoryError("images do not fit")
        super().fit(train)


def unlucky(query: Query) -> bool:
    """Whether this query is one of those (about a third) at which `Raises` does."""
    return float(pose_in(query.image).translation[0]) > 2.6


class Raises(ReadsPose):
    """Raises at some queries."""

    name = "raises"

    def localize(self, query: Query) -> Estimate | Failure:
        if unlucky(query):
            raise ValueError("bad luck")
        return super().localize(query)


class Unruly(ReadsPose):
    """Raises what is no `Exception`, in every query another one."""

    name = "unruly"

    def build_map(self, references: ViewSet) -> None:
        super().build_map(references)
        self.calls = 0

    def localize(self, query: Query) -> Estimate | Failure:
        self.calls += 1
        if self.calls % 4 == 1:
            raise KeyboardInterrupt
        if self.calls % 4 == 2:
            sys.exit("enough")
        if self.calls % 4 == 3:
            raise GeneratorExit("\udcff")
        with stage("\udcff"):
            return super().localize(query)


def squared(number: int) -> int:
    """Called in processes that `StartsProcesses` starts."""
    return number**2


class StartsProcesses(ReadsPose):
    """Computes in processes of its own, started in each way, in one map."""

    name = "starts-processes"

    def build_map(self, references: ViewSet) -> None:
        if references[0].map == "scene-2/kitchen" and len(references) == 4:
            for way in ("fork", "spawn", "forkserver"):
                with multiprocessing.get_context(way).Pool(1) as pool:
                    assert pool.map(squared, [2, 3]) == [4, 9]
        super().build_map(references)


class Dies(ReadsPose):
    """Crashes at some queries, as native code does."""

    name = "dies"

    def localize(self, query: Query) -> Estimate | Failure:
        if float(pose_in(query.image).translation[0]) > 3.8:
            os.kill(os.getpid(), signal.SIGSEGV)
        return super().localize(query)


class Hangs(ReadsPose):
    """Never comes back from some queries."""

    name = "hangs"

    def localize(self, query: Query) -> Estimate | Failure:
        if float(pose_in(query.image).translation[0]) > 3.8:
            time.sleep(1000)
        return super().localize(query)


class CannotBuild(ReadsPose):
    """Raises in the maps of kitchens, hangs in those of one bathroom."""

    name = "cannot-build"

    def build_map(self, references: ViewSet) -> None:
        if references[0].room == "kitchen":
            raise RuntimeError("kitchens are too greasy")
        if references[0].scene == "scene-3" and len(references) == 4:
            time.sleep(1000)
        super().build_map(references)


class Invalid(ReadsPose):
    """Breaks the contract in a different way at each query."""

    name = "invalid"

    def build_map(self, references: ViewSet) -> None:
        super().build_map(references)
        self.calls = 0

    def localize(self, query: Query):
        self.calls += 1
        bad = [
            None,
            Estimate(),
            Estimate(ranking=("nowhere",)),
            Estimate(ranking=(self.ids[0], self.ids[0])),
            Estimate(pose=Pose.identity(2)),
        ]
        return bad[(self.calls - 1) % len(bad)]


class RanksOnly(ReadsPose):
    """Gives a ranking and no pose."""

    name = "ranks-only"

    def localize(self, query: Query) -> Estimate | Failure:
        return Estimate(ranking=super().localize(query).ranking)


class GivenMaps(Method):
    """Is given the simulator's maps, and shows in its confidence what it saw of them."""

    name = "given-maps"

    @property
    def privileges(self) -> frozenset[Privilege]:
        return frozenset({"depth", "semantic"})

    def build_map(self, references: ViewSet) -> None:
        self.ids = references.ids

    def localize(self, query: Query) -> Estimate | Failure:
        if not isinstance(query, PrivilegedQuery) or query.pose is not None:
            return Failure("was not given exactly what it names")
        seen = float(query.depth.sum(dtype=np.float64)) + float(query.semantic.sum(dtype=np.float64))
        return Estimate(ranking=tuple(self.ids), confidence=seen)


class GivenLabels(GivenMaps):
    """Is given one of the maps, and not the other."""

    name = "given-labels"

    @property
    def privileges(self) -> frozenset[Privilege]:
        return frozenset({"semantic"})

    def localize(self, query: Query) -> Estimate | Failure:
        if not isinstance(query, PrivilegedQuery) or query.pose is not None or query.depth is not None:
            return Failure("was not given exactly what it names")
        return Estimate(ranking=tuple(self.ids), confidence=float(query.semantic.sum(dtype=np.float64)))
