"""Which frames of a house are pairs to learn relative pose from (paper 002, section V-A), and which pixels match."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...sim.geometry import Camera, Pose, rotation_error
from ..training.frames import HouseFrames

Array = NDArray[Any]

_NEAR = 0.2  # metres: p_max of paper 002, section V-A
_VOXEL = 0.1  # metres
_ASKED_POINTS = 16  # per side: a frame's overlap with another is that of so many squared of its points
_REACH = 2  # voxels: the centre of no voxel further away along an axis lies within _NEAR of a point
_SAME_DEPTH = (0.05, 0.05)  # share of the depth, and metres: the larger is what depths of one surface may differ by


@dataclass(frozen=True)
class PairRule:
    """Which two frames of a house make a pair: paper 002, section V-A."""

    min_overlap: float = 0.1
    """Mean of the two frames' overlap with each other that a pair exceeds, see `scene_overlap`."""
    max_distance: float = math.inf
    """Metres between the camera centres, at most."""
    max_angle: float = 180.0
    """Degrees between the orientations, at most."""


SPARSE = PairRule()
"""For scenes with few reference images."""

DENSE = PairRule(min_overlap=0.3, max_distance=0.6, max_angle=30.0)
"""For scenes that reference images cover densely."""


def training_pairs(house: HouseFrames, rule: PairRule, camera: Camera) -> tuple[NDArray[np.int64], Array]:
    """Return the frames i < j of all pairs of a house that keep ``rule``, (P, 2), and how much they overlap, (P,).

    Takes about a second a house.
    """
    one_sided = scene_overlap(house, camera)
    overlap = (one_sided + one_sided.T) / 2
    centres = house.poses[:, :3, 3]
    distance = np.linalg.norm(centres[:, None] - centres, axis=-1)
    kept = (overlap > rule.min_overlap) & (distance <= rule.max_distance)
    pairs = np.argwhere(np.triu(kept, k=1))
    first, second = (Pose(house.poses[column]) for column in pairs.T)
    pairs = pairs[rotation_error(first, second) <= rule.max_angle].astype(np.int64)
    return pairs, overlap[tuple(pairs.T)]


def scene_overlap(house: HouseFrames, camera: Camera) -> NDArray[np.float32]:
    """Return (N, N): the share of the scene coordinates of frame i within 0.2 m of one of frame j, in [0, 1].

    The overlap of paper 002, section V-A. Asked for are 16 x 16 points of frame i, those that hit something; they are
    compared with all pixels of frame j. Frame j's points are rounded to the centres of voxels of 0.1 m, which moves a
    point by 0.087 m at most. A frame that hit nothing overlaps with none.
    """
    cells, asked, known, shape = _voxels(house, camera)
    seen_by, row_of = _occupancy(cells, shape)
    position = asked.reshape(-1, 3)
    corner = np.floor(position).astype(np.int64)
    strides = np.array([shape[1] * shape[2], shape[2], 1])
    home = corner @ strides
    steps = np.arange(-_REACH, _REACH + 1)
    apart = (corner + 0.5 - position + steps[:, None, None]) ** 2  # (5, M, 3) squared, along each axis
    found = np.zeros((len(position), seen_by.shape[1]), dtype=np.uint8)
    for x, y, z in product(range(len(steps)), repeat=3):
        near = np.flatnonzero(apart[x, :, 0] + apart[y, :, 1] + apart[z, :, 2] <= (_NEAR / _VOXEL) ** 2)
        row = row_of[home[near] + steps[[x, y, z]] @ strides]
        found[near[row > 0]] |= seen_by[row[row > 0]]
    by_frame = np.unpackbits(found, axis=1, count=len(house)).reshape(*known.shape, -1)
    counts = (by_frame * known[..., None]).sum(axis=1, dtype=np.int32)
    return (counts / np.maximum(known.sum(axis=1), 1)[:, None]).astype(np.float32)


