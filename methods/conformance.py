"""A check that authors run on their own method: does it keep the contract that the runner relies on?

from relocbench.methods.conformance import check_method
check_method(MyMethod)
"""

from __future__ import annotations

import copy
import hashlib
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd

from ..datasets.dataset import VIEWS
from ..datasets.handing_over import opened, references_to_seal
from ..datasets.views import VIEW_COLUMNS, ViewSet, WithheldError, pose_columns
from ..sim.geometry import Pose
from .answers import checked
from .box_room import CAMERA, random_poses, write_views
from .method import Baseline, Estimate, Failure, Method, MethodConfig, PrivilegedQuery, Query, granted
from .privileges import OF_QUERIES, PRIVILEGES, Privilege, withheld

Answer = Estimate | Failure

_DECOYS = 10  # seeds from here on are of false poses
_BASELINES: tuple[Baseline, ...] = get_args(Baseline)


class ConformanceError(AssertionError):
    """A method breaks the contract; the message is one line that says which part of it."""


@dataclass(frozen=True)
class _World:
    """Two boxes with different wallpapers, a third one to learn from, and queries into the first two.

    ``about`` are the rows of a table about the queries with poses, all false, which lies about in ``places``.
    """

    train: ViewSet
    first: ViewSet
    second: ViewSet
    queries: list[PrivilegedQuery]
    about: pd.DataFrame
    places: tuple[Path, ...]

    def lay_about(self, *, seed: int, ids: str = "") -> None:
        """Write the table, with random poses and with ``ids`` before the names of the queries, to all places."""
        poses = pose_columns(random_poses(np.random.default_rng(seed), len(self.about)))
        table = self.about.assign(**poses, view=[f"{ids}{name}" for name in self.about["view"]])
        table = pd.concat([self.first.table, self.second.table, table]).astype(VIEW_COLUMNS)
        for place in self.places:
            place.mkdir(exist_ok=True)
            table.to_parquet(place / VIEWS, index=False)


def check_method(method: type[Method], config: MethodConfig | None = None, *, train: ViewSet | None = None) -> None:
    """Run a method class through a tiny synthetic world; raises :class:`ConformanceError` at the first broken rule.

    Checked: the class is complete; answers have the right types and name only references of the map; the same query
    gets the same answer when asked again, in another order, or by another instance; a second ``build_map`` replaces
    the first; a map of one reference and an image without features are answered, not raised upon; the query's image
    is left as it was; of the truth a method uses no more than its ``privileges`` name, of queries and of
    references, and those stay the same; it finds none either in a table of views that lies about, by the seeds of
    queries or otherwise (the poses in it are false here); a baseline that never looks answers the same whatever the
    query's image; and what ``fit`` learned survives ``save`` and ``load`` into a new instance, without pickles.
    ``train`` replaces the synthetic views given to ``fit``, for methods that cannot learn anything from wallpaper.
    """
    _check_class(method)
    with tempfile.TemporaryDirectory(prefix="relocbench-") as folder:
        world = _make_world(Path(folder), train, withheld(_privileges(method(config))))
        fitted = Path(folder) / "fitted"
        subject = _fitted(method, config, world.train, fitted)
        make = _maker(method, config, fitted)
        try:
            _check_answers(subject, world)
            _check_determinism(subject, make, world)
            _check_second_map(subject, make, world)
            _check_hard_inputs(subject, world)
            _check_no_more_truth(subject, world)
            _check_nothing_looked_up(subject, world)
            _check_blind(subject, world)
        except WithheldError as error:
            raise ConformanceError(str(error)) from error


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ConformanceError(message)


def _check_class(method: type[Method]) -> None:
    _require(isinstance(method, type) and issubclass(method, Method), f"{method!r} is not a subclass of Method")
    abstract = sorted(getattr(method, "__abstractmethods__", ()))
    _require(not abstract, f"{method.__name__} does not implement {', '.join(abstract)}")
    name = getattr(method, "name", None)
    _require(isinstance(name, str) and bool(name) and " " not in name, f"{method.__name__}.name is no name: {name!r}")
    known = method.baseline is None or method.baseline in _BASELINES
    _require(known, f"{method.__name__}.baseline is {method.baseline!r}; it is None or one of {', '.join(_BASELINES)}")
    _require(issubclass(method.Config, MethodConfig), f"{method.__name__}.Config is not a subclass of MethodConfig")


