"""Templates, style and script of the HTML report, shipped as package data."""
