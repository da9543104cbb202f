"""Which code decides what a method answers: all that its modules import, and the libraries that this imports in turn.

It is found in the sources, without running them: imports inside functions count, those for type checkers do not, and a
module that is imported by a name made up at run time is found through the objects that it made (:func:`held`). The
tables of a `Registry` do not count: what a name in them stands for counts by its own code, other names decide nothing.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib.util
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from types import FunctionType, MethodType
from typing import Any

#: Where this package's own sources are.
PACKAGE = Path(__file__).resolve().parent.parent

_NAME = __name__.partition(".")[0]
_INSTALLED = {"site-packages", "dist-packages"}
_BLOCKS = ("body", "orelse", "handlers", "finalbody", "cases")


@dataclass(frozen=True)
class Closure:
    """What counts by its code: ``modules``, the SHA-256 of each by name; and what by its version: ``libraries``, the
    top-level names of what is installed."""

    modules: Mapping[str, str]
    libraries: frozenset[str]

    def versions(self) -> dict[str, str | None]:
        """Return the versions of Python and of the libraries, by distribution; None for one that is not there."""
        found = {name for library in self.libraries for name in _distributions().get(library, [library])}
        return {"python": "{}.{}".format(*sys.version_info), **{name: library_version(name) for name in sorted(found)}}


def import_closure(modules: Iterable[str], *, file: Path | None = None) -> Closure:
    """Return what ``modules``, and the Python file ``file``, import.

    Code counts where it belongs to this package or to those of ``modules``, lies beside ``file``, or is not installed
    but comes from a checkout. The ``__init__.py`` of a package counts with each of its modules, except for that of this
    package, which gathers names for users.
    """
    search = _Search(None if file is None else file.parent, {_top(module) for module in modules})
    found: dict[str, str] = {}
    todo = list(modules)
    if file is not None:
        found[file.name] = _read(file).code
        todo += search.imported(_read(file), "")
    libraries = set()
    while todo:
        name = todo.pop()
        path = search.file(name)
        if path is None:
            libraries.add(_top(name))
        elif name not in found:
            found[name] = _read(path).code
            outer = name.rpartition(".")[0]
            todo += search.imported(_read(path), name if path.name == "__init__.py" else outer)
            if outer not in ("", _NAME) and search.file(outer) is not None:
                todo.append(outer)
    return Closure(found, frozenset(libraries - sys.stdlib_module_names - {_NAME, ""}))


def held(thing: object) -> tuple[set[str], set[Path]]:
    """Return the modules of the classes and functions that an object is made of, and the files that it has paths of.

    Attributes, and what lies in lists and dictionaries there, are followed through all but the objects of libraries.
    """
    modules: set[str] = set()
    files: set[Path] = set()
    seen: set[int] = set()
    todo = [thing]
    while todo:
        item = todo.pop()
        if id(item) in seen:
            continue
        seen.add(id(item))
        if isinstance(item, Path):
            files |= {item} if item.is_file() else set()
        elif isinstance(item, Mapping):
            todo += item.values()
        elif isinstance(item, list | tuple | set | frozenset):
            todo += item
        elif isinstance(item, functools.partial):
            todo += [item.func, item.args, item.keywords]
        elif isinstance(item, MethodType):
            todo += [item.__func__, item.__self__]
        else:
            own = _own_modules([item] if isinstance(item, FunctionType | type) else type(item).__mro__)
            modules |= own
            todo += vars(item).values() if own and not isinstance(item, type) and hasattr(item, "__dict__") else []
    return modules, files


@functools.cache
def _content(path: Path, size: int, modified: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def file_version(path: Path) -> str:
    """Return the SHA-256 of a file's content, read again where its size or time has changed."""
    stat = path.stat()
    return _content(path, stat.st_size, stat.st_mtime_ns)


@dataclass(frozen=True)
class _Source:
    """One file: the SHA-256 of its code, and its imports as (level, module, names); names are None for ``import m``."""

    code: str
    imports: tuple[tuple[int, str, tuple[str, ...] | None], ...]


def _read(path: Path) -> _Source:
    stat = path.stat()
    return _parsed(path, stat.st_size, stat.st_mtime_ns)


