"""Procedural houses: `generate_house` makes number `seed`."""

from .house import HOUSE_VERSION, generate_house

__all__ = ["HOUSE_VERSION", "generate_house"]
