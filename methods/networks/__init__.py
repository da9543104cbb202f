"""The small networks that methods share, and their checkpoints."""

#: What ``relocbench train`` trains on frames of generated houses; its checkpoints are ``weights/<name>.safetensors``.
NETWORKS = ("segmentation", "depth", "netvlad")
