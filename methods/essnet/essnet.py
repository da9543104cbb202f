"""`essnet`: the relative-pose network with EssNet's regression part, trained on what `exrenet` is trained on."""

from __future__ import annotations

from ..exrenet.exrenet import ExReNetMethod


class EssNet(ExReNetMethod):
    """EssNet (Zhou et al., "To Learn or Not to Learn: Visual Localization from Essential Matrices", ICRA 2020) by its
    regression part, as the ExReNet paper compares it: one correlation layer, two convolutions, one layer to the output.

    It answers with a direction and a quaternion, as ExReNet does, and not with an essential matrix: what differs is the
    network, and nothing else. It has no dropout, and so no uncertainty: ``samples`` changes nothing.
    """

    name = "essnet"
    network_name = "essnet"
