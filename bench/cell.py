"""`Cell`: one method under one configuration on one dataset, addressed by the hash of all that decides its outcome.

What of the code decides is declared by the code itself: the modules that the method's class and the objects that it
holds come from, all that these import, and the modules that ask it and write its answers down.
"""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ..datasets.dataset import Dataset
from ..datasets.handing_over import views_to_seal
from ..datasets.sealed import ViewsToSeal
from ..errors import InputError
from ..methods.closure import file_version, held, import_closure
from ..methods.files import FILE_MODULE
from ..methods.isolated.isolated_method import IsolatedMethod, isolated
from ..methods.learner import Learner
from ..methods.method import Method
from ..methods.privileges import PRIVILEGES, Privilege
from ..methods.registry import make_method, method_class
from . import consolidation, seeds, worker
from .messages import Assignment
from .provenance import digest
from .roles import role_of
from .tracks import MethodEntry, TrackSpec

#: What asks a method, and what makes the table of estimates of its answers.
_ANSWERING = (worker.__name__, seeds.__name__, consolidation.__name__)


@dataclass(frozen=True)
class Lessons:
    """What methods learn from: the training split of a dataset, which may be another one than is localized in."""

    dataset: Path
    dataset_sha256: str
    views: int

    @classmethod
    def of(cls, dataset: Dataset) -> Lessons:
        """Return the lessons that a dataset holds."""
        return cls(dataset.root.resolve(), dataset.sha256, len(dataset.views.where(split="train")))

    @classmethod
    def asked_for(cls, dataset: Dataset) -> Lessons:
        """Return the lessons that a dataset holds; raises ``InputError`` where it holds none."""
        lessons = cls.of(dataset)
        if not lessons.views:
            raise InputError(f"{dataset.root}: has no training views to learn from; name another dataset")
        return lessons

    @cached_property
    def to_seal(self) -> ViewsToSeal | None:
        """The training views, as units hand them over; None where there are none."""
        return views_to_seal(Dataset.open(self.dataset).views.where(split="train")) if self.views else None


@dataclass(frozen=True)
class RunSettings:
    """What decides the outcome of a run besides the method: the dataset, what is learned from, the seed, and how long a
    method may take."""

    dataset: Path
    dataset_sha256: str
    lessons: Lessons
    split: str
    seed: int
    query_timeout: float
    map_timeout: float


@dataclass(frozen=True)
class FitPlan:
    """What a method learns, once: methods with the same ``key`` share it."""

    name: str
    key: str

    @property
    def folder(self) -> str:
        """The folder of what was learned, in the run's folder."""
        return f"fits/{re.sub(r'[^A-Za-z0-9._+-]', '-', self.name)}-{self.key[:12]}"


@dataclass(frozen=True)
class Cell:
    """What one row of the leaderboard is made of: ``label`` names it in tables, ``key`` decides whether it is done.

    A method that was trained several times has several cells with one label, which ``replicate`` tells apart.

    What its method must learn is the outcome of ``fit``, or where there is nothing to learn from, lies in the folder
    ``shipped``, which came with the package. ``key`` is the digest of ``decides``.
    """

    label: str
    role: str
    method: str
    config: dict[str, Any]
    key: str
    fit: FitPlan | None
    shipped: Path | None
    decides: Mapping[str, Any]
    replicate: int = 0

    @property
    def libraries(self) -> Mapping[str, str | None]:
        """The versions of the libraries that decide what it answers."""
        libraries: Mapping[str, str | None] = self.decides["made_of"]["libraries"]
        return libraries

    @property
    def privileges(self) -> tuple[Privilege, ...]:
        """What of the ground truth its method is given."""
        return tuple(self.decides["privileges"])

    @property
    def folder(self) -> str:
        """The folder of its results, in the run's folder: another configuration gets another one beside it."""
        return f"methods/{self.label}-{self.key[:12]}"

    def assignment(self, *, hidden: tuple[str, ...] = ()) -> Assignment:
        """Return what a worker is told to run this cell, or to fit for it; ``hidden`` is for isolated methods only."""
        shipped = None if self.shipped is None else str(self.shipped)
        hidden = hidden if self.method == IsolatedMethod.name else ()
        return Assignment(self.method, self.config, self.privileges, shipped, hidden)


