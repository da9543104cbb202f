"""Localize in a room that four photographs describe (paper 002, section V-C)."""
