"""`Overwrite`: what a run does about results that are there already."""

from __future__ import annotations

from enum import StrEnum


class Overwrite(StrEnum):
    """What to do about results that are there already."""

    only_missing = "only-missing"
    """Compute what is missing, resume what was interrupted, try again what could not be fitted."""
    always = "always"
    """Compute everything again that this call asks for."""
    only_cache = "only-cache"
    """Compute nothing; an error where something is missing."""
