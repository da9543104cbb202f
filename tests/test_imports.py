"""Imports run one way, module by module: what two of them need stands below both."""

from __future__ import annotations

import grimp
import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components


def test_the_import_graph_has_no_circle():
    graph = grimp.build_graph("relocbench", cache_dir=None)
    modules = sorted(graph.modules)
    number = {module: index for index, module in enumerate(modules)}
    arrows = [(number[one], number[o]) for one in modules for o in graph.find_modules_directly_imported_by(one)]
    assert len(arrows) > 500
    table = coo_array((np.ones(len(arrows)), np.transpose(arrows)), shape=(len(modules), len(modules)))
    _, part = connected_components(table, directed=True, connection="strong")
    circles = [np.array(modules)[part == circle].tolist() for circle in np.flatnonzero(np.bincount(part) > 1)]
    assert not circles