def _make_world(folder: Path, train: ViewSet | None, withheld: frozenset[str]) -> _World:
    """Make the world in a folder: its files in one part of it, and what a method is given in another."""
    rng = np.random.default_rng(0)
    files, given = folder / "files", folder / "world" / "given"
    given.mkdir(parents=True)

    def references(count: int, wallpaper: int, name: str) -> ViewSet:
        own = write_views(files, random_poses(rng, count), seed=wallpaper, role="reference", name=name)
        return opened(references_to_seal(own).seal(given / name, withheld=withheld))

    first, second = references(8, 1, "first"), references(6, 2, "second")
    if train is None:
        train = write_views(files, random_poses(rng, 12), seed=3, role="train", name="train")
    asked = [
        write_views(files, random_poses(rng, 3), seed=wallpaper, role="query", name=f"queries{wallpaper}")
        for wallpaper in (1, 2)
    ]
    queries = [
        PrivilegedQuery(view.image(), view.camera, _plain_seed(view.id), view.pose, view.depth(), view.semantic())
        for views in asked
        for view in views
    ]
    above = [given, given.parent]
    places = (first.root, second.root, *above, *(place / "dataset" for place in (first.root, second.root, *above)))
    world = _World(train, first, second, queries, pd.concat([views.table for views in asked]), places)
    world.lay_about(seed=_DECOYS)
    return world


def _plain_seed(name: str) -> int:
    """Return a seed that whoever knows the names of all queries could turn back into one of them."""
    return int.from_bytes(hashlib.sha256(f"0 {name}".encode()).digest()[:4], "little") >> 1


def _privileges(subject: Method) -> frozenset[Privilege]:
    unknown = sorted(set(subject.privileges) - set(PRIVILEGES))
    _require(not unknown, f"privileges names {unknown[:1]}; a method may be given {', '.join(PRIVILEGES)}")
    return subject.privileges


def _fitted(method: type[Method], config: MethodConfig | None, train: ViewSet, folder: Path) -> Method:
    subject = method(config)
    if subject.needs_fit:
        _require(isinstance(subject.fit_identity()[0], str), "fit_identity must return a name and a configuration")
        subject.fit(train)
        folder.mkdir()
        subject.save(folder)
        files = sorted(file for file in folder.rglob("*") if file.is_file())
        _require(bool(files), "save wrote no file into the folder that it was given")
        for file in files:
            # Every pickle protocol from 2 on starts with this byte and its version.
            head = file.read_bytes()[:2]
            _require(not (head[:1] == b"\x80" and head[1:] <= b"\x05"), f"save wrote a pickle: {file.name}")
    return subject


def _maker(method: type[Method], config: MethodConfig | None, fitted: Path) -> Callable[[], Method]:
    def make() -> Method:
        subject = method(config)
        if subject.needs_fit:
            subject.load(fitted)
        return subject

    return make


def _ask(subject: Method, query: PrivilegedQuery) -> Answer:
    """Ask one query as the runner does: with what the method's privileges name of the truth."""
    return subject.localize(_granted(query, subject))


def _granted(query: PrivilegedQuery, subject: Method) -> Query:
    plain = Query(query.image, query.camera, query.seed)
    return granted(plain, subject.privileges, partial(getattr, query))


def _check_answers(subject: Method, world: _World) -> None:
    subject.build_map(world.first)
    size = subject.map_bytes()
    _require(isinstance(size, int) and size >= 0, f"map_bytes must return a whole number of bytes, not {size!r}")
    for query in world.queries:
        before = copy.deepcopy(query)
        _check_answer(_ask(subject, query), world.first.ids)
        for part in ("image", "depth", "semantic"):
            same = np.array_equal(getattr(before, part), getattr(query, part))
            _require(same, f"localize changed the query's {part}")


def _check_answer(answer: object, references: Sequence[str]) -> None:
    try:
        checked(answer, references)
    except (TypeError, ValueError) as error:
        raise ConformanceError(f"localize: {error}") from error


def _check_determinism(subject: Method, make: Callable[[], Method], world: _World) -> None:
    """Check that only the query decides the answer; the first map is built already."""
    asked = [_ask(subject, query) for query in world.queries]
    again = [_ask(subject, query) for query in reversed(world.queries)][::-1]
    _require(
        _same(asked, again), "answers change when queries are repeated or reordered; take randomness from Query.seed"
    )
    other = make()
    other.build_map(world.first)
    reason = "the instance that fit and one that loads its save" if subject.needs_fit else "two instances"
    _require(_same(asked, [_ask(other, query) for query in world.queries]), f"{reason} answer differently")


