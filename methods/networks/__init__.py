"""The small networks that methods share, and their checkpoints."""
