"""Image features that methods share: SIFT, dense RootSIFT, VLAD, and their matching."""
