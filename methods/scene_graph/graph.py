"""Scene graphs: the parts of a view and the whole of it as nodes, with a description of how they lie to each other.

Paper 000, section II-B. A graph has two halves. Its layout is view-dependent: where parts lie, which of them overlap,
and which patches belong to which. What its nodes look like is view-invariant: dissimilarities to the K training images.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..features.regions import Regions
from .synthesis import VirtualView

Array = NDArray[Any]

#: Parts of a virtual view that cover less than this share of it are left out, as those of an image are.
SMALLEST_PART = 0.002
#: Length of an edge's description, see :func:`edge_description`.
EDGE_FEATURES = 8


@dataclass(frozen=True, eq=False)
class Layout:
    """The view-dependent half of a scene graph; node 0 is the whole image, nodes 1 to R its parts.

    ``part`` (R,) which region of the real image each part is; ``boxes`` (R + 1, 4) x0, y0, x1, y1 in units of the
    image's width and height; ``membership`` (R + 1, P) float32: the weight of every patch in each node, rows sum to 1,
    or are zero where there is no patch at all.
    """

    part: Array
    boxes: Array
    membership: Array


@dataclass(frozen=True, eq=False)
class SceneGraph:
    """``nodes`` (R + 1, K) float32 descriptors, ``edges`` (2, E) int64 from and to, both ways, and ``description``
    (E, `EDGE_FEATURES`) float32 of how the two ends of each lie."""

    nodes: Array
    edges: Array
    description: Array


def layout_of_image(regions: Regions, centres: Array) -> Layout:
    """Return the layout of a real image from its regions and the centres (P, 2) of its patches in its pixels."""
    height, width = regions.label.shape
    boxes = regions.box / np.array([width, height, width, height])
    middles = regions.centroid / np.array([width, height])
    at = centres / np.array([width, height])
    owner = labels_at(regions.label, centres)
    return _layout(np.arange(len(regions)), boxes, middles, owner, at, np.ones(len(centres), dtype=bool))


def layout_of_view(view: VirtualView, regions: Regions, centres: Array, patch_points: Array) -> Layout:
    """Return the layout of a virtual view of an image with these regions and patch centres (P, 2).

    ``patch_points`` (P, 3) are the world points at the patches' centres, NaN where their depth is unknown. A part is
    all that is seen of one region of the image, even where something stands before its middle: its box follows from
    the smallest and largest coordinates (paper, II-C), and the region need not be found again.
    """
    height, width = view.source.shape
    label = np.where(view.source >= 0, regions.label.ravel()[view.source], 0)
    found = ndimage.find_objects(label, max_label=len(regions))
    area = np.bincount(label.ravel(), minlength=len(regions) + 1)[1:] / label.size
    part = np.flatnonzero(area >= SMALLEST_PART)
    boxes = np.array([_box(found[index]) for index in part]).reshape(-1, 4) / np.array([width, height, width, height])
    pixels, seen = view.locate(patch_points)
    at = np.where(seen[:, None], pixels, 0.0) / np.array([width, height])
    owner = _renumbered(labels_at(regions.label, centres), part, len(regions))
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    return _layout(part, boxes, middles, owner, at, seen)


def stacked_regions(images: Sequence[Regions]) -> Regions:
    """Return the regions of images of one size as those of one tall image, each below the one before it."""
    first = np.concatenate([[0], np.cumsum([len(regions) for regions in images])])
    rows = [number * regions.label.shape[0] for number, regions in enumerate(images)]
    label = [np.where(regions.label > 0, regions.label + at, 0) for regions, at in zip(images, first, strict=False)]
    down = list(zip(images, rows, strict=True))
    return Regions(
        category=np.concatenate([regions.category for regions in images]),
        area=np.concatenate([regions.area for regions in images]) / len(images),
        centroid=np.concatenate([regions.centroid + np.array([0, row]) for regions, row in down]),
        box=np.concatenate([regions.box + np.array([0, row, 0, row]) for regions, row in down]),
        label=np.concatenate(label),
    )


def labels_at(label: Array, centres: Array) -> Array:
    """Return the label (P,) of a map (H, W) at positions (P, 2) in its pixels; clipped to it."""
    column, row = np.clip(centres.astype(int), 0, np.array(label.shape[::-1]) - 1).T
    return label[row, column]


def _box(found: tuple[slice, ...]) -> tuple[int, int, int, int]:
    rows, columns = found
    return columns.start, rows.start, columns.stop, rows.stop


def _renumbered(owner: Array, part: Array, count: int) -> Array:
    """Return the labels (P,), 1 + an index of ``count`` regions, as 1 + an index into ``part``, 0 where not in it."""
    number = np.zeros(count + 1, dtype=np.int64)
    number[part + 1] = np.arange(len(part)) + 1
    return number[owner]


def _layout(part: Array, boxes: Array, middles: Array, owner: Array, at: Array, seen: Array) -> Layout:
    """Join parts and patches; ``owner`` (P,) is 1 + the part of each patch, 0 for none; ``at`` (P, 2) where it lies."""
    usable = seen if seen.any() else np.ones_like(seen)
    membership = np.zeros((len(part) + 1, len(owner)), dtype=np.float32)
    membership[0] = usable
    membership[owner, np.arange(len(owner))] += usable & (owner > 0)
    for node in np.flatnonzero(membership.sum(axis=1) == 0) if len(owner) else []:
        # A part too small for any patch's centre looks like the patch that lies nearest.
        distance = np.linalg.norm(at - middles[node - 1], axis=1)
        membership[node, np.argmin(np.where(usable, distance, np.inf))] = 1
    membership /= np.maximum(membership.sum(axis=1, keepdims=True), 1)
    return Layout(part, np.concatenate([[[0.0, 0.0, 1.0, 1.0]], boxes]), membership)


def scene_graph(layout: Layout, nodes: Array, *, spatial: bool = True) -> SceneGraph:
    """Return the graph of a layout whose nodes have these descriptors (R + 1, K); without ``spatial``, its edges carry
    zeros and say only what is joined."""
    edges = graph_edges(layout.boxes)
    description = edge_description(layout.boxes, edges)
    return SceneGraph(nodes.astype(np.float32), edges, description if spatial else np.zeros_like(description))


def graph_edges(boxes: Array) -> Array:
    """Return edges (2, E), each in both directions: the whole image, node 0, with every part, and parts whose boxes
    (R + 1, 4) overlap with each other (paper, II-B)."""
    overlap = _intersections(boxes) > 0
    overlap[0, :] = overlap[:, 0] = True
    np.fill_diagonal(overlap, False)
    return np.stack(np.nonzero(overlap)).astype(np.int64)


def edge_description(boxes: Array, edges: Array) -> Array:
    """Return the spatial description (E, `EDGE_FEATURES`) float32 of edges between boxes in units of the image.

    The paper names a "spatial edge description" and leaves it open. Chosen here: where the box at the edge's start lies
    and how large it is (centre, width and height), its centre relative to that at the end, the logarithm of the ratio
    of their areas, and the intersection over the union of both.
    """
    centre, extent = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
    area = np.maximum(extent.prod(axis=1), 1e-6)
    start, end = edges
    shared = _intersections(boxes)[start, end]
    columns = [
        centre[start] - 0.5,
        extent[start],
        centre[start] - centre[end],
        np.log(area[start] / area[end])[:, None] / 5,  # to within about 1, as the others are
        (shared / (area[start] + area[end] - shared))[:, None],
    ]
    return np.concatenate(columns, axis=1).astype(np.float32)


def _intersections(boxes: Array) -> Array:
    """Return the area (N, N) that each pair of boxes (N, 4) shares."""
    low = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    return np.clip(high - low, 0, None).prod(axis=-1)
