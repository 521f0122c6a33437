"""Quantitative susceptibility mapping: signal → field → susceptibility, one method a file."""
