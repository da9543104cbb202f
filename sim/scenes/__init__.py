"""Worlds that are generated, one folder each, on shared meshes and looks."""