def _voxels(house: HouseFrames, camera: Camera) -> tuple[list[Array], Array, Array, tuple[int, int, int]]:
    """Return the voxels that each frame sees, as flat indices; the points that are asked for, (N, P, 3) in voxels from
    the grid's corner, and whether each hit something, (N, P); and the grid's shape, with a margin of ``_REACH``."""
    rays = (camera.rays().reshape(-1, 3).T / _VOXEL).astype(np.float32)
    depth = house.depth.reshape(len(house), -1).astype(np.float32)
    centres = house.poses[:, :3, 3:] / _VOXEL
    centres = (centres - centres[0]).astype(np.float32)
    rotations = house.poses[:, :3, :3].astype(np.float32)
    # (3, H * W) each; what hit nothing lies in its camera, and widens the grid by little
    points = [turn @ (rays * z) + centre for turn, z, centre in zip(rotations, depth, centres, strict=True)]
    low = np.floor(np.min([own.min(axis=1) for own in points], axis=0)) - _REACH
    size = np.max([own.max(axis=1) for own in points], axis=0) - low
    shape = (int(size[0]) + _REACH + 1, int(size[1]) + _REACH + 1, int(size[2]) + _REACH + 1)
    cells = []
    for own, z in zip(points, depth, strict=True):
        own -= low[:, None]
        x, y, up = own.astype(np.int32)
        cells.append(((x * shape[1] + y) * shape[2] + up)[z > 0])
    rows, columns = (
        ((np.arange(_ASKED_POINTS) + 0.5) * side / _ASKED_POINTS).astype(int) for side in (camera.height, camera.width)
    )
    asked = (rows[:, None] * camera.width + columns).ravel()
    return cells, np.stack([own[:, asked].T for own in points]), depth[:, asked] > 0, shape


def _occupancy(cells: list[Array], shape: tuple[int, int, int]) -> tuple[Array, Array]:
    """Return which frames see a voxel, as packed bits (K, N / 8) of the occupied voxels, and the row of each voxel of
    the grid (V,); row 0 is that of all that nobody sees."""
    row_of = np.zeros(math.prod(shape), dtype=np.int32)
    for own in cells:
        row_of[own] = 1
    occupied = np.flatnonzero(row_of)
    row_of[occupied] = np.arange(1, len(occupied) + 1)
    seen_by = np.zeros((len(occupied) + 1, -(-len(cells) // 8)), dtype=np.uint8)
    for index, own in enumerate(cells):
        seen_by[row_of[own], index // 8] |= np.uint8(128 >> index % 8)  # the order of np.unpackbits
    return seen_by, row_of


def pixel_matches(
    depth: Tensor, poses: Tensor, other_depth: Tensor, other_poses: Tensor, camera: Camera, *, step: int = 2
) -> tuple[Tensor, Tensor, Tensor]:
    """Return where a frame's pixels lie (B, P, 2), where another frame sees the same points (B, P, 2), and whether it
    sees them at all (B, P) bool, for P pixels, every ``step``-th of each row and column.

    ``depth`` and ``other_depth`` are (B, H, W) z-depth in metres, 0 where nothing was hit; ``poses`` and
    ``other_poses`` (B, 4, 4) world_from_camera. Positions are (x, y) in continuous pixels, float32, the centre of the
    top-left pixel at (0.5, 0.5). A point is seen where it lies in the other image, in front of its camera, and the
    depth of the pixel that it falls into differs by no more than 5 % or 0.05 m, whichever is more: else something is
    before it. Where it is not seen, its position means nothing, but is finite.
    """
    height, width = depth.shape[1:]
    rows, columns = (torch.arange(step // 2, side, step, device=depth.device) for side in (height, width))
    v, u = (grid.flatten() for grid in torch.meshgrid(rows, columns, indexing="ij"))
    z = depth[:, v, u].float()
    source = torch.stack([u, v], dim=-1) + 0.5
    focal = source.new_tensor([camera.fx, camera.fy])
    principal = source.new_tensor([camera.cx, camera.cy])
    points = torch.cat([(source - principal) / focal, torch.ones_like(source[:, :1])], dim=-1) * z[..., None]
    back = other_poses[:, :3, :3].transpose(1, 2)
    rotation = (back @ poses[:, :3, :3]).float()
    translation = (back @ (poses[:, :3, 3:] - other_poses[:, :3, 3:])).float()
    points = points @ rotation.transpose(1, 2) + translation.transpose(1, 2)
    ahead = points[..., 2]
    in_front = (z > 0) & (ahead > 1e-3)
    target = focal * points[..., :2] / torch.where(in_front, ahead, 1.0)[..., None] + principal
    x, y = target.unbind(dim=-1)
    inside = in_front & (x >= 0) & (x < width) & (y >= 0) & (y < height)
    pixel = y.clamp(0, height - 1).long() * width + x.clamp(0, width - 1).long()
    met = other_depth.flatten(1).float().gather(1, pixel)
    share, least = _SAME_DEPTH
    same = (met > 0) & ((met - ahead).abs() <= (share * ahead).clamp(min=least))
    return source.expand(len(depth), -1, -1), target, inside & same