@functools.cache
def _parsed(path: Path, size: int, modified: int) -> _Source:
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):  # of another Python
        return _Source(file_version(path), ())
    imports = tuple(_statements(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", None) == "Registry":
            node.args = [argument for argument in node.args if not _is_table(argument)]
    return _Source(hashlib.sha256(ast.dump(tree).encode()).hexdigest(), imports)


def _statements(tree: ast.AST) -> Iterator[tuple[int, str, tuple[str, ...] | None]]:
    """Yield the imports in a tree, and take out of it what does nothing when it is run: docstrings."""
    for block in _BLOCKS:
        inner = getattr(tree, block, None)
        if not isinstance(inner, list):  # a lambda's body is an expression
            continue
        inner[:] = [node for node in inner if not _is_text(node)]
        for node in inner:
            if isinstance(node, ast.Import):
                yield from ((0, alias.name, None) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield node.level, node.module or "", tuple(alias.name for alias in node.names)
            elif isinstance(node, ast.If) and _is_type_checking(node.test):
                yield from _statements(ast.Module(node.orelse, []))
            else:
                yield from _statements(node)


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _is_table(node: ast.expr) -> bool:
    """Whether this is a literal of names to places in this package: ``{"name": ".module:attribute"}``."""
    return isinstance(node, ast.Dict) and all(
        isinstance(value, ast.Constant) and str(value.value).startswith(".") for value in node.values
    )


def _is_type_checking(test: ast.expr) -> bool:
    return "TYPE_CHECKING" in (getattr(test, "id", None), getattr(test, "attr", None))


class _Search:
    """Where modules lie whose code counts."""

    def __init__(self, beside: Path | None, own: set[str]) -> None:
        self._beside, self._own = beside, own
        self._places: dict[str, list[Path]] = {}

    def file(self, name: str) -> Path | None:
        """Return the file of a module, None for what is no module or belongs to a library."""
        top, *rest = name.split(".")
        if top not in self._places:
            self._places[top] = self._find(top)
        return next((file for place in self._places[top] if (file := _module_file(place, tuple(rest)))), None)

    def imported(self, source: _Source, package: str) -> Iterator[str]:
        """Yield the modules that a file imports which belongs to ``package``."""
        for level, module, names in source.imports:
            outer = package.split(".")[: len(package.split(".")) + 1 - level] if level else []
            base = ".".join([*outer, *([module] if module else [])])
            inner = [f"{base}.{name}" for name in names or () if self.file(f"{base}.{name}") is not None]
            yield from inner
            if names is None or len(inner) < len(names):
                yield base

    def _find(self, top: str) -> list[Path]:
        if top == _NAME:
            return [PACKAGE]
        beside = [] if self._beside is None else [self._beside / top]
        elsewhere = _place(top)
        counts = elsewhere is not None and (top in self._own or not _is_library(top))
        return [*beside, *([elsewhere] if counts and elsewhere is not None else [])]


@functools.cache
def _module_file(place: Path, rest: tuple[str, ...]) -> Path | None:
    """Return the file of a module below the package, or module, that is at ``place`` (without a suffix)."""
    path = place.joinpath(*rest)
    candidates = (path / "__init__.py", path.with_name(f"{path.name}.py"))
    return next((candidate for candidate in candidates if candidate.is_file()), None)


def _own_modules(made: Iterable[Any]) -> set[str]:
    """Return the modules of classes and functions that belong to no library."""
    return {item.__module__ for item in made if not _is_library(_top(item.__module__ or "builtins"))}


def _is_library(top: str) -> bool:
    if top == _NAME:
        return False
    place = None if top in sys.stdlib_module_names else _place(top)
    return place is None or not _INSTALLED.isdisjoint(place.parts)


def _place(top: str) -> Path | None:
    """Return where a package or module is found, without a suffix; None for one that is missing or is no source."""
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        return None
    if spec is None:
        return None
    if spec.submodule_search_locations:
        return Path(next(iter(spec.submodule_search_locations)))
    return Path(spec.origin).with_suffix("") if spec.origin is not None and spec.origin.endswith(".py") else None


def _top(module: str) -> str:
    return module.partition(".")[0]


_distributions = functools.cache(metadata.packages_distributions)


@functools.cache
def library_version(distribution: str) -> str | None:
    """Return the version of an installed distribution, None for one that is not there."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None