def make_cells(entries: Iterable[MethodEntry], settings: RunSettings) -> list[Cell]:
    """Address the methods of a track, and each replicate of one that has several, in order.

    Raises ``InputError`` where a method or its configuration is wrong, and where two replicates are one and the same.
    """
    cells = [make_cell(entry, settings, replicate) for entry in entries for replicate in range(len(entry.configs))]
    for cell, other in combinations(cells, 2):
        if (cell.label, cell.key) == (other.label, other.key):
            raise InputError(
                f"{cell.label}: its replicates {cell.replicate} and {other.replicate} have the same configuration and "
                "the same files; each needs weights of its own"
            )
    return cells


def make_cell(entry: MethodEntry, settings: RunSettings, replicate: int = 0) -> Cell:
    """Address one method of a track, or one of its replicates.

    Raises ``InputError`` where the method or its configuration is wrong.
    """
    method = make_method(entry.name, entry.configs[replicate])
    shipped = method.pretrained() if method.needs_fit and not settings.lessons.views else None
    fit = _fit_plan(method, settings) if method.needs_fit and shipped is None else None
    learned = _version(shipped) if shipped is not None else None if fit is None else fit.key
    decides = {
        **decided_by_code(method),
        "dataset": settings.dataset_sha256,
        "split": settings.split,
        "seed": settings.seed,
        "fit": learned,
        "timeouts": [settings.query_timeout, settings.map_timeout],
    }
    config, key = decides["config"], digest(decides)
    return Cell(entry.label, role_of(method), entry.name, config, key, fit, shipped, decides, replicate)


def decided_by_code(method: Method) -> dict[str, Any]:
    """Return what of a method's answers is decided without a dataset: its configuration, and the code, libraries and
    files that it is made of, with the code that asks it and writes its answers down."""
    return {
        "method": type(method).name,
        "config": method.config.model_dump(mode="json"),
        "privileges": _privileges(method),
        "made_of": _made_of(method),
        "answering": import_closure(_ANSWERING).modules,
    }


def _privileges(method: Method) -> list[Privilege]:
    unknown = sorted(set(method.privileges) - set(PRIVILEGES))
    if unknown:
        raise InputError(f"{type(method).name}: no privilege {unknown[0]!r}; there are {', '.join(PRIVILEGES)}")
    return sorted(method.privileges)


def _made_of(method: Learner[Any]) -> dict[str, Any]:
    """Return what decides how a method answers, or learns, besides its configuration.

    ``modules`` are those of its code, ``libraries`` the versions of what these import, ``files`` what is in the files
    and folders that its configuration names and in those that it has loaded.
    """
    modules, loaded = held(method)
    module = type(method).__module__
    if module.startswith(FILE_MODULE):
        code = import_closure(modules - {module}, file=Path(inspect.getfile(type(method))))
    else:
        code = import_closure(modules | {module})
    named = [(name, _version(Path(name))) for name in _files_named(method.config.model_dump())]
    files = sorted([*named, *((path.name, _version(path)) for path in loaded)])
    return {"modules": code.modules, "libraries": code.versions(), "files": files}


def _version(path: Path) -> str:
    """Return what stands for the content of a file or folder: of Python files their code and what lies beside them."""
    if path.is_dir():
        return digest({str(file.relative_to(path)): _version(file) for file in _files_below(path)})
    return digest(import_closure((), file=path).modules) if path.suffix == ".py" else file_version(path)


def _files_below(folder: Path) -> Iterator[Path]:
    """Yield the files of a folder, those in folders that are linked there too, each folder once."""
    seen = set()
    for place, folders, names in os.walk(folder, followlinks=True):
        if os.path.realpath(place) in seen:
            folders.clear()
            continue
        seen.add(os.path.realpath(place))
        yield from (file for name in names if (file := Path(place, name)).is_file())


