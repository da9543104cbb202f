"""NetVLAD: retrieval by one learned vector per image (Arandjelovic et al., CVPR 2016)."""
