"""habitat-sim 0.3 as a simulator: the export of a scene, the scenes that its users have, the adapter and its worker."""
