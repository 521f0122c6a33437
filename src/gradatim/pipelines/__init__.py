"""Named routes through the slices: they call, and compute nothing themselves."""
