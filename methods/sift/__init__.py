"""Classical localization with SIFT: from relative poses (`sift-5pt`) and from a triangulated map (`sift-pnp`)."""
