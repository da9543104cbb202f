"""The networks of Tables I to III of the paper that are not ExReNet itself, each as something to train."""

from __future__ import annotations

from .training import RelativePoseTask


class UnscaledTask(RelativePoseTask):
    """ExReNet that does not say how far the query is."""

    name = "exrenet-unscaled"


class ClassicTask(RelativePoseTask):
    """ExReNet with the extensive correlation layer alone."""

    name = "exrenet-classic"


class ClassicStemTask(RelativePoseTask):
    """One correlation layer, and of the regression part the first convolution."""

    name = "exrenet-classic-stem"


class ConcatenationTask(RelativePoseTask):
    """Features side by side, position by position, in place of correlation."""

    name = "exrenet-concatenation"


class PooledTask(RelativePoseTask):
    """Features averaged over the image, side by side, in place of correlation."""

    name = "exrenet-pooled"
