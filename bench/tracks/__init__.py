"""Frozen, versioned track specifications (YAML), shipped as package data."""
