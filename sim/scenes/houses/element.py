"""`Element`: one object of a house in world coordinates, ready to become an instance of a `Scene`."""

from __future__ import annotations

from dataclasses import dataclass

from ..meshes.mesh import Part


@dataclass(frozen=True, eq=False)
class Element:
    """One object: category name, a name unique within the house, the room it stands in, and its meshes in world
    coordinates (texture coordinates in metres)."""

    category: str
    name: str
    room: str | None
    parts: tuple[Part, ...]

    @property
    def triangle_count(self) -> int:
        """Triangles over all parts."""
        return sum(len(part.triangles) for part in self.parts)
