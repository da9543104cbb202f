"""Procedural houses: `generate_house` makes number `seed`; the sampling functions place cameras in any scene."""

from .clearance import Clearance
from .house import HOUSE_VERSION, generate_house
from .navigable import navigable_floor
from .navigation import free_point_near, sample_poses_6dof, sample_poses_planar

__all__ = [
    "HOUSE_VERSION",
    "Clearance",
    "free_point_near",
    "generate_house",
    "navigable_floor",
    "sample_poses_6dof",
    "sample_poses_planar",
]
