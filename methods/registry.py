"""Methods by name: the built-in ones, those that installed packages add by entry point, and single files."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
import warnings
from hashlib import sha256
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from ..errors import InputError
from .method import Method

#: A package offers a method by an entry point of this group: ``my-method = "my_package.module:MyMethod"``.
ENTRY_POINT_GROUP = "relocbench.methods"

_PACKAGE = __name__.rpartition(".")[0]

#: Where the built-in methods live. A table rather than a scan: listing names imports none of them.
_BUILT_IN = {
    "random": ".baselines.random:RandomReference",
    "oracle-nearest": ".baselines.oracle_nearest:OracleNearest",
    "dense-vlad": ".dense_vlad.dense_vlad:DenseVlad",
    "essnet": ".essnet.essnet:EssNet",
    "exrenet": ".exrenet.exrenet:ExReNetMethod",
    "netvlad": ".netvlad.netvlad:NetVlad",
    "patch-netvlad": ".patch_netvlad.patch_netvlad:PatchNetVladNbnn",
    "scene-graph": ".scene_graph.scene_graph:SceneGraphMethod",
    "scene-graph-vs": ".scene_graph.scene_graph:SceneGraphVs",
    "image-synthesis": ".scene_graph.image_synthesis:ImageSynthesis",
    "semantic-histogram": ".semantic_histogram.semantic_histogram:SemanticHistogram",
    "sift-5pt": ".sift.sift_5pt:SiftFivePoint",
    "sift-pnp": ".sift.sift_pnp:SiftPnp",
}


#: Found by name, but not listed: nobody writes its configuration by hand, see :mod:`relocbench.methods.isolated`.
_UNLISTED = {"isolated": ".isolated.isolated_method:IsolatedMethod"}


def method_names() -> list[str]:
    """Return the names of all methods, built-in ones first; imports none of them."""
    added = [point.name for point in entry_points(group=ENTRY_POINT_GROUP) if point.name not in _BUILT_IN]
    return [*_BUILT_IN, *sorted(added)]


def available() -> dict[str, type[Method]]:
    """Return every method's class by name. An entry point that cannot be imported is left out with one warning."""
    classes = {}
    for name in method_names():
        try:
            classes[name] = method_class(name)
        except InputError as error:
            warnings.warn(str(error), stacklevel=2)
    return classes


def method_class(name: str) -> type[Method]:
    """Return the class registered as ``name``, or the one in a file given as ``path/to/file.py:ClassName``.

    Raises ``InputError`` where there is no such method or it cannot be imported. Built-in names cannot be replaced.
    """
    own = _BUILT_IN.get(name) or _UNLISTED.get(name)
    if own is not None:
        return _built_in(name, own)
    if ".py:" in name:
        return load_method_file(name)
    for point in entry_points(group=ENTRY_POINT_GROUP):
        if point.name == name:
            return _load_entry_point(point)
    raise InputError(f"unknown method {name!r}; known: {', '.join(method_names())}, or path/to/file.py:ClassName")


def _built_in(name: str, location: str) -> type[Method]:
    module, _, attribute = location.partition(":")
    try:
        return getattr(importlib.import_module(module, _PACKAGE), attribute)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith(_PACKAGE.partition(".")[0]):
            raise
        raise InputError(f"method {name!r} needs {error.name}: pip install 'relocbench[learned]'") from error


def _load_entry_point(point: EntryPoint) -> type[Method]:
    origin = f"method {point.name!r} (entry point {point.value})"
    try:
        loaded = point.load()
    except Exception as error:  # somebody else's module may raise anything while it is imported
        raise InputError(f"{origin} cannot be imported: {_one_line(error)}; repair or uninstall its package") from error
    return _checked(loaded, origin)


def load_method_file(location: str) -> type[Method]:
    """Return the method class at ``path/to/file.py:ClassName``; the file is imported by its path.

    Raises ``InputError`` where the file or the class is missing, or importing the file fails.
    """
    path, attribute = split_location(location)
    module_name = f"relocbench_method_{path.stem}_{sha256(str(path).encode()).hexdigest()[:12]}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None:
        raise InputError(f"{path}: not a Python file; give a method as path/to/file.py:ClassName")
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module  # dataclasses and pydantic look their module up while a class is made
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[module_name]
        raise InputError(f"{path}: cannot be imported: {_one_line(error)}") from error
    if not hasattr(module, attribute):
        raise InputError(f"{path}: has no class {attribute!r}")
    return _checked(getattr(module, attribute), f"{path}:{attribute}")


def split_location(location: str) -> tuple[Path, str]:
    """Return the file, absolute, and the name of the class in it; raises ``InputError`` where there is no such file."""
    file, _, attribute = location.rpartition(":")
    path = Path(file).expanduser().resolve()
    if not path.is_file() or not attribute:
        raise InputError(f"{location}: no such file; give a method as path/to/file.py:ClassName")
    return path, attribute


def _checked(candidate: Any, origin: str) -> type[Method]:
    if not (isinstance(candidate, type) and issubclass(candidate, Method)):
        raise InputError(f"{origin} is not a subclass of relocbench.methods.method.Method")
    if inspect.isabstract(candidate):
        raise InputError(f"{origin} does not implement {', '.join(sorted(candidate.__abstractmethods__))}")
    if not isinstance(getattr(candidate, "name", None), str):
        raise InputError(f"{origin} has no name; give the class an attribute: name = 'my-method'")
    return candidate


def make_method(name: str, config: dict[str, Any] | None = None) -> Method:
    """Build the method ``name`` (or ``file.py:ClassName``) from its configuration as plain values.

    Raises ``InputError`` naming the key where a configuration key is unknown or its value does not fit.
    """
    cls = method_class(name)
    try:
        return cls(cls.Config.model_validate(config or {}))
    except ValidationError as error:
        raise InputError(f"method {name!r}: {_config_problem(cls.Config, error)}") from error


def _config_problem(config: type[BaseModel], error: ValidationError) -> str:
    """Say in one line what is wrong with a configuration: the first problem, with its key."""
    problem = error.errors()[0]
    key = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        allowed = ", ".join(_fields_beside(config, problem["loc"])) or "none"
        return f"unknown configuration key {key!r}; allowed: {allowed}"
    where = f"configuration key {key!r}: " if key else ""
    return f"{where}{problem['msg']} (given: {problem['input']!r})"


def _fields_beside(config: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """Return the field names of the (nested) model that holds the key at ``location``."""
    for part in location[:-1]:
        nested = config.model_fields[str(part)].annotation
        if not (isinstance(nested, type) and issubclass(nested, BaseModel)):
            return []
        config = nested
    return list(config.model_fields)


def _one_line(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]
