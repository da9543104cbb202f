"""Geometric solvers that methods share and no library offers."""
