"""Methods by name: built in, or brought by an installed package; and methods in single files."""

from __future__ import annotations

from typing import Any

from ..errors import InputError, one_line
from ..registry import Registry, complete_class
from .configuration import validated
from .files import import_file, split_location
from .method import Method

#: A package offers a method by an entry point of the group ``relocbench.methods``: ``my-method = "my_package:Mine"``.
METHODS: Registry[type[Method[Any]]] = Registry(
    "method",
    "methods",
    {
        "random": ".methods.baselines.random:RandomReference",
        "blind-ahead": ".methods.baselines.blind_pose:BlindAhead",
        "blind-mean": ".methods.baselines.blind_pose:BlindMean",
        "blind-middle": ".methods.baselines.blind_pose:BlindMiddle",
        "blind-place": ".methods.baselines.blind_place:BlindPlace",
        "oracle-nearest": ".methods.baselines.oracle_nearest:OracleNearest",
        "dense-vlad": ".methods.dense_vlad.dense_vlad:DenseVlad",
        "essnet": ".methods.essnet.essnet:EssNet",
        "essnet-scale": ".methods.essnet.essnet:EssNetScale",
        "exrenet": ".methods.exrenet.exrenet:ExReNetMethod",
        "netvlad": ".methods.netvlad.netvlad:NetVlad",
        "patch-netvlad": ".methods.patch_netvlad.patch_netvlad:PatchNetVladNbnn",
        "retrieval": ".methods.retrieval.best_reference:BestReference",
        "scene-graph": ".methods.scene_graph.scene_graph:SceneGraphMethod",
        "scene-graph-vs": ".methods.scene_graph.scene_graph:SceneGraphVs",
        "image-synthesis": ".methods.scene_graph.image_synthesis:ImageSynthesis",
        "semantic-histogram": ".methods.semantic_histogram.semantic_histogram:SemanticHistogram",
        "sift-5pt": ".methods.sift.sift_5pt:SiftFivePoint",
        "sift-pnp": ".methods.sift.sift_pnp:SiftPnp",
    },
    otherwise="path/to/file.py:ClassName",
    check=complete_class(Method),
)


def method_class(name: str) -> type[Method[Any]]:
    """Return the class registered as ``name``, or the one in a file given as ``path/to/file.py:ClassName``.

    Raises ``InputError`` where there is no such method or it cannot be imported. Built-in names cannot be replaced.
    """
    if ".py:" in name:
        return load_method_file(name)
    if name == "isolated":  # not listed: nobody writes its configuration by hand
        from .isolated.isolated_method import IsolatedMethod

        return IsolatedMethod
    return METHODS.load(name)


def load_method_file(location: str) -> type[Method[Any]]:
    """Return the method class at ``path/to/file.py:ClassName``; the file is imported by its path.

    Raises ``InputError`` where the file or the class is missing, or importing the file fails.
    """
    path, attribute = split_location(location)
    module = import_file(path)
    if not hasattr(module, attribute):
        raise InputError(f"{path}: has no class {attribute!r}")
    return METHODS.check(getattr(module, attribute), f"{path}:{attribute}")


def make_method(name: str, config: dict[str, Any] | None = None) -> Method[Any]:
    """Build the method ``name`` (or ``file.py:ClassName``) from its configuration as plain values.

    Raises ``InputError`` naming the key where a configuration key is unknown or its value does not fit, and naming the
    class where it cannot be made with a configuration.
    """
    origin = f"method {name!r}"
    cls = method_class(name)
    try:
        return cls(validated(cls.Config, config, origin=origin))
    except (InputError, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise InputError(f"{origin} cannot be made with its configuration: {one_line(error)}") from error
