"""`scene-graph` and `scene-graph-vs`: places recognized from scene graphs, of real views and of synthesized ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from ...datasets.protocols.cross_view.places import representative_point
from ...datasets.protocols.cross_view.visibility import VisibilityCone
from ...datasets.views import View, ViewSet
from ...errors import InputError
from ..features.regions import semantic_regions
from ..method import Estimate, Method, MethodConfig, Privilege, Query
from ..patch_netvlad.patches import PatchNetVlad
from ..perception.depth import DepthChoice, open_depth
from ..perception.segmentation import SegmentationChoice, open_segmentation
from ..timing import stage
from .classifier import GraphClassifier, train_classifier
from .graph import SceneGraph, layout_of_view, scene_graph, stacked_regions
from .nodes import Descriptor, SegmentedImage, make_vocabulary, node_descriptors
from .synthesis import PointCloud, VirtualView, joined_clouds, virtual_views

Array = NDArray[Any]

_SEED = 0  # of the virtual viewpoints and of the classifier; a map follows from its references alone
_STEP = 2  # pixels of an image per point of its cloud: boxes that are cut off to 1/128 of the image lie well enough


class SceneGraphConfig(MethodConfig):
    """Settings of `scene-graph`; those of the other two differ in the number of views."""

    descriptor: Descriptor = "pnv-rrv"
    """What nodes look like: "pnv-rrv", their Patch-NetVLAD patches; "netvlad", one vector each; "semantic", their
    category. All are ranked against the training images."""
    spatial_edges: bool = True
    """Whether edges say how the boxes at their ends lie to each other; otherwise they only say that they overlap."""
    views: int = Field(default=0, ge=0, le=200)
    """Views synthesized per training image."""
    point_range: float = Field(default=1.0, gt=0)
    """Metres before a training image at which the point that its place is known by lies at most: the data set's own."""
    reach: float = Field(default=1.5, gt=0)
    """Metres from that point within which virtual cameras stand."""
    surfaces: Literal["own", "all"] = "own"
    """What virtual cameras see: the surfaces that the place's own training image shows, as in the paper, or those of
    all training images together, with cameras only where one of these sees the floor plan. In validation houses 2033
    and 2038 of cross-view-v2 (1,008 queries) that gains 5.4 % MRR beyond 90 degrees, loses 7.8 below 30, and leaves the
    whole as it is. For "pnv-rrv" only."""
    segmentation: SegmentationChoice = "learned"
    """"learned": trained on generated houses, comes with the package; "ade20k": a public model; "oracle": the
    simulator's own semantic maps, of queries too, which every table says."""
    depth: DepthChoice = "learned"
    """Where the depth of training images comes from, from which views are synthesized: "learned", "midas" or
    "oracle"."""
    weights: str = "synthetic"
    """Of the patches: "synthetic", or the path of a checkpoint of 'relocbench train netvlad'."""
    segmentation_weights: str = "default"
    """"default", a checkpoint's path, or for "ade20k" a model's folder or name."""
    depth_weights: str = "default"
    """"default", a checkpoint's path, or for "midas" a model's folder or name."""

    @model_validator(mode="after")
    def _patches_of_several_images(self) -> Self:
        if self.surfaces == "all" and self.descriptor != "pnv-rrv":
            raise ValueError("surfaces: only patches (descriptor pnv-rrv) of several images can be seen in one view")
        return self


class SceneGraphVsConfig(SceneGraphConfig):
    """Settings of `scene-graph-vs` and `image-synthesis`."""

    views: int = Field(default=50, ge=0, le=200)
    """Views synthesized per training image. The paper's curve is flat from 10 on; ours still rises from 25 to 50."""


