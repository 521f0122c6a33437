"""The signal that a sequence draws from spins."""
