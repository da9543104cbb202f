"""A user's own method in an interpreter of its own: ``--method file.py:Class --python /path/to/python``.

That interpreter needs Python 3.9 or newer and NumPy, and nothing of relocbench: the class is plain Python. ::

    import numpy as np

    class Thumbnail:
        name = "thumbnail"

        def build_map(self, references):
            self.references = [(r.id, r.world_from_camera) for r in references]
            self.thumbnails = np.stack([self.thumbnail(r.image) for r in references])

        def localize(self, query):
            distances = np.abs(self.thumbnails - self.thumbnail(query.image)).mean(axis=1)
            order = np.argsort(distances, kind="stable")
            ids = [self.references[i][0] for i in order]
            return {"world_from_camera": self.references[order[0]][1], "ranking": ids}

        def thumbnail(self, image):
            return image[::16, ::16].astype(np.float32).ravel()

What the class has, and what it is given:

- ``name``, a string: what tables call it. It is made without arguments, once per map.
- ``build_map(references)``: a list of objects with ``id``, ``image`` (H, W, 3) uint8 sRGB, ``camera`` (``width``,
  ``height``, ``fx``, ``fy``, ``cx``, ``cy``), ``world_from_camera`` (4, 4) float64, and ``depth``: None, or where the
  class says ``needs_depth = True``, z-depth (H, W) float32 in metres, 0 where nothing was hit: ground truth, which
  every table says (see :mod:`relocbench.methods.privileges`).
- ``localize(query)``: an object with ``image``, ``camera`` and ``seed``; ``with query.stage("features"):`` names what
  is being timed. It returns a string, the reason why it cannot tell, or a dictionary of ``world_from_camera`` (4, 4)
  or None, ``ranking`` (ids of references, best first), ``confidence`` and ``flags`` (words). All of them may be left
  out, but not both pose and ranking.
- ``map_bytes()``, optional: the size of the map in memory; by default that of the arrays in the instance's attributes.

Conventions are relocbench's: metres, z up, OpenCV cameras (x right, y down, z forward), pixel centres at 0.5. The
file's folder is importable from it, as where Python runs the file; results are kept by the code of the file, of what it
imports from its folder, and by the versions of the libraries that these import. A class that derives from relocbench's
``Method`` is refused: where relocbench is installed such a class runs without ``--python``. So is one that
``needs_fit``.

Images come through a pipe, and the folders of dataset and results are hidden from that interpreter where the system
lets users make namespaces (Linux; ``run.json`` says of each machine whether it does), unless one of them holds the
class's own file.
"""
