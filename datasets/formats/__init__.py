"""Formats of data sets that nobody here generated, one module each; every one converts and undistorts at its own door.

Another package adds one by an entry point of the group ``relocbench.formats``.
"""

from ...registry import Registry, complete_class
from .format import Format

#: By the name that ``--format`` takes.
FORMATS: Registry[type[Format]] = Registry("format", "formats", {}, check=complete_class(Format))
