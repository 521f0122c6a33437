"""Gradients that drive nature: flow that a heart drives, and calcium that a channel lets in."""
