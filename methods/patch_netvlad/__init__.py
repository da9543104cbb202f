"""Patch-NetVLAD: retrieval by the learned patches of an image (Hausler et al., CVPR 2021)."""
