"""Scenes that somebody brings: a textured .glb without our sidecar becomes a `Scene`, or is refused in one line."""

from .loading import EVEN_LIGHT, load_foreign

__all__ = ["EVEN_LIGHT", "load_foreign"]
