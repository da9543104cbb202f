"""A format: numbered pictures beside a text file with one camera centre per line."""

from pathlib import Path

import numpy as np
from relocbench.datasets.formats.format import Format, Import, ImportedView
from relocbench.sim.geometry import Camera, Pose


class Numbered(Format):
    """``000.png``, ``001.png``, ... and ``centres.txt``; every third picture is a query."""

    name = "numbered"

    def read(self, source: Path) -> Import:
        """Read a folder."""
        centres = np.loadtxt(source / "centres.txt")
        poses = Pose.from_planar(centres[:, :2], height=1.5, yaw=np.zeros(len(centres)))
        camera = Camera.from_fov(64, 48, 90.0)
        views = [
            ImportedView(path.stem, "query" if index % 3 == 2 else "reference", camera, poses[index], path)
            for index, path in enumerate(sorted(source.glob("*.png")))
        ]
        return Import(views, notes=("every third picture is a query",))
