"""Scenes on disk: ``<name>.glb``, which opens in any viewer, beside ``<name>.json``, what glTF has no place for."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import Any

import numpy as np

from .scene import Scene


def scene_fingerprint(scene: Scene) -> str:
    """Return a SHA-256 over everything that decides what a simulator renders: geometry, looks, objects, lights."""
    digest = hashlib.sha256()
    for array in (
        scene.vertices, scene.normals, scene.uvs, scene.triangles, scene.triangle_material, scene.triangle_instance,
    ):  # fmt: skip
        _add_array(digest, array)
    for material in scene.materials:
        digest.update(json.dumps([material.name, *map(float, material.emission)]).encode())
        _add_array(digest, material.texture)
    described = {
        "instances": [asdict(instance) for instance in scene.instances],
        "categories": list(scene.categories),
        "conditions": {name: asdict(lighting) for name, lighting in scene.conditions.items()},
    }
    digest.update(json.dumps(described, sort_keys=True, default=float).encode())
    return digest.hexdigest()


def _add_array(digest: Any, array: np.ndarray) -> None:
    digest.update(f"{array.dtype.str}{array.shape}".encode())
    digest.update(np.ascontiguousarray(array).data)
