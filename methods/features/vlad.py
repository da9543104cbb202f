"""VLAD aggregation of local descriptors, its vocabulary, and PCA whitening."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix


def learn_vocabulary(descriptors: NDArray[Any], words: int, *, seed: int) -> NDArray[Any]:
    """Return k-means centroids (words, D) float32 of descriptors (N, D); needs N >= words, uses at most 256
    per word."""
    kmeans = faiss.Kmeans(descriptors.shape[1], words, niter=25, seed=seed, min_points_per_centroid=1)
    kmeans.train(np.ascontiguousarray(descriptors, dtype=np.float32))
    return np.array(kmeans.centroids, dtype=np.float32)


def vlad(descriptors: NDArray[Any], vocabulary: NDArray[Any]) -> NDArray[Any]:
    """Return the VLAD vector (words * D,) float32 of descriptors (N, D), unit length; zero where N is 0.

    Residuals to the nearest word are summed per word (Jegou et al. 2010) and each word's sum is normalised on its own
    (intra-normalisation, Arandjelovic and Zisserman 2013), which keeps repeated structure from dominating.
    """
    words, dimensions = vocabulary.shape
    if len(descriptors) == 0:
        return np.zeros(words * dimensions, dtype=np.float32)
    nearest = (descriptors @ vocabulary.T - 0.5 * (vocabulary**2).sum(axis=1)).argmax(axis=1)
    ones = np.ones(len(descriptors), dtype=np.float32)
    assignment = csr_matrix((ones, (nearest, np.arange(len(descriptors)))), shape=(words, len(descriptors)))
    counts = np.bincount(nearest, minlength=words).astype(np.float32)
    residuals = assignment @ descriptors - counts[:, None] * vocabulary
    residuals /= np.maximum(np.linalg.norm(residuals, axis=1, keepdims=True), np.float32(1e-12))
    flat = residuals.ravel()
    return flat / np.maximum(np.linalg.norm(flat), np.float32(1e-12))


@dataclass(frozen=True, eq=False)
class Whitening:
    """PCA whitening: ``mean`` (D,) is subtracted, ``projection`` (d, D) applied, the result has unit length."""

    mean: NDArray[Any]
    projection: NDArray[Any]

    @classmethod
    def learn(cls, vectors: NDArray[Any], dimensions: int, *, shrinkage: float) -> Whitening:
        """Learn from vectors (N, D): the first ``dimensions`` principal directions, at most N - 1, scaled to unit
        variance (Jegou and Chum 2012); none where all vectors are the same.

        With few vectors the small variances are estimated too small, and whitening would blow noise up; ``shrinkage``
        times the mean variance is added to each before it is divided by.
        """
        mean = vectors.mean(axis=0, dtype=np.float64).astype(np.float32)
        centred = (vectors - mean).astype(np.float64)
        # The directions in the space of the N vectors are those of the (D, D) covariance, and N is far below D.
        variance, coordinates = np.linalg.eigh(centred @ centred.T / len(vectors))
        variance, coordinates = variance[::-1], coordinates[:, ::-1]
        kept = int(min(dimensions, len(vectors) - 1, (variance > 1e-9 * max(variance[0], 1e-12)).sum()))
        if kept == 0:
            return cls(mean, np.zeros((0, len(mean)), dtype=np.float32))
        variance, coordinates = variance[:kept], coordinates[:, :kept]
        directions = (coordinates.T @ centred) / np.sqrt(variance * len(vectors))[:, None]
        scale = 1 / np.sqrt(variance + shrinkage * variance.mean())
        return cls(mean, (directions * scale[:, None]).astype(np.float32))

    def __call__(self, vector: NDArray[Any]) -> NDArray[Any]:
        """Return the whitened vector (d,) float32, unit length."""
        projected = self.projection @ (vector - self.mean)
        return projected / np.maximum(np.linalg.norm(projected), np.float32(1e-12))
