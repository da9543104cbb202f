"""Recognize a place from any direction, given one image of it (paper 000)."""
