"""Findings about the physics of a sequence."""
