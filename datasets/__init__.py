"""Datasets on disk: manifest, views table, reader, writer, checker, and the protocols that make them."""
