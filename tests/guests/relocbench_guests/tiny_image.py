"""A descriptor: the image itself, very small."""

import cv2
import numpy as np
from relocbench.methods.retrieval.descriptor import Descriptor


class TinyImage(Descriptor):
    """An 8 x 8 thumbnail."""

    name = "tiny-image"

    def __call__(self, image):
        """Return the thumbnail as a unit vector."""
        vector = cv2.resize(image, (8, 8), interpolation=cv2.INTER_AREA).astype(np.float32).ravel()
        return vector / (np.linalg.norm(vector) + 1e-9)
