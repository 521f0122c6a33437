"""Sequences, block by block."""
