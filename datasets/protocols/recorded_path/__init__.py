"""A room is known from one walk through it, and queries are anywhere in it (paper 002, Figure 4)."""
