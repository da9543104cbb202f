"""Parametric furniture and household objects: `make_piece` builds one, `CATALOGUE` says which there are."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ...meshes.mesh import Piece
from . import (
    bathroom,
    beds,
    electronics,
    hangings,
    kitchen,
    lamps,
    plants,
    seating,
    soft,
    storage,
    tabletops,
    tableware,
)
from .style import Style
from .workshop import CatalogueEntry

__all__ = ["CATALOGUE", "CatalogueEntry", "Style", "make_piece"]

#: Every kind of piece by its name; several kinds may share a category ("table lamp" is a "lamp").
CATALOGUE: Mapping[str, CatalogueEntry] = {
    name: entry
    for module in (
        seating,
        tabletops,
        beds,
        storage,
        kitchen,
        bathroom,
        lamps,
        hangings,
        plants,
        tableware,
        electronics,
        soft,
    )
    for name, entry in module.ENTRIES.items()
}


def make_piece(
    category: str,
    rng: np.random.Generator,
    style: Style,
    *,
    detail: float = 1.0,
    size: tuple[float | None, ...] | None = None,
) -> Piece:
    """Return a piece of the kind ``category`` (a name in ``CATALOGUE``), its shape drawn from ``rng``.

    ``detail`` scales its triangles about linearly. ``size`` fixes its extents (x, y, z) in metres exactly; None, or a
    None in it, leaves them to chance. The same state of ``rng``, style and detail give the same piece. Raises
    ``ValueError`` for a kind that the catalogue does not have.
    """
    if category not in CATALOGUE:
        raise ValueError(f"the catalogue has no {category!r}; it has {', '.join(sorted(CATALOGUE))}")
    return CATALOGUE[category].build(rng, style, detail=detail, size=size)
