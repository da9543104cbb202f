"""YAML as people write it: one document in UTF-8 in which no key stands twice, of a size that a person writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from ...errors import InputError, one_line

_LARGEST = 100_000  # values, each as often as aliases repeat it


def read_yaml(path: Path) -> Any:
    """Return the plain values in a file; raises ``InputError`` that says what is wrong with it, and where."""
    try:
        loader = _Loader(path.read_bytes().decode("utf-8-sig"))
        root = loader.get_single_node()
        if root is None:
            return None
        if _count(root, {}) > _LARGEST:
            raise InputError(f"{path}: stands for more than {_LARGEST} values; its aliases repeat each other")
        return loader.construct_document(root)
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is not UTF-8 (byte {error.start}); save it in that encoding") from error
    except RecursionError as error:
        raise InputError(f"{path}: is nested too deeply, or in itself") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    except (yaml.YAMLError, ValueError) as error:  # a date that no calendar has is a ValueError
        said = " ".join(str(error).split()) or one_line(error)
        raise InputError(f"{path}: cannot be read as YAML: {said}") from error


class _Loader(yaml.SafeLoader):
    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        """Return the node; raises ``YAMLError`` where a key stands twice, of which YAML itself would take the last."""
        node = super().compose_mapping_node(anchor)
        lines: dict[Any, int] = {}
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            line, name = key.start_mark.line + 1, (key.tag, key.value)
            if name in lines:
                both = f"in lines {lines[name]} and {line}" if lines[name] != line else f"in line {line}"
                raise yaml.YAMLError(f"the key {key.value!r} stands twice, {both}; keep one of them")
            lines[name] = line
        return node


def _count(node: yaml.Node, known: dict[int, int]) -> int:
    """Return how many values a node stands for."""
    if id(node) not in known:
        inner = [] if isinstance(node, yaml.ScalarNode) else node.value
        parts = [part for item in inner for part in (item if isinstance(item, tuple) else (item,))]
        known[id(node)] = 1 + sum(_count(part, known) for part in parts)
    return known[id(node)]
