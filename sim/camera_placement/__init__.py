"""Where cameras may be in any scene: its navigable floor, clearance from surfaces, sampled poses and recorded paths."""

from .clearance import Clearance
from .navigable import navigable_floor
from .navigation import free_point_near, sample_poses_6dof, sample_poses_planar

__all__ = ["Clearance", "free_point_near", "navigable_floor", "sample_poses_6dof", "sample_poses_planar"]
