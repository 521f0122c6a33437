"""Pulses of radio frequency, and the profiles that they deliver."""
