"""Where the frames of a training house are taken: of a robot, in clusters, or along recorded paths."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from ...sim.camera_placement import Clearance, sample_poses_6dof, sample_poses_planar
from ...sim.camera_placement.recordings import recorded_poses
from ...sim.geometry import Camera, Pose
from ...sim.scene import Scene

Array = NDArray[Any]

_CLUSTER = 12  # frames around one place
#: Metres and degrees from the place: most pairs of a cluster are then within 1.5 times as much, 0.6 m and 30 degrees. A
#: way of 0.4 m between two points that keep 0.2 m from all surfaces crosses none: a cluster is in one room.
_CLUSTER_REACH = (0.4, 20.0)
_PLACES_TRIED = 20  # for one frame


@dataclass(frozen=True)
class FrameSettings:
    """What decides the frames of a house, whatever its number."""

    frames: int = 192
    """Frames per house, their lights in turn."""
    side: int = 160
    """Pixels of the square images."""
    horizontal_fov: float = 90.0
    """Degrees."""
    triangles: int = 20_000
    """Level of detail."""
    height: tuple[float, float] = (1.0, 1.8)
    """Metres above the floor between which cameras stand."""
    pitch_std: float = 5.0
    """Degrees."""
    sampling: Literal["planar", "6dof", "trajectory"] = "planar"
    """Where frames are taken, see `sample_frame_poses`."""
    simulator: str = "raycast"
    """Name of what renders them."""

    @property
    def camera(self) -> Camera:
        """The camera of every frame."""
        return Camera.from_fov(self.side, self.side, self.horizontal_fov)


def sample_frame_poses(scene: Scene, settings: FrameSettings, rng: np.random.Generator) -> Pose:
    """Return the poses (N, 4, 4) of a house's frames; all keep 0.2 m from every surface.

    - ``planar``: each its own, uniform over the floor and over yaw, at the height and the pitch of ``settings``: what
      a robot sees, and the sparse training set of paper 002, section V-A.
    - ``6dof``: in clusters of 12 frames, for the dense training set of that paper, whose pairs are within 0.6 m and 30
      degrees: uniform within 0.4 m and 20 degrees of a pose of `sample_poses_6dof`, whose height above the floor and
      tilt are its own, not those of ``settings``. The paper draws all poses alike, and far more of them for a house.
    - ``trajectory``: along three paths, see `sim.camera_placement.recordings`; the rest of the house, and much of those
      rooms, stays far from all frames. They are the same whatever ``rng``, so that a dataset can hold the same
      recording.

    Raises ``InputError`` where the scene has no such places.
    """
    if settings.sampling == "planar":
        return sample_poses_planar(scene, settings.frames, rng, height=settings.height, pitch_std=settings.pitch_std)
    clearance = Clearance(scene)
    if settings.sampling == "6dof":
        return _clustered_poses(clearance, settings.frames, rng)
    return recorded_poses(clearance, settings.frames, height=settings.height, pitch_std=settings.pitch_std)


def _clustered_poses(clearance: Clearance, count: int, rng: np.random.Generator) -> Pose:
    anchors = sample_poses_6dof(clearance.scene, -(-count // _CLUSTER), rng, clearance=clearance)
    anchors = anchors[np.arange(count) // _CLUSTER]
    metres, degrees = _CLUSTER_REACH
    turns = Rotation.from_rotvec(_in_unit_ball((count, 3), rng) * degrees, degrees=True).as_matrix()
    places = anchors.translation[:, None] + metres * _in_unit_ball((count, _PLACES_TRIED, 3), rng)
    places[:, -1] = anchors.translation  # which is clear, where none of the others is
    clear = clearance.is_clear(places.reshape(-1, 3)).reshape(count, _PLACES_TRIED)
    clear[:, -1] = True
    centres = places[np.arange(count), clear.argmax(axis=1)]
    return Pose.from_rotation_translation(anchors.rotation @ turns, centres)


def _in_unit_ball(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Return points (..., 3) uniform in the unit ball."""
    direction = rng.standard_normal(shape)
    direction /= np.linalg.norm(direction, axis=-1, keepdims=True)
    return direction * np.cbrt(rng.uniform(size=(*shape[:-1], 1)))
