"""The embedded simulator: rays cast with Embree, light baked once, pictures made by compiled kernels."""

from .raycaster import Raycaster

__all__ = ["Raycaster"]
