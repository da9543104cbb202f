"""Protocols: code that turns scenes into splits, references and queries."""
