"""A query's pose from its relative poses to references, of which some are wrong: what they say most surely together.

RANSAC over pairs (`triangulation`) asks whether rays meet and then averages two rotations. Of references that see
little of what the query sees, most rotations are wrong, and rays that meet do not tell which. Here every reference
gives a distribution over the query's rotation, and one over its centre.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation
from scipy.special import i0e

from ...sim.geometry import Pose

Array = NDArray[Any]

_STEPS = 10  # of the reweighted means; far more than they need to settle
_FREEDOM = 3.0  # of the t distribution of centres: heavy tails, for rays that are altogether wrong
_SHORTEST = 0.01  # metres that a ray is long at least
_NEAREST = 0.3  # metres: rays that pass a centre closer to their reference count no more for it
_ANYWHERE = 100.0  # standard deviation along a ray of unknown length, as a share of a room's size


@dataclass(frozen=True, eq=False)
class FusedPose:
    """The pose found; for each reference the probability (K,) that its rotation is right, given this one; and how much
    likelier the references make its rotation than a uniform one, the logarithm: 0 where they say nothing."""

    pose: Pose
    agreement: Array
    support: float


def fuse_poses(
    references: Pose,
    rotations: Array,
    directions: Array,
    certainties: Array,
    *,
    masses: Array | None = None,
    scales: Array | None = None,
    concentration: float = 6.0,
    across: float = 0.3,
    along: float = 0.5,
    rest: float = 0.3,
) -> FusedPose:
    """Return the query's pose (world_from_camera) that K references, K >= 1, make likeliest.

    Reference k, of pose ``references[k]``, holds B turns of the query's camera possible: ``rotations`` (K, B, 3, 3),
    reference_from_query, with probabilities ``masses`` (K, B), equal ones by default. It is right with the probability
    ``certainties`` (K,); else it says nothing. So under it a rotation R has the density, relative to a uniform one,

        p_k(R) = c_k sum_b m_kb f(angle(R, R_kb)) + 1 - c_k,   f(a) = exp(concentration cos a) / I_0(concentration)

    the von Mises distribution of an angle: cameras that stand upright differ by one angle. Of all R_kb, the one with
    the largest sum of log p_k is found, and moved to the mean of what agrees with it, each R_kb weighted by its share
    of p_k. A reference of certainty 0 counts for nothing; where all are 0, the first one alone answers.

    The centre is where t distributions (3 degrees of freedom) around what each reference says are largest together: at
    ``scales`` (K,) metres along its ray ``directions`` (K, 3), unit vectors in its frame, with standard deviations of
    ``along`` and ``across`` the ray as shares of that length. Directions are often right where rotations are not: a
    reference whose rotation is wrong counts ``rest`` for the centre, one whose rotation is right ``rest`` + 1. Without
    ``scales`` only rays count, and they count by how near the centre they pass as a share of its distance; where they
    are parallel, the centre lies as far along them as references are from each other.
    """
    certainties = np.asarray(certainties, dtype=np.float64)
    used = certainties > 0
    if not used.any():
        used[0] = True
        certainties = used.astype(np.float64)
    shares = np.full(rotations.shape[:2], 1 / rotations.shape[1]) if masses is None else masses
    world = references.rotation[:, None] @ rotations
    rotation, agreement, support = _rotation(world, shares, certainties, used, concentration)
    rays = (references.rotation @ directions[..., None])[..., 0]
    lengths = np.full(len(used), _mean_distance(references)) if scales is None else np.asarray(scales)
    centre = _centre(
        references.translation[used],
        rays[used],
        np.maximum(lengths[used], _SHORTEST),
        rest + agreement[used],
        across=across,
        along=_ANYWHERE if scales is None else along,
        lengths_known=scales is not None,
    )
    return FusedPose(Pose.from_rotation_translation(rotation, centre), agreement, support)


def _mean_distance(references: Pose) -> float:
    """Return how far references are from each other, the mean in metres; 0 for one alone."""
    offsets = references.translation[:, None] - references.translation
    count = len(references)
    return float(np.linalg.norm(offsets, axis=-1).sum() / max(count * (count - 1), 1))


def _rotation(
    world: Array, masses: Array, certainties: Array, used: Array, concentration: float
) -> tuple[Array, Array, float]:
    """Return the likeliest rotation (3, 3), with which references it agrees (K,), and the sum of log p_k."""
    shape = masses.shape
    possible = world.reshape(-1, 3, 3)
    weight = (certainties[:, None] * masses).ravel()

    def parts(rotations: Array) -> tuple[Array, Array]:
        """Return the summands (M, K, B) and the densities p_k (M, K) at rotations (M, 3, 3)."""
        cosine = (np.einsum("mij,hij->mh", rotations, possible) - 1) / 2
        own = weight * np.exp(concentration * (cosine - 1)) / i0e(concentration)
        own = own.reshape(-1, *shape)
        return own, own.sum(axis=2) + 1 - certainties

    candidates = possible[np.broadcast_to(used[:, None], shape).ravel() & (masses.ravel() > 0)]
    best = candidates[int(np.log(parts(candidates)[1]).sum(axis=1).argmax())]
    every = Rotation.from_matrix(possible)
    for _ in range(_STEPS):
        own, density = parts(best[None])
        best = every.mean((own / density[..., None]).ravel()).as_matrix()
    own, density = parts(best[None])
    return best, (own.sum(axis=2) / density)[0], float(np.log(density).sum())


def _centre(
    centres: Array,
    rays: Array,
    lengths: Array,
    weights: Array,
    *,
    across: float,
    along: float,
    lengths_known: bool,
) -> Array:
    """Return the mode (3,) of the t distributions, reweighting from the weighted mean on."""
    outer = rays[:, :, None] * rays[:, None, :]
    shape = (np.eye(3) - outer) / across**2 + outer / along**2
    said = centres + lengths[:, None] * rays
    distance, trust = lengths, weights
    for _ in range(_STEPS):
        precision = shape / distance[:, None, None] ** 2
        weighted = trust[:, None, None] * precision
        centre = np.linalg.solve(weighted.sum(axis=0), np.einsum("kij,kj->i", weighted, said))
        apart = np.einsum("ki,kij,kj->k", centre - said, precision, centre - said)
        trust = weights * (_FREEDOM + 3) / (_FREEDOM + apart)
        if not lengths_known:
            distance = np.maximum(np.linalg.norm(centre - centres, axis=1), _NEAREST)
    return centre
