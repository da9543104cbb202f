"""`essnet`: the relative-pose network with EssNet's regression part, trained on what `exrenet` is trained on."""

from __future__ import annotations

from typing import Literal

from ..exrenet.exrenet import ExReNetConfig, ExReNetMethod, Fusion


class EssNetConfig(ExReNetConfig):
    """Settings of `essnet`: those of `exrenet`, without a scale, and triangulated as published."""

    fusion: Fusion = "pairs"
    """How the relative poses become one: "pairs", EssNet's own RANSAC over pairs whose rays meet; or "certainty", as
    `exrenet`."""

    use_scale: Literal[False] = False
    """EssNet says in which direction the query is, never how far: no distance tells which references agree."""


class EssNet(ExReNetMethod):
    """EssNet (Zhou et al., "To Learn or Not to Learn: Visual Localization from Essential Matrices", ICRA 2020) by its
    regression part, as the ExReNet paper compares it: one correlation layer, two convolutions, one layer to the output.

    It answers with a direction and a quaternion, as ExReNet does, and not with an essential matrix. As there (section
    II, and Table III), it has no scale: neither the network's output nor the test for inliers knows of distances. It
    has no dropout, and so no uncertainty: ``samples`` changes nothing.
    """

    name = "essnet"
    network_name = "essnet"
    Config = EssNetConfig


class EssNetScale(ExReNetMethod):
    """A variant of ours: EssNet's regression part with ExReNet's scale, as an output and in the test for inliers.

    What then differs from `exrenet` is the network's end, and nothing else.
    """

    name = "essnet-scale"
    network_name = "essnet-scale"
