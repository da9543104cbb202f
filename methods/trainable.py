"""Networks to train by name: built in, or brought by an installed package.

Apart from the methods: no answer depends on how a network was trained, but for its weights.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..registry import Registry, complete_class

if TYPE_CHECKING:
    from .training.task import TrainingTask


def _training_task(candidate: Any, origin: str) -> type[TrainingTask[Any]]:
    from .training.task import TrainingTask

    return complete_class(TrainingTask)(candidate, origin)


#: A package offers a network to train by an entry point of the group ``relocbench.networks``, see `TrainingTask`.
NETWORKS: Registry[type[TrainingTask[Any]]] = Registry(
    "network",
    "networks",
    {
        "segmentation": ".methods.perception.training:SegmentationTask",
        "depth": ".methods.perception.training:DepthTask",
        "netvlad": ".methods.netvlad.training:PlaceTask",
        "exrenet": ".methods.exrenet.training:ExReNetTask",
        "exrenet-unscaled": ".methods.exrenet.ablations:UnscaledTask",
        "exrenet-classic": ".methods.exrenet.ablations:ClassicTask",
        "exrenet-classic-stem": ".methods.exrenet.ablations:ClassicStemTask",
        "exrenet-concatenation": ".methods.exrenet.ablations:ConcatenationTask",
        "exrenet-pooled": ".methods.exrenet.ablations:PooledTask",
        "essnet": ".methods.essnet.training:EssNetTask",
        "essnet-scale": ".methods.essnet.training:EssNetScaleTask",
    },
    check=_training_task,
)