def _check_second_map(subject: Method, make: Callable[[], Method], world: _World) -> None:
    subject.build_map(world.second)
    fresh = make()
    fresh.build_map(world.second)
    answers = [_ask(subject, query) for query in world.queries]
    for answer in answers:
        _check_answer(answer, world.second.ids)
    expected = [_ask(fresh, query) for query in world.queries]
    _require(_same(answers, expected), "a second build_map does not fully replace the first map")


def _check_hard_inputs(subject: Method, world: _World) -> None:
    plain = np.full((CAMERA.height, CAMERA.width, 3), 128, dtype=np.uint8)
    unknown = np.zeros((CAMERA.height, CAMERA.width), dtype=np.uint16)
    blank = PrivilegedQuery(plain, CAMERA, 0, world.queries[0].pose, unknown.astype(np.float32), unknown)
    for references, query, case in (
        (world.first, blank, "an image without features"),
        (world.first[:1], world.queries[0], "a map of one reference"),
        (world.first[:1], blank, "an image without features in a map of one reference"),
    ):
        try:
            subject.build_map(references)
            answer = _ask(subject, query)
        except Exception as error:  # whatever the method raises is the finding
            line = f"{type(error).__name__}: {error}".splitlines()[0]
            raise ConformanceError(f"{case} raises {line}; answer with Failure(reason) instead") from error
        _check_answer(answer, references.ids)


def _check_no_more_truth(subject: Method, world: _World) -> None:
    """Ask with decoys for what the method's privileges do not name: no answer may depend on them."""
    subject.build_map(world.first)
    for query in world.queries:
        honest = _ask(subject, query)
        for kind in sorted(set(OF_QUERIES) - subject.privileges):
            given = _granted(query, subject)
            decoy = PrivilegedQuery(**{**vars(given), kind: _decoy(kind, query)})
            _require(
                _same([subject.localize(decoy)], [honest]),
                f"the answer depends on the query's true {kind}; let privileges name it",
            )


def _check_nothing_looked_up(subject: Method, world: _World) -> None:
    """Change what lies about: no answer may depend on it."""

    def answers() -> list[Answer]:
        subject.build_map(world.first)
        return [_ask(subject, query) for query in world.queries]

    honest = answers()
    world.lay_about(seed=_DECOYS, ids="not-")
    by_name = not _same(answers(), honest)
    world.lay_about(seed=_DECOYS + 1)
    looked_up = by_name or not _same(answers(), honest)
    _require(
        not looked_up,
        f"the answer depends on a {VIEWS} that lies about near the references"
        + (", in which queries are found by their seeds or names" if by_name else "")
        + ": a method uses what it is given, and looks nothing up",
    )
    world.lay_about(seed=_DECOYS)


def _check_blind(subject: Method, world: _World) -> None:
    """Ask a baseline that never looks with other images in place of each query's; the first map is built already."""
    if subject.baseline is None:
        return
    grey = np.full_like(world.queries[0].image, 128)
    for query in world.queries:
        for image in (grey, *(other.image for other in world.queries)):
            swapped = replace(query, image=image)
            _require(
                _same([_ask(subject, swapped)], [_ask(subject, query)]),
                f"the answer depends on the query's image; a method whose baseline is {subject.baseline!r} never looks",
            )


def _decoy(kind: Privilege, query: PrivilegedQuery) -> Any:
    """Return a value of the right type that is not the truth."""
    if kind == "pose":
        return Pose.identity()
    truth = query.depth if kind == "depth" else query.semantic
    return np.ascontiguousarray(np.asarray(truth)[::-1, ::-1])


def _same(first: list[Answer], second: list[Answer]) -> bool:
    return [_content(answer) for answer in first] == [_content(answer) for answer in second]


def _content(answer: Answer) -> tuple[Any, ...]:
    """Return everything an answer says, in a form that compares by bits."""
    if isinstance(answer, Failure):
        return (answer.reason,)
    pose = None if answer.pose is None else np.asarray(answer.pose.matrix, dtype=np.float64).tobytes()
    return (pose, answer.ranking, np.float64(answer.confidence).tobytes(), answer.flags)