class SceneGraphMethod(Method[SceneGraphConfig]):
    """Scene graphs of real views, classified by a graph neural network (paper 000, sections II-B and III)."""

    name = "scene-graph"

    def __init__(self, config: SceneGraphConfig | None = None) -> None:
        super().__init__(config)
        self._segmenter = open_segmentation(self.config.segmentation, self.config.segmentation_weights)
        self._describe = PatchNetVlad(self.config.weights)
        if self.config.views:
            self._depth = open_depth(self.config.depth, self.config.depth_weights)

    @property
    def privileges(self) -> frozenset[Privilege]:
        """The simulator's semantic maps where segmentation is the oracle's, its depth of references where depth is."""
        maps: set[Privilege] = set()
        if self.config.segmentation == "oracle":
            maps |= {"semantic", "reference semantic"}
        if self.config.depth == "oracle" and self.config.views:
            maps.add("reference depth")  # of queries none is read
        return frozenset(maps)

    def build_map(self, references: ViewSet) -> None:
        """Make graphs of the references, synthesize more, and train the classifier on all of them."""
        self.ids = references.ids
        self.poses = references.poses
        images = [self._segmented(view.image(), self._segmenter.of_view(view)) for view in references]
        self._vocabulary = make_vocabulary(self.config.descriptor, images)
        graphs = [self._graph_of(image) for image in images]
        labels = list(range(len(images)))
        for graph, label in self._synthesized(references, images):
            graphs.append(graph)
            labels.append(label)
        self._classifier = train_classifier(
            graphs, np.array(labels), len(images), synthesized=len(graphs) > len(images), seed=_SEED
        )

    def localize(self, query: Query) -> Estimate:
        """Answer with the pose of the likeliest place's reference; ``confidence`` is its probability."""
        with stage("segmentation"):
            regions = semantic_regions(self._segmenter.of_query(query))
        with stage("features"):
            features = self._describe(query.image)
        with stage("graph"):
            image = SegmentedImage.of(regions, features)
        with stage("rrv"):
            graph = self._graph_of(image)
        with stage("gnn"):
            probability = self._classifier.probabilities(graph)
        return Estimate.ranked(self.ids, self.poses, probability)

    def map_bytes(self) -> int:
        """Return the bytes of the classifier's weights, of the prototypes, and of the references' poses."""
        return super().map_bytes() + _network_bytes(self._classifier)

    def _segmented(self, image: Array, semantic: Array) -> SegmentedImage:
        return SegmentedImage.of(semantic_regions(semantic), self._describe(image))

    def _graph_of(self, image: SegmentedImage) -> SceneGraph:
        nodes = node_descriptors(self._vocabulary, image, image.layout, self._vocabulary.measure(image))
        return scene_graph(image.layout, nodes, spatial=self.config.spatial_edges)

    def _synthesized(self, references: ViewSet, images: list[SegmentedImage]) -> Iterator[tuple[SceneGraph, int]]:
        """Yield graphs of virtual views of the references, and the class of each: appearance comes from the real image
        and is measured once, only the layout is the virtual view's (paper, II-C)."""
        if not self.config.views:
            return
        depths = [self._depth.of_view(view) for view in references]
        points = place_points(references, depths, point_range=self.config.point_range)
        if self.config.surfaces == "all":
            yield from self._synthesized_of_all(references, images, depths, points)
            return
        for own, (view, depth, image) in enumerate(zip(references, depths, images, strict=True)):
            measured = self._vocabulary.measure(image)
            on_surface = _patch_points(view, depth, image.features.centres)
            cloud = PointCloud.of(depth, view.pose, view.camera, step=_STEP)
            for virtual, place in views_of(view, cloud, points, own, self.config, step=_STEP):
                layout = layout_of_view(virtual, image.regions, image.features.centres, on_surface)
                nodes = node_descriptors(self._vocabulary, image, layout, measured)
                yield scene_graph(layout, nodes, spatial=self.config.spatial_edges), place

    def _synthesized_of_all(
        self, references: ViewSet, images: list[SegmentedImage], depths: list[Array], points: Array
    ) -> Iterator[tuple[SceneGraph, int]]:
        """Yield graphs of virtual views of what all references show: parts and patches of any may be seen in each.

        Raises `InputError` where the references differ in size.
        """
        shapes = {depth.shape for depth in depths}
        if len(shapes) > 1:
            raise InputError(f"references of {len(shapes)} sizes cannot be seen together; set surfaces to own")
        ((height, width),) = shapes
        clouds = [
            PointCloud.of(depth, view.pose, view.camera, step=_STEP)
            for view, depth in zip(references, depths, strict=True)
        ]
        cloud = joined_clouds(clouds, height * width)
        cones = [VisibilityCone.of(d, view.pose, view.camera) for view, d in zip(references, depths, strict=True)]
        regions = stacked_regions([image.regions for image in images])
        centres = np.concatenate([image.features.centres + np.array([0, k * height]) for k, image in enumerate(images)])
        on_surface = np.concatenate(
            [
                _patch_points(view, depth, image.features.centres)
                for view, depth, image in zip(references, depths, images, strict=True)
            ]
        )
        measured = np.concatenate([self._vocabulary.measure(image) for image in images])
        for own, view in enumerate(references):
            seen = views_of(view, cloud, points, own, self.config, step=_STEP, within=cones)
            for virtual, place in seen:
                layout = layout_of_view(virtual, regions, centres, on_surface)
                nodes = node_descriptors(self._vocabulary, images[own], layout, measured)
                yield scene_graph(layout, nodes, spatial=self.config.spatial_edges), place


class SceneGraphVs(SceneGraphMethod):
    """`scene-graph` that learned from synthesized graphs, too (paper 000, section II-C): a query costs the same."""

    name = "scene-graph-vs"
    Config = SceneGraphVsConfig


def views_of(
    view: View,
    cloud: PointCloud,
    points: Array,
    own: int,
    config: SceneGraphConfig,
    *,
    step: int = 1,
    within: Sequence[VisibilityCone] = (),
) -> Iterator[tuple[VirtualView, int]]:
    """Yield virtual views of a cloud from around the place of a reference with the class of each, see `virtual_views`;
    ``step`` is of the cloud."""
    camera = view.camera.resized(view.camera.width // step, view.camera.height // step)
    height, rng = float(view.pose.translation[2]), np.random.default_rng([_SEED, own])
    return virtual_views(
        cloud,
        camera,
        points,
        own,
        height=height,
        count=config.views,
        reach=config.reach,
        rng=rng,
        within=within,
    )


def place_points(references: ViewSet, depths: list[Array], *, point_range: float) -> Array:
    """Return the representative points (K, 2) of the references' classes, as the dataset's protocol defines them."""
    cones = [VisibilityCone.of(depth, view.pose, view.camera) for view, depth in zip(references, depths, strict=True)]
    return np.stack([representative_point(cone, point_range=point_range) for cone in cones])


def _patch_points(view: View, depth: Array, centres: Array) -> Array:
    """Return the world points (P, 3) that are seen at the centres (P, 2) of patches, NaN where depth is unknown."""
    column, row = np.clip(centres.astype(int), 0, np.array(depth.shape[::-1]) - 1).T
    z = depth[row, column].astype(np.float64)
    return view.pose.transform_points(view.camera.backproject(centres, np.where(z > 0, z, np.nan)))


def _network_bytes(network: GraphClassifier) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in network.state_dict().values())
