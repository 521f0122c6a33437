"""Fluorescence microscopy: how the light spreads, and undoing it as photon noise demands."""
