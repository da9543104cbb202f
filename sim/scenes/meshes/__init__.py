"""What every generated world is built from: textured meshes, and the upright boxes that stand in for them."""
