"""Calcium around an open channel: free, with fixed and with mobile buffers, in steady state and on its way there."""
