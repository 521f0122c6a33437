"""Computed tomography's scale: μ, HU, what moves it and what puts it right."""
