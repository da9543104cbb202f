"""A query's pose from its relative poses to references: RANSAC over pairs of references.

Source: Winkelbauer, Denninger, Triebel, "Learning to Localize in New Environments from Synthetic Training Data"
(ExReNet), ICRA 2021, section IV-C, after Zhou et al., "To Learn or Not to Learn: Visual Localization from Essential
Matrices", ICRA 2020.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...sim.geometry import Pose

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Triangulation:
    """The pose found, which references agree with it (K,) bool, and the pair (i, j) that it was made from.

    Only where no strict hypothesis was found are the references of the pair not both among those that agree.
    """

    pose: Pose
    inliers: Array
    pair: tuple[int, int]


@dataclass(frozen=True, eq=False)
class _Hypotheses:
    """H query poses: centres (H, 3), quaternions (H, 4) w first, and the pairs (H, 2) that they are made from.

    ``exists`` (H,) bool: the pair's rays and centres determine a pose; ``in_front``: and the rays meet before both.
    """

    centres: Array
    quaternions: Array
    pairs: Array
    exists: Array
    in_front: Array


def triangulate_pose(
    references: Pose,
    reference_from_query: Pose,
    *,
    scales: Array | None = None,
    uncertainties: Array | None = None,
    max_angle: float = 15.0,
    scale_ratio: tuple[float, float] = (0.5, 2.0),
    strict: bool = True,
) -> Triangulation | None:
    """Return the query's pose (world_from_camera), or None where no pair of references gives one.

    ``references`` are K known poses and ``reference_from_query`` the K estimated relative ones, whose translations
    matter only in direction. Every pair (i, j) of references is a hypothesis: the centre is the midpoint where the two
    rays from the references towards the query pass each other closest [Hartley and Sturm 1997], the rotation the
    average of the two. Reference k is an inlier where the angle between its ray and the direction from it to the
    hypothesis is below ``max_angle`` degrees and, given the estimated ``scales`` (K,) in metres, the ratio of the
    hypothesis' distance to its scale lies inside ``scale_ratio``. The hypothesis with most inliers wins; among equals
    the one with the smallest mean of the pair's ``uncertainties`` (K,), if given, else the smallest mean angle
    between the inliers' rays and the hypothesis; then the earlier pair.

    What the paper leaves open: rays must meet in front of both cameras, and both references of the pair must be
    inliers of their own hypothesis, since otherwise any two relative poses would agree with themselves. Pairs whose
    rays are parallel (1e-6 rad), or whose centres coincide (so that the rays meet at the cameras themselves), make no
    hypothesis.

    With ``strict=False``, for methods that answer every query, pairs that fail these two conditions are hypotheses too,
    each of which ranks below all strict ones. Where the lines meet behind a camera, the centre is then the midpoint of
    the closest points of the two half-lines, so that neither of these lies behind its camera.
    """
    if len(references) < 2:
        return None
    rays = _unit(np.einsum("kij,kj->ki", references.rotation, reference_from_query.translation))
    quaternions = (references @ reference_from_query).quaternion
    hypotheses = _hypotheses(references.translation, rays, quaternions)
    inliers, angles = _inliers(references.translation, rays, hypotheses, scales, max_angle, scale_ratio)
    best = _best(hypotheses, inliers, angles, uncertainties, strict)
    if best is None:
        return None
    pose = Pose.from_quaternion(hypotheses.quaternions[best], hypotheses.centres[best])
    i, j = (int(k) for k in hypotheses.pairs[best])
    return Triangulation(pose, inliers[best], (i, j))


def _unit(vectors: Array) -> Array:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-300)


def _hypotheses(centres: Array, rays: Array, quaternions: Array) -> _Hypotheses:
    first, second = np.triu_indices(len(centres), k=1)
    midpoints, exists, in_front = _midpoints(centres[first], rays[first], centres[second], rays[second])
    averages = _average_rotations(quaternions[first], quaternions[second])
    return _Hypotheses(midpoints, averages, np.stack([first, second], axis=1), exists, in_front)


def _midpoints(a: Array, u: Array, b: Array, v: Array) -> tuple[Array, Array, Array]:
    """Return where rays a + s u and b + t v (all (H, 3), unit directions), s, t >= 0, pass each other closest.

    Also whether there is one such place (H,) bool, and whether the lines, too, pass closest there, with s, t > 0.
    """
    offset = b - a
    distance = np.linalg.norm(offset, axis=1)
    cosine = np.einsum("hd,hd->h", u, v)
    squared_sine = (np.cross(u, v) ** 2).sum(axis=1)  # not 1 - cosine^2, which cancels for small angles
    along_u, along_v = np.einsum("hd,hd->h", u, offset), np.einsum("hd,hd->h", v, offset)
    divisor = np.maximum(squared_sine, 1e-300)
    s = (along_u - cosine * along_v) / divisor
    t = (cosine * along_u - along_v) / divisor
    exists = (squared_sine > 1e-12) & (distance > 0)
    in_front = exists & (s > 1e-6 * distance) & (t > 1e-6 * distance)
    # Half-lines pass closest at an end of one: at t = 0 and b's foot on the other ray, or at s = 0 and a's foot. Both
    # feet make a right angle over the same offset, so the one farther from its own end is nearer to the other.
    foot_of_b, foot_of_a = np.maximum(along_u, 0.0), np.maximum(-along_v, 0.0)
    s = np.where(in_front, s, np.where(foot_of_b >= foot_of_a, foot_of_b, 0.0))
    t = np.where(in_front, t, np.where(foot_of_a > foot_of_b, foot_of_a, 0.0))
    return 0.5 * (a + s[:, None] * u + b + t[:, None] * v), exists, in_front


def _average_rotations(a: Array, b: Array) -> Array:
    """Return the rotations half-way between quaternions (H, 4), which stand for the same rotation with either sign."""
    sign = np.where(np.einsum("hq,hq->h", a, b) < 0, -1.0, 1.0)
    return _unit(a + sign[:, None] * b)


def _inliers(
    centres: Array,
    rays: Array,
    hypotheses: _Hypotheses,
    scales: Array | None,
    max_angle: float,
    scale_ratio: tuple[float, float],
) -> tuple[Array, Array]:
    """Return which references agree with which hypotheses, (H, K) bool, and the angles between them in degrees."""
    towards = hypotheses.centres[:, None, :] - centres[None, :, :]
    distance = np.linalg.norm(towards, axis=-1)
    sine = np.linalg.norm(np.cross(np.broadcast_to(rays, towards.shape), towards), axis=-1)
    angles = np.degrees(np.arctan2(sine, np.einsum("hkd,kd->hk", towards, rays)))
    inliers = (angles < max_angle) & (distance > 0)
    if scales is not None:
        ratio = distance / np.maximum(scales, 1e-12)
        inliers &= (ratio > scale_ratio[0]) & (ratio < scale_ratio[1])
    return inliers, angles


def _best(
    hypotheses: _Hypotheses, inliers: Array, angles: Array, uncertainties: Array | None, strict: bool
) -> int | None:
    consistent = hypotheses.in_front & np.take_along_axis(inliers, hypotheses.pairs, axis=1).all(axis=1)
    valid = consistent if strict else hypotheses.exists
    if not valid.any():
        return None
    count = inliers.sum(axis=1)
    if uncertainties is not None:
        tie_break = np.asarray(uncertainties)[hypotheses.pairs].mean(axis=1)
    else:
        tie_break = np.where(inliers, angles, 0.0).sum(axis=1) / np.maximum(count, 1)
    return int(np.lexsort((np.arange(len(count)), tie_break, -count, ~consistent, ~valid))[0])
