"""Retrieval: which references look most like a query, by any descriptor."""
