"""relocbench: a simulation-driven benchmark suite for visual localization.

Conventions that hold everywhere in the package, and that every dataset repeats in its manifest:

- world: right-handed, metres, z up; camera: OpenCV axes (x right, y down, z forward);
- a pose is ``world_from_camera``; quaternions are (w, x, y, z), normalised, w >= 0;
- the centre of the top-left pixel is (0.5, 0.5);
- depth is z-depth in metres, 0 where nothing was hit; semantic and instance id 0 is "unknown".
"""

__version__ = "0.1.0"
