"""Semantic histograms: regions described by the labels around them, matched between images (Guo et al., RA-L 2021)."""
