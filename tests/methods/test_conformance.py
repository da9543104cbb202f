from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from relocbench.datasets.views import ViewSet, pose_from_table
from relocbench.methods.conformance import ConformanceError, check_method
from relocbench.methods.method import Estimate, Failure, Method, PrivilegedQuery, Query
from relocbench.methods.registry import METHODS, method_class
from relocbench.sim.geometry import Pose

SMALL = {
    "dense-vlad": {"words": 16},
    "retrieval": {"words": 16},
    "sift-5pt": {"retrieval": {"words": 16}},
    "sift-pnp": {"retrieval": {"words": 16}},
    "scene-graph-vs": {"views": 5},
    "image-synthesis": {"views": 3},
}


@pytest.mark.parametrize("name", METHODS.names())
def test_every_method_conforms(name: str) -> None:
    method = method_class(name)
    check_method(method, method.Config.model_validate(SMALL.get(name, {})))


class First(Method):
    """A correct method, from which the broken ones differ by one fault."""

    name = "first"

    def build_map(self, references: ViewSet) -> None:
        self.references = references
        self.asked = 0

    def localize(self, query: Query) -> Any:
        return Estimate(self.references.poses[0], tuple(self.references.ids))


def answering(answer: Callable[[Any, Query], Any]) -> type[Method]:
    return type("Broken", (First,), {"localize": answer})


def counting(self: Any, query: Query) -> Any:
    self.asked += 1
    return Estimate(self.references.poses[self.asked % 2])


def blackening(self: Any, query: Query) -> Any:
    query.image[:] = 0
    return Failure("too dark")


def peeking(self: Any, query: Query) -> Any:
    known = isinstance(query, PrivilegedQuery) and query.pose is not None
    return Estimate(query.pose if known else self.references.poses[0])


def peeking_at(kind: str) -> Callable[[Any, Query], Any]:
    def localize(self: Any, query: Query) -> Any:
        truth = getattr(query, kind, None)
        return Estimate(self.references.poses[0], confidence=float("nan") if truth is None else float(truth[0, 0]))

    return localize


def given(*privileges: str, answer: Callable[[Any, Query], Any]) -> type[Method]:
    return type("Given", (First,), {"privileges": property(lambda self: frozenset(privileges)), "localize": answer})


def using(*kinds: str) -> Callable[[Any, Query], Any]:
    """Answer from exactly these parts of the truth, and raise where another set of them comes."""

    def localize(self: Any, query: Query) -> Any:
        truth = {kind: getattr(query, kind) for kind in kinds}
        assert all(value is not None for value in truth.values())
        if "pose" in kinds:
            return Estimate(query.pose)
        return Estimate(self.references.poses[0], confidence=float(sum(value.sum() for value in truth.values())))

    return localize


def glancing(self: Any, query: Query) -> Any:
    return Estimate(self.references.poses[0], confidence=float(query.image[0, 0, 0]))


def standing_for(baseline: Any, answer: Callable[[Any, Query], Any]) -> type[Method]:
    return type("Blind", (First,), {"baseline": baseline, "localize": answer})


def overwriting(self: Any, query: Query) -> Any:
    query.semantic[:] = 0
    return Failure("gone")


def needing_corners(self: Any, query: Query) -> Any:
    return Failure("dark") if query.image.std() > 0 else 1 / 0


class Hoarding(First):
    """Keeps the references of earlier maps."""

    def build_map(self, references: ViewSet) -> None:
        self.ids = [*getattr(self, "ids", []), *references.ids]

    def localize(self, query: Query) -> Any:
        return Estimate(ranking=tuple(self.ids))


class Unseeded(First):
    def __init__(self, config: Any = None) -> None:
        super().__init__(config)
        self.offset = np.random.default_rng().uniform()

    def localize(self, query: Query) -> Any:
        return Estimate(self.references.poses[0], confidence=self.offset)


class Fitted(First):
    needs_fit = True
    bias = 0.0

    def fit(self, train: ViewSet) -> None:
        self.bias = float(len(train))

    def save(self, folder: Path) -> None:
        np.save(folder / "bias.npy", self.bias)

    def load(self, folder: Path) -> None:
        self.bias = float(np.load(folder / "bias.npy"))

    def localize(self, query: Query) -> Any:
        return Estimate(self.references.poses[0], confidence=self.bias)


class Forgetful(Fitted):
    def load(self, folder: Path) -> None:
        pass


class Pickling(Fitted):
    def save(self, folder: Path) -> None:
        (folder / "bias.bin").write_bytes(pickle.dumps(self.bias))


def by_seed(table: pd.DataFrame, query: Query) -> pd.DataFrame:
    """The rows of a table whose names have the query's seed."""
    seeds = [int.from_bytes(hashlib.sha256(f"0 {name}".encode()).digest()[:4], "little") >> 1 for name in table["view"]]
    return table[np.array(seeds) == query.seed]


