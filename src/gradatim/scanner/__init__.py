"""The scanner: what its hardware allows, what it plays, what the spins answer, and what image that makes."""
