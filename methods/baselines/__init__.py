"""The floor and the ceiling of every table: a guess, and retrieval that knows the truth."""
