"""ExReNet: poses relative to references from hierarchical correlation layers (paper 002)."""
