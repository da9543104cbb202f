"""How networks are trained: frames streamed from generated houses, and one loop for every task."""
