"""The `Method` interface, the registry, and one folder per published system."""
