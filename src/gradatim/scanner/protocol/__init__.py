"""Protocols chosen by what they will know: signal, noise, bound of the error, under a scanner's limits."""
