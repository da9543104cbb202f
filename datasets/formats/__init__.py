"""Formats of data sets that nobody here generated, one module each; every one converts and undistorts at its own door.

Another package adds one by an entry point of the group ``relocbench.formats``.
"""

from typing import Any

from ...registry import Registry

#: Classes derived from `relocbench.datasets.formats.format.Format`, by the name that ``--format`` takes.
FORMATS: Registry[Any] = Registry("format", "formats", {}, extra="io")