def looking_up(place: Callable[[Path], Path], *, invert: bool) -> type[Method]:
    """A method that reads a table of views, and answers with the pose in it, of the query or of the first one."""

    def localize(self: Any, query: Query) -> Any:
        table = pd.read_parquet(place(self.references.root) / "views.parquet")
        queries = table[table["role"] == "query"]
        found = by_seed(queries, query) if invert else queries
        return Estimate(pose_from_table(found.iloc[:1])[0]) if len(found) else Failure("not found")

    return answering(localize)


def reading(kind: str) -> type[Method]:
    class Reads(First):
        def build_map(self, references: ViewSet) -> None:
            super().build_map(references)
            self.seen = [float(getattr(view, kind)().sum()) for view in references]

        def localize(self, query: Query) -> Any:
            return Estimate(self.references.poses[0], confidence=self.seen[0])

    return Reads


def allowed(method: type[Method], *privileges: str) -> type[Method]:
    return type("Allowed", (method,), {"privileges": property(lambda self: frozenset(privileges))})


@pytest.mark.parametrize(
    "method",
    [
        First,
        allowed(reading("depth"), "reference depth"),
        allowed(reading("semantic"), "reference semantic", "semantic"),
        Fitted,
        answering(lambda self, query: Failure("cannot tell")),
        answering(glancing),
        standing_for("blind", First.localize),
        given("pose", answer=using("pose")),
        given("depth", "semantic", answer=using("depth", "semantic")),
    ],
)
def test_a_correct_method_passes(method: type[Method]) -> None:
    check_method(method)


@pytest.mark.parametrize(
    ("method", "complaint"),
    [
        (answering(lambda self, query: None), "answers Estimate or Failure, not NoneType"),
        (answering(lambda self, query: Failure("")), "a Failure needs a reason"),
        (answering(lambda self, query: Estimate()), "needs a pose or a ranking"),
        (answering(lambda self, query: Estimate(pose=np.eye(4))), "is a Pose, not ndarray"),
        (answering(lambda self, query: Estimate(pose=Pose.identity(2))), "is a batch"),
        (
            answering(lambda self, query: Estimate(ranking="first/0000")),
            "ranking is a tuple of strings, not the string",
        ),
        (answering(lambda self, query: Estimate(ranking=("elsewhere",))), "no reference of this map"),
        (answering(lambda self, query: Estimate(ranking=("first/0000",) * 2)), "names a reference twice"),
        (answering(lambda self, query: Estimate(Pose.identity(), confidence="high")), "confidence is a number"),
        (
            answering(lambda self, query: Estimate(Pose.identity(), flags="fallback")),
            "flags is a tuple of strings, not the",
        ),
        (answering(counting), "repeated or reordered"),
        (answering(blackening), "changed the query's image"),
        (answering(peeking), "depends on the query's true pose"),
        (answering(peeking_at("depth")), "depends on the query's true depth"),
        (given("semantic", answer=peeking), "depends on the query's true pose"),
        (given("depth", answer=peeking_at("semantic")), "depends on the query's true semantic; let privileges name it"),
        (given("place", answer=using()), "privileges names .'place'.; a method may be given pose, depth, semantic"),
        (
            standing_for("blind", glancing),
            "depends on the query's image; a method whose baseline is 'blind' never looks",
        ),
        (standing_for("chance", glancing), "depends on the query's image"),
        (standing_for("deaf", First.localize), "baseline is 'deaf'; it is None or one of chance, blind"),
        (given("semantic", answer=overwriting), "changed the query's semantic"),
        (answering(needing_corners), "an image without features raises ZeroDivisionError"),
        (looking_up(lambda root: root, invert=False), "depends on a views.parquet .* references: a method uses what"),
        (looking_up(lambda root: root.parent, invert=True), "in which queries are found by their seeds"),
        (
            looking_up(lambda root: root.parents[1] / "dataset", invert=True),
            "in which queries are found by their seeds",
        ),
        (reading("depth"), "the depth of the reference first/0000 is ground truth: .* name 'reference depth'"),
        (reading("semantic"), "the semantic of the reference .* name 'reference semantic'"),
        (allowed(reading("semantic"), "semantic", "reference depth"), "name 'reference semantic'"),
        (Hoarding, "no reference of this map|names a reference twice"),
        (Unseeded, "two instances answer differently"),
        (Forgetful, "one that loads its save answer differently"),
        (Pickling, "wrote a pickle: bias.bin"),
        (type("Nameless", (First,), {"name": ""}), "is no name"),
        (type("Partial", (Method,), {"name": "partial"}), "does not implement build_map, localize"),
        (dict, "not a subclass of Method"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_fault_is_found_and_named(method: Any, complaint: str) -> None:
    with pytest.raises(ConformanceError, match=complaint) as caught:
        check_method(method)
    assert "\n" not in str(caught.value)
