"""What surfaces of generated worlds look like: painted textures, prints and pictures, ordered as materials."""