def choose_entries(
    track: TrackSpec,
    size: str,
    methods: list[str] | None,
    method_files: list[str],
    *,
    python: str | None = None,
    memory_limit: float | None = None,
) -> list[MethodEntry]:
    """Return the methods to run: those of the track, or of ``methods`` only, and those in ``method_files``.

    ``methods`` are display names of the track, or names of other registered methods, which run with their defaults.
    With ``python``, an interpreter, the files run under it (see :mod:`relocbench.methods.isolated`), each limited to
    ``memory_limit`` GiB. Raises ``InputError`` for an unknown name, a file that cannot be run, and where two methods
    would share a display name.
    """
    if python is not None and not method_files:
        raise InputError("--python goes with --method file.py:ClassName: it runs the methods of such files only")
    if memory_limit is not None and python is None:
        raise InputError("--memory-limit goes with --python: it limits a method that runs in an interpreter of its own")
    named = {entry.label: entry for entry in track.methods}
    entries = track.entries(size) if methods is None else [named.get(name) or _registered(name) for name in methods]
    if python is None:
        entries = [*entries, *(_registered(_absolute(location)) for location in method_files)]
    else:
        entries = [*entries, *(_isolated(location, python, memory_limit) for location in method_files)]
    entries = [_named(entry) for entry in entries]
    labels = [entry.label for entry in entries]
    for label in labels:
        if labels.count(label) > 1:
            raise InputError(f"two of the methods to run are called {label!r}; give one of them another name")
    return entries


def _named(entry: MethodEntry) -> MethodEntry:
    """Return a track's entry of a method in a file under the name of its class, where the track gives it none."""
    if entry.display or ".py:" not in entry.name:
        return entry
    named = _entry(entry.name, method_class(entry.name).name, origin=entry.name, config=entry.config)
    return named.model_copy(update={"replicates": entry.replicates})


def _registered(name: str) -> MethodEntry:
    return _entry(name, method_class(name).name, origin=name)


def _isolated(location: str, python: str, memory_limit: float | None) -> MethodEntry:
    config = isolated(location, python=python, memory_limit=memory_limit)
    return _entry(IsolatedMethod.name, config.name, origin=location, config=config.model_dump(mode="json"))


def _entry(name: str, label: str, *, origin: str, config: dict[str, Any] | None = None) -> MethodEntry:
    try:
        return MethodEntry.model_validate({"name": name, "as": label, "config": config or {}})
    except ValidationError:
        raise InputError(
            f"{origin}: the method's name {label!r} is also a folder's; use letters, digits and . _ + - only"
        ) from None


def _absolute(location: str) -> str:
    file, _, attribute = location.rpartition(":")
    return f"{Path(file).expanduser().resolve()}:{attribute}"


def _fit_plan(method: Method, settings: RunSettings) -> FitPlan:
    learner: Learner[Any] = method
    while learner.learning_part is not None:
        learner = learner.learning_part
    name, config = learner.fit_identity()
    decides = {
        "fit": name,
        "config": config,
        "made_of": _made_of(learner),
        "fitting": import_closure([worker.__name__, seeds.__name__]).modules,
        "dataset": settings.lessons.dataset_sha256,
        "seed": settings.seed,
    }
    return FitPlan(name, digest(decides))


def _files_named(config: Any) -> list[str]:
    """Return the paths of files or folders in a configuration, sorted.

    A string is one where it has a separator or a suffix: ``netvlad`` is a name, whatever lies in the working folder.
    """
    if isinstance(config, Mapping):
        return _files_named(list(config.values()))
    if isinstance(config, list | tuple | set | frozenset):
        return sorted({name for value in config for name in _files_named(value)})
    path = isinstance(config, Path) or (isinstance(config, str) and ("/" in config or Path(config).suffix))
    return [str(config)] if path and os.path.exists(config) else []
