"""Geometry, scenes and simulators: everything that turns a pose into an observation."""
