"""Protocols turn scenes into views, one folder each; rendering and writing these is the same for all.

A protocol is a class derived from :class:`relocbench.datasets.spec.Protocol`, whose fields are its parameters. Another
package adds one by an entry point of the group ``relocbench.protocols``.
"""

from typing import Any

from ...registry import Registry

#: Classes derived from `Protocol`, by the name that a track gives under ``protocol``.
PROTOCOLS: Registry[Any] = Registry(
    "protocol",
    "protocols",
    {
        "cross-view": ".datasets.protocols.cross_view.protocol:CrossView",
        "recorded-path": ".datasets.protocols.recorded_path.protocol:RecordedPath",
        "sparse-reference": ".datasets.protocols.sparse_reference.protocol:SparseReference",
    },
)
