"""One guest for every door of relocbench."""
