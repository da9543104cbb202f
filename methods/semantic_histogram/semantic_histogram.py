"""`semantic-histogram`: the reference whose regions are surrounded by the same labels as the query's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.sparse import csr_array

from ...datasets.views import ViewSet
from ..features.regions import semantic_regions
from ..method import Estimate, Failure, Method, MethodConfig, Privilege, Query
from ..perception.segmentation import SegmentationChoice, open_segmentation
from ..timing import stage
from .label_graph import LabelPath, label_histograms, touching

Array = NDArray[Any]


class SemanticHistogramConfig(MethodConfig):
    """Settings of `semantic-histogram`."""

    segmentation: SegmentationChoice = "learned"
    """"learned": trained on generated houses, comes with the package; "ade20k": a public model; "oracle": the
    simulator's own semantic maps, of queries too, which every table says."""
    weights: str = "default"
    """Of the segmentation: "default", a checkpoint's path, or for "ade20k" a model's folder or name."""
    path_length: int = Field(default=3, ge=1, le=5)
    """Labels per path, the node's own included; three in the authors' implementation."""
    smallest_region: float = Field(default=0.005, ge=0, lt=1)
    """Share of the image below which a region is no node."""


class SemanticHistogram(Method[SemanticHistogramConfig]):
    """Semantic histogram matching (Guo et al., RA-L 2021), in the form that paper 000 compares with: single images.

    Every region of an image is a node; its descriptor counts the sequences of labels on all paths that start at it, and
    two nodes of the same label are as similar as the cosine of their descriptors. Each of the query's nodes is matched
    with the node most similar to it, and a reference's score is the mean of those similarities, 0 for a node without a
    counterpart. Paper 000 ranks its classes by the inverse of the score. What follows in Guo et al., a rigid alignment
    of matched centroids in 3-D, needs depth and serves to find a pose, not a place.
    """

    name = "semantic-histogram"

    def __init__(self, config: SemanticHistogramConfig | None = None) -> None:
        super().__init__(config)
        self._segmenter = open_segmentation(self.config.segmentation, self.config.weights)

    @property
    def privileges(self) -> frozenset[Privilege]:
        """The semantic maps of queries and references where the segmentation is the simulator's."""
        return frozenset({"semantic", "reference semantic"} if self.config.segmentation == "oracle" else ())

    def build_map(self, references: ViewSet) -> None:
        """Describe the regions of every reference."""
        self.ids = references.ids
        self.poses = references.poses
        nodes = [self._describe(self._segmenter.of_view(view)) for view in references]
        self._index = _numbered(histogram for image in nodes for histogram in image)
        self._owner = np.repeat(np.arange(len(nodes)), [len(image) for image in nodes])
        self._nodes = _unit_rows([histogram for image in nodes for histogram in image], self._index)

    def localize(self, query: Query) -> Estimate | Failure:
        """Answer with the pose of the best match; ``confidence`` is its score."""
        with stage("segmentation"):
            semantic = self._segmenter.of_query(query)
        with stage("graph"):
            nodes = self._describe(semantic)
        if not nodes:
            return Failure("no region of a known category")
        with stage("matching"):
            score = self._scores(_unit_rows(nodes, self._index))
        return Estimate.ranked(self.ids, self.poses, score)

    def map_bytes(self) -> int:
        """Return the size of the references' descriptors, bytes."""
        nodes = self._nodes
        return int(nodes.data.nbytes + nodes.indices.nbytes + nodes.indptr.nbytes + self._owner.nbytes)

    def _describe(self, semantic: Array) -> list[Counter[LabelPath]]:
        regions = semantic_regions(semantic, smallest=self.config.smallest_region)
        adjacent = touching(regions.label, len(regions))
        return label_histograms(regions.category, adjacent, self.config.path_length)

    def _scores(self, query: csr_array) -> Array:
        """Return the score of each reference (N,) for the query's nodes (Q, P), unit rows over known paths."""
        similarity = (self._nodes @ query.T).toarray()  # paths start with a node's label: other labels have 0
        best = np.zeros((len(self.ids), similarity.shape[1]))
        np.maximum.at(best, self._owner, similarity)
        return best.mean(axis=1)


def _numbered(histograms: Iterable[Counter[LabelPath]]) -> dict[LabelPath, int]:
    """Number all paths, in the order in which they are met."""
    index: dict[LabelPath, int] = {}
    for histogram in histograms:
        for path in histogram:
            index.setdefault(path, len(index))
    return index


def _unit_rows(histograms: Sequence[Counter[LabelPath]], index: dict[LabelPath, int]) -> csr_array:
    """Return histograms as rows (N, P) of unit length; paths that are not in the index count for the length only."""
    rows, columns, values = [], [], []
    for row, histogram in enumerate(histograms):
        length = np.sqrt(sum(times**2 for times in histogram.values()))
        for path, times in histogram.items():
            if path in index:
                rows.append(row)
                columns.append(index[path])
                values.append(times / length)
    shape = (len(histograms), max(len(index), 1))
    return csr_array((values, (rows, columns)), shape=shape, dtype=np.float64)
