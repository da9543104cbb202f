"""Tracks: frozen, versioned benchmarks, each a YAML file in this folder, and the model that they are read into."""

from .spec import SIZES, MethodEntry, SizeSpec, SweepSpec, TrackSpec, list_tracks, load_track

__all__ = ["SIZES", "MethodEntry", "SizeSpec", "SweepSpec", "TrackSpec", "list_tracks", "load_track"]
