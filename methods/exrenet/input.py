"""Bringing images of any camera to the one that a relative-pose network has learned."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...sim.geometry import Camera

_FIELD_OF_VIEW = 90.0  # degrees, of the frames that networks are trained on


def network_camera(side: int) -> Camera:
    """Return the camera whose images a network with inputs of side x side pixels knows."""
    return Camera.from_fov(side, side, _FIELD_OF_VIEW)


def network_image(image: NDArray[Any], camera: Camera, side: int) -> Tensor:
    """Return an image (H, W, 3) uint8 as the network's camera would have taken it: (1, 3, side, side) in [0, 1].

    What lies outside the given image is black, what lies outside the network's field of view is cut off.
    """
    seen = as_taken_by(image, camera, network_camera(side))
    return torch.from_numpy(seen).permute(2, 0, 1)[None].float() / 255


def as_taken_by(image: NDArray[Any], camera: Camera, other: Camera) -> NDArray[Any]:
    """Return the image (H', W', 3) that ``other`` takes from where ``camera`` took ``image`` (H, W, 3)."""
    width, height = round(camera.width * other.fx / camera.fx), round(camera.height * other.fy / camera.fy)
    smaller = width < camera.width or height < camera.height
    interpolation = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    image = cv2.resize(image, (max(width, 1), max(height, 1)), interpolation=interpolation)
    camera = camera.resized(image.shape[1], image.shape[0])
    if camera == other:
        return image
    across, down = other.fx / camera.fx, other.fy / camera.fy
    # from centres at halves to OpenCV's, which are whole
    right = other.cx - across * camera.cx + (across - 1) / 2
    lower = other.cy - down * camera.cy + (down - 1) / 2
    moved = np.array([[across, 0, right], [0, down, lower]])
    return cv2.warpAffine(image, moved, (other.width, other.height), flags=cv2.INTER_LINEAR)
