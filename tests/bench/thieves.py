"""Methods that take what they are not given: each scores perfectly where the truth can be reached."""

from __future__ import annotations

import gc
import hashlib
import os
from pathlib import Path

import numpy as np
import pandas as pd
from relocbench.datasets.views import ViewSet, pose_from_table
from relocbench.methods.method import Estimate, Failure, Method, Privilege, Query


class ReadsTheTable(Method):
    """Looks for a table of views beside the references, and in it for the query that has the seed."""

    name = "reads-the-table"

    def build_map(self, references: ViewSet) -> None:
        self.ids = references.ids
        about = [references.root, *references.root.parents]
        places = [folder / name for folder in about for name in ("views.parquet", "dataset/views.parquet")]
        self.table = pd.read_parquet(next(place for place in places if place.exists()))

    def localize(self, query: Query) -> Estimate | Failure:
        seeds = [hashlib.sha256(f"11 {view}".encode()).digest()[:4] for view in self.table["view"]]
        rows = np.flatnonzero([int.from_bytes(seed, "little") >> 1 == query.seed for seed in seeds])
        return Estimate(pose_from_table(self.table.iloc[rows[:1]])[0]) if len(rows) else Failure("no such seed")


class KnowsTheTable(ReadsTheTable):
    """Has the table from elsewhere, and no more than seeds to tell queries by."""

    name = "knows-the-table"

    def build_map(self, references: ViewSet) -> None:
        self.table = pd.read_parquet(os.environ["TEST_STOLEN_TABLE"])


class ReadsDepth(Method):
    """Reads the depth of references, and does not say so."""

    name = "reads-depth"
    kind = "depth"

    def build_map(self, references: ViewSet) -> None:
        self.ids = references.ids
        self.seen = sum(float(getattr(view, self.kind)().sum(dtype=np.float64)) for view in references)

    def localize(self, query: Query) -> Estimate | Failure:
        return Estimate(ranking=tuple(self.ids), confidence=self.seen)


class ReadsSemantics(ReadsDepth):
    """Reads the labels of references, having been given their depth."""

    name = "reads-semantics"
    kind = "semantic"

    @property
    def privileges(self) -> frozenset[Privilege]:
        return frozenset({"reference depth"})


class GivenDepth(ReadsDepth):
    """Says that it reads the depth of references."""

    name = "given-depth"

    @property
    def privileges(self) -> frozenset[Privilege]:
        return frozenset({"reference depth"})


class Changes(Method):
    """Says that it is given nothing where it is asked first, and once it is at work that it is given the pose."""

    name = "changes"

    @property
    def privileges(self) -> frozenset[Privilege]:
        return frozenset({"pose"} if hasattr(self, "ids") else ())

    def build_map(self, references: ViewSet) -> None:
        self.ids = references.ids

    def localize(self, query: Query) -> Estimate | Failure:
        pose = getattr(query, "pose", None)
        return Failure("was not given the pose") if pose is None else Estimate(pose)


class Searches(Method):
    """Says what it finds in its process's memory and its folder, of views that are no references and of places."""

    name = "searches"

    def build_map(self, references: ViewSet) -> None:
        self.root = references.root
        self.found = None

    def localize(self, query: Query) -> Estimate | Failure:
        self.found = self.found or self.search()  # in the first query of a map: it takes a second
        return Failure(self.found)

    def search(self) -> str:
        objects = gc.get_objects()
        tables = [str(value) for held in objects if isinstance(held, pd.DataFrame) for value in held.to_numpy().flat]
        texts = [*tables, *(text for text in gc.get_referents(*objects) if isinstance(text, str))]
        marks = ("kitchen-query-", "bath-query-", os.environ["TEST_SECRET_FOLDER"])  # which are texts themselves
        found = sorted({text[:90] for mark in marks for text in texts if mark in text and mark != text})
        queries = [path.name for path in self.root.parent.rglob("*") if path.is_file() and "query" in str(path)]
        links = [path for path in self.root.parent.rglob("*") if path.is_symlink()]
        return f"found {found} {queries} {links}"


class TakesAlong(Method):
    """Learns, and writes down where it was told to save and what to learn from."""

    name = "takes-along"
    needs_fit = True

    def fit(self, train: ViewSet) -> None:
        self.told = [str(train.root), *(f"{view.id} {view.role}" for view in train)]

    def save(self, folder: Path) -> None:
        (folder / "told.txt").write_text("\n".join([*self.told, str(folder)]))

    def load(self, folder: Path) -> None:
        self.told = [*(folder / "told.txt").read_text().splitlines(), str(folder)]

    def build_map(self, references: ViewSet) -> None:
        self.told = [*self.told, str(references.root)]

    def localize(self, query: Query) -> Estimate | Failure:
        places = [line for line in self.told if line.startswith("/")]
        inside = [place for place in places if os.environ["TEST_SECRET_FOLDER"] in place]
        others = [line for line in self.told if not line.startswith("/") and not line.endswith(" train")]
        return Failure(f"told {len(places)} places, {inside} {others}")


class LooksAtAll(TakesAlong):
    """Takes nothing, and looks at all images that it is given."""

    name = "looks-at-all"

    def fit(self, train: ViewSet) -> None:
        super().fit(train)
        self.seen = sum(int(view.image().sum()) for view in train)

    def build_map(self, references: ViewSet) -> None:
        super().build_map(references)
        self.seen = sum(int(view.image().sum()) for view in references)
