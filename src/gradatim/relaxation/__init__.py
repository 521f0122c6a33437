"""Relaxation: multi-echo magnitude → R2*, T2*, S0."""
