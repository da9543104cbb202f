"""`PlaceParameters`: what the place classes of the protocol cross-view depend on."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from ...strict import Strict

#: Where images are compared: dense RootSIFT, which `dense-vlad` describes images by; or GIST, which no method uses.
AppearanceSpace = Literal["rootsift", "gist"]
#: Which of the views that belong to places become queries, where there are more than are wanted.
QuerySampling = Literal["uniform", "even"]


class PlaceParameters(Strict):
    """The candidates, the place classes among them, and who belongs to which."""

    views_per_scene: int = Field(default=5000, ge=2)
    """Candidate views sampled over the whole of every val or test scene; those of no class are dropped."""
    places: int = Field(default=100, ge=2)
    """Place classes per scene, each with one training image."""
    queries_per_scene: int | None = Field(default=None, ge=1)
    """At most so many of the views that belong to classes become queries, drawn at random; by default all of them."""
    training_images: Literal["similar", "random"] = "similar"
    """Whether the training images are chosen to look alike, as in the paper, or at random."""
    alike_in: AppearanceSpace = "rootsift"
    """The space in which they look alike: rootsift, which is that of `dense-vlad`, or gist, which is no method's."""
    point_range: float = Field(default=1.0, gt=0)
    """Metres before its training image at which a place's representative point lies at most. It lies nearer where
    less than twice as far is to be seen."""
    least_ahead: float = Field(default=1.0, gt=0)
    """Metres that a training image must see ahead; its place's point lies at half of them at least, or at
    `point_range`."""
    free_floor: bool = False
    """Whether a representative point must lie on the navigable floor, where a robot can stand and be looked at from
    all sides."""
    query_sampling: QuerySampling = "uniform"
    """"uniform": queries are drawn from all views of places, whatever they look like. "even": as many are drawn from
    each 30 degrees between a view's direction and its training image's, and within these as evenly as can be from all
    distances between the two, metre by metre."""
    max_range: float = Field(default=5.0, gt=0)
    """Metres from which a view still sees a place's representative point."""
    occlusion: bool = True
    """Whether a point behind a wall is out of sight."""
    cell_size: float = Field(default=2.0, gt=0)
    """Metres; no two training images are taken in the same cell of this grid over x and y, and over yaw."""
    cell_angle: float = Field(default=30.0, gt=0, le=360)
    """Degrees; the same grid's resolution in yaw."""

    @property
    def as_first_published(self) -> bool:
        """Whether all parameters that came later have the values that were fixed before."""
        return all(getattr(self, name) == value for name, value in _CAME_LATER.items())

    @model_serializer(mode="wrap")
    def _as_published(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out what published data sets were generated before: their specs, and so they, stay the same."""
        values: dict[str, Any] = serialize(self)
        return {key: value for key, value in values.items() if key not in _CAME_LATER or value != _CAME_LATER[key]}


#: Parameters that published data sets were generated without, with what held then.
_CAME_LATER: dict[str, Any] = {
    "alike_in": "rootsift",
    "point_range": 1.0,
    "least_ahead": 1.0,
    "free_floor": False,
    "query_sampling": "uniform",
}
