"""DenseVLAD: retrieval by dense RootSIFT aggregated to one vector per image (Torii et al., CVPR 2015)."""
