"""An image's depth: the simulator's, our small network's, or MiDaS's."""

from __future__ import annotations

from typing import Any, Literal, Protocol, get_args

import numpy as np
import torch
from numpy.typing import NDArray

from ...datasets.views import View
from ...errors import InputError
from ..networks.checkpoints import checkpoint_path, load_network
from ..networks.feature_pyramid import PyramidConfig, network_input, pyramid_of
from .networks import DepthNetwork, enlarged
from .public_models import PublicModel

Array = NDArray[Any]

DepthChoice = Literal["oracle", "learned", "midas"]

#: What ``midas`` loads unless told otherwise: Ranftl et al., "Vision transformers for dense prediction", ICCV 2021.
MIDAS = "Intel/dpt-hybrid-midas"

_CAMERA_HEIGHT = 1.4  # metres: the middle of the range of the robot's camera, see metric_depth
_FLOOR_ROWS = 0.08  # share of the image's rows, the lowest ones, that are taken to show the floor
_FARTHEST = 30.0  # metres


class DepthEstimator(Protocol):
    """Says how far away everything in a reference image is."""

    def of_view(self, view: View) -> Array:
        """Return z-depth (H, W) float32 in metres, 0 where it is not known."""


class OracleDepth:
    """The simulator's own depth maps."""

    def of_view(self, view: View) -> Array:
        """Return the view's depth map; raises ``InputError`` where the dataset has none."""
        return view.depth()


class LearnedDepth:
    """The network of ``relocbench train depth``: metric depth, for a camera of any focal length."""

    def __init__(self, weights: str) -> None:
        self._network = DepthNetwork(pyramid_of(checkpoint_path(weights, task="depth"), PyramidConfig))
        load_network(self._network, weights, task="depth")

    def of_view(self, view: View) -> Array:
        """Return the depth that the network sees in the view's image."""
        camera = view.camera
        with torch.inference_mode():
            log_depth = self._network(network_input(view.image()))[:, None]
            depth = enlarged(log_depth, camera.height, camera.width)[0].exp().numpy()
        return depth * np.float32(2 * camera.fx / camera.width)


class MidasDepth:
    """MiDaS through transformers: relative inverse depth, made metric by the floor (Ranftl et al., TPAMI 2022)."""

    def __init__(self, weights: str) -> None:
        self._model = PublicModel("AutoModelForDepthEstimation", weights)

    def of_view(self, view: View) -> Array:
        """Return depth that was scaled so that the floor lies below the camera of a robot, see `metric_depth`."""
        inverse = self._model(view.image()).predicted_depth[:, None]
        relative = enlarged(inverse, view.camera.height, view.camera.width)[0].numpy()
        return metric_depth(relative, view)


def metric_depth(inverse: Array, view: View) -> Array:
    """Scale relative inverse depth (H, W) by what the lowest rows would see of a floor 1.4 m below the camera.

    Paper 000 (section II-C) calibrates depth to the world's axes and does not say how; a robot knows how high its
    camera stands and where down is, and mostly has floor at its feet.
    """
    camera = view.camera
    rows = max(1, round(_FLOOR_ROWS * camera.height))
    v, u = np.mgrid[camera.height - rows : camera.height, 0 : camera.width] + 0.5
    rays = np.stack([(u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy, np.ones_like(u)], axis=-1)
    descent = -(rays @ view.pose.rotation.T)[..., 2]  # metres down per metre of depth
    usable = descent > 0.1
    expected = _CAMERA_HEIGHT / np.where(usable, descent, 1)
    seen = np.maximum(inverse, 1e-6)
    scale = float(np.median((expected * seen[-rows:])[usable])) if usable.any() else float(2.5 * np.median(seen))
    return np.minimum(scale / seen, _FARTHEST).astype(np.float32)


def open_depth(choice: DepthChoice, weights: str = "default") -> DepthEstimator:
    """Return the estimator of a configuration's ``depth``.

    ``weights`` is "default", or for "learned" a checkpoint's path, for "midas" a model's folder or its name on the
    Hugging Face hub. Raises ``InputError`` where the weights cannot be had.
    """
    if choice == "oracle":
        return OracleDepth()
    if choice == "learned":
        return LearnedDepth("synthetic" if weights == "default" else weights)
    if choice == "midas":
        return MidasDepth(MIDAS if weights == "default" else weights)
    raise InputError(f"no depth {choice!r}; choose one of {', '.join(get_args(DepthChoice))}")
