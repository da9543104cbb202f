"""How the small networks are trained: frames streamed from generated houses, and one loop for every task."""

from ..exrenet.settings import VARIANTS

#: What ``relocbench train`` trains on frames of generated houses, by name.
NETWORKS = ("segmentation", "depth", "netvlad", *VARIANTS)
