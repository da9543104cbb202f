"""`image-synthesis`: the way that paper 000 argues against, graphs extracted from rendered images (section II-C)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...datasets.views import ViewSet
from ...errors import InputError
from .graph import SceneGraph
from .nodes import SegmentedImage
from .scene_graph import SceneGraphVs, SceneGraphVsConfig, place_points, views_of
from .synthesis import PointCloud, VirtualView

Array = NDArray[Any]


class ImageSynthesis(SceneGraphVs):
    """Learns from images that are rendered from each reference's point cloud, as if they were real ones.

    Views and classifier are those of `scene-graph-vs`. What differs: colours and labels are rendered, black and unknown
    where nothing projects, regions are found again in the rendered labels, and patches in the rendered colours.
    """

    name = "image-synthesis"

    def __init__(self, config: SceneGraphVsConfig | None = None) -> None:
        super().__init__(config)
        if self.config.surfaces == "all":
            raise InputError("image-synthesis renders one training image at a time; leave surfaces at own")

    def _synthesized(self, references: ViewSet, images: list[SegmentedImage]) -> Iterator[tuple[SceneGraph, int]]:
        if not self.config.views:
            return
        depths = [self._depth.of_view(view) for view in references]
        points = place_points(references, depths, point_range=self.config.point_range)
        for own, (view, depth) in enumerate(zip(references, depths, strict=True)):
            colours, semantic = view.image(), self._segmenter.of_view(view)
            cloud = PointCloud.of(depth, view.pose, view.camera)
            for virtual, place in views_of(view, cloud, points, own, self.config):
                image = self._segmented(rendered(virtual, colours), rendered(virtual, semantic))
                yield self._graph_of(image), place


def rendered(view: VirtualView, picture: Array) -> Array:
    """Return what a picture (H, W) or (H, W, C) of the real image looks like in a virtual view: 0 in its margin."""
    flat = picture.reshape(-1, *picture.shape[2:])
    seen = (view.source >= 0).reshape(view.source.shape + (1,) * (picture.ndim - 2))
    return np.where(seen, flat[np.maximum(view.source, 0)], 0).astype(picture.dtype)
