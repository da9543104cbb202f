"""What `sift-5pt` and `sift-pnp` are both configured with."""

from __future__ import annotations

from ..configuration import MethodConfig
from ..features.sift import SiftConfig
from ..retrieval.fallback import Fallback
from ..retrieval.retrieval import RetrievalConfig


class SiftMethodConfig(MethodConfig):
    """Parameters that do not depend on how the pose is computed."""

    fallback: Fallback = "none"
    """Where no pose is found: fail, or answer with the best reference's pose, flagged "fallback"."""

    sift: SiftConfig = SiftConfig()
    """Feature extraction."""

    retrieval: RetrievalConfig = RetrievalConfig()
    """Image retrieval: ``descriptor`` and its settings."""
