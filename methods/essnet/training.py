"""How `essnet` is trained: as ExReNet."""

from __future__ import annotations

from ..exrenet.training import RelativePoseTask


class EssNetTask(RelativePoseTask):
    """One correlation layer and EssNet's regression part: direction and rotation."""

    name = "essnet"


class EssNetScaleTask(RelativePoseTask):
    """The same with the scale as an output."""

    name = "essnet-scale"
